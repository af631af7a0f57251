package passkeytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // RS1, which a Relying Party must refuse
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/staunchid/staunch/internal/cbor"
)

// COSE algorithms, by the names of the IANA registry.
const (
	algES256 = -7
	algEdDSA = -8
	algES384 = -35
	algES512 = -36
	algPS256 = -37
	algPS384 = -38
	algPS512 = -39
	algRS256 = -257
	algRS384 = -258
	algRS512 = -259
	algRS1   = -65535
)

// hashOf returns the hash of an algorithm, and nil for one that is not known.
// EdDSA hashes nothing beforehand.
func hashOf(alg int) *crypto.Hash {
	var h crypto.Hash
	switch alg {
	case algEdDSA:
	case algES256, algPS256, algRS256:
		h = crypto.SHA256
	case algES384, algPS384, algRS384:
		h = crypto.SHA384
	case algES512, algPS512, algRS512:
		h = crypto.SHA512
	case algRS1:
		h = crypto.SHA1
	default:
		return nil
	}
	return &h
}

func generateKey(alg int) (crypto.Signer, error) {
	switch alg {
	case algEdDSA:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case algES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case algES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case algES512:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	default:
		return rsa.GenerateKey(rand.Reader, 2048)
	}
}

// fits reports whether key is of the kind that the algorithm needs.
func fits(key crypto.Signer, alg int) bool {
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return alg == algEdDSA
	case *ecdsa.PrivateKey:
		return map[int]int{algES256: 256, algES384: 384, algES512: 521}[alg] == key.Curve.Params().BitSize
	case *rsa.PrivateKey:
		return alg == algRS1 || alg <= algPS256 && alg >= algPS512 || alg <= algRS256 && alg >= algRS512
	}
	return false
}

// sign signs message with a key as the COSE algorithm says; ECDSA signatures
// are in ASN.1 (WebAuthn L3 §6.5.5).
func sign(key crypto.Signer, alg int, message []byte) ([]byte, error) {
	hash := hashOf(alg)
	if hash == nil {
		return nil, fmt.Errorf("passkeytest: cannot sign with COSE algorithm %d", alg)
	}
	digest, opts := message, crypto.SignerOpts(*hash)
	if *hash != 0 {
		h := hash.New()
		h.Write(message)
		digest = h.Sum(nil)
	}
	switch alg {
	case algPS256, algPS384, algPS512:
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: *hash}
	}
	sig, err := key.Sign(rand.Reader, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("passkeytest: signing: %w", err)
	}
	return sig, nil
}

// coseKey encodes a public key (RFC 9052, Section 7; RFC 9053, Section 7; RFC
// 8230, Section 4).
func coseKey(pub crypto.PublicKey, alg int) ([]byte, error) {
	switch pub := pub.(type) {
	case *ecdsa.PublicKey:
		point, err := pub.Bytes() // 4, X, Y
		if err != nil {
			return nil, fmt.Errorf("passkeytest: %w", err)
		}
		curve := map[int]int{256: 1, 384: 2, 521: 3}[pub.Curve.Params().BitSize]
		size := (len(point) - 1) / 2
		return cbor.Marshal(map[int]any{1: 2, 3: alg, -1: curve, -2: point[1 : 1+size], -3: point[1+size:]})
	case ed25519.PublicKey:
		return cbor.Marshal(map[int]any{1: 1, 3: alg, -1: 6, -2: []byte(pub)})
	case *rsa.PublicKey:
		return cbor.Marshal(map[int]any{1: 3, 3: alg, -1: pub.N.Bytes(), -2: big.NewInt(int64(pub.E)).Bytes()})
	}
	return nil, fmt.Errorf("passkeytest: no COSE key for %T", pub)
}

// authenticatorData lays out WebAuthn L3 §6.1.
func authenticatorData(rpIDHash []byte, flags byte, count uint32, attested, extensions []byte) []byte {
	out := append([]byte(nil), rpIDHash...)
	out = binary.BigEndian.AppendUint32(append(out, flags), count)
	return append(append(out, attested...), extensions...)
}

// attestedCredentialData lays out WebAuthn L3 §6.5.1.
func attestedCredentialData(aaguid, id, key []byte) []byte {
	out := binary.BigEndian.AppendUint16(append([]byte(nil), aaguid...), uint16(len(id)))
	return append(append(out, id...), key...)
}
