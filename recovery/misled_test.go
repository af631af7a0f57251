package recovery_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/cpace"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/tee"
)

// misled is a new phone of an owner whose service shows it a registration that the
// service has dealt itself, at an account of its own, and that has the keys of v1.
type misled struct {
	recovery.Transport // of the account that is nobody's
	*phone
	deal  *recoverytest.Deal
	accts map[string][16]byte
	bet   string   // the PIN with which v1's half is made
	half  wire.Key // what it is made of

	mu    sync.Mutex
	b     wire.Element   // guarded by mu: what v1 was asked last
	heard []wire.Release // guarded by mu: what v1 was told
}

const insiders = account.ID("a_insider")

func newMisled(t *testing.T, o recoverytest.Options, bet string, others ...string) *misled {
	t.Helper()
	v := newVaults(t, o)
	mine := recoverytest.NewService(v, insiders)
	m := &misled{Transport: mine, phone: &phone{T: t, vaults: v, service: mine}, bet: bet, half: wire.NewKey()}
	m.net = &recoverytest.Network{Transport: m}
	m.client = m.newClient(nil)
	set := v.SetNow()
	var err error
	m.deal, err = recoverytest.NewDeal(&set, bet, "nothing")
	m.must(err)
	for i, pin := range others {
		m.must(m.deal.Bet(v.List[i+1].ID, pin))
	}
	view, err := mine.GetBackup(t.Context())
	m.must(err)
	m.accts = view.Accts
	for _, one := range v.List {
		m.create(one)
	}
	m.must(mine.PutBlob(t.Context(), m.deal.Header.Reg, m.deal.Blob))
	m.must(mine.CommitBackup(t.Context(), m.deal.Header.Reg, recovery.Activated, wire.Sum(m.deal.Blob)))
	m.must(v.List[0].Steal(m.hear, m.answer))
	return m
}

// create brings an honest vault its part.
func (m *misled) create(v *recoverytest.Vault) {
	m.Helper()
	raw, err := v.Evidence(m.Context(), nil)
	m.must(err)
	e, err := tee.ParseEvidence(raw)
	m.must(err)
	b, err := wire.Decode[wire.Binding](e.Binding)
	m.must(err)
	set := m.vaults.SetNow()
	request, err := m.deal.Create(v.ID, m.accts[v.ID], 0, set.Limit)
	m.must(err)
	plain, err := wire.Encode(request)
	m.must(err)
	env := wire.Envelope{Suite: set.Suite, Vault: v.ID, Epoch: b.Epoch, Config: b.ConfigHash, Op: wire.OpCreate, Acct: m.accts[v.ID]}
	sealed, key, err := env.SealRequest(b.HPKE, plain)
	m.must(err)
	out, err := m.service.CallVault(m.Context(), &recovery.VaultCall{Vault: v.ID, Op: wire.OpCreate, Epoch: b.Epoch, Request: sealed})
	m.must(err)
	if a, err := key.OpenAnswer(out.Answer); err != nil || a.Verdict != wire.VerdictOK {
		m.Fatalf("%+v, %v", a, err)
	}
}

// OpenSession shows the insider's registration as the owner's.
func (m *misled) OpenSession(ctx context.Context, id account.ID, ticket recovery.TicketSecret) (*recovery.SessionView, error) {
	v, err := m.service.OpenSession(ctx, insiders, ticket)
	if err == nil {
		v.Account = id
	}
	return v, err
}

func (m *misled) hear(op wire.Op, request []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch op {
	case wire.OpEvaluate:
		q, err := wire.Decode[wire.Evaluate](request)
		m.must(err)
		m.b = q.B
	case wire.OpRelease:
		q, err := wire.Decode[wire.Release](request)
		m.must(err)
		m.heard = append(m.heard, q)
	}
}

// answer gives the phone a half that was made with the PIN that is bet on.
func (m *misled) answer(op wire.Op, a *wire.Answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if op == wire.OpEvaluate && a.Verdict == wire.VerdictOK {
		a.Ya = m.verifier(m.bet, m.b, a.E).Share()
	}
}

func (m *misled) verifier(pin string, b, e wire.Element) *cpace.Verifier {
	prs, err := m.deal.PRS(pin, "v1")
	m.must(err)
	s := cpace.Session{
		Suite: m.deal.Header.Suite, PRS: prs, Vault: "v1", Acct: m.accts["v1"], Reg: m.deal.Header.Reg, B: b, E: e,
	}
	v, err := s.Verifier(m.half)
	m.must(err)
	return v
}

