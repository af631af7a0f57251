package android

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"math/big"

	"github.com/staunchid/staunch/internal/der"
)

// Key and signature algorithms as contents octets of their OBJECT IDENTIFIER.
const (
	oidEC      = "\x2a\x86\x48\xce\x3d\x02\x01"         // 1.2.840.10045.2.1
	oidRSA     = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" // 1.2.840.113549.1.1.1
	oidEd25519 = "\x2b\x65\x70"                         // 1.3.101.112
	oidX25519  = "\x2b\x65\x6e"                         // 1.3.101.110
	oidMLDSA44 = "\x60\x86\x48\x01\x65\x03\x04\x03\x11" // 2.16.840.1.101.3.4.3.17
	oidMLDSA65 = "\x60\x86\x48\x01\x65\x03\x04\x03\x12"
	oidMLDSA87 = "\x60\x86\x48\x01\x65\x03\x04\x03\x13"

	oidP224 = "\x2b\x81\x04\x00\x21"             // 1.3.132.0.33
	oidP256 = "\x2a\x86\x48\xce\x3d\x03\x01\x07" // 1.2.840.10045.3.1.7
	oidP384 = "\x2b\x81\x04\x00\x22"
	oidP521 = "\x2b\x81\x04\x00\x23"

	oidECDSAWithSHA256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02" // 1.2.840.10045.4.3.2
	oidECDSAWithSHA384 = "\x2a\x86\x48\xce\x3d\x04\x03\x03"
	oidECDSAWithSHA512 = "\x2a\x86\x48\xce\x3d\x04\x03\x04"
	oidSHA256WithRSA   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b" // 1.2.840.113549.1.1.11
	oidSHA384WithRSA   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"
	oidSHA512WithRSA   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"
)

// RSA moduli that an issuer may have, and a key that signs requests, in bits.
const minRSABits, maxRSABits = 2048, 8192

// algorithm is an AlgorithmIdentifier, RFC 5280, Section 4.1.1.2.
type algorithm struct {
	oid    string // contents octets
	params paramsKind
}

type paramsKind uint8

const (
	paramsAbsent paramsKind = iota
	paramsNull
	paramsOther
)

func readAlgorithm(e der.Element) (algorithm, error) {
	r, err := e.Open()
	if err != nil {
		return algorithm{}, err
	}
	oid, err := r.Expect(der.ObjectID)
	if err != nil {
		return algorithm{}, err
	}
	a := algorithm{oid: signatureOID(oid.Body)}
	if !r.Empty() {
		params, err := r.Next()
		if err != nil {
			return algorithm{}, err
		}
		a.params = paramsOther
		if params.Is(der.Null) && len(params.Body) == 0 {
			a.params = paramsNull
		}
	}
	return a, r.Done()
}

// signatureOID interns the algorithms that are allowed.
func signatureOID(b []byte) string {
	switch string(b) {
	case oidECDSAWithSHA256:
		return oidECDSAWithSHA256
	case oidECDSAWithSHA384:
		return oidECDSAWithSHA384
	case oidECDSAWithSHA512:
		return oidECDSAWithSHA512
	case oidSHA256WithRSA:
		return oidSHA256WithRSA
	case oidSHA384WithRSA:
		return oidSHA384WithRSA
	case oidSHA512WithRSA:
		return oidSHA512WithRSA
	}
	return string(b)
}

// isRSA, isECDSA and hash know the allowed algorithms and no other.
func (a algorithm) isRSA() bool {
	return a.oid == oidSHA256WithRSA || a.oid == oidSHA384WithRSA || a.oid == oidSHA512WithRSA
}

func (a algorithm) isECDSA() bool {
	return a.oid == oidECDSAWithSHA256 || a.oid == oidECDSAWithSHA384 || a.oid == oidECDSAWithSHA512
}

func (a algorithm) hash() crypto.Hash {
	switch a.oid {
	case oidECDSAWithSHA256, oidSHA256WithRSA:
		return crypto.SHA256
	case oidECDSAWithSHA384, oidSHA384WithRSA:
		return crypto.SHA384
	default:
		return crypto.SHA512
	}
}

// odd reports parameters that are tolerated and not as the RFCs have them:
// absent for ECDSA (RFC 5758, Section 3.2), NULL for RSA (RFC 4055, Section 5).
func (a algorithm) odd() bool {
	return a.isECDSA() && a.params == paramsNull || a.isRSA() && a.params == paramsAbsent
}

// errAlgorithm: the signature is made with an algorithm or a key that is not
// on the list. errSignature: it does not verify.
var (
	errAlgorithm = errors.New("android: algorithm not allowed")
	errSignature = errors.New("android: bad signature")
)

// verifySignature checks signature over signed under the key in spki.
func verifySignature(spki []byte, a algorithm, signed, signature []byte) error {
	if !a.isRSA() && !a.isECDSA() || a.params == paramsOther {
		return fmt.Errorf("%w: signature algorithm", errAlgorithm)
	}
	key, err := parsePublicKey(spki)
	if err != nil {
		return err
	}
	var buffer [sha512.Size]byte
	digest := digest(&buffer, a.hash(), signed)
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P224() {
			return fmt.Errorf("%w: curve P-224", errAlgorithm)
		}
		if a.isECDSA() && ecdsa.VerifyASN1(key, digest, signature) {
			return nil
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return fmt.Errorf("%w: RSA modulus of %d bits", errAlgorithm, bits)
		}
		if a.isRSA() && rsa.VerifyPKCS1v15(key, a.hash(), digest, signature) == nil {
			return nil
		}
	}
	return errSignature
}

// digest hashes b into the buffer.
func digest(buffer *[sha512.Size]byte, h crypto.Hash, b []byte) []byte {
	switch h {
	case crypto.SHA256:
		d := sha256.Sum256(b)
		return append(buffer[:0], d[:]...)
	case crypto.SHA384:
		d := sha512.Sum384(b)
		return append(buffer[:0], d[:]...)
	default:
		d := sha512.Sum512(b)
		return append(buffer[:0], d[:]...)
	}
}

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
