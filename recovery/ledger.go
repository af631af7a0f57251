package recovery

import (
	"context"
	"slices"

	"github.com/staunchid/staunch/recovery/wire"
)

// ledger is what the store knows of one account's attempts, by vault, while
// receipts are written to it.
type ledger struct {
	limit, t int
	entries  []ledgerEntry // in the order of the set
}

type ledgerEntry struct {
	vault string
	gen   uint32
	ver   uint64
	used  int
	state wire.State
}

// ledger reads the rows of the account that r is of.
func (s *Service) ledger(ctx context.Context, tx Tx, r Record) (*ledger, error) {
	l := &ledger{limit: s.limit(), t: int(s.set.T)}
	for _, p := range s.pools {
		row, found, err := tx.Recovery(ctx, p.id, p.acct(r.Account))
		if err != nil {
			return nil, err
		}
		if found && s.judge(row, "recovery_record", r.Account) != nil {
			row = RecordRow{} // its owner is told of an attempt rather twice than never
		}
		l.entries = append(l.entries, ledgerEntry{p.id, row.Gen, row.Ver, int(row.Used), wire.State(row.State)})
	}
	return l, nil
}

// count is what a receipt says of an attempt.
type count struct {
	tell      bool // an attempt was counted, and the owner is to know
	remaining int
	locked    bool // by this very call
}

// counted writes a receipt to the ledger.
//
// A phone charges one attempt at every vault; its owner is told once, when what
// remains falls. He is told too when one vault alone has counted more than that
// by two or more, which no honest phone brings about.
func (l *ledger) counted(vault string, r *wire.Receipt) (c count) {
	i := slices.IndexFunc(l.entries, func(e ledgerEntry) bool { return e.vault == vault })
	if i < 0 {
		return c
	}
	had, before := l.entries[i], l.remaining()
	if r.Gen < had.gen || r.Gen == had.gen && r.Ver <= had.ver {
		return c // late: what came after it has been told
	}
	l.entries[i] = ledgerEntry{vault, r.Gen, r.Ver, int(r.Used), r.State}
	c.remaining = l.remaining()
	c.locked = r.State == wire.StateLocked && had.state != wire.StateLocked
	charged := int(r.Used) > had.used || c.locked
	uneven := int(r.Used) > l.limit-c.remaining+1
	c.tell = charged && (c.remaining < before || uneven)
	return c
}

// remaining is what a phone shows: the t-th largest of what is left at each
// vault; nothing is left at one that is locked or deleted.
func (l *ledger) remaining() int {
	var left []int
	for _, e := range l.entries {
		n := max(0, l.limit-e.used)
		if e.state != wire.StateActive {
			n = 0
		}
		left = append(left, n)
	}
	slices.Sort(left)
	return left[len(left)-l.t]
}
