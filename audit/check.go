package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"time"

	"github.com/staunchid/staunch/account"
)

// Object is a thing in the store that entries tell of.
type Object struct {
	Account account.ID
	Subject string
	Digest  [32]byte
	BadMAC  bool // it should carry a MAC, and carries none or a wrong one
	// Unrecorded: entries tell nothing of it. Only its MAC is looked at.
	Unrecorded bool
}

// Reader is a store that can be checked, as of one moment. A MAC is known to
// who has its key: he puts his own AuditObjects over that of the store.
type Reader interface {
	AuditApp() account.AppID
	// AuditSeals calls yield for all seals by number.
	AuditSeals(ctx context.Context, yield func(Seal) error) error
	// AuditEntries calls yield for all entries by account, then number.
	AuditEntries(ctx context.Context, yield func(Entry) error) error
	// AuditObjects calls yield for every thing whose changes are recorded, and for
	// those with a MAC whose changes are not.
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
		things: map[owned]*thing{}, rules: map[Step]rule{},
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
	c.missing()
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

	things map[owned]*thing
	rules  map[Step]rule // what Legal has said of a step; without its ID

	buf  []byte   // of the entry that is being read
	hash [32]byte // of it
	told told     // by it
}

// owned is a thing as an account's chain tells of it: two chains may tell of
// one thing, one of them that it is gone.
type owned struct {
	account account.ID
	subject string
}

// thing is the last that was recorded of it.
type thing struct {
	there  bool // false: only steps were, or it is gone
	n      uint64
	digest [32]byte
	until  time.Time // zero: for ever
	state  string    // to which the last step went
}

func (c *checker) entry(e Entry) error {
	if c.report.Entries == 0 || e.Account != c.chain {
		c.chain, c.head = e.Account, Head{}
		if c.chain != "" {
			c.report.Accounts++
		}
	}
	c.report.Entries++
	prev := c.head.Hash
	if c.head.N == 0 {
		prev = genesis(c.app, e.Account)
	}
	c.buf = e.encode(c.buf[:0], c.app)
	switch {
	case e.N != c.head.N+1:
		c.report.add(ChainGap, e.Account, e.Subject, e.N)
	case e.Prev != prev || e.Hash != sha256.Sum256(c.buf):
		c.report.add(ChainBreak, e.Account, e.Subject, e.N)
	}
	c.head = Head{N: e.N, Hash: e.Hash}
	c.covered(&e)
	c.tells(&e)
	return nil
}

// tells notes what e tells of things and their states.
func (c *checker) tells(e *Entry) {
	t := &c.told
	if err := t.read(e); err != nil || len(e.Object) != 0 && len(e.Object) != 32 { // no such entry was ever appended
		c.report.add(ChainBreak, e.Account, e.Subject, e.N)
		return
	}
	for i := range t.steps {
		c.step(e, &t.steps[i])
	}
	for _, name := range t.gone {
		c.thing(e.Account, name).there = false
	}
	if len(e.Object) != 0 {
		o, ok := c.things[owned{e.Account, e.Subject}]
		if !ok {
			o = c.thing(e.Account, []byte(e.Subject))
		}
		o.tell(e.N, [32]byte(e.Object), time.Time{})
	}
	for i := range t.rows {
		c.thing(e.Account, t.rows[i].name).tell(e.N, t.rows[i].digest, time.Time{})
	}
	if k := t.kept; k != nil {
		c.thing(e.Account, k.name).tell(e.N, k.digest, k.until)
	}
}

func (t *thing) tell(n uint64, digest [32]byte, until time.Time) {
	t.there, t.n, t.digest, t.until = true, n, digest, until
}

// thing gives what is known of a thing; the name may be overwritten later.
func (c *checker) thing(id account.ID, name []byte) *thing {
	t, ok := c.things[owned{id, string(name)}]
	if !ok {
		t = &thing{}
		c.things[owned{id, string(name)}] = t
	}
	return t
}

// step follows the state of a thing.
func (c *checker) step(e *Entry, s *toldStep) {
	t, r := c.thing(e.Account, s.id), c.rule(s)
	if t.state != string(s.from) || !r.legal {
		c.report.add(IllegalStep, e.Account, string(s.id), e.N)
	}
	t.state = r.to
}

// rule is what is known of a step.
type rule struct {
	legal bool
	to    string
}

func (c *checker) rule(s *toldStep) rule {
	r, ok := c.rules[Step{Of: string(s.of), Step: string(s.step), From: string(s.from), To: string(s.to)}]
	if ok {
		return r
	}
	step := Step{Of: string(s.of), Step: string(s.step), From: string(s.from), To: string(s.to)}
	r = rule{c.opts.Legal != nil && c.opts.Legal(step.Of, step.Step, step.From, step.To), step.To}
	if len(c.rules) < 1000 { // the rules have a few dozen; a forger has as many as he likes
		c.rules[step] = r
	}
	return r
}

func (c *checker) object(o Object) error {
	if o.Unrecorded {
		if o.BadMAC {
			c.report.add(RowMAC, o.Account, o.Subject, 0)
		}
		return nil
	}
	t := c.things[owned{o.Account, o.Subject}]
	switch {
	case t == nil || !t.there:
		t = &thing{}
		c.report.add(RowWithoutEntry, o.Account, o.Subject, 0)
	case t.digest != o.Digest:
		c.report.add(RowDigest, o.Account, o.Subject, t.n)
	}
	if o.BadMAC {
		c.report.add(RowMAC, o.Account, o.Subject, t.n)
	}
	t.there = false
	return nil
}

// missing are the things of which entries tell, and no object was there.
func (c *checker) missing() {
	for o, t := range c.things {
		if t.there && (t.until.IsZero() || !t.until.Before(c.opts.Now)) {
			c.report.add(EntryWithoutRow, o.account, o.subject, t.n)
		}
	}
}
