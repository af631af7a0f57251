package vault

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrCeremony: a ceremony is not signed by the release keys, or not for this
// vault, or is over.
var ErrCeremony = errors.New("vault: this ceremony does not hold")

// Ceremony is a re-base that k of m release keys have signed: for the accounts
// that it lists, a record that would be refused is taken as the truth, once.
//
// Every ceremony begins a new epoch and refuses requests to older ones, so that
// nothing recorded can be replayed. One of kind amnesia replaces the key of the
// marks too: what a lying witness kept of the time before says nothing any more.
// One of kind restore leaves it, since the marks are what still knows the counts.
type Ceremony struct {
	wire.Ceremony
	name wire.ID16 // of its signed bytes
}

// OpenCeremony checks the signatures of a re-base.
func OpenCeremony(signed *wire.KofM, c *wire.Config) (*Ceremony, error) {
	if err := signed.Verify(c.Release); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCeremony, err)
	}
	body, err := wire.Decode[wire.Ceremony](signed.TBS)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCeremony, err)
	}
	switch {
	case body.Kind != wire.CeremonyAmnesia && body.Kind != wire.CeremonyRestore:
		return nil, fmt.Errorf("%w: %s is no re-base", ErrCeremony, body.Kind)
	case body.Vault != c.Vault:
		return nil, fmt.Errorf("%w: it is for vault %s, this is %s", ErrCeremony, body.Vault, c.Vault)
	}
	return &Ceremony{body, wire.ContentName(signed.TBS)}, nil
}

// Name names the ceremony, by its signed bytes.
func (c *Ceremony) Name() wire.ID16 { return c.name }

// open reports whether now is within its window.
func (c *Ceremony) open(now time.Time) bool {
	return seconds(now) >= c.NotBefore && seconds(now) < c.NotAfter
}

// covers reports whether the account is on its list.
func (c *Ceremony) covers(acct wire.Acct) bool {
	return c.Accounts == nil || slices.Contains(c.Accounts, acct)
}

// Held reports whether the keys are those of a time after the ceremony.
func (k *MasterKeys) Held(c *Ceremony) bool { return slices.Contains(k.held, c.name) }

// era is how many ceremonies there were.
func (k *MasterKeys) era() int { return len(k.held) }

// Hold gives the keys that a ceremony demands, or k if it has been held. Make
// them durable, hand them to the other replicas, and only then make witnesses
// and vault of them.
func (k *MasterKeys) Hold(c *Ceremony, now time.Time) (*MasterKeys, error) {
	switch {
	case k.Held(c):
		return k, nil
	case !c.open(now):
		return nil, fmt.Errorf("%w: it is not between %s and %s", ErrCeremony, stamp(c.NotBefore), stamp(c.NotAfter))
	case len(k.held)+1 >= maxHeld:
		return nil, fmt.Errorf("%w: %d have been held, which is all a vault can have", ErrCeremony, len(k.held))
	}
	n := k.next(now)
	n.callsFrom = n.Epoch()
	n.held = append(n.held, c.name)
	if c.Kind == wire.CeremonyAmnesia {
		n.marks = wire.NewKey()
	}
	return n, nil
}

func stamp(seconds uint64) string { return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339) }

// eraBits is where the number of ceremonies stands in gen. What a ceremony took
// as the truth, and what begins after it, has a gen of its era, and nothing of an
// era ever has a gen of the next. So a mark tells by itself, through every restart,
// that the account had its once; and nobody who registers anew where the marks were
// lost, and changes that often enough, comes to the gen of a record of before.
const eraBits = 20

// beginning is the gen below all of an era. That of the era after the last, which
// never begins, is above every gen: hence 64 bits.
func beginning(era int) uint64 { return uint64(era) << eraBits }

// rebase is the record that the ceremony, the era-th of this vault, takes as the
// truth, or nil if it does not cover what step 3 refuses. s is the record, m what
// the witnesses know. The account keeps the worst that anybody knows of it, and
// at most three attempts: charges = base + max(every used known, limit - 3).
func (c *Ceremony) rebase(s *wire.Record, m Mark, acct wire.Acct, era int, now *time.Time) *wire.Record {
	if c == nil || s == nil || now == nil || !c.open(*now) || !c.covers(acct) {
		return nil
	}
	r, first := *s, uint32(beginning(era)+1)
	taken, err := wire.RebaseName(c.name, s) // of what is registered, not of the account
	switch {
	case err != nil:
		return nil
	case s.Gen >= first: // made after the ceremony: nothing that it knows of
		return nil
	case m.Gen == first && m.Redo == taken: // its record was lost on the way: the same again
		setMark(&r, m)
		return &r
	case m.Gen >= first: // it had its once
		return nil
	}
	used := max(s.Charges-s.Base, m.Used(), uint32(max(int(s.Limit)-3, 0)))
	r.Charges = max(s.Charges, m.Charges, max(s.Base, m.Base)+used)
	r.Base = r.Charges - used
	r.Closed = r.Charges // what was open is over
	r.Gen, r.Ver = first, max(s.Ver, m.Ver)
	r.State = max(s.State, wire.State(m.State))
	r.Last, r.Redo = wire.ID16{}, taken
	return &r
}
