package demo

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/staunchid/staunch/audit"
)

// recordOf is an entry as the page shows it.
func recordOf(e audit.Entry) record {
	chain := string(e.Account)
	if chain == "" {
		chain = "app"
	}
	r := record{
		ID: fmt.Sprintf("%s/%d", chain, e.N), Kind: "audit", Time: e.Time.UTC(), Account: string(e.Account), Actor: string(e.Actor.Kind),
		Action: e.Action, Code: e.Reason, Subject: e.Subject, Words: audit.Words(e), n: e.N,
	}
	var d struct {
		Decision  string `json:"decision"`
		Remaining *int   `json:"remaining"`
	}
	if len(e.Detail) > 0 && json.Unmarshal(e.Detail, &d) == nil { // a detail of other members tells nothing here
		r.Left = d.Remaining
	}
	r.Refused = d.Decision == "DENY" || strings.HasSuffix(e.Action, ".refused") || e.Action == "transfer.aborted" || e.Action == "transfer.contended"
	if judged, ok := strings.CutSuffix(r.Words, "and is judged"); ok && r.Refused {
		r.Words = judged + "and is refused"
	} else if judged, ok := strings.CutSuffix(r.Words, " is judged"); ok && r.Refused {
		r.Words = judged + " is refused"
	}
	return r
}
