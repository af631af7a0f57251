package audit

import (
	"cmp"
	"slices"

	"github.com/staunchid/staunch/account"
)

// The kinds of problems.
const (
	ChainBreak      = "chain_break"       // an entry's hash, or its link to the one before, is wrong
	ChainGap        = "chain_gap"         // an entry's number does not follow that of the one before
	SealBreak       = "seal_break"        // what a seal covers is not there as it was, or the seals do not follow each other
	SealSignature   = "seal_signature"    // no known key has signed a seal
	RowDigest       = "row_digest"        // a thing is not as its last entry says
	RowMAC          = "row_mac"           // a thing does not carry the app's own mark, or not over what it is now
	RowWithoutEntry = "row_without_entry" // a thing of which no entry tells
	EntryWithoutRow = "entry_without_row" // an entry tells of a thing that is not there, and should be
	IllegalStep     = "illegal_step"      // an entry tells of a step that the rules do not have, or not from there
)

// Problem is one inconsistency. That of a seal has the seal's number as its
// Subject: "seal 7".
type Problem struct {
	Kind    string     `json:"kind"`
	Account account.ID `json:"account"`
	Subject string     `json:"subject"`
	Entry   uint64     `json:"entry"` // number in the account's chain; 0: none
}

// Report is what Check found.
type Report struct {
	App      account.AppID
	Accounts int // chains that are not the app's own
	Entries  int
	Seals    int
	Unsealed int // entries that no seal covers yet
	Problems []Problem
}

// OK reports whether there was no problem.
func (r Report) OK() bool { return len(r.Problems) == 0 }

func (r *Report) add(kind string, id account.ID, subject string, n uint64) {
	r.Problems = append(r.Problems, Problem{Kind: kind, Account: id, Subject: subject, Entry: n})
}

// sort orders the problems, so that one store always gives one report, and says
// each once.
func (r *Report) sort() {
	slices.SortFunc(r.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Entry, b.Entry),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
	r.Problems = slices.Compact(r.Problems)
}
