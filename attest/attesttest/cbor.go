package attesttest

import (
	"crypto/ecdsa"

	"github.com/staunchid/staunch/internal/cbor"
)

// encodeCBOR is for values whose types this package chooses.
func encodeCBOR(v any) []byte {
	b, err := cbor.Marshal(v)
	if err != nil {
		panic("attesttest: " + err.Error()) // only maps, texts, bytes and integers get here
	}
	return b
}

// provisioningInfo is the content of the batch certificate's extension .30.
func provisioningInfo(issued int64, manufacturer string) []byte {
	return encodeCBOR(map[int]any{1: issued, 3: manufacturer})
}

// coseKey encodes an EC2 public key (RFC 9053, Section 7.1.1) with the
// algorithm that belongs to its curve.
func coseKey(key *ecdsa.PublicKey) []byte {
	point := ecPoint(key)
	size := (len(point) - 1) / 2
	curve, alg := 1, -7
	switch size {
	case 48:
		curve, alg = 2, -35
	case 66:
		curve, alg = 3, -36
	}
	return encodeCBOR(map[int]any{1: 2, 3: alg, -1: curve, -2: point[1 : 1+size], -3: point[1+size:]})
}

// ecPoint is the uncompressed point (SEC 1, Section 2.3.3).
func ecPoint(key *ecdsa.PublicKey) []byte {
	b, err := key.Bytes()
	if err != nil {
		panic("attesttest: " + err.Error()) // only keys on the standard curves get here
	}
	return b
}
