package vault

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// TestAttemptsCost: a thousand repeats of one attempt cost one, another costs one
// more, and as many as the limit lock.
func TestAttemptsCost(t *testing.T) {
	g, r := registered(t)
	var first *wire.Answer
	for i := range 1000 {
		a, _ := g.evaluate(r, "000000", 1, i == 999)
		if a.Verdict != wire.VerdictOK || a.Used != 1 {
			t.Fatalf("repeat %d: %+v", i, a)
		}
		if first == nil {
			first = a
		}
		if !bytes.Equal(a.E, first.E) || !bytes.Equal(a.Ya, first.Ya) || (a.Proof != nil) != (i == 999) {
			t.Fatalf("repeat %d: %+v, first %+v", i, a, first)
		}
	}
	for n := byte(2); n <= 10; n++ {
		if a, _ := g.evaluate(r, "000000", n, false); a.Verdict != wire.VerdictOK || a.Used != n {
			t.Fatalf("attempt %d: %+v", n, a)
		}
	}
	a, _ := g.evaluate(r, "000000", 11, false)
	if a.Verdict != wire.VerdictLocked || a.Used != 10 || a.E != nil {
		t.Fatalf("one more than the limit: %+v", a)
	}
	k, s := r.k.Bytes(), r.s
	plain, err := wire.Encode(g.open())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(plain, k[:]) || bytes.Contains(plain, s[:]) {
		t.Error("a locked record has a share")
	}
}

// open is the record that storage has.
func (g *rig) open() *wire.Record {
	g.t.Helper()
	w := &work{Vault: g.v, ring: g.v.ring.Load(), call: &wire.Call{Acct: g.acct, Record: g.row}}
	r, err := w.openRecord()
	if err != nil {
		g.t.Fatal(err)
	}
	return r
}

// TestProof: what evaluate gives is made with the share that was registered.
func TestProof(t *testing.T) {
	g, r := registered(t)
	shares, err := suite(&g.config).Deal(r.k, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := g.evaluate(r, r.pin, 1, true)
	e, err := suite(&g.config).Element(a.E)
	if err != nil {
		t.Fatal(err)
	}
	b := g.blind(r, r.pin, 1).Element
	if err := suite(&g.config).Verify(shares[0].Public, b, e, toprf.Proof(*a.Proof)); err != nil {
		t.Error(err)
	}
}

// TestEvaluateRefused: what is no attempt is not charged.
func TestEvaluateRefused(t *testing.T) {
	g, r := registered(t)
	b := g.blind(r, r.pin, 1).Element.Bytes()
	for _, c := range []struct {
		name string
		q    wire.Evaluate
		want wire.Verdict
	}{
		{"another registration", wire.Evaluate{Reg: wire.RegID{1}, B: b}, wire.VerdictUnknownReg},
		{"the identity", wire.Evaluate{Reg: r.reg, B: make([]byte, 32)}, wire.VerdictMalformed},
		{"no element", wire.Evaluate{Reg: r.reg, B: bytes.Repeat([]byte{0xff}, 32)}, wire.VerdictMalformed},
		{"an element of the other suite", wire.Evaluate{Reg: r.reg, B: make([]byte, 33)}, wire.VerdictMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a, _ := g.call(wire.OpEvaluate, &c.q, nil); a.Verdict != c.want || a.Used != 0 || a.E != nil {
				t.Errorf("%+v", a)
			}
		})
	}
	c, key := g.seal(wire.OpEvaluate, []byte{0x80})
	if a, _ := g.send(c, key); a.Verdict != wire.VerdictMalformed || a.Used != 0 {
		t.Errorf("an empty array: %+v", a)
	}
}

