package recovery

import (
	"crypto/rand"
	"fmt"

	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// deal makes a new registration, from nothing but a PIN and a payload: secrets k
// and s, cut into a share for each vault, and the payload under a key that needs
// the PIN, k and s. What it returns holds the shares until the vaults have them.
func (c *Client) deal(set *wire.VaultSet, pin PIN, p *Payload) (*registration, error) {
	suite := toprf.Suite(set.Suite)
	h := wire.Header{Suite: set.Suite, Argon2: wire.DefaultArgon2(), N: set.N, T: set.T}
	rand.Read(h.Reg[:]) //nolint:errcheck // crypto/rand: never returns an error

	k, err := suite.RandomScalar()
	if err != nil {
		return nil, fmt.Errorf("recovery: deal: %w", err)
	}
	s, err := suite.RandomScalar()
	if err != nil {
		return nil, fmt.Errorf("recovery: deal: %w", err)
	}
	ks, err := suite.Deal(k, int(set.T), int(set.N))
	if err != nil {
		return nil, fmt.Errorf("recovery: deal: %w", err)
	}
	ss, err := suite.Deal(s, int(set.T), int(set.N))
	if err != nil {
		return nil, fmt.Errorf("recovery: deal: %w", err)
	}
	for i, m := range set.Vaults {
		h.Vaults = append(h.Vaults, wire.Share{Vault: m.Vault, K: ks[i].Public.Bytes()})
	}
	x := c.stretch(pin, h.Reg, h.Argon2)
	rwd, err := evaluateAlone(suite, h.Reg, x, ks[:set.T])
	if err != nil {
		return nil, fmt.Errorf("recovery: deal: %w", err)
	}
	r := &registration{header: h, manage: wire.NewKey(), seq: 1, making: &making{pin: pinCheck(x)}}
	if r.key, err = wire.DeriveDataKey(set.Suite, h.Reg, rwd, s.Bytes()); err != nil {
		return nil, err
	}
	for i, v := range h.Vaults {
		prs, err := wire.DerivePRS(set.Suite, h.Reg, rwd, v.Vault)
		if err != nil {
			return nil, err
		}
		r.making.parts = append(r.making.parts, part{vault: v.Vault, k: ks[i].Scalar.Bytes(), s: ss[i].Scalar.Bytes(), prs: prs})
	}
	if r.making.blob, err = r.key.SealBlob(&h, p.sealed(r.manage, r.seq, c.now())); err != nil {
		return nil, fmt.Errorf("recovery: the payload: %w", err)
	}
	r.blobHash = wire.Sum(r.making.blob)
	return r, nil
}

// evaluateAlone is the OPRF by who has just dealt the shares.
func evaluateAlone(suite toprf.Suite, reg wire.RegID, x []byte, shares []toprf.Share) (wire.Secret, error) {
	blinded, err := suite.Blind(x, wire.NewKey(), reg)
	if err != nil {
		return nil, err
	}
	var answers []toprf.Answer
	for _, sh := range shares {
		e, err := suite.Evaluate(sh.Scalar, blinded.Element)
		if err != nil {
			return nil, err
		}
		answers = append(answers, toprf.Answer{Index: sh.Index, E: e})
	}
	n, err := suite.Combine(len(shares), answers)
	if err != nil {
		return nil, err
	}
	rwd, err := blinded.Finalize(n)
	return wire.Secret(rwd), err
}

// pinCheck tells whether the same PIN is given again while a registration is not
// finished. It is as good to a thief of the journal as what else is in there.
func pinCheck(x wire.Secret) wire.Hash {
	return wire.Sum(append([]byte("staunch/client/pin-check\x00"), x...))
}

// create is the request that brings a vault its share.
func (r *registration) create(p *part, target wire.Target, limit uint8) (*wire.Create, error) {
	manage, err := r.signer()
	if err != nil {
		return nil, err
	}
	return &wire.Create{
		Target: target, Reg: r.reg(), Suite: r.header.Suite, Limit: limit,
		K: p.k, S: p.s, PRS: p.prs, Manage: manage.Public(), BlobHash: r.blobHash,
	}, nil
}
