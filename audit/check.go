package audit

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
)

// The kinds of problems.
const (
	ChainBreak      = "chain_break"       // an entry's hash, or its link to the one before, is wrong
	ChainGap        = "chain_gap"         // an entry's number does not follow that of the one before
	RowDigest       = "row_digest"        // a thing is not as its last entry says
	RowWithoutEntry = "row_without_entry" // a thing of which no entry tells
	EntryWithoutRow = "entry_without_row" // an entry tells of a thing that is not there, and should be
)

// Problem is one inconsistency.
type Problem struct {
	Kind    string     `json:"kind"`
	Account account.ID `json:"account"`
	Subject string     `json:"subject"`
	Entry   uint64     `json:"entry"` // number in the account's chain; 0: none
}

// Object is a thing in the store that entries tell of.
type Object struct {
	Account account.ID
	Subject string
	Digest  [32]byte
}

// Reader is a store that can be checked, as of one moment.
type Reader interface {
	AuditApp() account.AppID
	// AuditEntries calls yield for all entries by account, then number.
	AuditEntries(ctx context.Context, yield func(Entry) error) error
	// AuditObjects calls yield for every thing whose changes are recorded.
	AuditObjects(ctx context.Context, yield func(Object) error) error
}

// Report is what Check found.
type Report struct {
	App      account.AppID
	Accounts int // chains that are not the app's own
	Entries  int
	Problems []Problem
}

// OK reports whether there was no problem.
func (r Report) OK() bool { return len(r.Problems) == 0 }

// Check walks every chain from its beginning, and compares every thing with
// the last entry that tells of it. What is kept for a time only may be gone
// when that time is over at now. An error means that it could not check.
func Check(ctx context.Context, r Reader, now time.Time) (Report, error) {
	app := r.AuditApp()
	report := Report{App: app}
	last := map[owned]told{}
	var head Head
	var chain account.ID
	err := r.AuditEntries(ctx, func(e Entry) error {
		if report.Entries == 0 || e.Account != chain {
			chain, head = e.Account, Head{}
			if chain != "" {
				report.Accounts++
			}
		}
		report.Entries++
		want := e.Next(app, head)
		switch {
		case e.N != want.N:
			report.add(ChainGap, e.Account, e.Subject, e.N)
		case e.Prev != want.Prev || e.Hash != want.Hash:
			report.add(ChainBreak, e.Account, e.Subject, e.N)
		}
		head = Head{N: e.N, Hash: e.Hash}
		d, err := e.inDetail()
		if err != nil { // no such entry was ever appended
			report.add(ChainBreak, e.Account, e.Subject, e.N)
		}
		delete(last, owned{e.Account, d.Gone})
		if len(e.Object) != 0 {
			last[owned{e.Account, e.Subject}] = told{n: e.N, digest: bytes.Clone(e.Object)}
		}
		if k := d.Kept; k != nil {
			last[owned{e.Account, k.Subject}] = told{e.N, k.SHA256, k.Until}
		}
		return nil
	})
	if err != nil {
		return report, err
	}
	err = r.AuditObjects(ctx, func(o Object) error {
		t, ok := last[owned{o.Account, o.Subject}]
		switch {
		case !ok:
			report.add(RowWithoutEntry, o.Account, o.Subject, 0)
		case !bytes.Equal(t.digest, o.Digest[:]):
			report.add(RowDigest, o.Account, o.Subject, t.n)
		}
		delete(last, owned{o.Account, o.Subject})
		return nil
	})
	if err != nil {
		return report, err
	}
	for o, t := range last {
		if !t.until.IsZero() && t.until.Before(now) {
			continue
		}
		report.add(EntryWithoutRow, o.account, o.subject, t.n)
	}
	report.sort()
	return report, nil
}

// owned is a thing as an account's chain tells of it: two chains may tell of
// one thing, one of them that it is gone.
type owned struct {
	account account.ID
	subject string
}

// told is the last thing that was recorded of it.
type told struct {
	n      uint64
	digest []byte
	until  time.Time // zero: for ever
}

func (r *Report) add(kind string, id account.ID, subject string, n uint64) {
	r.Problems = append(r.Problems, Problem{Kind: kind, Account: id, Subject: subject, Entry: n})
}

// sort orders the problems, so that one store always gives one report.
func (r *Report) sort() {
	slices.SortFunc(r.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Entry, b.Entry),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
}
