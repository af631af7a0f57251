package android

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/staunchid/staunch/internal/cbor"
)

// COSE algorithms that a key store signs with (IANA COSE Algorithms).
const (
	coseES256 = -7
	coseES384 = -35
	coseES512 = -36
	coseRS256 = -257
)

// webAuthnObject is a WebAuthn attestation object of format android-key,
// WebAuthn L3 §6.5.4 and §8.4.
type webAuthnObject struct {
	authData  []byte
	algorithm int64
	signature []byte
	x5c       [][]byte
}

func parseObject(b []byte) (o webAuthnObject, err error) {
	outer, err := cbor.TextMap(b)
	if err != nil {
		return o, fmt.Errorf("%w: attestation object: %w", ErrMalformed, err)
	}
	if name, ok := cbor.Text(outer["fmt"]); !ok || *name != "android-key" {
		return o, fmt.Errorf("%w: attestation object of another format", ErrMalformed)
	}
	var ok bool
	if o.authData, ok = cbor.Bytes(outer["authData"]); !ok {
		return o, fmt.Errorf("%w: authData is no byte string", ErrMalformed)
	}
	statement, err := cbor.TextMap(outer["attStmt"])
	if err != nil {
		return o, fmt.Errorf("%w: attStmt: %w", ErrMalformed, err)
	}
	if alg := statement["alg"]; !cbor.IsMajor(alg, cbor.MajorUnsigned) && !cbor.IsMajor(alg, cbor.MajorNegative) || cbor.Unmarshal(alg, &o.algorithm) != nil {
		return o, fmt.Errorf("%w: alg is no number", ErrMalformed)
	}
	if o.signature, ok = cbor.Bytes(statement["sig"]); !ok {
		return o, fmt.Errorf("%w: sig is no byte string", ErrMalformed)
	}
	var certificates []cbor.RawMessage
	if x5c := statement["x5c"]; !cbor.IsMajor(x5c, cbor.MajorArray) || cbor.Unmarshal(x5c, &certificates) != nil {
		return o, fmt.Errorf("%w: x5c is no array", ErrMalformed)
	}
	for i, item := range certificates {
		raw, ok := cbor.Bytes(item)
		if !ok {
			return o, fmt.Errorf("%w: x5c[%d] is no byte string", ErrMalformed, i)
		}
		o.x5c = append(o.x5c, raw)
	}
	return o, nil
}

// VerifyObject checks a WebAuthn attestation object of format android-key at
// now: all that Verify checks, with the client data hash as the challenge, then
// the signature over authenticator data and client data hash by the attested
// key, which must be the credential's (WebAuthn L3 §8.4).
//
// With DangerousAnyChallenge a nil clientDataHash is taken from the
// KeyDescription: the object then proves nothing about when it was made.
func VerifyObject(object, clientDataHash []byte, opts *Options, now time.Time) (*Attestation, error) {
	o, err := parseObject(object)
	if err != nil {
		return nil, err
	}
	bound := *opts
	bound.Challenge = clientDataHash
	bound.DangerousAnyChallenge = opts.DangerousAnyChallenge && clientDataHash == nil
	auth, authErr := readAuthData(o.authData)
	a, err := Verify(o.x5c, &bound, now)
	if err != nil {
		var failure *Failure
		if errors.As(err, &failure) {
			failure.Unverified.RPIDHash = auth.rpIDHash
		}
		return nil, err
	}
	a.RPIDHash = auth.rpIDHash
	if authErr != nil {
		return nil, failed(a, CodeWebAuthnAuthData, "%v", authErr)
	}
	if clientDataHash == nil {
		clientDataHash = a.Description.AttestationChallenge
	}
	key, err := parsePublicKey(a.Leaf().SPKI)
	if err != nil {
		return nil, failed(a, CodeWebAuthnSignature, "the attested key, %s, cannot sign here", a.Leaf().KeyAlgorithm())
	}
	// WebAuthn L3 §8.4, verification procedure, step 2
	if !verifyCOSE(key, o.algorithm, append(bytes.Clone(o.authData), clientDataHash...), o.signature) {
		return nil, failed(a, CodeWebAuthnSignature, "sig does not verify under the attested key with algorithm %d", o.algorithm)
	}
	// step 3
	if !auth.holds(key) {
		return nil, failed(a, CodeWebAuthnKey, "the credential's key is not the attested key")
	}
	return a, nil
}

