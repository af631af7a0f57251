package appattest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"

	"github.com/staunchid/staunch/internal/cbor"
)

// pointLen is the length of an uncompressed P-256 point, SEC 1, Section 2.3.3.
const pointLen = 65

// spkiPrefix is all of a P-256 SubjectPublicKeyInfo but the point: RFC 5480,
// Section 2, with the named curve secp256r1. DER leaves no other form.
const spkiPrefix = "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00"

// KeyID returns the identifier of a public key, given as DER
// SubjectPublicKeyInfo or as a 65-byte point: SHA-256 of the point.
func KeyID(publicKey []byte) ([]byte, error) {
	_, point, err := parsePublicKey(publicKey)
	if err != nil {
		return nil, err
	}
	return keyIDOf(point), nil
}

func keyIDOf(point []byte) []byte {
	id := sha256.Sum256(point)
	return id[:]
}

// spkiOf returns the DER SubjectPublicKeyInfo of a point.
func spkiOf(point []byte) []byte {
	return append([]byte(spkiPrefix), point...)
}

// parsePublicKey reads a P-256 key in either form.
func parsePublicKey(b []byte) (key *ecdsa.PublicKey, point []byte, err error) {
	point = b
	if len(b) == len(spkiPrefix)+pointLen && strings.HasPrefix(string(b), spkiPrefix) {
		point = b[len(spkiPrefix):]
	}
	key, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: public key: neither the SubjectPublicKeyInfo of a P-256 key nor its point: %w", ErrMalformed, err)
	}
	return key, point, nil
}

// p256Point returns the uncompressed point of a certificate's key, if that is
// on P-256.
func p256Point(publicKey any) ([]byte, bool) {
	key, ok := publicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, false
	}
	point, err := key.Bytes()
	return point, err == nil
}

// coseKeyIs reports whether item is the COSE_Key of this point, with exactly
// the parameters of an ES256 key (RFC 9053, Section 7.1.1; WebAuthn L3 §5.8.5):
// kty EC2, alg ES256, crv P-256, x, y.
func coseKeyIs(item cbor.RawMessage, point []byte) bool {
	var parameters map[int64]cbor.RawMessage
	if !cbor.IsMajor(item, cbor.MajorMap) || cbor.Unmarshal(item, &parameters) != nil || len(parameters) != 5 {
		return false
	}
	x, okX := cbor.Bytes(parameters[-2])
	y, okY := cbor.Bytes(parameters[-3])
	return string(parameters[1]) == "\x02" && // kty: EC2
		string(parameters[3]) == "\x26" && // alg: -7, ES256
		string(parameters[-1]) == "\x01" && // crv: P-256
		okX && okY && len(point) == pointLen &&
		subtle.ConstantTimeCompare(x, point[1:33])&subtle.ConstantTimeCompare(y, point[33:]) == 1
}
