package vault

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// two is a rig with two registrations, the first of them current, at gen 2.
func two(t testing.TB, change ...func(*wire.Config)) (g *rig, old, next *registration) {
	t.Helper()
	g, old = registered(t, change...)
	next = g.register("314159")
	g.mustManage(wire.OpCreate, g.createOf(next, 1, old.manage), nil, wire.VerdictOK, 2)
	return g, old, next
}

// mustManage sends a managed request and wants a verdict and a gen.
func (g *rig) mustManage(op wire.Op, m *wire.Managed, voucher *wire.Signed, want wire.Verdict, gen uint32) *wire.Answer {
	g.t.Helper()
	a, reply := g.call(op, m, voucher)
	if a == nil || a.Verdict != want || a.Gen != gen {
		g.t.Fatalf("%v: %+v, code %v, want %v at gen %d", op, a, reply.Result, want, gen)
	}
	return a
}

func (g *rig) activateOf(r *registration, gen uint32, reset bool, key *wire.SigningKey) *wire.Managed {
	g.t.Helper()
	return g.sign(&wire.Activate{Target: g.target(gen), Reg: r.reg, Reset: reset}, key)
}

func (g *rig) finalizeOf(r *registration, gen uint32, key *wire.SigningKey) *wire.Managed {
	g.t.Helper()
	return g.sign(&wire.Finalize{Target: g.target(gen), Reg: r.reg}, key)
}

func (g *rig) updateOf(r *registration, gen uint32, to wire.Hash, key *wire.SigningKey) *wire.Managed {
	g.t.Helper()
	return g.sign(&wire.Update{Target: g.target(gen), Reg: r.reg, Old: r.hash, New: to}, key)
}

func (g *rig) deleteOf(gen uint32, key *wire.SigningKey) *wire.Managed {
	g.t.Helper()
	return g.sign(&wire.Delete{Target: g.target(gen)}, key)
}

// wantSlots wants these registrations, by their reg_id, or none.
func (g *rig) wantSlots(current, other *registration) {
	g.t.Helper()
	view := func(r *registration) *wire.SlotView {
		if r == nil {
			return nil
		}
		return &wire.SlotView{Reg: r.reg, BlobHash: r.hash}
	}
	same := func(a, b *wire.SlotView) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
	s := g.slots().Slots
	if !same(s.Current, view(current)) || !same(s.Other, view(other)) {
		g.t.Fatalf("slots %+v and %+v, want %+v and %+v", s.Current, s.Other, view(current), view(other))
	}
}

// TestReplace: a PIN change from end to end; at each point one PIN works at
// least, both share one count, and a replay of each step changes nothing.
func TestReplace(t *testing.T) {
	for _, s := range []wire.Suite{wire.Suite1, wire.Suite2} {
		t.Run(s.String(), func(t *testing.T) {
			g, old, next := two(t, func(c *wire.Config) { c.Suite = s })
			g.wantSlots(old, next)
			g.try(old, "000000", 1)
			if a := g.try(next, "000000", 2); a.Used != 2 {
				t.Fatalf("the slots do not share a count: %+v", a)
			}
			g.mustManage(wire.OpCreate, g.createOf(next, 1, old.manage), nil, wire.VerdictOK, 2) // replayed
			g.mustManage(wire.OpActivate, g.activateOf(next, 2, false, next.manage), nil, wire.VerdictOK, 3)
			g.wantSlots(next, old)
			g.mustManage(wire.OpActivate, g.activateOf(next, 2, false, old.manage), nil, wire.VerdictOK, 3)
			if a := g.slots(); a.Used != 2 {
				t.Fatalf("activating gives attempts back: %+v", a)
			}
			if a := g.try(old, old.pin, 3); a.Verdict != wire.VerdictOK {
				t.Fatalf("the old PIN before finalize: %+v", a)
			}
			g.mustManage(wire.OpFinalize, g.finalizeOf(next, 3, next.manage), nil, wire.VerdictOK, 4)
			g.mustManage(wire.OpFinalize, g.finalizeOf(next, 3, next.manage), nil, wire.VerdictOK, 4)
			g.wantSlots(next, nil)
			if a := g.try(old, old.pin, 4); a.Verdict != wire.VerdictUnknownReg {
				t.Fatalf("the old PIN after finalize: %+v", a)
			}
			if a := g.try(next, next.pin, 5); a.Verdict != wire.VerdictOK {
				t.Fatalf("the new PIN: %+v", a)
			}
			to := wire.Hash{9}
			g.mustManage(wire.OpUpdate, g.updateOf(next, 4, to, next.manage), nil, wire.VerdictOK, 5)
			g.mustManage(wire.OpUpdate, g.updateOf(next, 4, to, next.manage), nil, wire.VerdictOK, 5)
			next.hash = to
			g.wantSlots(next, nil)
			g.mustManage(wire.OpDelete, g.deleteOf(5, next.manage), nil, wire.VerdictOK, 6)
			g.mustManage(wire.OpDelete, g.deleteOf(5, next.manage), nil, wire.VerdictDeleted, 6)
			g.wantSlots(nil, nil)
			if a := g.try(next, next.pin, 6); a.Verdict != wire.VerdictDeleted || a.State != wire.StateDeleted {
				t.Fatalf("after deletion: %+v", a)
			}
		})
	}
}

