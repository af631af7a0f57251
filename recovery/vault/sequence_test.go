package vault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// flaky is a freshness over which writes are lost before or after they took
// effect, now and then.
type flaky struct {
	*attended
	random *rand.Rand
}

func (f *flaky) Advance(ctx context.Context, acct [16]byte, m Mark) error {
	fate := f.random.IntN(10)
	if fate == 0 { // crash/03, of which nothing was seen
		return ErrUnavailable
	}
	if err := f.attended.Advance(ctx, acct, m); err != nil {
		return err
	}
	if fate == 1 { // crash/03, of which all was seen
		return ErrUnavailable
	}
	return nil
}

// TestSequences plays the real state machine against an adversary who drops
// replies, brings any record, replays any call and kills the vault, beside an
// owner who registers, changes his PIN and recovers. I1 to I3 of section 10 hold.
func TestSequences(t *testing.T) {
	runs := 60
	if testing.Short() {
		runs = 15
	}
	for seed := range runs {
		for _, policy := range []string{PolicyMerge, PolicyStrict} {
			t.Run(fmt.Sprintf("%s/%d", policy, seed), func(t *testing.T) {
				play(t, policy, rand.New(rand.NewPCG(uint64(seed), 1)), 80)
			})
		}
	}
}

// game is one play.
type game struct {
	*rig
	random   *rand.Rand
	old, new *registration
	rows     [][]byte // all that storage ever had
	calls    []sent   // all that was ever sent
	answered map[string]bool
	used     uint8
	attempts byte
}

type sent struct {
	call *wire.Call
	key  *wire.AnswerKey
	what string // of evaluate: which B
	free bool   // a release by the owner, or a reset: used may drop
}

func play(t *testing.T, policy string, random *rand.Rand, moves int) {
	g := &game{rig: newRig(t, func(c *wire.Config) { c.Policy, c.Limit = policy, 4 }), random: random, answered: map[string]bool{}}
	o := g.options()
	o.Freshness = &flaky{g.fresh, random}
	restart := func() {
		o.Boot = NewBoot()
		var err error
		if g.v, err = New(o); err != nil {
			t.Fatal(err)
		}
	}
	restart()
	g.old, g.new = g.register("271828"), g.register("314159")
	for !g.do(wire.OpCreate, g.createOf(g.old, 0, nil), g.voucher(wire.PurposeFirst), "", false) {
	}
	for range moves {
		if g.fault = []string{"", "", "", "", "", "crash/02", "crash/04"}[random.IntN(7)]; g.fault == "crash/04" && random.IntN(2) == 0 {
			restart()
		}
		g.move()
		g.fresh.clock = g.fresh.clock.Add(time.Duration(random.IntN(3600)) * time.Second)
	}
}

// move is one move of the owner or the adversary.
func (g *game) move() {
	mark, err := g.fresh.Memory.Load(g.t.Context(), g.acct)
	if err != nil {
		g.t.Fatal(err)
	}
	gen := mark.Gen
	r := []*registration{g.old, g.new}[g.random.IntN(2)]
	switch g.random.IntN(12) {
	case 0, 1, 2, 3: // the adversary guesses: an element of his own, or one he had before
		n := byte(1 + g.random.IntN(200))
		g.do(wire.OpEvaluate, &wire.Evaluate{Reg: r.reg, B: g.blind(r, "guess", n).Element.Bytes()}, nil, fmt.Sprint(r.reg, n), false)
	case 4: // a call of before, with any record of before
		c := g.calls[g.random.IntN(len(g.calls))]
		copied := *c.call
		copied.Record = g.rows[g.random.IntN(len(g.rows))]
		g.judge(sent{&copied, c.key, c.what, false})
	case 5, 6: // the owner recovers
		g.attempts++
		b := g.blind(r, r.pin, 200+g.attempts%50)
		body := &wire.Evaluate{Reg: r.reg, B: b.Element.Bytes()}
		a := g.ask(wire.OpEvaluate, body, nil, fmt.Sprint(r.reg, "own", g.attempts%50), false)
		if a != nil && a.Verdict == wire.VerdictOK {
			g.ask(wire.OpRelease, g.releaseOf(r, r.pin, 200+g.attempts%50, a), nil, "", true)
		}
	case 7:
		g.do(wire.OpCreate, g.createOf(g.new, gen, g.old.manage), nil, "", false)
	case 8:
		g.do(wire.OpActivate, g.activateOf(r, gen, g.random.IntN(2) == 0, r.manage), nil, "", true)
	case 9:
		g.do(wire.OpFinalize, g.finalizeOf(r, gen, r.manage), nil, "", false)
	case 10:
		g.do(wire.OpStatus, &wire.Status{}, nil, "", false)
	case 11: // storage goes back
		g.row = g.rows[g.random.IntN(len(g.rows))]
	}
}

