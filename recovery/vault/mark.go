package vault

import (
	"errors"
	"fmt"

	"github.com/staunchid/staunch/recovery/wire"
)

// Mark is the short truth about an account's count, small enough to be kept by
// witnesses in their memories. Charges, Base and Closed only grow, so whoever
// saw what can be joined by taking the maximum.
type Mark struct {
	Gen     uint32   // version of what is registered; 0: never heard of
	Ver     uint64   // version of every touch; never restarts
	Charges uint32   // attempts ever charged
	Base    uint32   // Charges at the last valid release or reset
	Closed  uint32   // the last charge whose one release try was wasted
	State   uint8    // a wire.State: the worse, the larger
	Last    [16]byte // h of the newest charge; zero: no attempt is free
	Redo    [16]byte // c of the request that made Gen; zero: none is redone
}

// States of an account, from better to worse.
const (
	StateActive  = uint8(wire.StateActive)
	StateLocked  = uint8(wire.StateLocked)
	StateDeleted = uint8(wire.StateDeleted)
)

// Used is how many attempts were charged since the last valid release or reset.
func (m Mark) Used() uint32 { return m.Charges - m.Base }

// Known reports whether anybody ever heard of the account.
func (m Mark) Known() bool { return m.Gen != 0 }

// Join is what two witnesses know together: the maximum of gen, ver, charges,
// base and closed, each by itself; last from the larger charges, redo and state
// from the larger gen. On ties a last or redo that differs becomes zero, so
// that nothing is free and nothing redone, and the worse state wins.
func Join(a, b Mark) Mark {
	m := Mark{
		Gen:     max(a.Gen, b.Gen),
		Ver:     max(a.Ver, b.Ver),
		Charges: max(a.Charges, b.Charges),
		Base:    max(a.Base, b.Base),
		Closed:  max(a.Closed, b.Closed),
	}
	switch {
	case a.Charges > b.Charges || a.Charges == b.Charges && a.Last == b.Last:
		m.Last = a.Last
	case a.Charges < b.Charges:
		m.Last = b.Last
	}
	switch {
	case a.Gen > b.Gen:
		m.Redo, m.State = a.Redo, a.State
	case a.Gen < b.Gen:
		m.Redo, m.State = b.Redo, b.State
	default:
		m.State = max(a.State, b.State)
		if a.Redo == b.Redo {
			m.Redo = a.Redo
		}
	}
	return m
}

// Covers reports whether a witness that holds held may acknowledge m (rule Q1):
// m is identical, or has a larger ver and everything else at least as large.
// Equal charges demand an equal last, or none, so a charge's number is
// acknowledged for one attempt only; equal gen demands an equal redo, or none,
// and no better state.
func (m Mark) Covers(held Mark) bool {
	if m == held {
		return true
	}
	switch {
	case m.Ver <= held.Ver:
	case m.Gen < held.Gen, m.Charges < held.Charges, m.Base < held.Base, m.Closed < held.Closed:
	case m.Charges == held.Charges && m.Last != held.Last && m.Last != [16]byte{}:
	case m.Gen == held.Gen && m.Redo != held.Redo && m.Redo != [16]byte{}:
	case m.Gen == held.Gen && m.State < held.State:
	default:
		return true
	}
	return false
}

// check refuses what no mark of ours ever was.
func (m Mark) check() error {
	switch {
	case m.Gen == 0 || m.Ver == 0:
		return errors.New("a mark of nothing")
	case m.Base > m.Charges || m.Closed > m.Charges:
		return fmt.Errorf("base %d and closed %d do not fit %d charges", m.Base, m.Closed, m.Charges)
	}
	return nil
}

// wire is the mark as it is encoded and tagged.
func (m Mark) wire(acct [16]byte) *wire.Mark {
	return &wire.Mark{
		Acct: acct, Gen: m.Gen, Ver: m.Ver, Charges: m.Charges, Base: m.Base, Closed: m.Closed,
		State: wire.State(m.State), Last: m.Last, Redo: m.Redo,
	}
}

// unwire is the inverse of Mark.wire.
func unwire(w wire.Mark) Mark {
	return Mark{
		Gen: w.Gen, Ver: w.Ver, Charges: w.Charges, Base: w.Base, Closed: w.Closed,
		State: uint8(w.State), Last: w.Last, Redo: w.Redo,
	}
}

// readMark reads a mark that nobody vouches for but its tag.
func readMark(encoded []byte) (acct [16]byte, m Mark, err error) {
	w, err := wire.Decode[wire.Mark](encoded)
	if err != nil {
		return acct, m, err
	}
	m = unwire(w)
	if err := m.check(); err != nil {
		return acct, m, fmt.Errorf("%w: %w", wire.ErrMalformed, err)
	}
	return w.Acct, m, nil
}