// TestManagedRefused: one good request of each kind and small changes to it. What
// is refused changes nothing.
func TestManagedRefused(t *testing.T) {
	stranger, err := wire.DeriveManageKey(wire.Suite1, wire.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	type made struct {
		op wire.Op
		m  *wire.Managed
	}
	for _, c := range []struct {
		name string
		make func(g *rig, old, next *registration) made
		want wire.Verdict
	}{
		{"create, slot taken", func(g *rig, old, _ *registration) made {
			return made{wire.OpCreate, g.createOf(g.register("x"), 2, old.manage)}
		}, wire.VerdictOccupied},
		{"create by the key that is not current", func(g *rig, _, next *registration) made {
			return made{wire.OpCreate, g.createOf(g.register("x"), 2, next.manage)}
		}, wire.VerdictBadSig},
		{"create without a signature", func(g *rig, _, _ *registration) made {
			return made{wire.OpCreate, g.createOf(g.register("x"), 2, nil)}
		}, wire.VerdictBadSig},
		{"create for another gen", func(g *rig, old, _ *registration) made {
			return made{wire.OpCreate, g.createOf(g.register("x"), 1, old.manage)}
		}, wire.VerdictGenMismatch},
		{"create with the reg_id of the current one", func(g *rig, old, _ *registration) made {
			g.mustManage(wire.OpFinalize, g.finalizeOf(old, 2, old.manage), nil, wire.VerdictOK, 3)
			x := g.register("x")
			x.reg = old.reg
			return made{wire.OpCreate, g.createOf(x, 3, old.manage)}
		}, wire.VerdictOccupied},
		{"create with too high a limit", func(g *rig, old, _ *registration) made {
			g.config.Limit++
			defer func() { g.config.Limit-- }()
			return made{wire.OpCreate, g.createOf(g.register("x"), 2, old.manage)}
		}, wire.VerdictMalformed},
		{"create with a share of zero", func(g *rig, old, _ *registration) made {
			x := g.register("x")
			x.s = wire.Scalar{}
			return made{wire.OpCreate, g.createOf(x, 2, old.manage)}
		}, wire.VerdictMalformed},

		{"activate by a stranger", func(g *rig, _, next *registration) made {
			return made{wire.OpActivate, g.activateOf(next, 2, false, stranger)}
		}, wire.VerdictBadSig},
		{"activate for another gen", func(g *rig, _, next *registration) made {
			return made{wire.OpActivate, g.activateOf(next, 1, false, next.manage)}
		}, wire.VerdictGenMismatch},
		{"activate what is not there", func(g *rig, old, _ *registration) made {
			return made{wire.OpActivate, g.activateOf(&registration{}, 2, false, old.manage)}
		}, wire.VerdictUnknownReg},
		{"activate what is current by a stranger, in a replay", func(g *rig, old, _ *registration) made {
			return made{wire.OpActivate, g.activateOf(old, 1, false, stranger)}
		}, wire.VerdictBadSig},

		{"finalize what is not current", func(g *rig, old, next *registration) made {
			return made{wire.OpFinalize, g.finalizeOf(next, 2, old.manage)}
		}, wire.VerdictUnknownReg},
		{"finalize by the key that is not current", func(g *rig, old, next *registration) made {
			return made{wire.OpFinalize, g.finalizeOf(old, 2, next.manage)}
		}, wire.VerdictBadSig},
		{"finalize for another gen", func(g *rig, old, _ *registration) made {
			return made{wire.OpFinalize, g.finalizeOf(old, 3, old.manage)}
		}, wire.VerdictGenMismatch},

		{"update by the key of the other slot", func(g *rig, old, next *registration) made {
			return made{wire.OpUpdate, g.updateOf(old, 2, wire.Hash{1}, next.manage)}
		}, wire.VerdictBadSig},
		{"update of another blob", func(g *rig, old, _ *registration) made {
			x := *old
			x.hash[0]++
			return made{wire.OpUpdate, g.updateOf(&x, 2, wire.Hash{1}, old.manage)}
		}, wire.VerdictHash},
		{"update for another gen", func(g *rig, old, _ *registration) made {
			return made{wire.OpUpdate, g.updateOf(old, 1, wire.Hash{1}, old.manage)}
		}, wire.VerdictGenMismatch},
		{"update of what is not there", func(g *rig, old, _ *registration) made {
			return made{wire.OpUpdate, g.updateOf(&registration{}, 2, wire.Hash{1}, old.manage)}
		}, wire.VerdictUnknownReg},

		{"delete by the key that is not current", func(g *rig, _, next *registration) made {
			return made{wire.OpDelete, g.deleteOf(2, next.manage)}
		}, wire.VerdictBadSig},
		{"delete without a signature", func(g *rig, _, _ *registration) made {
			return made{wire.OpDelete, g.deleteOf(2, nil)}
		}, wire.VerdictBadSig},
		{"delete for another gen", func(g *rig, old, _ *registration) made {
			return made{wire.OpDelete, g.deleteOf(1, old.manage)}
		}, wire.VerdictGenMismatch},

		{"for another vault", func(g *rig, old, _ *registration) made {
			target := g.target(2)
			target.Vault = "v2"
			return made{wire.OpDelete, g.sign(&wire.Delete{Target: target}, old.manage)}
		}, wire.VerdictMalformed},
		{"for another account", func(g *rig, old, _ *registration) made {
			target := g.target(2)
			target.Acct[15]++
			return made{wire.OpDelete, g.sign(&wire.Delete{Target: target}, old.manage)}
		}, wire.VerdictMalformed},
		{"of another op", func(g *rig, old, _ *registration) made {
			return made{wire.OpFinalize, g.deleteOf(2, old.manage)}
		}, wire.VerdictMalformed},
		{"of suite 2", func(g *rig, old, _ *registration) made {
			x := g.register("x")
			return made{wire.OpCreate, g.sign(&wire.Create{
				Target: g.target(2), Reg: x.reg, Suite: wire.Suite2, Limit: 10, K: wire.Scalar{31: 1}, S: wire.Scalar{31: 1},
				Manage: make([]byte, 33),
			}, old.manage)}
		}, wire.VerdictMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, old, next := two(t)
			x := c.make(g, old, next)
			before := g.open()
			a, reply := g.call(x.op, x.m, nil)
			if a == nil || a.Verdict != c.want || a.Gen != before.Gen || a.Ver != before.Ver+1 {
				t.Fatalf("%+v, code %v, want %v", a, reply.Result, c.want)
			}
			after := g.open()
			if holds(after, before.Current) != true || (before.Other != nil) != (after.Other != nil) || after.Charges != before.Charges || after.Redo != before.Redo {
				t.Errorf("before %+v, after %+v", before, after)
			}
		})
	}
}