// TestRelease: one good release and small changes to it. Only a wrong tag consumes
// the try.
func TestRelease(t *testing.T) {
	good := func(*rig, *wire.Release) {}
	for _, c := range []struct {
		name   string
		change func(*rig, *wire.Release)
		want   wire.Verdict
		again  wire.Verdict // of the good release afterwards
	}{
		{"good", good, wire.VerdictOK, wire.VerdictOK},
		{"another registration", func(_ *rig, q *wire.Release) { q.Reg[0]++ }, wire.VerdictUnknownReg, wire.VerdictOK},
		{"another attempt", func(_ *rig, q *wire.Release) { q.B = slices.Clone(q.E) }, wire.VerdictSuperseded, wire.VerdictOK},
		{"another half of the vault's", func(_ *rig, q *wire.Release) { q.Ya = slices.Clone(q.B) }, wire.VerdictRepeat, wire.VerdictOK},
		{"another evaluation", func(_ *rig, q *wire.Release) { q.E = slices.Clone(q.B) }, wire.VerdictRepeat, wire.VerdictOK},
		{"no half of the phone's", func(_ *rig, q *wire.Release) { q.Yb = bytes.Repeat([]byte{0xff}, 32) }, wire.VerdictMalformed, wire.VerdictOK},
		{"the identity", func(_ *rig, q *wire.Release) { q.Yb = make([]byte, 32) }, wire.VerdictMalformed, wire.VerdictOK},
		{"wrong tag", func(_ *rig, q *wire.Release) { q.Tag[0]++ }, wire.VerdictWrongPIN, wire.VerdictNoOpenTry},
		{"another half of the phone's", func(_ *rig, q *wire.Release) { q.Yb = slices.Clone(q.B) }, wire.VerdictWrongPIN, wire.VerdictNoOpenTry},
		{"the vault's half thrown back", func(_ *rig, q *wire.Release) { q.Yb = q.Ya }, wire.VerdictWrongPIN, wire.VerdictNoOpenTry},
		{"tag for another vault", func(g *rig, q *wire.Release) {
			g.config.Vault = "v2"
			*q = *g.releaseOf(g.last, g.last.pin, 1, &wire.Answer{E: q.E, Ya: q.Ya})
			g.config.Vault = "v1"
		}, wire.VerdictWrongPIN, wire.VerdictNoOpenTry},
		{"tag for another account", func(g *rig, q *wire.Release) {
			g.acct[0]++
			*q = *g.releaseOf(g.last, g.last.pin, 1, &wire.Answer{E: q.E, Ya: q.Ya})
			g.acct[0]--
		}, wire.VerdictWrongPIN, wire.VerdictNoOpenTry},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, r := registered(t)
			a, _ := g.evaluate(r, r.pin, 1, false)
			q := g.releaseOf(r, r.pin, 1, a)
			bad := *q
			c.change(g, &bad)
			a, _ = g.call(wire.OpRelease, &bad, nil)
			if a.Verdict != c.want || (a.S != nil) != (c.want == wire.VerdictOK) || (a.Used == 0) != (c.want == wire.VerdictOK) {
				t.Fatalf("%+v, want %v", a, c.want)
			}
			if a, _ = g.call(wire.OpRelease, q, nil); a.Verdict != c.again {
				t.Errorf("the good one afterwards: %+v, want %v", a, c.again)
			}
		})
	}
}

// TestWrongTryClosesCharge: after a wrong PIN the same attempt is answered again
// for nothing, and opens no second try.
func TestWrongTryClosesCharge(t *testing.T) {
	g, r := registered(t)
	if a := g.try(r, "000000", 1); a.Verdict != wire.VerdictWrongPIN || a.Used != 1 {
		t.Fatalf("%+v", a)
	}
	if a := g.try(r, "000000", 1); a.Verdict != wire.VerdictNoOpenTry || a.Used != 1 {
		t.Fatalf("the same again: %+v", a)
	}
	if a := g.try(r, r.pin, 2); a.Verdict != wire.VerdictOK || a.Used != 0 {
		t.Fatalf("the right PIN: %+v", a)
	}
}

