package vault

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/cpace"
	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// attended is a Memory that passes for a quorum, with a clock that tests set and
// errors that they put in the way.
type attended struct {
	*Memory
	clock   time.Time
	noClock error
	load    error
	advance func() error // asked before each Advance
}

func (f *attended) Level() string { return LevelQuorum }

func (f *attended) Now(context.Context) (time.Time, error) { return f.clock, f.noClock }

func (f *attended) Load(ctx context.Context, acct [16]byte) (Mark, error) {
	if f.load != nil {
		return Mark{}, f.load
	}
	return f.Memory.Load(ctx, acct)
}

// Advance refuses what no witness would take: see Mark.Covers.
func (f *attended) Advance(ctx context.Context, acct [16]byte, m Mark) error {
	if f.advance != nil {
		if err := f.advance(); err != nil {
			return err
		}
	}
	held, err := f.Memory.Load(ctx, acct)
	if err != nil {
		return err
	}
	if held.Known() && !m.Covers(held) {
		return ErrStale
	}
	return f.Memory.Advance(ctx, acct, m)
}

// rig is a vault, its database row and a phone.
type rig struct {
	t        testing.TB
	v        *Vault
	config   wire.Config
	keys     *MasterKeys
	fresh    *attended
	vouchers ed25519.PrivateKey
	release  ed25519.PrivateKey // a release key
	acct     wire.Acct
	fault    string // the vault dies there

	row  []byte        // what storage has
	last *registration // that register made
}

// start is when the tests are.
var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newRig(t testing.TB, change ...func(*wire.Config)) *rig {
	t.Helper()
	g := &rig{t: t, keys: NewMasterKeys(start), acct: wire.Acct{7}, fresh: &attended{Memory: NewMemory(), clock: start}}
	_, g.vouchers, _ = ed25519.GenerateKey(nil)
	_, g.release, _ = ed25519.GenerateKey(nil)
	g.config = wire.Config{
		Vault: "v1", Profile: "kr1-single", Suite: wire.Suite1, N: 1, T: 1, Limit: 10, Policy: PolicyMerge,
		Freshness: wire.Freshness{Level: LevelQuorum, W: 1, Q: 1, R: 1}, Witnesses: []string{"w1"}, OnAmnesia: "ceremony",
		VoucherKey: wire.EdKey(g.vouchers.Public().(ed25519.PublicKey)),
		Release:    wire.ReleaseKeys{K: 1, Keys: []wire.EdKey{wire.EdKey(g.release.Public().(ed25519.PublicKey))}},
	}
	for _, c := range change {
		c(&g.config)
	}
	g.restart()
	return g
}

// options are those of the rig's vault.
func (g *rig) options() *Options {
	return &Options{
		Config: g.config, Replica: "v1/a", Boot: NewBoot(), Keys: g.keys, Freshness: g.fresh,
		testingOnlyFault: func(point string) bool { return point == g.fault },
	}
}

// restart is a new process with the same keys.
func (g *rig) restart() {
	g.t.Helper()
	v, err := New(g.options())
	if err != nil {
		g.t.Fatal(err)
	}
	g.v = v
}

// seal makes a call of the newest epoch with the row of storage.
func (g *rig) seal(op wire.Op, body []byte) (*wire.Call, *wire.AnswerKey) {
	g.t.Helper()
	epoch := g.v.ring.Load().newest()
	e := wire.Envelope{Suite: g.config.Suite, Vault: g.config.Vault, Epoch: epoch.number, Config: g.v.ConfigHash(), Op: op, Acct: g.acct}
	sealed, key, err := e.SealRequest(epoch.public, body)
	if err != nil {
		g.t.Fatal(err)
	}
	return &wire.Call{Op: op, Acct: g.acct, Epoch: epoch.number, Request: sealed, Record: g.row}, key
}

// call seals, calls, stores the record, and opens the answer; nil: there is none.
func (g *rig) call(op wire.Op, v wire.Coded, voucher *wire.Signed) (*wire.Answer, *wire.Reply) {
	g.t.Helper()
	body, err := wire.Encode(v)
	if err != nil {
		g.t.Fatal(err)
	}
	c, key := g.seal(op, body)
	c.Voucher = voucher
	return g.send(c, key)
}

// send is the service: it stores what comes back and hands on the answer.
func (g *rig) send(c *wire.Call, key *wire.AnswerKey) (*wire.Answer, *wire.Reply) {
	g.t.Helper()
	reply := g.v.Handle(g.t.Context(), c)
	if reply == nil || reply.Answer == nil {
		return nil, reply
	}
	if reply.Record != nil {
		g.row = reply.Record
	}
	a, err := key.OpenAnswer(reply.Answer)
	if err != nil {
		g.t.Fatal(err)
	}
	return a, reply
}

// voucher is the service's word.
func (g *rig) voucher(p wire.Purpose) *wire.Signed {
	g.t.Helper()
	return g.voucherOf(&wire.Voucher{Vault: g.config.Vault, Acct: g.acct, Purpose: p, Expires: seconds(g.fresh.clock) + 600})
}

