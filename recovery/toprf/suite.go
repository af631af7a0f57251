package toprf

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/group"
)

var (
	// ErrMalformed: bytes are no element or scalar of the suite, an index is out
	// of range, or there is no such suite. Whoever sent them is broken or lies.
	ErrMalformed = errors.New("toprf: malformed")

	// ErrProof: the evaluation was not made with the share behind the public
	// key. Leave this server out, and report it.
	ErrProof = errors.New("toprf: the proof of an evaluation is wrong")

	// ErrShares: too few or too many shares, an index twice, or shares that do
	// not lie on one polynomial: ask for proofs to learn whose is wrong.
	ErrShares = errors.New("toprf: the shares do not fit together")
)

// Suite is a group and a hash. The zero value refuses everything.
type Suite uint8

const (
	// Ristretto255 is ristretto255-SHA512 (RFC 9497, Section 4.1).
	Ristretto255 Suite = 1
	// P256 is P256-SHA256 (RFC 9497, Section 4.3).
	P256 Suite = 2
)

// The domain of the blinding scalar, and the mode and version of RFC 9497.
const (
	blindDST   = "staunch/kr1/blind"
	modeVOPRF  = 0x01
	versionTag = "OPRFV1-" // RFC 9497, Section 3.1
)

// MaxShares bounds n: indices are 1 to 255.
const MaxShares = 255

func (s Suite) valid() error {
	if s != Ristretto255 && s != P256 {
		return fmt.Errorf("%w: there is no suite %d", ErrMalformed, uint8(s))
	}
	return nil
}

func (s Suite) String() string {
	switch s {
	case Ristretto255:
		return "ristretto255-SHA512"
	case P256:
		return "P256-SHA256"
	}
	return fmt.Sprintf("suite(%d)", uint8(s))
}

// group and hash are asked only after valid.
func (s Suite) group() group.Group {
	if s == P256 {
		return group.P256
	}
	return group.Ristretto255
}

func (s Suite) hash() crypto.Hash {
	if s == P256 {
		return crypto.SHA256
	}
	return crypto.SHA512
}

// context is the contextString of RFC 9497, Section 3.1.
func (s Suite) context() string { return versionTag + string(rune(modeVOPRF)) + "-" + s.String() }

// ElementSize is the length of an encoded element: 0 of no suite.
func (s Suite) ElementSize() int {
	if s.valid() != nil {
		return 0
	}
	return int(s.group().Params().CompressedElementLength)
}