// TestReplayedRecoveryResetsNothing: an insider who has recorded the owner's
// evaluate and release plays them between his own attempts (section 6: the vault's
// half of an exchange is bound to the number of the charge).
func TestReplayedRecoveryResetsNothing(t *testing.T) {
	g, r := registered(t)
	body, err := wire.Encode(&wire.Evaluate{Reg: r.reg, B: g.blind(r, r.pin, 1).Element.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	evaluate, key := g.seal(wire.OpEvaluate, body)
	a, _ := g.send(evaluate, key)
	if body, err = wire.Encode(g.releaseOf(r, r.pin, 1, a)); err != nil {
		t.Fatal(err)
	}
	release, releaseKey := g.seal(wire.OpRelease, body)
	if a, _ = g.send(release, releaseKey); a.Verdict != wire.VerdictOK {
		t.Fatalf("%+v", a)
	}
	answered := 0
	for n := byte(10); n < 60; n++ {
		if a, _ = g.evaluate(r, "000000", n, false); a.Verdict == wire.VerdictOK {
			answered++
		}
		evaluate.Record, release.Record = g.row, g.row
		if a, _ = g.send(evaluate, key); a.Verdict == wire.VerdictOK {
			answered++
		}
		release.Record = g.row
		if a, _ = g.send(release, releaseKey); a.Verdict == wire.VerdictOK {
			t.Fatalf("the recorded release is good again: %+v", a)
		}
	}
	if answered > 10 {
		t.Errorf("%d attempts were answered, more than the limit", answered)
	}
}

// TestOldRecordsGainNothing: whatever older record storage brings, the count is
// the mark's, and a record that was wiped stays so.
func TestOldRecordsGainNothing(t *testing.T) {
	g, r := registered(t)
	clean := g.row
	for n := range byte(9) {
		g.row = clean
		if a := g.try(r, "000000", n+1); a.Verdict != wire.VerdictWrongPIN || a.Used != n+1 {
			t.Fatalf("attempt %d with the old record: %+v", n, a)
		}
	}
	g.row = clean
	if a := g.try(r, "000000", 20); a.Verdict != wire.VerdictLocked {
		t.Fatalf("the tenth: %+v", a)
	}
	g.row = clean
	if a := g.try(r, r.pin, 21); a.Verdict != wire.VerdictLocked || a.E != nil {
		t.Fatalf("the right PIN with the old record: %+v", a)
	}
	if got := g.open(); got.State != wire.StateLocked || got.Current != nil {
		t.Errorf("the old record comes back: %+v", got)
	}
	g.row = clean
	if a := g.slots(); a.State != wire.StateLocked || a.Slots.Current != nil {
		t.Errorf("a status shows what is locked: %+v", a)
	}
	if got := g.open(); got.Current != nil {
		t.Error("a status brings the shares back")
	}
}

// TestFutureRecord: a record that nobody remembers is refused.
func TestFutureRecord(t *testing.T) {
	g, _ := registered(t)
	g.fresh.Memory = NewMemory()
	if a, reply := g.call(wire.OpStatus, &wire.Status{}, nil); a != nil || reply.Result != wire.CodeFuture || reply.Record != nil {
		t.Errorf("%+v", reply)
	}
}

// TestFreshnessFails: what the witnesses say is what the service hears, and
// nothing leaves the vault.
func TestFreshnessFails(t *testing.T) {
	other := errors.New("something else")
	for _, c := range []struct {
		name string
		fail func(*attended)
		want wire.Code
	}{
		{"load: amnesia", func(f *attended) { f.load = ErrAmnesia }, wire.CodeAmnesia},
		{"load: too few answer", func(f *attended) { f.load = ErrUnavailable }, wire.CodeBusy},
		{"advance: amnesia", func(f *attended) { f.advance = func() error { return ErrAmnesia } }, wire.CodeAmnesia},
		{"advance: too few answer", func(f *attended) { f.advance = func() error { return other } }, wire.CodeBusy},
		{"advance: always stale", func(f *attended) { f.advance = func() error { return ErrStale } }, wire.CodeBusy},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, r := registered(t)
			c.fail(g.fresh)
			a, reply := g.evaluate(r, r.pin, 1, false)
			if a != nil || reply.Result != c.want || reply.Record != nil || reply.Receipt != nil {
				t.Errorf("%+v, %+v", a, reply)
			}
		})
	}
	t.Run("advance: stale twice", func(t *testing.T) {
		g, r := registered(t)
		left := 2
		g.fresh.advance = func() error {
			if left--; left >= 0 {
				return ErrStale
			}
			return nil
		}
		if a, reply := g.evaluate(r, r.pin, 1, false); a == nil || a.Used != 1 {
			t.Errorf("%+v, %+v", a, reply)
		}
	})
}

// TestCrash: rows of section 10 that happen inside a vault. The vault dies, starts
// again, and the phone repeats the attempt with storage as it was.
func TestCrash(t *testing.T) {
	for _, c := range []struct {
		point string
		used  uint32 // after the crash, by the mark
	}{
		{"crash/01", 0}, // the request never came
		{"crash/02", 0}, // after step 5: nothing left the TEE
		{"crash/03", 1}, // step 6 was seen by somebody, and not acknowledged
		{"crash/04", 1}, // after step 6: charged, and no answer
		{"crash/05", 1}, // the answer was lost on its way
	} {
		t.Run(c.point, func(t *testing.T) {
			g, r := registered(t)
			before := g.row
			g.fault = c.point
			switch c.point {
			case "crash/01":
			case "crash/03":
				taken := false
				g.fresh.advance = func() error {
					if taken {
						return ErrUnavailable
					}
					taken = true
					held, err := g.fresh.Memory.Load(t.Context(), g.acct)
					if err != nil {
						return err
					}
					held.Ver++
					held.Charges++
					held.Last = wire.AttemptName(r.reg, g.blind(r, r.pin, 1).Element.Bytes())
					if err := g.fresh.Memory.Advance(t.Context(), g.acct, held); err != nil {
						return err
					}
					return ErrUnavailable
				}
				fallthrough
			default:
				a, reply := g.evaluate(r, r.pin, 1, false)
				if c.point != "crash/05" && (a != nil || reply != nil && reply.Record != nil) {
					t.Fatalf("something left the vault: %+v", a)
				}
			}
			m, err := g.fresh.Memory.Load(t.Context(), g.acct)
			if err != nil || m.Used() != c.used {
				t.Fatalf("%+v used, want %d: %v", m, c.used, err)
			}
			g.fault, g.fresh.advance, g.row = "", nil, before
			g.restart()
			if a, reply := g.evaluate(r, r.pin, 1, false); a == nil || a.Verdict != wire.VerdictOK || a.Used != 1 {
				t.Fatalf("repeated: %+v, %+v", a, reply)
			}
			if a := g.try(r, r.pin, 1); a.Verdict != wire.VerdictOK || a.Used != 0 {
				t.Errorf("recovered: %+v", a)
			}
		})
	}
}
