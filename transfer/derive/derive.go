// Package derive has the notation in which the transfer protocol is written
// (spec/transfer.md, "Notation"): how labels and values become the input of a
// hash or a key derivation. Every hash and every key of a transfer is made by it,
// so that no two of them share an input.
//
//	I(l, a, b…) = "staunch/transfer/v1" ‖ 0x00 ‖ L(l) ‖ L(a) ‖ L(b) …
//	T(l, …)     = SHA-256(I(l, …))
//	X(k, l, c, n) = HKDF-Expand-SHA256(k, I(l, c), n)
//
// L(x) is the length of x in 4 bytes, big-endian, then x.
package derive

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

const domain = "staunch/transfer/v1\x00"

// Input is I(label, parts…).
func Input(label string, parts ...[]byte) []byte {
	n := len(domain) + 4 + len(label)
	for _, p := range parts {
		n += 4 + len(p)
	}
	b := append(make([]byte, 0, n), domain...)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(label))), label...)
	for _, p := range parts {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
	}
	return b
}

// Hash is T(label, parts…).
func Hash(label string, parts ...[]byte) [32]byte { return sha256.Sum256(Input(label, parts...)) }

// Key is X(key, label, context, n): n bytes, at most 8,160. The only error is a key
// that FIPS mode refuses.
func Key(key []byte, label string, context []byte, n int) ([]byte, error) {
	out, err := hkdf.Expand(sha256.New, key, string(Input(label, context)), n)
	if err != nil {
		return nil, fmt.Errorf("derive: %s: %w", label, err)
	}
	return out, nil
}

// Extract is HKDF-Extract-SHA256(salt, ikm).
func Extract(salt, ikm []byte) ([]byte, error) {
	out, err := hkdf.Extract(sha256.New, ikm, salt)
	if err != nil {
		return nil, fmt.Errorf("derive: extract: %w", err)
	}
	return out, nil
}
