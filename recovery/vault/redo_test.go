package vault

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// lost is a managed request whose record never reached storage.
type lost struct {
	op      wire.Op
	m       *wire.Managed
	voucher *wire.Signed
}

// losses are one lost request of each kind on a rig with two registrations.
var losses = map[string]func(g *rig, old, next *registration) lost{
	"create": func(g *rig, old, _ *registration) lost {
		g.mustManage(wire.OpFinalize, g.finalizeOf(old, 2, old.manage), nil, wire.VerdictOK, 3)
		return lost{wire.OpCreate, g.createOf(g.register("x"), 3, old.manage), nil}
	},
	"activate": func(g *rig, _, next *registration) lost {
		return lost{wire.OpActivate, g.activateOf(next, 2, false, next.manage), nil}
	},
	"finalize": func(g *rig, old, _ *registration) lost {
		return lost{wire.OpFinalize, g.finalizeOf(old, 2, old.manage), nil}
	},
	"update": func(g *rig, old, _ *registration) lost {
		return lost{wire.OpUpdate, g.updateOf(old, 2, wire.Hash{1}, old.manage), nil}
	},
	"delete": func(g *rig, old, _ *registration) lost {
		return lost{wire.OpDelete, g.deleteOf(2, old.manage), nil}
	},
	"delete by voucher": func(g *rig, _, _ *registration) lost {
		return lost{wire.OpDelete, g.deleteOf(2, nil), g.voucher(wire.PurposeDelete)}
	},
	"create after lock": func(g *rig, old, _ *registration) lost {
		before := g.row
		for n := range byte(10) {
			g.try(old, "000000", n)
		}
		g.row = before // the record before the lock: storage that is slow
		return lost{wire.OpCreate, g.createOf(g.register("x"), 2, nil), g.voucher(wire.PurposeAgain)}
	},
}

// TestRedo: after a record was lost only the very same request goes on; it makes
// the record again, an hour later and without its voucher's time, and the count
// stays what it was.
func TestRedo(t *testing.T) {
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) {
			g, old, next := two(t)
			g.try(old, "000000", 100)
			x := lose(g, old, next)
			before := g.row
			a, reply := g.call(x.op, x.m, x.voucher)
			if a == nil || a.Verdict != wire.VerdictOK {
				t.Fatalf("%+v, %v", a, reply.Result)
			}
			made, gen := g.open(), a.Gen
			g.row = before // lost on its way

			others := []lost{
				{wire.OpUpdate, g.updateOf(old, gen-1, wire.Hash{77}, old.manage), nil},
				{wire.OpActivate, g.activateOf(old, gen, true, old.manage), nil},
			}
			for _, other := range others {
				if a, reply := g.call(other.op, other.m, nil); name != "delete" && name != "delete by voucher" && (a != nil || reply.Result != wire.CodeStale) {
					t.Fatalf("another request: %+v, %v", a, reply.Result)
				}
			}
			if a, reply := g.evaluate(old, old.pin, 1, false); a != nil || reply.Result != wire.CodeStale || *reply.Gen != gen {
				t.Fatalf("an attempt: %+v, %+v", a, reply)
			}

			g.fresh.clock = g.fresh.clock.Add(time.Hour)
			again, reply := g.call(x.op, x.m, x.voucher)
			want := wire.VerdictOK
			if made.State == wire.StateDeleted {
				want = wire.VerdictDeleted
			}
			if again == nil || again.Verdict != want || again.Gen != gen || again.Used != a.Used || again.Ver <= a.Ver {
				t.Fatalf("the same request: %+v, %v", again, reply.Result)
			}
			got := g.open()
			for i, slots := range [][2]*wire.Slot{{got.Current, made.Current}, {got.Other, made.Other}} {
				if (slots[0] == nil) != (slots[1] == nil) || slots[0] != nil && !holds(&wire.Record{Current: slots[0]}, slots[1]) {
					t.Errorf("slot %d: %+v, want %+v", i, slots[0], slots[1])
				}
			}
			if got.State != made.State || got.Limit != made.Limit || got.Charges != made.Charges || got.Base != made.Base || got.Redo != made.Redo {
				t.Errorf("made again %+v, made first %+v", got, made)
			}
			if a, reply := g.call(x.op, x.m, x.voucher); a == nil || a.Gen != gen { // and once more
				t.Errorf("repeated: %+v, %v", a, reply.Result)
			}
		})
	}
}

// TestRedoFirst: the first record of an account is made again without any.
func TestRedoFirst(t *testing.T) {
	g := newRig(t)
	r := g.register("x")
	m := g.createOf(r, 0, nil)
	g.mustManage(wire.OpCreate, m, g.voucher(wire.PurposeFirst), wire.VerdictOK, 1)
	g.row = nil
	other := g.register("y")
	if a, reply := g.call(wire.OpCreate, g.createOf(other, 0, nil), g.voucher(wire.PurposeFirst)); a != nil || reply.Result != wire.CodeStale {
		t.Fatalf("another registration: %+v, %v", a, reply.Result)
	}
	g.mustManage(wire.OpCreate, m, nil, wire.VerdictOK, 1)
	if a := g.try(r, r.pin, 1); a.Verdict != wire.VerdictOK {
		t.Errorf("%+v", a)
	}
}