func (g *rig) voucherOf(v *wire.Voucher) *wire.Signed {
	g.t.Helper()
	s, err := wire.Sign(g.vouchers, v)
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

// registration is what a phone made of a PIN.
type registration struct {
	reg    wire.RegID
	pin    string
	k      toprf.Scalar
	s      wire.Scalar
	prs    wire.PRS
	manage *wire.SigningKey
	hash   wire.Hash
}

func (g *rig) register(pin string) *registration {
	g.t.Helper()
	r := &registration{pin: pin}
	rand.Read(r.reg[:])  //nolint:errcheck // never returns an error
	rand.Read(r.hash[:]) //nolint:errcheck // never returns an error
	var err error
	if r.k, err = suite(&g.config).RandomScalar(); err != nil {
		g.t.Fatal(err)
	}
	s, err := suite(&g.config).RandomScalar()
	if err != nil {
		g.t.Fatal(err)
	}
	r.s = s.Bytes()
	if r.manage, err = wire.DeriveManageKey(g.config.Suite, wire.NewKey()); err != nil {
		g.t.Fatal(err)
	}
	b := g.blind(r, pin, 0)
	e, err := suite(&g.config).Evaluate(r.k, b.Element)
	if err != nil {
		g.t.Fatal(err)
	}
	r.prs = g.prs(r, b, e)
	g.last = r
	return r
}

// blind is the n-th attempt with a PIN.
func (g *rig) blind(r *registration, pin string, n byte) *toprf.Blinded {
	g.t.Helper()
	x := sha256.Sum256([]byte(pin)) // in place of Argon2id
	b, err := suite(&g.config).Blind(x[:], [32]byte{n}, r.reg)
	if err != nil {
		g.t.Fatal(err)
	}
	return b
}

func (g *rig) prs(r *registration, b *toprf.Blinded, e toprf.Element) wire.PRS {
	g.t.Helper()
	n, err := suite(&g.config).Combine(1, []toprf.Answer{{Index: 1, E: e}})
	if err != nil {
		g.t.Fatal(err)
	}
	rwd, err := b.Finalize(n)
	if err != nil {
		g.t.Fatal(err)
	}
	prs, err := wire.DerivePRS(g.config.Suite, r.reg, wire.Secret(rwd), g.config.Vault)
	if err != nil {
		g.t.Fatal(err)
	}
	return prs
}

func (g *rig) target(gen uint32) wire.Target {
	return wire.Target{Vault: g.config.Vault, Acct: g.acct, Gen: gen}
}

// createOf is what registers r; key nil: it is not signed.
func (g *rig) createOf(r *registration, gen uint32, key *wire.SigningKey) *wire.Managed {
	g.t.Helper()
	return g.sign(&wire.Create{
		Target: g.target(gen), Reg: r.reg, Suite: g.config.Suite, Limit: g.config.Limit,
		K: r.k.Bytes(), S: r.s, PRS: r.prs, Manage: r.manage.Public(), BlobHash: r.hash,
	}, key)
}

func (g *rig) sign(v wire.Coded, key *wire.SigningKey) *wire.Managed {
	g.t.Helper()
	m, err := wire.SignManaged(key, v)
	if err != nil {
		g.t.Fatal(err)
	}
	return m
}

// registered is a rig with one registration.
func registered(t testing.TB, change ...func(*wire.Config)) (*rig, *registration) {
	t.Helper()
	g := newRig(t, change...)
	r := g.register("271828")
	a, reply := g.call(wire.OpCreate, g.createOf(r, 0, nil), g.voucher(wire.PurposeFirst))
	if a == nil || a.Verdict != wire.VerdictOK || a.Gen != 1 || a.Ver != 1 {
		t.Fatalf("create: %+v, %v", a, reply)
	}
	return g, r
}

// evaluate asks for the n-th attempt with a PIN.
func (g *rig) evaluate(r *registration, pin string, n byte, proof bool) (*wire.Answer, *wire.Reply) {
	g.t.Helper()
	b := g.blind(r, pin, n)
	return g.call(wire.OpEvaluate, &wire.Evaluate{Reg: r.reg, B: b.Element.Bytes(), WantProof: proof}, nil)
}

// releaseOf shows what an evaluation gave.
func (g *rig) releaseOf(r *registration, pin string, n byte, a *wire.Answer) *wire.Release {
	g.t.Helper()
	b := g.blind(r, pin, n)
	e, err := suite(&g.config).Element(a.E)
	if err != nil {
		g.t.Fatal(err)
	}
	q := &wire.Release{Reg: r.reg, B: b.Element.Bytes(), E: a.E}
	session := &cpace.Session{Suite: g.config.Suite, PRS: g.prs(r, b, e), Vault: g.config.Vault, Acct: g.acct, Reg: q.Reg, B: q.B, E: q.E}
	if err := session.Prove(q, a.Ya); err != nil {
		g.t.Fatal(err)
	}
	return q
}

// try is one attempt from end to end, and its verdict.
func (g *rig) try(r *registration, pin string, n byte) *wire.Answer {
	g.t.Helper()
	a, reply := g.evaluate(r, pin, n, false)
	if a == nil {
		g.t.Fatalf("evaluate: %v", reply.Result)
	}
	if a.Verdict != wire.VerdictOK {
		return a
	}
	a, reply = g.call(wire.OpRelease, g.releaseOf(r, pin, n, a), nil)
	if a == nil {
		g.t.Fatalf("release: %v", reply.Result)
	}
	return a
}

// slots is what a status shows.
func (g *rig) slots() *wire.Answer {
	g.t.Helper()
	a, reply := g.call(wire.OpStatus, &wire.Status{}, nil)
	if a == nil {
		g.t.Fatalf("status: %v", reply.Result)
	}
	return a
}