// failed is a Failure after a whole chain has verified.
func failed(a *Attestation, code, format string, args ...any) *Failure {
	f := fail(code, -1, format, args...)
	f.Unverified = a
	return f
}

// authData is authenticator data with attested credential data, WebAuthn L3
// §6.1 and §6.5.1.
type authData struct {
	rpIDHash []byte
	key      coseKey
}

// coseKey is an EC2 or RSA COSE_Key, RFC 9053, Section 7.1.1 and RFC 8230,
// Section 4. The label -1 is a curve in one and a modulus in the other.
type coseKey struct {
	Type   int64           `cbor:"1,keyasint"`
	CurveN cbor.RawMessage `cbor:"-1,keyasint"`
	XE     []byte          `cbor:"-2,keyasint"`
	Y      []byte          `cbor:"-3,keyasint"`
}

const (
	authDataHead       = 32 + 1 + 4 // rpIdHash, flags, signCount
	flagAttested       = 0x40
	flagExtensions     = 0x80
	credentialDataHead = 16 + 2 // AAGUID, length of the credential ID
)

var errAuthData = errors.New("authenticator data is cut short or has trailing bytes")

func readAuthData(b []byte) (a authData, err error) {
	if len(b) < authDataHead+credentialDataHead || b[32]&flagAttested == 0 {
		return a, errAuthData
	}
	a.rpIDHash = b[:32]
	rest := b[authDataHead:]
	idLength := int(binary.BigEndian.Uint16(rest[16:]))
	if rest = rest[credentialDataHead:]; len(rest) < idLength {
		return a, errAuthData
	}
	if rest, err = cbor.UnmarshalFirst(rest[idLength:], &a.key); err != nil {
		return a, fmt.Errorf("credential key: %w", err)
	}
	if b[32]&flagExtensions != 0 {
		var extensions map[string]cbor.RawMessage
		if rest, err = cbor.UnmarshalFirst(rest, &extensions); err != nil {
			return a, fmt.Errorf("extensions: %w", err)
		}
	}
	if len(rest) != 0 {
		return a, errAuthData
	}
	return a, nil
}

// holds reports whether the credential's key is this key.
func (a *authData) holds(key crypto.PublicKey) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		var curve int64
		if a.key.Type != 2 || cbor.Unmarshal(a.key.CurveN, &curve) != nil {
			return false
		}
		names := map[int64]string{1: "P-256", 2: "P-384", 3: "P-521"}
		point, err := key.Bytes() // 04 x y
		return err == nil && names[curve] == key.Curve.Params().Name &&
			bytes.Equal(point[1:], append(bytes.Clone(a.key.XE), a.key.Y...)) && len(a.key.XE) == len(a.key.Y)
	case *rsa.PublicKey:
		var n []byte
		if a.key.Type != 3 || cbor.Unmarshal(a.key.CurveN, &n) != nil {
			return false
		}
		e := new(big.Int).SetBytes(a.key.XE)
		return new(big.Int).SetBytes(n).Cmp(key.N) == 0 && e.IsInt64() && e.Int64() == int64(key.E)
	}
	return false
}

// verifyCOSE checks a signature of the attested key by its COSE algorithm.
func verifyCOSE(key crypto.PublicKey, cose int64, signed, signature []byte) bool {
	hash, ok := map[int64]crypto.Hash{
		coseES256: crypto.SHA256, coseES384: crypto.SHA384, coseES512: crypto.SHA512, coseRS256: crypto.SHA256,
	}[cose]
	if !ok {
		return false
	}
	var buffer [sha512.Size]byte
	digest := digest(&buffer, hash, signed)
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return cose != coseRS256 && ecdsa.VerifyASN1(key, digest, signature)
	case *rsa.PublicKey:
		return cose == coseRS256 && rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil
	}
	return false
}
