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
		Action: e.Action, Code: e.Reason, Subject: e.Subject,
	}
	var d struct {
		Decision  string `json:"decision"`
		Remaining *int   `json:"remaining"`
	}
	if len(e.Detail) > 0 && json.Unmarshal(e.Detail, &d) == nil { // a detail is a JSON object, and other members are others'
		r.Left = d.Remaining
	}
	r.Refused = d.Decision == "DENY" || strings.HasSuffix(e.Action, ".refused") || e.Action == "transfer.aborted"
	r.Words = words(e.Action, r.Refused)
	return r
}

// words is what an action is to people. What is not listed is told by its name.
func words(action string, refused bool) string {
	pair, ok := map[string][2]string{
		"attest.register":         {"a phone shows what it is, and is registered", "a phone shows what it is, and is refused"},
		"attest.request":          {"a signed request is let through", "a signed request is refused"},
		"attest.policy":           {"a policy is in force", ""},
		"account.enrol":           {"somebody makes an account", ""},
		"account.freeze":          {"the account is frozen", ""},
		"account.unfreeze":        {"the account is free again", ""},
		"session.started":         {"a phone signs in", ""},
		"session.ended":           {"a session ends", ""},
		"session.refused":         {"", "an answer that does not verify"},
		"recovery.set":            {"a PIN is set", ""},
		"recovery.changed":        {"the PIN is changed", ""},
		"recovery.attempt":        {"the vaults have counted an attempt at the PIN", ""},
		"recovery.finalized":      {"the vaults have forgotten the PIN before", ""},
		"recovery.updated":        {"there is a new backup behind the same PIN", ""},
		"recovery.proved":         {"the PIN was right: two vaults have said so", ""},
		"transfer.offered":        {"a new phone shows a code", ""},
		"transfer.claimed":        {"the old phone has scanned it", ""},
		"transfer.confirmed":      {"the owner has said yes on the old phone", ""},
		"transfer.committed":      {"the account is on the new phone", ""},
		"transfer.aborted":        {"", "a move has ended: nothing has moved"},
		"transfer.contended":      {"two phones have answered to one code", ""},
		"transfer.final":          {"the old phone has erased its keys", ""},
		"recovery.session_opened": {"a new phone begins to recover", ""},
	}[action]
	switch {
	case !ok:
		return strings.ReplaceAll(action, "_", " ")
	case refused && pair[1] != "":
		return pair[1]
	}
	return pair[0]
}
