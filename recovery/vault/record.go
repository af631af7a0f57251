package vault

import (
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// setMark puts a mark's fields over those of a record.
func setMark(r *wire.Record, m Mark) {
	r.Gen, r.Ver = m.Gen, m.Ver
	r.Charges, r.Base, r.Closed = m.Charges, m.Base, m.Closed
	r.State, r.Last, r.Redo = wire.State(m.State), m.Last, m.Redo
}

// markOf is the mark of a record.
func markOf(r *wire.Record) Mark {
	return Mark{
		Gen: r.Gen, Ver: r.Ver, Charges: r.Charges, Base: r.Base, Closed: r.Closed,
		State: uint8(r.State), Last: r.Last, Redo: r.Redo,
	}
}

// used is how many attempts were charged since the last valid release or reset.
func used(r *wire.Record) uint32 { return r.Charges - r.Base }

// shown is used as answers and receipts tell it.
func shown(r *wire.Record) uint8 { return uint8(min(used(r), 255)) }

// wipe empties both slots.
func wipe(r *wire.Record) {
	r.Current.Wipe()
	r.Other.Wipe()
	r.Current, r.Other = nil, nil
}

// lock ends every attempt for ever.
func lock(r *wire.Record) wire.Verdict {
	r.State = wire.StateLocked
	wipe(r)
	return wire.VerdictLocked
}

// slotOf is the slot of a registration.
func slotOf(r *wire.Record, reg wire.RegID) *wire.Slot {
	for _, s := range []*wire.Slot{r.Current, r.Other} {
		if s != nil && s.Reg == reg {
			return s
		}
	}
	return nil
}

// standing is how a record stands to its mark.
type standing uint8

const (
	standsFresh   standing = iota // the op's rule runs
	standsRedo                    // the record of this very request was lost: the rule builds it again
	standsWithout                 // the record is stale, and the request needs nothing of it
	standsNone                    // nobody ever heard of the account
	standsStale                   // the mark knows more
	standsFuture                  // the record knows more, which cannot be
)

// settle is step 3: what a record s, or none, and a mark m say together. The
// record it returns has the mark's count and state: no record is believed in
// that. Only the slots, limit and resets are the record's, and two records of the
// same gen have the same: so an account of which nobody remembers anything begins
// in the era that the last ceremony began, above the gen of every record of before.
func settle(c *wire.Config, s *wire.Record, m Mark, in *demand, era int, now *time.Time) (*wire.Record, standing) {
	switch {
	case s != nil && (s.Gen > m.Gen || s.Ver > m.Ver): // also when nobody ever heard of the account
		return nil, standsFuture
	case !m.Known():
		if in.op == wire.OpCreate && !in.malformed && in.create.Gen == 0 {
			return blank(c, Mark{Gen: uint32(beginning(era))}), standsFresh
		}
		return nil, standsNone
	case in.redoes(s, m):
		r := s
		if in.alone() {
			r = blank(c, m)
		}
		setMark(r, m)
		r.Gen = m.Gen - 1 // the rule brings it to that of the mark
		return r, standsRedo
	case s == nil || s.Gen < m.Gen, s.Ver < m.Ver && c.Policy == PolicyStrict:
		if in.needsNoRecord(m, now) {
			return blank(c, m), standsWithout
		}
		return nil, standsStale
	}
	setMark(s, m)
	return s, standsFresh
}

// blank is a record without registrations.
func blank(c *wire.Config, m Mark) *wire.Record {
	r := &wire.Record{Suite: c.Suite, Limit: c.Limit}
	setMark(r, m)
	return r
}

// redoes reports whether this is the very request that made m.Gen, with the
// record before it. One that made the only registration needs no record.
func (in *demand) redoes(s *wire.Record, m Mark) bool {
	switch {
	case in.malformed, !in.op.Managed(), in.name != m.Redo, m.Redo == wire.ID16{}:
		return false
	case in.alone():
		return s == nil || s.Gen < m.Gen
	}
	return s != nil && s.Gen == m.Gen-1
}

// alone reports whether the request makes the only registration of an account.
func (in *demand) alone() bool { return in.op == wire.OpCreate && in.managed.Sig == nil }

// needsNoRecord reports whether what the request makes has nothing of a record.
func (in *demand) needsNoRecord(m Mark, now *time.Time) bool {
	switch in.op {
	case wire.OpCreate:
		return m.State != StateActive
	case wire.OpDelete:
		return in.vouched(wire.PurposeDelete, now)
	}
	return false
}
