package vault

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// renew lets an epoch's life pass.
func (g *rig) renew() {
	g.t.Helper()
	g.fresh.clock = g.fresh.clock.Add(EpochLife)
	if err := g.v.Renew(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
}

// TestEpochs: a new epoch accepts what was sealed to the one before, and seals
// anew; when the next comes, that one is destroyed.
func TestEpochs(t *testing.T) {
	g, r := registered(t)
	body, err := wire.Encode(&wire.Status{})
	if err != nil {
		t.Fatal(err)
	}
	old, key := g.seal(wire.OpStatus, body)
	first := g.row
	if err := g.v.Renew(t.Context()); err != nil || g.v.ring.Load().newest().number != 1 {
		t.Fatalf("renewed too early: %v", err)
	}
	g.renew()
	if e, _ := wire.RecordEpoch(g.row); e != 1 || g.v.ring.Load().newest().number != 2 {
		t.Fatalf("record of epoch %d", e)
	}
	old.Record = g.row
	if a, reply := g.send(old, key); a == nil || a.Verdict != wire.VerdictOK { // a request of epoch 1
		t.Fatalf("%+v, %+v", a, reply)
	}
	if e, _ := wire.RecordEpoch(g.row); e != 2 {
		t.Fatalf("not sealed anew: epoch %d", e)
	}
	g.renew()
	if _, reply := g.send(old, key); reply.Result != wire.CodeEpoch {
		t.Errorf("a request of epoch 1 in epoch 3: %v", reply.Result)
	}
	if _, reply := g.send(&wire.Call{Op: wire.OpStatus, Acct: g.acct, Epoch: 4}, key); reply.Result != wire.CodeEpoch {
		t.Errorf("a request of epoch 4: %v", reply.Result)
	}
	c, _ := g.seal(wire.OpStatus, body)
	if c.Record = first; g.v.Handle(t.Context(), c).Result != wire.CodeBadRecord {
		t.Error("a record of epoch 1 opens in epoch 3")
	}
	if a := g.try(r, r.pin, 1); a.Verdict != wire.VerdictOK {
		t.Errorf("%+v", a)
	}
}

// TestDeletedIsGone: two epochs after deletion nothing that was recorded opens.
func TestDeletedIsGone(t *testing.T) {
	g, r := registered(t)
	body, err := wire.Encode(g.createOf(r, 0, nil))
	if err != nil {
		t.Fatal(err)
	}
	create, _ := g.seal(wire.OpCreate, body)
	before := g.row
	g.mustManage(wire.OpDelete, g.deleteOf(1, r.manage), nil, wire.VerdictOK, 2)
	tombstone := g.row
	g.renew()
	g.renew()
	for _, row := range [][]byte{before, tombstone} {
		c, _ := g.seal(wire.OpStatus, []byte{0x80})
		if c.Record = row; g.v.Handle(t.Context(), c).Result != wire.CodeBadRecord {
			t.Error("a record of two epochs ago opens")
		}
	}
	if g.v.Handle(t.Context(), create).Result != wire.CodeEpoch {
		t.Error("a request of two epochs ago opens")
	}
}

// TestReleaseAfterEpoch: an attempt that began before a new epoch ends in it: the
// vault's half of the exchange is the same, for the phone answers no second one.
func TestReleaseAfterEpoch(t *testing.T) {
	g, r := registered(t)
	first, _ := g.evaluate(r, r.pin, 1, false)
	q := g.releaseOf(r, r.pin, 1, first)
	g.renew()
	if a, _ := g.evaluate(r, r.pin, 1, false); a.Verdict != wire.VerdictOK || !bytes.Equal(a.Ya, first.Ya) {
		t.Fatalf("%+v, first %+v", a, first)
	}
	if a, _ := g.call(wire.OpRelease, q, nil); a.Verdict != wire.VerdictOK || a.Used != 0 {
		t.Errorf("%+v", a)
	}
}

// TestAdopt: a replica takes newer keys of its vault, and nothing else.
func TestAdopt(t *testing.T) {
	g, _ := registered(t)
	kept := 0
	o := g.options()
	o.KeepKeys = func(*MasterKeys) error { kept++; return nil }
	v, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	newer := g.keys.Renewed(start.Add(EpochLife))
	ceremony := &Ceremony{wire.Ceremony{Kind: wire.CeremonyAmnesia, NotAfter: seconds(start) + 10}, wire.ID16{1}}
	other, err := newer.Hold(ceremony, start)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		keys  *MasterKeys
		epoch uint32
		err   error
	}{
		{"the same", g.keys, 1, nil},
		{"zeros", &MasterKeys{}, 1, nil},
		{"of after a ceremony", other, 1, ErrKeys},
		{"newer", newer, 2, nil},
		{"older", g.keys, 2, nil},
	} {
		if err := v.Adopt(c.keys); !errors.Is(err, c.err) || v.ring.Load().newest().number != c.epoch {
			t.Errorf("%s: %v, epoch %d", c.name, err, v.ring.Load().newest().number)
		}
	}
	if kept != 1 {
		t.Errorf("kept %d times", kept)
	}
	o.KeepKeys = func(*MasterKeys) error { return errors.New("disk full") }
	if v, err = New(o); err != nil {
		t.Fatal(err)
	}
	if err := v.Adopt(newer); err == nil || v.ring.Load().newest().number != 1 {
		t.Errorf("keys are used that were not kept: %v", err)
	}
}

