package vault

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// hold makes the rig's vault one that has held a ceremony.
func (g *rig) hold(signed *wire.KofM) {
	g.t.Helper()
	c, err := OpenCeremony(signed, &g.config)
	if err != nil {
		g.t.Fatal(err)
	}
	if g.keys, err = g.keys.Hold(c, g.fresh.clock); err != nil {
		g.t.Fatal(err)
	}
	o := g.options()
	o.Ceremony = c
	if g.v, err = New(o); err != nil {
		g.t.Fatal(err)
	}
}

// insert puts a registration in the place of the one of gen, with vouchers of the
// service alone: denial of service, so far.
func (g *rig) insert(gen uint32) (*registration, []byte) {
	g.t.Helper()
	g.mustManage(wire.OpDelete, g.deleteOf(gen, nil), g.voucher(wire.PurposeDelete), wire.VerdictOK, gen+1)
	r := g.register("insider")
	g.mustManage(wire.OpCreate, g.createOf(r, gen+1, nil), g.voucher(wire.PurposeAgain), wire.VerdictOK, gen+2)
	return r, g.row
}

// guesses counts wrong PINs that the vault answers for a registration, when the
// insider puts another of the same account, of which he knows the PIN, in the
// place of the record between them.
func (g *rig) guesses(at *registration, row []byte, own *registration, ownRow []byte) (answered int) {
	g.t.Helper()
	ok := func(a *wire.Answer) bool { return a != nil && a.Verdict == wire.VerdictOK }
	n := byte(100)
	for range 5 {
		g.row = row
		for range 9 {
			n++
			if a, _ := g.evaluate(at, "000000", n, false); !ok(a) {
				break
			}
			row = g.row
			answered++
		}
		g.row = ownRow
		n++
		if a, _ := g.evaluate(own, own.pin, n, false); ok(a) {
			g.call(wire.OpRelease, g.releaseOf(own, own.pin, n, a), nil)
			ownRow = g.row
		}
	}
	return answered
}

// TestRebaseOneContent: the once of a ceremony is of what is registered in one
// record. While its window is open, an insider with vouchers has three guesses,
// and no registration of his own brings back any.
func TestRebaseOneContent(t *testing.T) {
	for _, kind := range []string{wire.CeremonyRestore, wire.CeremonyAmnesia} {
		lost := func(t *testing.T) (g *rig, r *registration, old, row []byte) {
			g, r = registered(t)
			old = g.row
			next := g.register("161803")
			g.mustManage(wire.OpCreate, g.createOf(next, 1, r.manage), nil, wire.VerdictOK, 2)
			return g, next, old, g.row
		}
		hold := func(g *rig, row []byte) {
			if kind == wire.CeremonyAmnesia {
				g.fresh.Memory = NewMemory()
			}
			g.hold(g.ceremony(kind, nil))
			g.row = row
			if a := g.slots(); a.Used < 7 || a.Gen != 1<<eraBits+1 {
				g.t.Fatalf("the re-base: %+v", a)
			}
		}
		t.Run(kind, func(t *testing.T) {
			g, owner, old, row := lost(t)
			g.slots()
			later := g.row // of the same gen
			_, inserted := g.insert(2)
			hold(g, row)
			for _, c := range []struct {
				name string
				row  []byte
				want wire.Code
			}{
				{"the same record", row, wire.CodeDone},
				{"what is the same in it, sealed later", later, wire.CodeDone},
				{"of before the PIN was changed", old, wire.CodeStale},
				{"of the insider's registration", inserted, wire.CodeStale},
			} {
				g.row = c.row
				if _, reply := g.call(wire.OpStatus, &wire.Status{}, nil); reply.Result != c.want {
					t.Errorf("%s: %v, want %v", c.name, reply.Result, c.want)
				}
			}
			g.row = row
			if a, _ := g.evaluate(owner, owner.pin, 1, false); a == nil || a.Verdict != wire.VerdictOK {
				t.Errorf("the owner: %+v", a)
			}
		})
		t.Run(kind+", guessing", func(t *testing.T) {
			g, owner, _, row := lost(t)
			own, ownRow := g.insert(2)
			hold(g, row)
			if n := g.guesses(owner, row, own, ownRow); n == 0 || n > 3 {
				t.Errorf("%d guesses after one ceremony, and 3 are the most", n)
			}
		})
	}
}

