package attesttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// AndroidKey is a key in the phone's key store, with the chain that attests it.
type AndroidKey struct {
	signer crypto.Signer // nil: it cannot sign here: ML-DSA, or a key that is elsewhere
	spki   []byte
	chain  [][]byte
}

// newLeafKey makes a key by the name that verdicts give it. An ML-DSA key is a
// public key that nobody has the private one of: such keys are attested, and
// cannot sign requests yet.
func newLeafKey(algorithm string) (crypto.Signer, []byte, error) {
	kind, size, _ := strings.Cut(algorithm, "-")
	switch kind {
	case "EC":
		curve := map[string]elliptic.Curve{"P224": elliptic.P224(), "P256": elliptic.P256(), "P384": elliptic.P384(), "P521": elliptic.P521()}[size]
		if curve == nil {
			break
		}
		key := newECKey(curve)
		return key, spkiOf(key), nil
	case "RSA":
		var bits int
		if _, err := fmt.Sscan(size, &bits); err != nil {
			break
		}
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, nil, fmt.Errorf("attesttest: %w", err)
		}
		return key, spkiOf(key), nil
	case "ML":
		// FIPS 204, Table 2: sizes of public keys.
		param, ok := map[string][2]int{"DSA-44": {17, 1312}, "DSA-65": {18, 1952}, "DSA-87": {19, 2592}}[size]
		if !ok {
			break
		}
		public := make([]byte, param[1])
		rand.Read(public)
		oid := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, param[0]}
		return nil, tlv(tagSequence, tlv(tagSequence, derOID(oid)), derBits(public)), nil
	}
	return nil, nil, fmt.Errorf("attesttest: unknown key algorithm %q", algorithm)
}

// Chain is what the phone sends: certificates in DER, leaf first.
func (k *AndroidKey) Chain() [][]byte { return k.chain }

// ChainPEM is Chain as PEM text.
func (k *AndroidKey) ChainPEM() string {
	var b strings.Builder
	for _, der := range k.chain {
		b.WriteString(certPEM(der))
	}
	return b.String()
}

// PublicKey is the attested key as DER SubjectPublicKeyInfo.
func (k *AndroidKey) PublicKey() []byte { return k.spki }

// ID is the id under which a server registers the key: SHA-256 of PublicKey in
// base64url.
func (k *AndroidKey) ID() string {
	sum := sha256.Sum256(k.spki)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// errCannotSign: the key is one that this package only attests: ML-DSA, or one that
// is elsewhere.
var errCannotSign = errors.New("attesttest: this kind of key cannot sign")

// Sign signs message, a signature base for example, in the form of RFC 9421,
// Section 3.3: ECDSA as r || s with SHA-256 or, for P-384, SHA-384; RSA as
// RSASSA-PKCS1-v1_5 with SHA-256.
func (k *AndroidKey) Sign(message []byte) ([]byte, error) {
	switch key := k.signer.(type) {
	case *ecdsa.PrivateKey:
		size := (key.Curve.Params().BitSize + 7) / 8
		var digest []byte
		switch size {
		case 48:
			sum := sha512.Sum384(message)
			digest = sum[:]
		default:
			sum := sha256.Sum256(message)
			digest = sum[:]
		}
		r, s, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			return nil, fmt.Errorf("attesttest: sign: %w", err)
		}
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
	case *rsa.PrivateKey:
		return signBytes(key, crypto.SHA256, message)
	default:
		return nil, errCannotSign
	}
}
