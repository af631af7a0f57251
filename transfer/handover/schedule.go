package handover

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/staunchid/staunch/transfer/derive"
)

// The key schedule (spec/transfer.md, "Keys"): the shape of RFC 8446, Section 7.1,
// where the secret of the code takes the place of the PSK, and the KEM's that of
// the key exchange. Who has only one of the two has nothing.

// kem, kdf and aead are suite 1.
func kem() hpke.KEM   { return hpke.MLKEM768X25519() }
func kdf() hpke.KDF   { return hpke.HKDFSHA256() }
func aead() hpke.AEAD { return hpke.AES256GCM() }

// exported is x: what the KEM alone gives. It is bound to th0 by the info, and to
// th1 by the context of the export.
type exported interface {
	Export(context string, length int) ([]byte, error)
}

func exportKey(ctx exported, th1 [32]byte) ([]byte, error) {
	x, err := ctx.Export(string(derive.Input("export", th1[:])), 32)
	if err != nil {
		return nil, fmt.Errorf("handover: export: %w", err)
	}
	return x, nil
}

func hpkeInfo(th0 [32]byte) []byte { return derive.Input("hpke", th0[:]) }

// beaconKey is K_eid: 32 bytes for the block, 32 for the HMAC.
func beaconKey(qs Secret, id [16]byte) ([]byte, error) {
	q, err := derive.Extract(make([]byte, 32), qs[:])
	if err != nil {
		return nil, err
	}
	return derive.Key(q, "eid", id[:], 64)
}

// rootKey is K0.
func rootKey(qs Secret, p Proximity, x []byte, th1 [32]byte) (k Secret, err error) {
	psk, err := derive.Extract(make([]byte, 32), append(qs[:], p[:]...))
	if err != nil {
		return k, err
	}
	salt, err := derive.Key(psk, "derived", th1[:], 32)
	if err != nil {
		return k, err
	}
	b, err := derive.Extract(salt, x)
	copy(k[:], b)
	return k, err
}

// Who made a MAC: C's and N's have keys of their own, so that neither's message
// comes back as the other's.
const (
	macOfC = "mac c"
	macOfN = "mac n"
)

// mac is HMAC-SHA256 over a transcript value, by K_mac_c or K_mac_n.
func mac(k0 Secret, label string, th1, value [32]byte) ([]byte, error) {
	k, err := derive.Key(k0[:], label, th1[:], 32)
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, k)
	m.Write(value[:])
	return m.Sum(nil), nil
}

// number is what C shows and N's person types.
func number(k0 Secret, th2 [32]byte) (string, error) {
	b, err := derive.Key(k0[:], "number", th2[:], 8)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(b)%1_000_000), nil
}

// sharedKey is K_bulk or K_secret: what K0 gives only together with a share that
// the server keeps until it may be used.
func sharedKey(k0 Secret, label string, th4 [32]byte, share Secret) ([]byte, error) {
	ikm, err := derive.Key(k0[:], label, th4[:], 32)
	if err != nil {
		return nil, err
	}
	return derive.Extract(share[:], ikm)
}

// secretsBox is AES-256-GCM under K_secret. Its nonce is zero, since the share, and
// with it the key, is fresh in every grant.
func secretsBox(k0 Secret, th4 [32]byte, share Secret) (cipher.AEAD, error) {
	k, err := sharedKey(k0, "secret", th4, share)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, fmt.Errorf("handover: secrets: %w", err)
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("handover: secrets: %w", err)
	}
	return box, nil
}
