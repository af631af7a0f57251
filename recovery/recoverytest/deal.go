package recoverytest

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// Deal is a registration as a phone makes it, without a client around it: for
// tests that measure vaults, or that play against them. One SHA-256 stands for
// Argon2id, for no vault can tell.
type Deal struct {
	Header wire.Header
	Blob   []byte

	manage *wire.SigningKey
	parts  []part
}

// part is what one vault gets.
type part struct {
	k, s wire.Scalar
	prs  wire.PRS
}

// stretched is what a PIN becomes here.
func stretched(reg wire.RegID, pin string) []byte {
	x := sha256.Sum256(append(reg[:], pin...))
	return x[:]
}

// NewDeal deals secret out to the vaults of a set.
func NewDeal(set *wire.VaultSet, pin, secret string) (*Deal, error) {
	suite := toprf.Suite(set.Suite)
	d := &Deal{Header: wire.Header{Suite: set.Suite, Argon2: wire.DefaultArgon2(), N: set.N, T: set.T}}
	h := &d.Header
	rand.Read(h.Reg[:]) //nolint:errcheck // crypto/rand: never returns an error
	k, err := suite.RandomScalar()
	if err != nil {
		return nil, err
	}
	s, err := suite.RandomScalar()
	if err != nil {
		return nil, err
	}
	ks, err := suite.Deal(k, int(set.T), int(set.N))
	if err != nil {
		return nil, err
	}
	ss, err := suite.Deal(s, int(set.T), int(set.N))
	if err != nil {
		return nil, err
	}
	for i, m := range set.Vaults {
		h.Vaults = append(h.Vaults, wire.Share{Vault: m.Vault, K: ks[i].Public.Bytes()})
	}
	for i := range ks {
		d.parts = append(d.parts, part{k: ks[i].Scalar.Bytes(), s: ss[i].Scalar.Bytes()})
	}
	rwd, err := d.rwd(pin)
	if err != nil {
		return nil, err
	}
	seed := wire.NewKey()
	if d.manage, err = wire.DeriveManageKey(set.Suite, seed); err != nil {
		return nil, err
	}
	for i, v := range h.Vaults {
		if d.parts[i].prs, err = wire.DerivePRS(set.Suite, h.Reg, rwd, v.Vault); err != nil {
			return nil, err
		}
	}
	data, err := wire.DeriveDataKey(set.Suite, h.Reg, rwd, s.Bytes())
	if err != nil {
		return nil, err
	}
	d.Blob, err = data.SealBlob(h, &wire.Payload{
		Keys: []wire.SealingKey{{KID: []byte("k1"), Secret: wire.Secret(secret), Created: 1}}, ManageSeed: seed, Seq: 1,
	})
	return d, err
}

// rwd is what a PIN comes to: who has dealt the shares needs no vault for it.
func (d *Deal) rwd(pin string) (wire.Secret, error) {
	suite := toprf.Suite(d.Header.Suite)
	g, err := NewGuess(&d.Header, pin, wire.NewKey())
	if err != nil {
		return nil, err
	}
	for i, p := range d.parts[:d.Header.T] {
		k, err := suite.Scalar(p.k[:])
		if err != nil {
			return nil, err
		}
		e, err := suite.Evaluate(k, g.blinded.Element)
		if err != nil {
			return nil, err
		}
		g.answers = append(g.answers, toprf.Answer{Index: i + 1, E: e})
	}
	return g.rwd()
}

// PRS is what a phone with this PIN would have in common with a vault.
func (d *Deal) PRS(pin, vault string) (wire.PRS, error) {
	rwd, err := d.rwd(pin)
	if err != nil {
		return wire.PRS{}, err
	}
	return wire.DerivePRS(d.Header.Suite, d.Header.Reg, rwd, vault)
}

// Bet makes the part of one vault that of another PIN: who deals for others can have
// each vault tell him whether it is theirs.
func (d *Deal) Bet(vault, pin string) error {
	prs, err := d.PRS(pin, vault)
	if i := index(&d.Header, vault); err == nil && i >= 0 {
		d.parts[i].prs = prs
	}
	return err
}

// Create is what brings a vault its part, without a signature; gen is 0 the first
// time.
func (d *Deal) Create(vault string, acct wire.Acct, gen uint32, limit uint8) (*wire.Managed, error) {
	i := index(&d.Header, vault)
	if i < 0 {
		return nil, fmt.Errorf("recoverytest: nothing was dealt to %s", vault)
	}
	p := d.parts[i]
	return wire.SignManaged(nil, &wire.Create{
		Target: wire.Target{Vault: vault, Acct: acct, Gen: gen}, Reg: d.Header.Reg, Suite: d.Header.Suite, Limit: limit,
		K: p.k, S: p.s, PRS: p.prs, Manage: d.manage.Public(), BlobHash: wire.Sum(d.Blob),
	})
}

func index(h *wire.Header, vault string) int {
	return slices.IndexFunc(h.Vaults, func(s wire.Share) bool { return s.Vault == vault })
}
