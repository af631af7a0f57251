package android

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"

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