// TestAmnesiaBeginsAbove: where the marks were lost, a registration begins above
// the gen of every record of before, so however often it changes, no such record
// is of its gen: neither of an account that no ceremony lists, nor later.
func TestAmnesiaBeginsAbove(t *testing.T) {
	g, owner := registered(t)
	g.mustManage(wire.OpUpdate, g.updateOf(owner, 1, wire.Hash{3}, owner.manage), nil, wire.VerdictOK, 2)
	row := g.row // gen 2, ver 2
	g.fresh.Memory = NewMemory()
	g.hold(g.ceremony(wire.CeremonyAmnesia, []wire.Acct{{99}}))
	g.fresh.clock = start.Add(48 * time.Hour) // after its window
	if _, reply := g.call(wire.OpStatus, &wire.Status{}, nil); reply.Result != wire.CodeFuture {
		t.Fatalf("a record that nobody remembers: %v", reply.Result)
	}
	g.row = nil // nobody remembers the account: the insider registers it
	own := g.register("insider")
	first := uint32(1<<eraBits + 1)
	create := g.createOf(own, 0, nil)
	g.mustManage(wire.OpCreate, create, g.voucher(wire.PurposeFirst), wire.VerdictOK, first)
	g.row = nil // its record was lost: the same request builds it again
	g.mustManage(wire.OpCreate, create, nil, wire.VerdictOK, first)
	g.mustManage(wire.OpUpdate, g.updateOf(own, first, wire.Hash{4}, own.manage), nil, wire.VerdictOK, first+1)
	if n := g.guesses(owner, row, own, g.row); n > 0 {
		t.Errorf("%d guesses at an account that no ceremony covers", n)
	}
}

// TestEraEnds: no change brings a gen into an era that has not begun, where the
// next ceremony could not tell it from its own.
func TestEraEnds(t *testing.T) {
	g, r := registered(t)
	last := uint32(1<<eraBits - 1)
	key := wire.DeriveRecordKey(g.keys.epochs[0].key, g.config.Vault, g.keys.Epoch(), g.acct)
	s, err := key.Open(g.row)
	if err != nil {
		t.Fatal(err)
	}
	s.Gen, s.Ver = last-1, 2
	if err := g.fresh.Advance(t.Context(), g.acct, markOf(s)); err != nil {
		t.Fatal(err)
	}
	if g.row, err = key.Seal(s); err != nil {
		t.Fatal(err)
	}
	g.mustManage(wire.OpUpdate, g.updateOf(r, last-1, wire.Hash{3}, r.manage), nil, wire.VerdictOK, last)
	r.hash = wire.Hash{3}
	if _, reply := g.call(wire.OpUpdate, g.updateOf(r, last, wire.Hash{4}, r.manage), nil); reply.Result != wire.CodeBusy {
		t.Errorf("gen %d: %v", last+1, reply.Result)
	}
	if a := g.try(r, r.pin, 1); a.Verdict != wire.VerdictOK || a.Gen != last {
		t.Errorf("a recovery at the last gen: %+v", a)
	}
}

// TestRolledBackTogether is what no rule here prevents, and docs/recovery.md tells:
// when R witnesses are put back to marks of before, together and unseen by the
// others, a registration of the insider's own comes to the gen of a record that
// they have forgotten, and one roll-back gives guesses without end. Where that is
// to be feared, on-amnesia is "ceremony": then nothing on a disk is a mark.
func TestRolledBackTogether(t *testing.T) {
	g, owner := registered(t)
	before, err := g.fresh.Load(t.Context(), g.acct)
	if err != nil {
		t.Fatal(err)
	}
	for gen := uint32(1); gen < 3; gen++ {
		to := wire.Hash{byte(gen)}
		g.mustManage(wire.OpUpdate, g.updateOf(owner, gen, to, owner.manage), nil, wire.VerdictOK, gen+1)
		owner.hash = to
	}
	row := g.row // of gen 3
	g.fresh.Memory = NewMemory()
	if err := g.fresh.Memory.Advance(t.Context(), g.acct, before); err != nil {
		t.Fatal(err)
	}
	g.row = nil
	own, ownRow := g.insert(1)
	if n := g.guesses(owner, row, own, ownRow); n != 45 {
		t.Errorf("%d guesses in five rounds of nine: if something prevents them now, docs/recovery.md and TestTogether of the insider say too much", n)
	}
}
