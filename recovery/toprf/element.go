package toprf

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"

	"github.com/cloudflare/circl/group"
)

// ScalarSize is the length of an encoded scalar in both suites.
const ScalarSize = 32

// Element is an element of the group, never the identity.
type Element struct {
	suite Suite
	e     group.Element
	enc   []byte
}

// Element reads an element. It refuses what is not canonical, and the identity
// (RFC 9497, Section 2.1, DeserializeElement).
func (s Suite) Element(b []byte) (Element, error) {
	if err := s.valid(); err != nil {
		return Element{}, err
	}
	if len(b) != s.ElementSize() {
		return Element{}, fmt.Errorf("%w: an element of %d bytes, not %d", ErrMalformed, len(b), s.ElementSize())
	}
	e := s.group().NewElement()
	if err := e.UnmarshalBinary(b); err != nil {
		return Element{}, fmt.Errorf("%w: no element of %v", ErrMalformed, s)
	}
	el, err := s.element(e)
	if err != nil {
		return Element{}, err
	}
	if !bytes.Equal(el.enc, b) { // RFC 9496, Section 4.3.1: one encoding for each element
		return Element{}, fmt.Errorf("%w: an element that is not canonical", ErrMalformed)
	}
	return el, nil
}

// element is e, which was computed, unless it is the identity.
func (s Suite) element(e group.Element) (Element, error) {
	if e.IsIdentity() {
		return Element{}, fmt.Errorf("%w: the identity", ErrMalformed)
	}
	enc, err := e.MarshalBinaryCompress()
	if err != nil {
		return Element{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return Element{suite: s, e: e, enc: enc}, nil
}

// HashToElement hashes to an element of which nobody knows the logarithm (RFC 9380,
// Section 3, hash_to_curve).
func (s Suite) HashToElement(message []byte, dst string) (Element, error) {
	if err := s.valid(); err != nil {
		return Element{}, err
	}
	return s.element(s.group().HashToElement(message, []byte(dst)))
}

// Bytes is the encoding.
func (e Element) Bytes() []byte { return bytes.Clone(e.enc) }

// Equal reports whether both are the same element of the same suite, and not
// zero values.
func (e Element) Equal(other Element) bool {
	return e.suite == other.suite && e.e != nil && bytes.Equal(e.enc, other.enc)
}

func (e Element) String() string { return hex.EncodeToString(e.enc) }

// in reports an error unless e is an element of the suite.
func (e Element) in(s Suite) error {
	if err := s.valid(); err != nil {
		return err
	}
	if e.suite != s || e.e == nil {
		return fmt.Errorf("%w: an element of another suite, or none", ErrMalformed)
	}
	return nil
}

// Scalar is a secret scalar, never zero.
type Scalar struct {
	suite Suite
	s     group.Scalar
}

// Scalar reads a scalar: 32 bytes, little-endian in Ristretto255, big-endian in
// P256. It refuses what is not below the order, and zero.
func (s Suite) Scalar(b []byte) (Scalar, error) {
	if err := s.valid(); err != nil {
		return Scalar{}, err
	}
	if len(b) != ScalarSize {
		return Scalar{}, fmt.Errorf("%w: a scalar of %d bytes, not %d", ErrMalformed, len(b), ScalarSize)
	}
	k := s.group().NewScalar()
	if err := k.UnmarshalBinary(b); err != nil {
		return Scalar{}, fmt.Errorf("%w: a scalar that is not canonical", ErrMalformed)
	}
	return s.scalar(k)
}

func (s Suite) scalar(k group.Scalar) (Scalar, error) {
	if k.IsZero() {
		return Scalar{}, fmt.Errorf("%w: the scalar zero", ErrMalformed)
	}
	return Scalar{suite: s, s: k}, nil
}

// RandomScalar returns a random scalar that is not zero.
func (s Suite) RandomScalar() (Scalar, error) {
	if err := s.valid(); err != nil {
		return Scalar{}, err
	}
	return Scalar{suite: s, s: s.group().RandomNonZeroScalar(rand.Reader)}, nil
}

// HashToScalar hashes to a scalar: hash_to_field of RFC 9380 with one element of the
// order of the group.
func (s Suite) HashToScalar(message []byte, dst string) (Scalar, error) {
	if err := s.valid(); err != nil {
		return Scalar{}, err
	}
	return s.scalar(s.group().HashToScalar(message, []byte(dst)))
}

// Bytes is the encoding, which is secret.
func (k Scalar) Bytes() [ScalarSize]byte {
	if k.s == nil {
		return [ScalarSize]byte{}
	}
	b, err := k.s.MarshalBinary()
	if err != nil {
		panic("toprf: " + err.Error()) // encoding a scalar does not fail
	}
	return [ScalarSize]byte(b)
}

func (k Scalar) in(s Suite) error {
	if err := s.valid(); err != nil {
		return err
	}
	if k.suite != s || k.s == nil {
		return fmt.Errorf("%w: a scalar of another suite, or none", ErrMalformed)
	}
	return nil
}

const redacted = "[redacted]"

func (Scalar) String() string { return redacted }

// Format prints no secret, whatever the verb.
func (Scalar) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// LogValue logs no secret.
func (Scalar) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps secrets out of JSON.
func (Scalar) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Output is what the function gives: as secret as its input.
type Output []byte

func (Output) String() string { return redacted }

// Format prints no secret, whatever the verb.
func (Output) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// LogValue logs no secret.
func (Output) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps secrets out of JSON.
func (Output) MarshalText() ([]byte, error) { return []byte(redacted), nil }