// TestLimitOnlyFalls: a second registration may lower the limit of both.
func TestLimitOnlyFalls(t *testing.T) {
	g, old := registered(t)
	next := g.register("x")
	g.config.Limit = 4
	a := g.mustManage(wire.OpCreate, g.createOf(next, 1, old.manage), nil, wire.VerdictOK, 2)
	if a.Limit != 4 {
		t.Fatalf("%+v", a)
	}
	g.mustManage(wire.OpFinalize, g.finalizeOf(old, 2, old.manage), nil, wire.VerdictOK, 3)
	g.config.Limit = 10
	if a = g.mustManage(wire.OpCreate, g.createOf(next, 3, old.manage), nil, wire.VerdictOK, 4); a.Limit != 4 {
		t.Errorf("the limit rises: %+v", a)
	}
}

// TestVouchers: without a signature the service must have vouched, for this very
// thing and not too long ago.
func TestVouchers(t *testing.T) {
	hour := func(f *attended) { f.clock = f.clock.Add(time.Hour) }
	for _, c := range []struct {
		name    string
		voucher func(g *rig) *wire.Signed
		later   func(*attended)
		want    wire.Code
	}{
		{"good", func(g *rig) *wire.Signed { return g.voucher(wire.PurposeFirst) }, nil, wire.CodeDone},
		{"none", func(*rig) *wire.Signed { return nil }, nil, wire.CodeVoucher},
		{"registration after lock", func(g *rig) *wire.Signed { return g.voucher(wire.PurposeAgain) }, nil, wire.CodeVoucher},
		{"deletion", func(g *rig) *wire.Signed { return g.voucher(wire.PurposeDelete) }, nil, wire.CodeVoucher},
		{"expired", func(g *rig) *wire.Signed { return g.voucher(wire.PurposeFirst) }, hour, wire.CodeVoucher},
		{"no clock", func(g *rig) *wire.Signed { return g.voucher(wire.PurposeFirst) }, func(f *attended) { f.noClock = ErrUnavailable }, wire.CodeBusy},
		{"of another vault", func(g *rig) *wire.Signed {
			return g.voucherOf(&wire.Voucher{Vault: "v2", Acct: g.acct, Purpose: wire.PurposeFirst, Expires: seconds(start) + 60})
		}, nil, wire.CodeVoucher},
		{"of another account", func(g *rig) *wire.Signed {
			return g.voucherOf(&wire.Voucher{Vault: "v1", Purpose: wire.PurposeFirst, Expires: seconds(start) + 60})
		}, nil, wire.CodeVoucher},
		{"by another key", func(g *rig) *wire.Signed {
			g.vouchers = g.release
			return g.voucher(wire.PurposeFirst)
		}, nil, wire.CodeVoucher},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t)
			voucher := c.voucher(g)
			if c.later != nil {
				c.later(g.fresh)
			}
			_, reply := g.call(wire.OpCreate, g.createOf(g.register("x"), 0, nil), voucher)
			if reply.Result != c.want || (reply.Record != nil) != (c.want == wire.CodeDone) {
				t.Errorf("code %v, want %v", reply.Result, c.want)
			}
		})
	}
}

