package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }

// TestSizes: neither the answer nor the record tells a verdict by its length, or
// by staying the same.
func TestSizes(t *testing.T) {
	g, old, next := two(t)
	seen := map[wire.Verdict]bool{}
	check := func(a *wire.Answer, reply *wire.Reply) *wire.Answer {
		t.Helper()
		if len(reply.Answer) != 284 || len(reply.Record) != 544 {
			t.Fatalf("%v: an answer of %d bytes, a record of %d", a.Verdict, len(reply.Answer), len(reply.Record))
		}
		seen[a.Verdict] = true
		return a
	}
	do := func(op wire.Op, v wire.Coded) *wire.Answer {
		t.Helper()
		before := g.row
		a, reply := g.call(op, v, nil)
		if bytes.Equal(before, reply.Record) {
			t.Fatalf("%v leaves the record as it was", a.Verdict)
		}
		return check(a, reply)
	}
	do(wire.OpStatus, &wire.Status{})
	do(wire.OpEvaluate, &wire.Status{}) // malformed
	do(wire.OpEvaluate, &wire.Evaluate{B: make([]byte, 32)})
	do(wire.OpCreate, g.createOf(g.register("x"), 2, old.manage))
	do(wire.OpDelete, g.deleteOf(1, old.manage))
	do(wire.OpDelete, g.deleteOf(2, next.manage))
	x := *old
	x.hash[0]++
	do(wire.OpUpdate, g.updateOf(&x, 2, wire.Hash{1}, old.manage))
	a, reply := g.evaluate(old, "000000", 1, true)
	q := g.releaseOf(old, "000000", 1, check(a, reply))
	bad := *q
	bad.Ya = bad.B
	do(wire.OpRelease, &bad)
	bad.B = bad.E
	do(wire.OpRelease, &bad)
	do(wire.OpRelease, q)
	do(wire.OpRelease, q)
	a, reply = g.evaluate(old, old.pin, 2, false)
	do(wire.OpRelease, g.releaseOf(old, old.pin, 2, check(a, reply)))
	for n := range byte(12) {
		check(g.evaluate(old, "000000", 20+n, false))
	}
	g2, r := registered(t)
	g2.mustManage(wire.OpDelete, g2.deleteOf(1, r.manage), nil, wire.VerdictOK, 2)
	check(g2.evaluate(r, r.pin, 1, false))
	g3 := newRig(t) // nothing is written where nothing is
	a, reply = g3.evaluate(r, r.pin, 1, false)
	if len(reply.Answer) != 284 || reply.Record != nil || reply.Receipt != nil || a.Limit != 10 {
		t.Errorf("%+v, %+v", a, reply)
	}
	seen[a.Verdict] = true
	for v := wire.VerdictOK; v <= wire.VerdictMalformed; v++ {
		if !seen[v] {
			t.Errorf("no %v among them", v)
		}
	}
}

// TestReceipts: each executed call yields one, signed by the boot key and chained.
func TestReceipts(t *testing.T) {
	g, r := registered(t)
	var prev *wire.Signed
	check := func(a *wire.Answer, reply *wire.Reply) {
		t.Helper()
		if err := reply.Receipt.Verify(g.v.boot.Public()); err != nil {
			t.Fatal(err)
		}
		got, err := wire.Decode[wire.Receipt](reply.Receipt.TBS)
		if err != nil {
			t.Fatal(err)
		}
		want := wire.Receipt{
			Vault: "v1", Replica: "v1/a", Boot: g.v.boot.ID, Acct: g.acct, Op: got.Op, Gen: a.Gen, Ver: a.Ver, Used: a.Used,
			State: a.State, Digest: wire.Sum(reply.Record), Prev: got.Prev,
		}
		if got != want || *reply.Gen != a.Gen || *reply.Ver != a.Ver {
			t.Fatalf("%+v, want %+v", got, want)
		}
		if prev != nil && got.Prev != wire.Sum(prev.TBS) {
			t.Fatal("the chain is broken")
		}
		prev = reply.Receipt
	}
	check(g.evaluate(r, "000000", 1, false))
	check(g.evaluate(r, "000000", 2, false))
	check(g.call(wire.OpStatus, &wire.Status{}, nil))
	check(g.call(wire.OpDelete, g.deleteOf(1, r.manage), nil))
}

