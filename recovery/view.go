package recovery

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/recovery/wire"
)

// view is what a vault holds, as its last answers said.
type view struct {
	id             string
	acct           wire.Acct
	gen            uint32
	state          wire.State
	none           bool // there is no record at all
	current, other *wire.SlotView
	answer         *wire.Answer
}

// views asks each vault what it holds: free, and of a signed-in device.
func (r *round) views(ctx context.Context, ids []string) (map[string]*view, map[string]error) {
	out := r.ask(ctx, each(ids, request{wire.OpStatus, &wire.Status{}}))
	errs := failed(out)
	seen := map[string]*view{}
	for id, o := range out {
		if o.err != nil {
			continue
		}
		v := &view{id: id, acct: r.accts[id], gen: o.answer.Gen, state: o.answer.State, answer: o.answer}
		switch {
		case o.answer.Verdict == wire.VerdictNoBackup:
			v.none = true
		case o.answer.Verdict != wire.VerdictOK:
			errs[id] = fmt.Errorf("%w: it answers a status with %q", ErrVaultUnavailable, o.answer.Verdict)
			continue
		case o.answer.Slots != nil:
			v.current, v.other = o.answer.Slots.Current, o.answer.Slots.Other
		}
		seen[id] = v
	}
	return seen, errs
}

func (v *view) target() wire.Target { return wire.Target{Vault: v.id, Acct: v.acct, Gen: v.gen} }

func holds(s *wire.SlotView, reg wire.RegID) bool { return s != nil && s.Reg == reg }

// empty reports whether the vault has no registration that an attempt could use.
func (v *view) empty() bool { return v.none || v.state != wire.StateActive }

// done follows the vault's state after a managed request that it has accepted.
func (v *view) done(op wire.Op, reg wire.RegID, blob wire.Hash, a *wire.Answer) {
	v.gen, v.state, v.answer = a.Gen, a.State, a
	switch op {
	case wire.OpCreate:
		slot := &wire.SlotView{Reg: reg, BlobHash: blob}
		if v.none || v.current == nil {
			v.current, v.other = slot, nil
		} else {
			v.other = slot
		}
		v.none = false
	case wire.OpActivate:
		if holds(v.other, reg) {
			v.current, v.other = v.other, v.current
		}
	case wire.OpFinalize:
		v.other = nil
	case wire.OpUpdate:
		for _, s := range []*wire.SlotView{v.current, v.other} {
			if holds(s, reg) {
				s.BlobHash = blob
			}
		}
	}
}

// answers are those of all views, for the number of attempts left.
func answersOf(views map[string]*view) []*wire.Answer {
	var all []*wire.Answer
	for _, v := range views {
		all = append(all, v.answer)
	}
	return all
}

// managed signs a request that changes what is registered; key nil leaves the
// signature out, for the service to add a voucher.
func managed(op wire.Op, key *wire.SigningKey, body wire.Coded) (request, error) {
	m, err := wire.SignManaged(key, body)
	if err != nil {
		return request{}, fmt.Errorf("recovery: %v: %w", op, err)
	}
	return request{op, m}, nil
}