// TestFirstIsNotSigned: there is no key yet that could have signed.
func TestFirstIsNotSigned(t *testing.T) {
	g := newRig(t)
	r := g.register("x")
	a, reply := g.call(wire.OpCreate, g.createOf(r, 0, r.manage), g.voucher(wire.PurposeFirst))
	if a == nil || a.Verdict != wire.VerdictBadSig || reply.Record != nil {
		t.Errorf("%+v, %+v", a, reply)
	}
}

// TestAgain: after lock and deletion only a voucher of its own lets anybody
// register, with or without the record, and the count begins anew.
func TestAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(g *rig, r *registration)
		gen  uint32
	}{
		{"locked", func(g *rig, r *registration) {
			for n := range byte(10) {
				g.try(r, "000000", n)
			}
		}, 1},
		{"deleted", func(g *rig, r *registration) {
			g.mustManage(wire.OpDelete, g.deleteOf(1, r.manage), nil, wire.VerdictOK, 2)
		}, 2},
	} {
		for _, row := range []string{"record", "old record", "no record"} {
			t.Run(c.name+", "+row, func(t *testing.T) {
				g, r := registered(t)
				old := g.row
				c.end(g, r)
				switch row {
				case "old record":
					g.row = old
				case "no record":
					g.row = nil
				}
				next := g.register("x")
				if _, reply := g.call(wire.OpCreate, g.createOf(next, c.gen, nil), g.voucher(wire.PurposeFirst)); reply.Result != wire.CodeVoucher {
					t.Fatalf("with a voucher for a first registration: %v", reply.Result)
				}
				if row != "no record" || c.name == "locked" {
					a, reply := g.call(wire.OpCreate, g.createOf(next, c.gen+1, nil), g.voucher(wire.PurposeAgain))
					if a == nil || a.Verdict != wire.VerdictGenMismatch {
						t.Fatalf("for another gen: %+v, %v", a, reply.Result)
					}
				}
				a := g.mustManage(wire.OpCreate, g.createOf(next, c.gen, nil), g.voucher(wire.PurposeAgain), wire.VerdictOK, c.gen+1)
				if a.Used != 0 || a.State != wire.StateActive {
					t.Fatalf("%+v", a)
				}
				g.wantSlots(next, nil)
				if a = g.try(next, next.pin, 1); a.Verdict != wire.VerdictOK {
					t.Errorf("%+v", a)
				}
			})
		}
	}
}

// TestDeleteByVoucher: the service can delete, with whatever record, and a
// refused deletion leaves the registration alone.
func TestDeleteByVoucher(t *testing.T) {
	for _, row := range []string{"record", "no record"} {
		t.Run(row, func(t *testing.T) {
			g, _ := registered(t)
			kept := g.row
			if row == "no record" {
				g.row = nil
			}
			for _, m := range []*wire.Managed{g.deleteOf(7, nil), g.createOf(g.register("x"), 1, nil)} {
				if a, reply := g.call(wire.OpDelete, m, g.voucher(wire.PurposeDelete)); a != nil && row == "no record" || a == nil && reply.Result != wire.CodeStale {
					t.Fatalf("%+v, %v", a, reply.Result)
				}
			}
			if row == "no record" {
				g.row = kept
				if s := g.slots().Slots; s.Current == nil {
					t.Fatal("a refused deletion has wiped the registration")
				}
				g.row = nil
			}
			g.mustManage(wire.OpDelete, g.deleteOf(1, nil), g.voucher(wire.PurposeDelete), wire.VerdictOK, 2)
			g.wantSlots(nil, nil)
			if got := g.open(); got.State != wire.StateDeleted {
				t.Errorf("%+v", got)
			}
		})
	}
}
