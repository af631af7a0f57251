package wire

import (
	"crypto/ed25519"
	"fmt"
	"slices"

	"github.com/staunchid/staunch/internal/cbor"
)

// maxTBS bounds what one signature is of: a vault set is the largest.
const maxTBS = 196_608

// Signed is bytes and an Ed25519 signature of exactly them, in both suites. The
// label they begin with says what they are.
type Signed struct {
	TBS []byte
	Sig Signature
}

// Sign encodes v and signs the bytes.
func Sign(key ed25519.PrivateKey, v Coded) (*Signed, error) {
	b, err := Encode(v)
	if err != nil {
		return nil, err
	}
	return &Signed{TBS: b, Sig: Signature(ed25519.Sign(key, b))}, nil
}

// Verify fails with ErrSignature unless key has signed. The key of zeros has
// signed nothing.
func (s *Signed) Verify(key EdKey) error {
	if key == (EdKey{}) || !ed25519.Verify(key[:], s.TBS, s.Sig[:]) {
		return ErrSignature
	}
	return nil
}

// Code walks [tbs, sig].
func (s *Signed) Code(c *cbor.Coder) {
	c.Array(2)
	cbor.Octets(c, &s.TBS, 1, maxTBS)
	c.Fixed(s.Sig[:])
}

// Managed is a request that changes what is registered: the encoded [Create],
// [Activate], [Finalize], [Update] or [Delete], signed by the manage key. Create
// and Delete may come without a signature, with a voucher instead.
type Managed struct {
	TBS Secret // of a Create it holds the shares
	Sig *Signature
}

// SignManaged encodes v and signs it; without a key it leaves the signature out.
func SignManaged(key *SigningKey, v Coded) (*Managed, error) {
	b, err := Encode(v)
	if err != nil || key == nil {
		return &Managed{TBS: b}, err
	}
	sig, err := key.Sign(b)
	if err != nil {
		return nil, err
	}
	return &Managed{TBS: b, Sig: &sig}, nil
}

// Verify fails with ErrSignature unless the manage key has signed.
func (m *Managed) Verify(suite Suite, manage PublicKey) error {
	if m.Sig == nil {
		return fmt.Errorf("%w: there is none", ErrSignature)
	}
	return suite.Verify(manage, m.TBS, *m.Sig)
}

// Code walks [tbs, sig or null].
func (m *Managed) Code(c *cbor.Coder) {
	c.Array(2)
	cbor.Octets(c, &m.TBS, 1, 1_024)
	if c.Null(m.Sig != nil) {
		c.Fixed(present(c, &m.Sig)[:])
	}
}

// KofM is bytes signed by several release keys.
type KofM struct {
	TBS  []byte
	Sigs []KeySig
}

// KeySig is one key's signature.
type KeySig struct {
	Key EdKey
	Sig Signature
}

// Add signs with one more key.
func (s *KofM) Add(key ed25519.PrivateKey) {
	s.Sigs = append(s.Sigs, KeySig{EdKey(key.Public().(ed25519.PublicKey)), Signature(ed25519.Sign(key, s.TBS))})
}

// Verify fails unless at least K distinct keys of those have signed, and
// whatever keys of those have signed have signed this: ErrThreshold, ErrSignature.
// Signatures of keys that are not among them are not looked at, so that one
// document serves before and after a key is replaced. No keys, a K of zero or
// above their number, and keys that are there twice verify nothing.
func (s *KofM) Verify(keys ReleaseKeys) error {
	if keys.K == 0 || int(keys.K) > len(keys.Keys) {
		return fmt.Errorf("%w: %d of %d keys", ErrThreshold, keys.K, len(keys.Keys))
	}
	for i, k := range keys.Keys {
		if k == (EdKey{}) || slices.Contains(keys.Keys[:i], k) {
			return fmt.Errorf("%w: the key %v is zero, or there twice", ErrThreshold, k)
		}
	}
	var signed []EdKey
	for _, sig := range s.Sigs {
		if !slices.Contains(keys.Keys, sig.Key) {
			continue
		}
		if !ed25519.Verify(sig.Key[:], s.TBS, sig.Sig[:]) {
			return fmt.Errorf("%w: by the key %v", ErrSignature, sig.Key)
		}
		if !slices.Contains(signed, sig.Key) {
			signed = append(signed, sig.Key)
		}
	}
	if len(signed) < int(keys.K) {
		return fmt.Errorf("%w: %d of them have, %d must", ErrThreshold, len(signed), keys.K)
	}
	return nil
}

// Code walks [tbs, [+ [key, sig]]].
func (s *KofM) Code(c *cbor.Coder) {
	c.Array(2)
	cbor.Octets(c, &s.TBS, 1, maxTBS)
	cbor.Slice(c, &s.Sigs, 1, MaxReleaseKeys, func(k *KeySig) {
		c.Array(2)
		k.Key.Code(c)
		c.Fixed(k.Sig[:])
	})
}
