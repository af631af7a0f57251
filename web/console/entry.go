package console

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// entryView is an entry of the record, in words.
type entryView struct {
	Account account.ID // empty: the app's own chain
	N       uint64
	Time    time.Time
	Words   string
	Action  string
	By      string // who, in words
	Subject string
	Reason  string
	Class   string
	Steps   []string // "device active → frozen"
	Verdict string   // "denied", of an entry that decides; empty: it decides nothing
	Mark    string   // the class of it
	Detail  string   // as it is recorded, indented; empty: there is none
	Sealed  bool
	Wrong   string // in words; empty: nothing
	Afar    bool   // the rest is for who looks at the account
}

// viewEntry says what an entry tells.
func viewEntry(e audit.Judged) entryView {
	v := entryView{
		Account: e.Account, N: e.N, Time: e.Time, Words: audit.Words(e.Entry), Action: e.Action, Subject: e.Subject, Reason: e.Reason,
		Class: e.Actor.Class, By: by(e.Actor), Sealed: e.Seal != 0, Wrong: wrongWords(e.Wrong),
	}
	var d audit.Detail
	if len(e.Detail) == 0 {
		return v
	}
	if json.Unmarshal(e.Detail, &d) == nil { // else what it tells is in Detail all the same
		for _, s := range d.Steps {
			v.Steps = append(v.Steps, step(s))
		}
	}
	v.Verdict, v.Mark = decided(e.Detail)
	v.Detail = indented(e.Detail)
	return v
}

// fromAfar is what the record of all tells of an entry in an account's: that
// something happened there, and when. Who did it, from where, to what is for whoever
// looks at the account, which is recorded. Of an operator it says who.
func fromAfar(e audit.Judged) entryView {
	v := viewEntry(e)
	v.Afar, v.Subject, v.Class, v.Steps, v.Detail = true, "", "", nil, ""
	if e.Actor.Kind != account.Operator {
		v.By = kindName(e.Actor.Kind)
	}
	return v
}

// decided is what an entry of package attest/registry tells that it decided.
func decided(detail json.RawMessage) (text, mark string) {
	var d struct {
		Decision  string `json:"decision"`
		WouldDeny bool   `json:"would_deny"`
	}
	if json.Unmarshal(detail, &d) != nil {
		return "", ""
	}
	switch {
	case d.WouldDeny:
		return "let in, for the stage only observes", "warn"
	case d.Decision == "ALLOW":
		return "allowed", "good"
	case d.Decision == "DENY":
		return "denied", "bad"
	}
	return "", ""
}

func by(a audit.Actor) string {
	if a.ID == "" {
		return kindName(a.Kind)
	}
	return kindName(a.Kind) + ", " + a.ID
}

func step(s audit.Step) string {
	if s.From == "" {
		return s.Of + " begins " + s.To
	}
	if s.From == s.To {
		return s.Of + " stays " + s.To
	}
	return s.Of + " " + s.From + " → " + s.To
}

// wrongWords says what a kind of audit's problems means for one entry.
func wrongWords(kind string) string {
	switch kind {
	case "":
		return ""
	case audit.ChainBreak:
		return "This entry is not as it was written, or does not follow the one before."
	case audit.ChainGap:
		return "The entry before this one is missing."
	case audit.SealBreak:
		return "The seal over this entry is missing."
	case audit.SealSignature:
		return "No known key has signed the seal over this entry."
	}
	return kind
}

// indented is a detail for people: its members, one a line, by name.
func indented(text json.RawMessage) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return string(text)
	}
	var names []string
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", name, members[name])
	}
	return strings.TrimSuffix(b.String(), "\n")
}
