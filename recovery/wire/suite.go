package wire

import (
	"crypto/ecdh"
	"crypto/hpke"
	"fmt"

	"github.com/staunchid/staunch/internal/cbor"
)

// Suite is a choice of algorithms.
type Suite uint8

const (
	// Suite1 is ristretto255-SHA512, MLKEM768-X25519 and Ed25519: the default.
	Suite1 Suite = 1
	// Suite2 is P256-SHA256, DHKEM(P-256) and ECDSA P-256, where FIPS algorithms
	// are demanded.
	Suite2 Suite = 2
)

// Valid reports whether there is such a suite.
func (s Suite) Valid() bool { return s == Suite1 || s == Suite2 }

func (s Suite) String() string {
	switch s {
	case Suite1:
		return "ristretto255-mlkem768x25519-ed25519"
	case Suite2:
		return "p256"
	}
	return fmt.Sprintf("suite(%d)", uint8(s))
}

// pick is a when s is Suite1, b when it is Suite2, and otherwise zero, which is
// the length of nothing.
func pick[T any](s Suite, a, b T) (none T) {
	switch s {
	case Suite1:
		return a
	case Suite2:
		return b
	}
	return none
}

// ScalarSize is the length of a scalar in both suites.
const ScalarSize = 32

// ElementSize is the length of an element.
func (s Suite) ElementSize() int { return pick(s, 32, 33) }

// PublicSize is the length of a manage key.
func (s Suite) PublicSize() int { return pick(s, 32, 33) }

// HPKEPublicSize is the length of a vault's HPKE public key.
func (s Suite) HPKEPublicSize() int { return pick(s, 1216, 65) }

// EncapsulationSize is the length of what HPKE puts before a ciphertext.
func (s Suite) EncapsulationSize() int { return pick(s, 1120, 65) }

// OutputSize is the length of the OPRF's output, rwd.
func (s Suite) OutputSize() int { return pick(s, 64, 32) }

func (s Suite) kem() (hpke.KEM, error) {
	switch s {
	case Suite1:
		return hpke.MLKEM768X25519(), nil
	case Suite2:
		return hpke.DHKEM(ecdh.P256()), nil
	}
	return nil, fmt.Errorf("%w: there is no suite %d", ErrMalformed, s)
}

func (s *Suite) code(c *cbor.Coder) { cbor.Uint(c, s, uint64(Suite1), uint64(Suite2)) }

// codeSized walks an element or public key of which the suite is known.
func codeSized[T ~[]byte](c *cbor.Coder, v *T, size int) { cbor.Octets(c, v, size, size) }
