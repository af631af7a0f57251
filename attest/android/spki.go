package android

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"

	"github.com/staunchid/staunch/internal/der"
)

// subjectKey is a SubjectPublicKeyInfo taken apart.
type subjectKey struct {
	oid   der.Element // algorithm
	curve []byte      // contents octets of the curve's OID, for EC
	bits  []byte
}

func readSPKI(spki []byte) (k subjectKey, err error) {
	r, err := der.Open(spki, der.Sequence)
	if err != nil {
		return k, err
	}
	identifier, err := r.Expect(der.Sequence)
	if err != nil {
		return k, err
	}
	bits, err := r.Expect(der.BitString)
	if err != nil {
		return k, err
	}
	if k.bits, err = bits.Bits(); err != nil {
		return k, err
	}
	if err := r.Done(); err != nil {
		return k, err
	}
	a, err := identifier.Open()
	if err != nil {
		return k, err
	}
	if k.oid, err = a.Expect(der.ObjectID); err != nil {
		return k, err
	}
	if string(k.oid.Body) == oidEC {
		curve, err := a.Expect(der.ObjectID)
		if err != nil {
			return k, err
		}
		k.curve = curve.Body
		return k, a.Done()
	}
	return k, nil
}

// parsePublicKey reads an EC or RSA key. It works on the bytes as they are:
// crypto/x509 would refuse an RSA key whose algorithm lacks its NULL.
func parsePublicKey(spki []byte) (crypto.PublicKey, error) {
	k, err := readSPKI(spki)
	if err != nil {
		return nil, err
	}
	switch string(k.oid.Body) {
	case oidEC:
		curve := namedCurve(k.curve)
		if curve == nil {
			return nil, fmt.Errorf("%w: curve", errAlgorithm)
		}
		key, err := ecdsa.ParseUncompressedPublicKey(curve, k.bits)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSignature, err)
		}
		return key, nil
	case oidRSA:
		n, e, err := readRSA(k.bits)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSignature, err)
		}
		return &rsa.PublicKey{N: n, E: e}, nil
	}
	return nil, fmt.Errorf("%w: key algorithm", errAlgorithm)
}

// ParsePublicKey reads the key in a SubjectPublicKeyInfo of a leaf, for verifying
// what it signs: EC on P-256, P-384 or P-521, RSA with 2048 to 8192 bits, or
// Ed25519. Of any other it says why it cannot be used, in the words of a finding.
// Like Verify it takes an RSA key whose algorithm lacks its NULL.
func ParsePublicKey(spki []byte) (crypto.PublicKey, error) {
	k, err := readSPKI(spki)
	if err == nil && string(k.oid.Body) == oidEd25519 { // RFC 8410, Section 4
		if len(k.bits) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("android: Ed25519 key of %d bytes", len(k.bits))
		}
		return ed25519.PublicKey(bytes.Clone(k.bits)), nil
	}
	key, err := parsePublicKey(spki)
	if err != nil {
		return nil, fmt.Errorf("android: public key cannot be read: %w", err)
	}
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P224() {
			return nil, errors.New("android: public key on P-224")
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return nil, fmt.Errorf("android: RSA key of %d bits, %d to %d are taken", bits, minRSABits, maxRSABits)
		}
	}
	return key, nil
}

func namedCurve(oid []byte) elliptic.Curve {
	switch string(oid) {
	case oidP224:
		return elliptic.P224()
	case oidP256:
		return elliptic.P256()
	case oidP384:
		return elliptic.P384()
	case oidP521:
		return elliptic.P521()
	}
	return nil
}

// readRSA reads RSAPublicKey, RFC 8017, Appendix A.1.1.
func readRSA(b []byte) (n *big.Int, e int, err error) {
	r, err := der.Open(b, der.Sequence)
	if err != nil {
		return nil, 0, err
	}
	modulus, err := r.Expect(der.Integer)
	if err != nil {
		return nil, 0, err
	}
	exponent, err := r.Expect(der.Integer)
	if err != nil {
		return nil, 0, err
	}
	value, err := exponent.Uint64()
	if err != nil || value > 1<<31-1 {
		return nil, 0, fmt.Errorf("%w: RSA exponent", der.ErrSyntax)
	}
	if len(modulus.Body) == 0 || modulus.Body[0]&0x80 != 0 {
		return nil, 0, fmt.Errorf("%w: RSA modulus", der.ErrSyntax)
	}
	return new(big.Int).SetBytes(modulus.Body), int(value), r.Done()
}

// KeyAlgorithm names the key in a SubjectPublicKeyInfo: "EC-P256", "RSA-2048",
// "ML-DSA-65" and so on, or the dotted OID of an algorithm without a name
// here. It is empty if spki does not parse.
func KeyAlgorithm(spki []byte) string {
	k, err := readSPKI(spki)
	if err != nil && k.oid.Body == nil {
		return ""
	}
	switch string(k.oid.Body) {
	case oidEC:
		switch string(k.curve) {
		case oidP224:
			return "EC-P224"
		case oidP256:
			return "EC-P256"
		case oidP384:
			return "EC-P384"
		case oidP521:
			return "EC-P521"
		}
	case oidRSA:
		if n, _, err := readRSA(k.bits); err == nil {
			return fmt.Sprintf("RSA-%d", n.BitLen())
		}
	case oidEd25519:
		return "Ed25519"
	case oidX25519:
		return "X25519"
	case oidMLDSA44:
		return "ML-DSA-44"
	case oidMLDSA65:
		return "ML-DSA-65"
	case oidMLDSA87:
		return "ML-DSA-87"
	}
	dotted, err := k.oid.OID()
	if err != nil {
		return ""
	}
	return dotted
}
