package vault

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestSettle is step 3, row by row.
func TestSettle(t *testing.T) {
	c, redone := wire.ID16{1}, wire.ID16{2}
	config := func(policy string) *wire.Config { return &wire.Config{Suite: wire.Suite1, Limit: 10, Policy: policy} }
	mark := func(change func(*Mark)) Mark {
		m := Mark{Gen: 3, Ver: 20, Charges: 7, Base: 4, Closed: 6, Last: [16]byte{5}, Redo: redone}
		if change != nil {
			change(&m)
		}
		return m
	}
	record := func(gen uint32, ver uint64) *wire.Record {
		return &wire.Record{Gen: gen, Ver: ver, Limit: 5, Charges: 4, Base: 4, Closed: 4, Current: &wire.Slot{Reg: wire.RegID{8}}, Redo: redone}
	}
	create := func(signed bool, gen uint32) *demand {
		in := &demand{op: wire.OpCreate, name: c, create: wire.Create{Target: wire.Target{Gen: gen}}}
		if signed {
			in.managed.Sig = &wire.Signature{}
		}
		return in
	}
	op := func(o wire.Op, name wire.ID16) *demand { return &demand{op: o, name: name} }
	deleting := func(p wire.Purpose) *demand {
		return &demand{op: wire.OpDelete, name: c, voucher: &wire.Voucher{Purpose: p, Expires: 1000}}
	}
	known, none := mark(nil), Mark{}
	for _, x := range []struct {
		name   string
		policy string
		s      *wire.Record
		m      Mark
		in     *demand
		want   standing
	}{
		{"nobody heard of it, create at gen 0", PolicyMerge, nil, none, create(false, 0), standsFresh},
		{"nobody heard of it, create at gen 1", PolicyMerge, nil, none, create(false, 1), standsNone},
		{"nobody heard of it, malformed create", PolicyMerge, nil, none, &demand{op: wire.OpCreate, malformed: true}, standsNone},
		{"nobody heard of it, evaluate", PolicyMerge, nil, none, op(wire.OpEvaluate, c), standsNone},
		{"nobody heard of it, delete by voucher", PolicyMerge, nil, none, deleting(wire.PurposeDelete), standsNone},

		{"record and no mark", PolicyMerge, record(3, 20), none, op(wire.OpEvaluate, c), standsFuture},
		{"record and no mark, create", PolicyMerge, record(3, 20), none, create(false, 0), standsFuture},
		{"record of a later gen", PolicyMerge, record(4, 20), known, op(wire.OpEvaluate, c), standsFuture},
		{"record of a later ver", PolicyMerge, record(3, 21), known, op(wire.OpEvaluate, c), standsFuture},
		{"record of a later ver and an older gen", PolicyMerge, record(2, 21), known, op(wire.OpUpdate, redone), standsFuture},

		{"equal", PolicyMerge, record(3, 20), known, op(wire.OpEvaluate, c), standsFresh},
		{"equal, strict", PolicyStrict, record(3, 20), known, op(wire.OpEvaluate, c), standsFresh},
		{"older ver", PolicyMerge, record(3, 19), known, op(wire.OpEvaluate, c), standsFresh},
		{"older ver, strict", PolicyStrict, record(3, 19), known, op(wire.OpEvaluate, c), standsStale},
		{"older gen", PolicyMerge, record(2, 19), known, op(wire.OpEvaluate, c), standsStale},
		{"no record", PolicyMerge, nil, known, op(wire.OpEvaluate, c), standsStale},
		{"no record, status", PolicyMerge, nil, known, op(wire.OpStatus, wire.ID16{}), standsStale},

		{"redo", PolicyMerge, record(2, 19), known, op(wire.OpUpdate, redone), standsRedo},
		{"redo, strict", PolicyStrict, record(2, 19), known, op(wire.OpUpdate, redone), standsRedo},
		{"redo of another request", PolicyMerge, record(2, 19), known, op(wire.OpUpdate, c), standsStale},
		{"redo two gens back", PolicyMerge, record(1, 19), known, op(wire.OpUpdate, redone), standsStale},
		{"redo without a record", PolicyMerge, nil, known, op(wire.OpUpdate, redone), standsStale},
		{"nothing is redone", PolicyMerge, record(2, 19), mark(func(m *Mark) { m.Redo = [16]byte{} }), op(wire.OpUpdate, wire.ID16{}), standsStale},
		{"an attempt is no redo", PolicyMerge, record(2, 19), known, op(wire.OpEvaluate, redone), standsStale},
		{"malformed is no redo", PolicyMerge, record(2, 19), known, &demand{op: wire.OpUpdate, name: redone, malformed: true}, standsStale},
		{"redo of the first create", PolicyMerge, nil, mark(func(m *Mark) { m.Redo = c }), create(false, 2), standsRedo},
		{"redo of the only create over an older record", PolicyMerge, record(1, 9), mark(func(m *Mark) { m.Redo = c }), create(false, 2), standsRedo},
		{"redo of a signed create without a record", PolicyMerge, nil, mark(func(m *Mark) { m.Redo = c }), create(true, 2), standsStale},
		{"redo of a signed create", PolicyMerge, record(2, 19), mark(func(m *Mark) { m.Redo = c }), create(true, 2), standsRedo},
		{"its record is there", PolicyMerge, record(3, 20), mark(func(m *Mark) { m.Redo = c }), create(false, 2), standsFresh},

		{"create on a locked account", PolicyMerge, nil, mark(func(m *Mark) { m.State = StateLocked }), create(false, 3), standsWithout},
		{"create on a deleted account, strict", PolicyStrict, record(1, 1), mark(func(m *Mark) { m.State = StateDeleted }), create(false, 3), standsWithout},
		{"create on an active account", PolicyMerge, nil, known, create(false, 3), standsStale},
		{"delete by voucher", PolicyMerge, nil, known, deleting(wire.PurposeDelete), standsWithout},
		{"delete by another voucher", PolicyMerge, nil, known, deleting(wire.PurposeAgain), standsStale},
		{"update on a locked account", PolicyMerge, nil, mark(func(m *Mark) { m.State = StateLocked }), op(wire.OpUpdate, c), standsStale},
	} {
		t.Run(x.name, func(t *testing.T) {
			now := time.Unix(999, 0)
			r, got := settle(config(x.policy), x.s, x.m, x.in, 2, &now)
			if got != x.want {
				t.Fatalf("stands %d, want %d", got, x.want)
			}
			if r == nil {
				return
			}
			want := x.m // the count and the state are the mark's, whatever the record says
			switch {
			case got == standsRedo:
				want.Gen--
			case !x.m.Known(): // above every record of before the second ceremony
				want.Gen = 2 << eraBits
			}
			if markOf(r) != want {
				t.Errorf("mark %+v, want %+v", markOf(r), want)
			}
			if slots := r.Current != nil; slots != (got == standsFresh && x.s != nil || got == standsRedo && !x.in.alone()) {
				t.Errorf("slots: %t", slots)
			}
		})
	}
	expired := time.Unix(1000, 0)
	for _, now := range []*time.Time{nil, &expired} {
		if _, got := settle(config(PolicyMerge), nil, known, deleting(wire.PurposeDelete), 2, now); got != standsStale {
			t.Errorf("a voucher at %v: stands %d", now, got)
		}
	}
}