// found are the PINs that fit what v1 was told, of those that are tried at home.
func (m *misled) found(pins ...string) (all []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, pin := range pins {
		if slices.ContainsFunc(m.heard, func(q wire.Release) bool { return m.verifier(pin, q.B, q.E).Verify(&q) == nil }) {
			all = append(all, pin)
		}
	}
	return all
}

// TestMisledOneGuess: with the keys of one vault an insider who misleads the owner's
// new phone learns of the one PIN that he has bet on whether it is the owner's, and
// of no other (spec/kr1.md, 7).
func TestMisledOneGuess(t *testing.T) {
	for _, suite := range []wire.Suite{wire.Suite1, wire.Suite2} {
		for _, c := range []struct {
			name, bet string
			found     []string
		}{
			{"right", "482915", []string{"482915"}},
			{"wrong", "739164", nil},
		} {
			t.Run(suite.String()+"/"+c.name, func(t *testing.T) {
				m := newMisled(t, recoverytest.Options{Suite: suite}, c.bet)
				_, err := m.recover("482915")
				if wrong := new(recovery.GuessError); c.found != nil && err != nil || c.found == nil && !errors.As(err, &wrong) {
					t.Errorf("the phone says %v", err)
				}
				if len(m.heard) != 1 {
					t.Fatalf("v1 was told %d times, not once", len(m.heard))
				}
				if got := m.found("000000", "123456", "271828", "482915", "739164", "999999"); !slices.Equal(got, c.found) {
					t.Errorf("found %q, want %q", got, c.found)
				}
			})
		}
	}
}

// TestMisledEachVault: without its keys he learns as much at each other vault, by what
// it has counted when the attempt is over.
func TestMisledEachVault(t *testing.T) {
	m := newMisled(t, recoverytest.Options{}, "739164", "482915", "271828")
	used := map[string]int{}
	m.net.Answer = func(c recoverytest.Call, a *recovery.VaultAnswer) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if c.Op == wire.OpRelease {
			used[c.Vault] = a.Used
		}
	}
	if _, err := m.recover("482915"); err == nil {
		t.Error("recovered what was dealt for others")
	}
	if used["v2"] != 0 || used["v3"] != 1 {
		t.Errorf("used %v", used)
	}
}

// TestMisledOneAnswer: to a second half of v1's the phone says nothing in the same
// attempt, however often it is cut off and goes on. That attempt is over then.
func TestMisledOneAnswer(t *testing.T) {
	m := newMisled(t, recoverytest.Options{}, "739164")
	m.net.Script = func(c recoverytest.Call) recoverytest.Fault {
		return at(c.Op == wire.OpRelease && c.Vault != "v1", recoverytest.Drop)
	}
	run := func(told int, open bool) {
		t.Helper()
		_, err := m.recover("482915")
		if !errors.Is(err, recovery.ErrUnavailable) {
			t.Fatal(err)
		}
		if len(m.heard) != told || m.tried().Open() != open {
			t.Errorf("v1 was told %d times, not %d; the attempt is open: %v (%v)", len(m.heard), told, m.tried().Open(), err)
		}
	}
	run(1, true)
	run(2, true) // the same half: nothing new is learnt from it
	if m.heard[0].Tag == m.heard[1].Tag {
		t.Error("the phone's half is the same again")
	}
	m.bet = "482915"
	run(2, false)
	if got := m.found("482915", "739164"); got != nil {
		t.Errorf("found %q", got)
	}
	run(3, true) // another attempt, another guess
	if got := m.found("482915", "739164"); !slices.Equal(got, []string{"482915"}) {
		t.Errorf("found %q", got)
	}
}

// TestMisledAnotherPIN: what was answered for one PIN does not keep the owner from
// trying another.
func TestMisledAnotherPIN(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	p.net.Script = func(c recoverytest.Call) recoverytest.Fault { return at(c.Op == wire.OpRelease, recoverytest.Drop) }
	if _, err := p.recover("739164"); !errors.Is(err, recovery.ErrUnavailable) || !p.tried().Open() {
		t.Fatal(err)
	}
	p.net.Script = nil
	p.recovers("482915", "secret")
}

// TestMisledAccount: a session of another account is not gone on with.
func TestMisledAccount(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "secret"))
	p.net.Session = func(s *recovery.SessionView) { s.Account = insiders }
	p.net.Reset()
	if _, err := p.recover("482915"); err == nil || p.net.Count(wire.OpEvaluate) > 0 {
		t.Errorf("%v, after %d evaluations", err, p.net.Count(wire.OpEvaluate))
	}
}