// TestRedoGivesNothingBack: the record before a content change, and that change
// replayed, after the account was locked.
func TestRedoGivesNothingBack(t *testing.T) {
	g, old, next := two(t)
	before := g.row
	m := g.activateOf(next, 2, true, next.manage)
	g.mustManage(wire.OpActivate, m, nil, wire.VerdictOK, 3)
	for n := range byte(5) {
		g.try(next, "000000", n)
	}
	g.row = before
	if a := g.mustManage(wire.OpActivate, m, nil, wire.VerdictOK, 3); a.Used != 5 {
		t.Fatalf("a reset that was granted before the attempts: %+v", a)
	}
	for n := range byte(5) {
		g.try(next, "000000", 10+n)
	}
	g.row = before
	g.mustManage(wire.OpActivate, m, nil, wire.VerdictLocked, 3)
	if got := g.open(); got.State != wire.StateLocked || got.Current != nil || got.Other != nil {
		t.Errorf("%+v", got)
	}
	if a := g.try(old, old.pin, 40); a.Verdict != wire.VerdictLocked {
		t.Errorf("%+v", a)
	}
}

// TestResets: attempts come back once in 24 hours and five times in 30 days, by
// the clocks of the witnesses, and not without them.
func TestResets(t *testing.T) {
	const day = 24 * time.Hour
	at := func(offsets ...time.Duration) (times []uint32) {
		for _, d := range offsets {
			times = append(times, uint32(start.Add(d).Unix()))
		}
		return times
	}
	for _, c := range []struct {
		name   string
		resets []uint32
		now    *time.Time
		want   bool
	}{
		{"first", nil, &start, true},
		{"no clock", nil, nil, false},
		{"a second ago", at(-time.Second), &start, false},
		{"a second under a day ago", at(-day + time.Second), &start, false},
		{"a day ago", at(-day), &start, true},
		{"in the future", at(time.Hour), &start, false},
		{"four in 30 days", at(-29*day, -20*day, -10*day, -2*day), &start, true},
		{"five in 30 days", at(-30*day+time.Second, -20*day, -10*day, -5*day, -2*day), &start, false},
		{"five, one of them 30 days ago", at(-30*day, -20*day, -10*day, -5*day, -2*day), &start, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &wire.Record{Charges: 9, Base: 2, Resets: c.resets}
			if got := (&rules{now: c.now}).reset(r); got != c.want {
				t.Fatalf("%t", got)
			}
			if (used(r) == 0) != c.want || len(r.Resets) > wire.MaxResets || c.want && r.Resets[len(r.Resets)-1] != uint32(start.Unix()) {
				t.Errorf("%+v", r)
			}
		})
	}
	clean := &wire.Record{Charges: 9, Base: 9}
	if (&rules{now: &start}).reset(clean) || clean.Resets != nil {
		t.Error("nothing was used, and a reset is gone")
	}
}

// TestResetIsNoLoop: registering again and again does not refill (section 5), and
// a reset that was granted and lost is granted once.
func TestResetIsNoLoop(t *testing.T) {
	g, r := registered(t)
	gen, granted := uint32(1), 0
	for n := byte(0); n < 60 && g.slots().State == wire.StateActive; n++ {
		g.evaluate(r, "000000", n, false)
		a, reply := g.call(wire.OpActivate, g.activateOf(r, gen, true, r.manage), nil)
		if a == nil {
			t.Fatal(reply.Result)
		}
		if a.Gen > gen {
			granted++
		}
		gen = a.Gen
		g.fresh.clock = g.fresh.clock.Add(time.Hour)
	}
	if granted > 1 {
		t.Errorf("%d resets within a day", granted)
	}

	g, r = registered(t)
	recorded := g.activateOf(r, 1, true, r.manage)
	g.mustManage(wire.OpUpdate, g.updateOf(r, 1, wire.Hash{5}, r.manage), nil, wire.VerdictOK, 2)
	g.evaluate(r, "000000", 1, false)
	if a := g.mustManage(wire.OpActivate, recorded, nil, wire.VerdictOK, 2); a.Used != 1 {
		t.Errorf("a recorded request gives attempts back: %+v", a)
	}

	g, r = registered(t)
	g.evaluate(r, "000000", 1, false)
	before, m := g.row, g.activateOf(r, 1, true, r.manage)
	g.mustManage(wire.OpActivate, m, nil, wire.VerdictOK, 2)
	g.row = before
	g.fresh.noClock = ErrUnavailable
	if a, reply := g.call(wire.OpActivate, m, nil); a != nil || reply.Result != wire.CodeBusy {
		t.Fatalf("made again without a clock: %+v, %v", a, reply.Result)
	}
	g.fresh.noClock = nil
	g.mustManage(wire.OpActivate, m, nil, wire.VerdictOK, 2)
	if got := g.open(); len(got.Resets) != 1 {
		t.Errorf("the reset is not noted: %+v", got)
	}
	g.evaluate(r, "000000", 2, false)
	if a := g.mustManage(wire.OpActivate, g.activateOf(r, 2, true, r.manage), nil, wire.VerdictOK, 2); a.Used != 1 {
		t.Errorf("granted twice: %+v", a)
	}
}