// TestUnreadable: a call that was made for something else does not open.
func TestUnreadable(t *testing.T) {
	g, r := registered(t)
	body, err := wire.Encode(&wire.Evaluate{Reg: r.reg, B: g.blind(r, r.pin, 1).Element.Bytes()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*wire.Call)
		want   wire.Code
	}{
		{"good", func(*wire.Call) {}, wire.CodeDone},
		{"another op", func(c *wire.Call) { c.Op = wire.OpRelease }, wire.CodeUnreadable},
		{"an op of the seed profile", func(c *wire.Call) { c.Op = wire.OpSeedRestore }, wire.CodeUnreadable},
		{"another account", func(c *wire.Call) { c.Acct[0]++ }, wire.CodeUnreadable},
		{"another epoch", func(c *wire.Call) { c.Epoch++ }, wire.CodeEpoch},
		{"a bit", func(c *wire.Call) { c.Request[len(c.Request)-1]++ }, wire.CodeUnreadable},
		{"nothing", func(c *wire.Call) { c.Request = nil }, wire.CodeUnreadable},
		{"a record of something else", func(c *wire.Call) { c.Record = append([]byte(nil), c.Record...); c.Record[500]++ }, wire.CodeBadRecord},
		{"a record of another epoch", func(c *wire.Call) { c.Record = append([]byte(nil), c.Record...); c.Record[3]++ }, wire.CodeBadRecord},
		{"an empty record", func(c *wire.Call) { c.Record = []byte{} }, wire.CodeBadRecord},
		{"a voucher that nobody signed", func(c *wire.Call) { c.Voucher = &wire.Signed{TBS: []byte{1}} }, wire.CodeVoucher},
	} {
		t.Run(c.name, func(t *testing.T) {
			call, _ := g.seal(wire.OpEvaluate, body)
			c.change(call)
			reply := g.v.Handle(t.Context(), call)
			if reply.Result != c.want || (reply.Answer != nil) != (c.want == wire.CodeDone) {
				t.Errorf("%v, want %v", reply.Result, c.want)
			}
		})
	}
	g.v.hash[0]++ // a vault of another configuration
	call, _ := g.seal(wire.OpEvaluate, body)
	g.v.hash[0]--
	if got := g.v.Handle(t.Context(), call); got.Result != wire.CodeUnreadable {
		t.Errorf("for another configuration: %v", got.Result)
	}
}