func (g *game) do(op wire.Op, v wire.Coded, voucher *wire.Signed, what string, free bool) bool {
	a := g.ask(op, v, voucher, what, free)
	return a != nil && a.Verdict == wire.VerdictOK
}

func (g *game) ask(op wire.Op, v wire.Coded, voucher *wire.Signed, what string, free bool) *wire.Answer {
	g.t.Helper()
	body, err := wire.Encode(v)
	if err != nil {
		g.t.Fatal(err)
	}
	c, key := g.seal(op, body)
	c.Voucher = voucher
	s := sent{c, key, what, free}
	g.calls = append(g.calls, s)
	return g.judge(s)
}

// judge sends a call and holds what comes of it against the invariants.
func (g *game) judge(s sent) *wire.Answer {
	g.t.Helper()
	a, reply := g.send(s.call, s.key)
	if g.row != nil && !slices.ContainsFunc(g.rows, func(r []byte) bool { return &r[0] == &g.row[0] }) {
		g.rows = append(g.rows, g.row)
	}
	m, err := g.fresh.Memory.Load(g.t.Context(), g.acct)
	if err != nil {
		g.t.Fatal(err)
	}
	if m.Base > m.Charges || m.Closed > m.Charges {
		g.t.Fatalf("a mark that cannot be: %+v", m)
	}
	now := uint8(m.Used())
	if now < g.used {
		if !s.free { // I3
			g.t.Fatalf("used falls from %d to %d by %v", g.used, now, s.call.Op)
		}
		clear(g.answered)
	}
	g.used = now
	if a == nil {
		if reply != nil && reply.Record != nil {
			g.t.Fatal("a record without an answer")
		}
		return nil
	}
	if s.call.Op == wire.OpRelease && a.Verdict == wire.VerdictOK {
		clear(g.answered)
	}
	if s.call.Op == wire.OpEvaluate && a.Verdict == wire.VerdictOK {
		g.answered[s.what] = true
		if len(g.answered) > 4+1 { // I1: L, and the one whose release set the count to 0
			g.t.Fatalf("%d attempts were answered since the last release", len(g.answered))
		}
		again, _ := g.send(s.call, s.key) // I2: the same again is free
		if again != nil && (again.Verdict != wire.VerdictOK || again.Used != a.Used) {
			g.t.Fatalf("the same again: %+v, first %+v", again, a)
		}
	}
	return a
}

// TestTwoReplicas: two replicas of one vault work on one account at once; each
// answered attempt is a charge, and none is counted twice (crash/10).
func TestTwoReplicas(t *testing.T) {
	g, r := registered(t, func(c *wire.Config) { c.Limit = 50 })
	other, err := New(g.options())
	if err != nil {
		t.Fatal(err)
	}
	const each = 12
	results := make(chan *wire.Answer, 2*each)
	for i, v := range []*Vault{g.v, other} {
		for n := range each {
			body, err := wire.Encode(&wire.Evaluate{Reg: r.reg, B: g.blind(r, "x", byte(100*i+n)).Element.Bytes()})
			if err != nil {
				t.Fatal(err)
			}
			c, key := g.seal(wire.OpEvaluate, body)
			go func() {
				var a *wire.Answer
				for a == nil { // busy: the service repeats
					if reply := v.Handle(context.Background(), c); reply.Answer != nil {
						a, _ = key.OpenAnswer(reply.Answer)
					}
				}
				results <- a
			}()
		}
	}
	seen := map[uint8]bool{}
	for range 2 * each {
		a := <-results
		if a.Verdict != wire.VerdictOK || seen[a.Used] {
			t.Fatalf("%+v", a)
		}
		seen[a.Used] = true
	}
	if a := g.slots(); a.Used != 2*each {
		t.Errorf("%+v", a)
	}
}