// TestKeysSealed: master keys open with the sealing key and the configuration
// that they were sealed with, and nothing is changed on the way.
func TestKeysSealed(t *testing.T) {
	g := newRig(t)
	keys := g.keys.Renewed(start.Add(EpochLife))
	sealing, other := wire.NewKey(), g.config
	other.Limit++
	sealed, err := keys.Seal(sealing, &g.config)
	if err != nil {
		t.Fatal(err)
	}
	got, err := OpenMasterKeys(sealing, &g.config, sealed)
	if err != nil || got.Epoch() != 2 || len(got.epochs) != 2 || got.epochs[1] != keys.epochs[1] || got.marks != keys.marks || got.callsFrom != keys.callsFrom {
		t.Fatalf("%v", err)
	}
	changed := append([]byte(nil), sealed...)
	changed[len(changed)-1]++
	for _, c := range []struct {
		name    string
		sealing wire.Key
		config  *wire.Config
		sealed  []byte
		want    string
	}{
		{"another configuration", sealing, &other, sealed, "were made under the configuration"},
		{"another key", wire.NewKey(), &g.config, sealed, "sealed by another machine"},
		{"changed", sealing, &g.config, changed, "sealed by another machine"},
		{"another configuration's hash put in", sealing, &other, func() []byte {
			hash, _ := other.Hash()
			return append(hash[:], sealed[32:]...)
		}(), "sealed by another machine"},
		{"short", sealing, &g.config, sealed[:20], "too few"},
		{"no key", wire.Key{}, &g.config, sealed, "all zeros"},
	} {
		if _, err := OpenMasterKeys(c.sealing, c.config, c.sealed); !errors.Is(err, ErrKeys) || !contains(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestCeremony: what step 3 refuses is taken as the truth once, for the accounts
// that are listed, with three attempts at most.
func TestCeremony(t *testing.T) {
	type lossy struct {
		kind string
		lose func(g *rig, clean []byte)
		used uint8
	}
	for _, l := range []lossy{
		{wire.CeremonyAmnesia, func(g *rig, _ []byte) { g.fresh.Memory = NewMemory() }, 7}, // limit - 3
		{wire.CeremonyRestore, func(g *rig, clean []byte) { g.row = clean }, 9},            // as the mark knows
	} {
		t.Run(l.kind, func(t *testing.T) {
			g, r := registered(t)
			clean := g.row
			next := g.register("x")
			g.mustManage(wire.OpCreate, g.createOf(next, 1, r.manage), nil, wire.VerdictOK, 2)
			for n := range byte(9) {
				g.evaluate(r, "000000", n, false)
			}
			if l.kind == wire.CeremonyAmnesia {
				g.row = clean // the insider picks a record with nothing used
			}
			l.lose(g, clean)
			recorded, key := g.seal(wire.OpStatus, []byte{0x80})
			refused := g.v.Handle(t.Context(), recorded)
			if refused.Result != wire.CodeFuture && refused.Result != wire.CodeStale {
				t.Fatalf("before the ceremony: %v", refused.Result)
			}
			signed := g.ceremony(l.kind, nil)
			c, err := OpenCeremony(signed, &g.config)
			if err != nil {
				t.Fatal(err)
			}
			o := g.options()
			if o.Ceremony = c; true {
				if _, err := New(o); !errors.Is(err, ErrCeremony) {
					t.Fatalf("with the keys of before: %v", err)
				}
			}
			marks := g.keys.marks
			if g.keys, err = g.keys.Hold(c, g.fresh.clock); err != nil {
				t.Fatal(err)
			}
			if (g.keys.marks == marks) != (l.kind == wire.CeremonyRestore) {
				t.Error("the key of the marks")
			}
			if again, err := g.keys.Hold(c, g.fresh.clock); err != nil || again != g.keys {
				t.Errorf("held twice: %v", err)
			}
			o.Keys = g.keys
			if g.v, err = New(o); err != nil {
				t.Fatal(err)
			}
			if _, reply := g.send(recorded, key); reply.Result != wire.CodeEpoch {
				t.Fatalf("a request of before the ceremony: %v", reply.Result)
			}

			a := g.slots()
			if a.Used != l.used || a.Gen != 1<<eraBits+1 || a.State != wire.StateActive {
				t.Fatalf("%+v, want %d used", a, l.used)
			}
			g.row = clean // the record of the re-base was lost
			if a = g.slots(); a.Used != l.used || a.Gen != 1<<eraBits+1 {
				t.Fatalf("again: %+v", a)
			}
			for n := byte(50); ; n++ {
				a, _ := g.evaluate(r, "000000", n, false)
				if a.Verdict == wire.VerdictLocked {
					if n != 50+10-l.used {
						t.Errorf("locked after %d", n-50)
					}
					break
				}
			}
			g.row = clean
			if a, _ := g.evaluate(r, r.pin, 99, false); a.Verdict != wire.VerdictLocked {
				t.Errorf("the old record after the lock: %+v", a)
			}
		})
	}
}

// ceremony is one that the release key has signed.
func (g *rig) ceremony(kind string, accounts []wire.Acct, change ...func(*wire.Ceremony)) *wire.KofM {
	g.t.Helper()
	body := &wire.Ceremony{
		Kind: kind, Vault: g.config.Vault, SetVersion: 1, Accounts: accounts,
		NotBefore: seconds(start), NotAfter: seconds(start.Add(24 * time.Hour)),
	}
	for _, c := range change {
		c(body)
	}
	b, err := wire.Encode(body)
	if err != nil {
		g.t.Fatal(err)
	}
	signed := &wire.KofM{TBS: b}
	signed.Add(g.release)
	return signed
}

// TestCeremonyOnce: after a change of content the old record is refused again,
// and an account that is not listed, or a time outside the window, too.
func TestCeremonyOnce(t *testing.T) {
	t.Run("changed since", func(t *testing.T) {
		g, r := registered(t)
		old := g.row
		g.fresh.Memory = NewMemory()
		g.hold(g.ceremony(wire.CeremonyAmnesia, []wire.Acct{g.acct}))
		gen := g.slots().Gen
		g.mustManage(wire.OpUpdate, g.updateOf(r, gen, wire.Hash{3}, r.manage), nil, wire.VerdictOK, gen+1)
		g.row = old
		if _, reply := g.call(wire.OpStatus, &wire.Status{}, nil); reply.Result != wire.CodeStale {
			t.Errorf("%v", reply.Result)
		}
	})
	for _, c := range []struct {
		name  string
		acct  wire.Acct
		later time.Duration
		want  wire.Code
	}{
		{"listed", wire.Acct{7}, time.Hour, wire.CodeDone},
		{"not listed", wire.Acct{8}, time.Hour, wire.CodeFuture},
		{"before its window", wire.Acct{7}, -time.Second, wire.CodeFuture},
		{"after its window", wire.Acct{7}, 24 * time.Hour, wire.CodeFuture},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, _ := registered(t)
			g.fresh.Memory = NewMemory()
			g.hold(g.ceremony(wire.CeremonyAmnesia, []wire.Acct{c.acct}))
			g.fresh.clock = start.Add(c.later)
			if _, reply := g.call(wire.OpStatus, &wire.Status{}, nil); reply.Result != c.want {
				t.Errorf("%v, want %v", reply.Result, c.want)
			}
		})
	}
}

// TestCeremonyRefused: who may not hold one.
func TestCeremonyRefused(t *testing.T) {
	g := newRig(t)
	for _, c := range []struct {
		name string
		make func(g *rig) *wire.KofM
	}{
		{"signed by nobody", func(g *rig) *wire.KofM { s := g.ceremony(wire.CeremonyAmnesia, nil); s.Sigs = nil; return s }},
		{"signed by the voucher key", func(g *rig) *wire.KofM {
			s := g.ceremony(wire.CeremonyAmnesia, nil)
			s.Sigs = nil
			s.Add(g.vouchers)
			return s
		}},
		{"of another vault", func(g *rig) *wire.KofM {
			return g.ceremony(wire.CeremonyAmnesia, nil, func(c *wire.Ceremony) { c.Vault = "v2" })
		}},
		{"a handover", func(g *rig) *wire.KofM { return g.ceremony(wire.CeremonyHandover, nil) }},
	} {
		if _, err := OpenCeremony(c.make(g), &g.config); !errors.Is(err, ErrCeremony) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	c, err := OpenCeremony(g.ceremony(wire.CeremonyAmnesia, nil), &g.config)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{start.Add(-time.Second), start.Add(24 * time.Hour)} {
		if _, err := g.keys.Hold(c, at); !errors.Is(err, ErrCeremony) {
			t.Errorf("held at %v: %v", at, err)
		}
	}
}