// TestOptionsRefused: what would guard nothing is no vault.
func TestOptionsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"no boot", func(o *Options) { o.Boot = nil }, "required"},
		{"no keys", func(o *Options) { o.Keys = nil }, "required"},
		{"no freshness", func(o *Options) { o.Freshness = nil }, "required"},
		{"keys of zeros", func(o *Options) { o.Keys = &MasterKeys{} }, "all zeros"},
		{"a master key of zeros", func(o *Options) {
			o.Keys = &MasterKeys{epochs: []masterKey{{epoch: 1}}, marks: wire.NewKey()}
		}, "all zeros"},
		{"a mark key of zeros", func(o *Options) { o.Keys = &MasterKeys{epochs: o.Keys.epochs} }, "all zeros"},
		{"no profile", func(o *Options) { o.Config.Profile = "" }, "no profile"},
		{"KR-1 at level memory", func(o *Options) {
			o.Config.Freshness.Level, o.Freshness = LevelMemory, NewMemory()
		}, "forgets the attempts"},
		{"another level than the configuration's", func(o *Options) { o.Freshness = NewMemory() }, "attested"},
		{"no policy", func(o *Options) { o.Config.Policy = "" }, "no policy"},
		{"seed with policy merge", func(o *Options) { o.Config.Profile = ProfileSeed }, "policy strict"},
		{"seed of two vaults", func(o *Options) {
			o.Config.Profile, o.Config.Policy, o.Config.N = ProfileSeed, PolicyStrict, 2
		}, "one vault"},
		{"no voucher key", func(o *Options) { o.Config.VoucherKey = wire.EdKey{} }, "voucher key"},
		{"a release key of zeros", func(o *Options) { o.Config.Release.Keys = []wire.EdKey{{}} }, "release key"},
		{"no suite", func(o *Options) { o.Config.Suite = 0 }, "within"},
		{"a limit of two", func(o *Options) { o.Config.Limit = 2 }, "within"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newRig(t).options()
			c.change(o)
			if _, err := New(o); !errors.Is(err, ErrConfig) || !contains(err, c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestEvidence: the binding names this replica, boot and epoch, and is issued by
// the witnesses' clocks.
func TestEvidence(t *testing.T) {
	g := newRig(t)
	if _, err := g.v.Evidence(t.Context(), nil); !errors.Is(err, ErrEvidence) {
		t.Fatalf("without a platform: %v", err)
	}
	made := 0
	o := g.options()
	o.Attest = func(_ context.Context, binding []byte) ([]byte, error) { made++; return binding, nil }
	var err error
	if g.v, err = New(o); err != nil {
		t.Fatal(err)
	}
	get := func(nonce []byte) wire.Binding {
		t.Helper()
		b, err := g.v.Evidence(t.Context(), nonce)
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.Decode[wire.Binding](b)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := get(nil)
	newest := g.v.ring.Load().newest()
	if got.Vault != "v1" || got.Replica != "v1/a" || got.Boot != o.Boot.ID || got.BootKey != o.Boot.Public() || got.Epoch != 1 ||
		!bytes.Equal(got.HPKE, newest.public) || got.ConfigHash != g.v.ConfigHash() || got.Issued != seconds(start) || got.Nonce != nil {
		t.Errorf("%+v", got)
	}
	get(nil)
	if made != 1 {
		t.Errorf("made %d times", made)
	}
	if got = get([]byte("mine")); string(got.Nonce) != "mine" || made != 2 {
		t.Errorf("live: %+v", got)
	}
	g.v.evidence.issued = time.Now().Add(-EvidenceLife)
	if get(nil); made != 3 {
		t.Error("evidence is given out for longer than an hour")
	}
	g.renew()
	if got = get(nil); got.Epoch != 2 || made != 4 {
		t.Errorf("after a new epoch: %+v", got)
	}
	if _, err := g.v.Evidence(t.Context(), make([]byte, 65)); !errors.Is(err, ErrEvidence) {
		t.Errorf("a nonce of 65 bytes: %v", err)
	}
	g.fresh.noClock = ErrUnavailable
	if _, err := g.v.Evidence(t.Context(), []byte{1}); !errors.Is(err, ErrEvidence) {
		t.Errorf("without clocks: %v", err)
	}
}

// TestNothingPrints: no key of a vault gets into a log, an error or JSON.
func TestNothingPrints(t *testing.T) {
	g := newRig(t)
	secrets := [][]byte{g.keys.epochs[0].key[:], g.keys.marks[:], g.v.boot.key.Seed()}
	var text bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&text, nil))
	r := g.register("x")
	body, err := wire.Encode(g.createOf(r, 0, nil))
	if err != nil {
		t.Fatal(err)
	}
	in := readDemand(&g.config, wire.OpCreate, g.acct, body)
	secrets = append(secrets, in.create.K[:], in.create.S[:])
	all := []any{g.keys, *g.keys, g.keys.epochs[0], g.v.boot, *g.v.boot, g.v.ring.Load(), g.v.ring.Load().epochs[0], g.v, in, *in}
	all = append(all, all[:len(all):len(all)]) // and within something else
	for _, v := range all {
		fmt.Fprintf(&text, "%v %+v %#v %s %x %d\n", v, v, v, v, v, v)
		if b, err := json.Marshal(v); err == nil {
			text.Write(b)
		}
		log.Info("x", "v", v)
	}
	for i, s := range secrets {
		for _, form := range []string{string(s), fmt.Sprintf("%x", s), fmt.Sprintf("%X", s), fmt.Sprintf("%v", s), fmt.Sprintf("%v", s[:8])[1:]} {
			if strings.Contains(text.String(), strings.TrimSuffix(form, "]")) {
				t.Errorf("secret %d is printed as %.40s", i, form)
			}
		}
	}
}
