package passkey

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
)

// checkKey refuses a public key by which nothing can ever be verified: a point
// that is not on its curve (RFC 9053, Sections 7.1.1 and 7.2). Without an
// attestation no signature by it was seen yet, and as a passkey it would count as
// a way in.
func checkKey(key []byte) error {
	var kind webauthncose.PublicKeyData
	if err := webauthncbor.Unmarshal(key, &kind); err != nil {
		return err
	}
	if webauthncose.COSEKeyType(kind.KeyType) != webauthncose.OctetKey {
		_, err := webauthncose.ParsePublicKey(key)
		return err
	}
	var public webauthncose.OKPPublicKeyData
	if err := webauthncbor.Unmarshal(key, &public); err != nil {
		return err
	}
	// Another curve is not offered, so its algorithm is refused.
	if webauthncose.COSEEllipticCurve(public.Curve) == webauthncose.Ed25519 && !onEdwards25519(public.XCoord) {
		return fmt.Errorf("%d bytes that are no point of Ed25519", len(public.XCoord))
	}
	return nil
}

// onEdwards25519 reports whether an encoded point can be decoded (RFC 8032,
// Section 5.1.3): x² = (y² - 1) / (d y² + 1) has a solution modulo 2²⁵⁵ - 19.
func onEdwards25519(encoded []byte) bool {
	if len(encoded) != 32 {
		return false
	}
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	d := new(big.Int).ModInverse(big.NewInt(121666), p)
	d.Mul(d, big.NewInt(-121665)).Mod(d, p)

	b := slices.Clone(encoded)
	sign := b[31] >> 7
	b[31] &= 0x7f
	slices.Reverse(b)
	y := new(big.Int).SetBytes(b)
	if y.Cmp(p) >= 0 {
		return false
	}
	yy := new(big.Int).Mul(y, y)
	over := new(big.Int).Sub(yy, big.NewInt(1))
	under := yy.Mul(yy, d).Add(yy, big.NewInt(1))
	xx := over.Mul(over, under.ModInverse(under.Mod(under, p), p)).Mod(over, p)
	if xx.Sign() == 0 {
		return sign == 0
	}
	return big.Jacobi(xx, p) == 1
}
