package wire

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// SigningKey is a manage key.
type SigningKey struct {
	hidden
	suite Suite
	ed    ed25519.PrivateKey // suite 1
	ec    *ecdsa.PrivateKey  // suite 2
}

// newSigningKey makes the key of a seed: 32 bytes, in suite 2 48.
func newSigningKey(suite Suite, seed []byte) (*SigningKey, error) {
	switch suite {
	case Suite1:
		return &SigningKey{suite: suite, ed: ed25519.NewKeyFromSeed(seed)}, nil
	case Suite2:
		// FIPS 186-5, A.2.1: 48 bytes, so that no value is likelier than another.
		d := reduceP256([48]byte(seed))
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
		if err != nil {
			return nil, fmt.Errorf("wire: the key of a seed: %w", err)
		}
		return &SigningKey{suite: suite, ec: key}, nil
	}
	return nil, fmt.Errorf("%w: there is no suite %d", ErrMalformed, suite)
}

// Public is the key that verifies: Ed25519's, or a compressed point.
func (k *SigningKey) Public() PublicKey {
	if k.suite == Suite1 {
		return PublicKey(k.ed.Public().(ed25519.PublicKey))
	}
	point, err := k.ec.PublicKey.Bytes() // 4 || x || y
	if err != nil {
		panic("wire: " + err.Error()) // the point of a key that was made here
	}
	return append(PublicKey{2 | point[64]&1}, point[1:33]...) // SEC 1, Section 2.3.3
}

// Sign signs exactly these bytes.
func (k *SigningKey) Sign(message []byte) (Signature, error) {
	if k.suite == Suite1 {
		return Signature(ed25519.Sign(k.ed, message)), nil
	}
	digest := sha256.Sum256(message)
	der, err := ecdsa.SignASN1(rand.Reader, k.ec, digest[:])
	if err != nil {
		return Signature{}, fmt.Errorf("wire: signing: %w", err)
	}
	var rs struct{ R, S *big.Int } // public values
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return Signature{}, fmt.Errorf("wire: signing: %w", err)
	}
	var sig Signature
	rs.R.FillBytes(sig[:32])
	rs.S.FillBytes(sig[32:])
	return sig, nil
}

// Verify fails with ErrSignature unless sig is of exactly these bytes and by
// this key.
func (s Suite) Verify(public PublicKey, message []byte, sig Signature) error {
	if len(public) != s.PublicSize() || !s.Valid() {
		return fmt.Errorf("%w: a key of %d bytes in suite %d", ErrSignature, len(public), s)
	}
	if s == Suite1 {
		if !ed25519.Verify(ed25519.PublicKey(public), message, sig[:]) {
			return ErrSignature
		}
		return nil
	}
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), public)
	if x == nil {
		return fmt.Errorf("%w: the key is no point of P-256", ErrSignature)
	}
	point := make([]byte, 65)
	point[0] = 4
	x.FillBytes(point[1:33])
	y.FillBytes(point[33:])
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	digest := sha256.Sum256(message)
	if !ecdsa.VerifyASN1(key, digest[:], der) {
		return ErrSignature
	}
	return nil
}
