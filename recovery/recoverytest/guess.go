package recoverytest

import (
	"fmt"

	"github.com/staunchid/staunch/recovery/cpace"
	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// Guess is one attempt with a PIN, as a phone makes it and as a thief does: see
// Deal.
type Guess struct {
	PIN string

	header  *wire.Header
	blinded *toprf.Blinded
	answers []toprf.Answer // the first t of them
	by      map[string]*wire.Answer
	shares  []toprf.Share
	known   wire.Secret // rwd, once there are t
}

// NewGuess blinds a PIN; the same seed gives the same element again.
func NewGuess(h *wire.Header, pin string, seed wire.Key) (*Guess, error) {
	b, err := toprf.Suite(h.Suite).Blind(stretched(h.Reg, pin), seed, h.Reg)
	if err != nil {
		return nil, err
	}
	return &Guess{PIN: pin, header: h, blinded: b, by: map[string]*wire.Answer{}}, nil
}

// Evaluate is the first request to a vault.
func (g *Guess) Evaluate(proof bool) *wire.Evaluate {
	return &wire.Evaluate{Reg: g.header.Reg, B: g.blinded.Element.Bytes(), WantProof: proof}
}

// Evaluated keeps what a vault has answered to it.
func (g *Guess) Evaluated(vault string, a *wire.Answer) error {
	i := index(g.header, vault)
	if i < 0 || a.E == nil || a.Ya == nil {
		return fmt.Errorf("recoverytest: %s has evaluated nothing", vault)
	}
	e, err := toprf.Suite(g.header.Suite).Element(a.E)
	if err != nil {
		return err
	}
	if g.by[vault] == nil && len(g.answers) < int(g.header.T) {
		g.answers = append(g.answers, toprf.Answer{Index: i + 1, E: e})
	}
	g.by[vault] = a
	return nil
}

// Ready reports whether t vaults have evaluated, so that the PIN can be tried.
func (g *Guess) Ready() bool { return len(g.answers) == int(g.header.T) }

// rwd is what t evaluations come to.
func (g *Guess) rwd() (wire.Secret, error) {
	if g.known != nil {
		return g.known, nil
	}
	n, err := toprf.Suite(g.header.Suite).Combine(int(g.header.T), g.answers)
	if err != nil {
		return nil, err
	}
	rwd, err := g.blinded.Finalize(n)
	g.known = wire.Secret(rwd)
	return g.known, err
}

// Release is the second request to a vault that has evaluated.
func (g *Guess) Release(vault string, acct wire.Acct) (*wire.Release, error) {
	a := g.by[vault]
	if a == nil {
		return nil, fmt.Errorf("recoverytest: %s has evaluated nothing", vault)
	}
	rwd, err := g.rwd()
	if err != nil {
		return nil, err
	}
	prs, err := wire.DerivePRS(g.header.Suite, g.header.Reg, rwd, vault)
	if err != nil {
		return nil, err
	}
	q := &wire.Release{Reg: g.header.Reg, B: g.blinded.Element.Bytes(), E: a.E}
	session := cpace.Session{Suite: g.header.Suite, PRS: prs, Vault: vault, Acct: acct, Reg: q.Reg, B: q.B, E: q.E}
	return q, session.Prove(q, a.Ya)
}

// Released keeps the share that a vault has given.
func (g *Guess) Released(vault string, a *wire.Answer) error {
	if a.S == nil {
		return fmt.Errorf("recoverytest: %s has released nothing", vault)
	}
	s, err := toprf.Suite(g.header.Suite).Scalar(a.S[:])
	if err != nil {
		return err
	}
	if len(g.shares) < int(g.header.T) {
		g.shares = append(g.shares, toprf.Share{Index: index(g.header, vault) + 1, Scalar: s})
	}
	return nil
}

// Open gives the secret of the blob, once t vaults have released.
func (g *Guess) Open(blob []byte) (string, error) {
	rwd, err := g.rwd()
	if err != nil {
		return "", err
	}
	s, err := toprf.Suite(g.header.Suite).CombineScalars(int(g.header.T), g.shares)
	if err != nil {
		return "", err
	}
	data, err := wire.DeriveDataKey(g.header.Suite, g.header.Reg, rwd, s.Bytes())
	if err != nil {
		return "", err
	}
	_, p, err := data.OpenBlob(blob)
	if err != nil {
		return "", err
	}
	return string(p.Keys[0].Secret), nil
}
