package audit

import (
	"context"
	"crypto/ed25519"
	"time"

	"github.com/staunchid/staunch/account"
)

// Object is a thing in the store that entries tell of.
type Object struct {
	Account account.ID
	Subject string
	Digest  [32]byte
	BadMAC  bool // it should carry a MAC, and carries none or a wrong one
}

// Reader is a store that can be checked, as of one moment. A MAC is known to
// who has its key: he puts his own AuditObjects over that of the store.
type Reader interface {
	AuditApp() account.AppID
	// AuditSeals calls yield for all seals by number.
	AuditSeals(ctx context.Context, yield func(Seal) error) error
	// AuditEntries calls yield for all entries by account, then number.
	AuditEntries(ctx context.Context, yield func(Entry) error) error
	// AuditObjects calls yield for every thing whose changes are recorded.
	AuditObjects(ctx context.Context, yield func(Object) error) error
}

// CheckOptions are what a store is checked by. The zero value takes no seal and
// no step.
type CheckOptions struct {
	// Keys are the audit keys, the one in use and those that it replaced.
	Keys []ed25519.PublicKey
	// Legal reports whether the rules have this step. from is empty for a thing
	// that was not there.
	Legal func(of, step, from, to string) bool
	// Now decides what may be gone of what is kept for a time only.
	Now time.Time
}

// Check walks every chain from its beginning, compares every seal with what it
// covers, follows every state, and compares every thing with the last entry
// that tells of it. It keeps a few bytes in memory for each thing and each
// seal, and none for an entry. An error means that it could not check.
func Check(ctx context.Context, r Reader, opts *CheckOptions) (Report, error) {
	c := checker{
		opts: opts, app: r.AuditApp(), report: Report{App: r.AuditApp()},
		last: map[owned]told{}, states: map[owned]string{},
	}
	if err := r.AuditSeals(ctx, c.seal); err != nil {
		return c.report, err
	}
	if err := r.AuditEntries(ctx, c.entry); err != nil {
		return c.report, err
	}
	c.sealsDone()
	if err := r.AuditObjects(ctx, c.object); err != nil {
		return c.report, err
	}
	for o, t := range c.last {
		if t.until.IsZero() || !t.until.Before(opts.Now) {
			c.report.add(EntryWithoutRow, o.account, o.subject, t.n)
		}
	}
	c.report.sort()
	return c.report, nil
}

type checker struct {
	opts   *CheckOptions
	app    account.AppID
	report Report

	seals sealed
	chain account.ID // whose entries are being read
	head  Head       // of that chain

	last   map[owned]told
	states map[owned]string // to which the last step went
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
	digest [32]byte
	until  time.Time // zero: for ever
}

func (c *checker) entry(e Entry) error {
	if c.report.Entries == 0 || e.Account != c.chain {
		c.chain, c.head = e.Account, Head{}
		if c.chain != "" {
			c.report.Accounts++
		}
	}
	c.report.Entries++
	want := e.Next(c.app, c.head)
	switch {
	case e.N != want.N:
		c.report.add(ChainGap, e.Account, e.Subject, e.N)
	case e.Prev != want.Prev || e.Hash != want.Hash:
		c.report.add(ChainBreak, e.Account, e.Subject, e.N)
	}
	c.head = Head{N: e.N, Hash: e.Hash}
	c.covered(&e)
	return c.tells(&e)
}

// tells notes what e tells of things and their states.
func (c *checker) tells(e *Entry) error {
	d, err := e.inDetail()
	if err != nil || len(e.Object) != 0 && len(e.Object) != 32 { // no such entry was ever appended
		c.report.add(ChainBreak, e.Account, e.Subject, e.N)
		return nil
	}
	for _, s := range d.Steps {
		c.step(e, s)
	}
	for _, name := range d.Gone {
		delete(c.last, owned{e.Account, name})
	}
	if len(e.Object) != 0 {
		c.last[owned{e.Account, e.Subject}] = told{n: e.N, digest: [32]byte(e.Object)}
	}
	for name, digest := range d.Rows {
		c.last[owned{e.Account, name}] = told{n: e.N, digest: digest}
	}
	if k := d.Kept; k != nil {
		c.last[owned{e.Account, k.Subject}] = told{e.N, [32]byte(k.SHA256), k.Until}
	}
	return nil
}

// step follows the state of a thing.
func (c *checker) step(e *Entry, s Step) {
	thing := owned{e.Account, s.ID}
	if c.states[thing] != s.From || c.opts.Legal == nil || !c.opts.Legal(s.Of, s.Step, s.From, s.To) {
		c.report.add(IllegalStep, e.Account, s.ID, e.N)
	}
	c.states[thing] = s.To
}

func (c *checker) object(o Object) error {
	t, ok := c.last[owned{o.Account, o.Subject}]
	switch {
	case !ok:
		c.report.add(RowWithoutEntry, o.Account, o.Subject, 0)
	case t.digest != o.Digest:
		c.report.add(RowDigest, o.Account, o.Subject, t.n)
	}
	if o.BadMAC {
		c.report.add(RowMAC, o.Account, o.Subject, t.n)
	}
	delete(c.last, owned{o.Account, o.Subject})
	return nil
}
