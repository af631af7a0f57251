// Package der walks DER, strictly where it must be and leniently nowhere:
// it reads tags, lengths and a handful of primitive types, and leaves it to
// its caller to decide which departures of a value it tolerates.
//
// It exists because the readers at hand are wrong for what phones write
// (X.690 is the specification). encoding/asn1 leaves a struct's fields at zero
// when tags are out of order, and zero is a meaning: origin 0 is GENERATED.
// golang.org/x/crypto/cryptobyte refuses tag numbers above 30, which is where
// Android's begin. crypto/x509 refuses certificates of good phones.
//
// A Reader refuses indefinite and non-minimal lengths, lengths that run past
// the end, tag numbers above 2^24 or in a longer form than they need, and more
// than MaxDepth levels. It never allocates for the input it walks: every slice
// it hands out points into the input.
//
//	seq, err := der.Open(input, der.Sequence) // exactly one SEQUENCE, no trailing bytes
//	if err != nil {
//		return err
//	}
//	version, err := seq.Expect(der.Integer)
package der

import (
	"errors"
	"fmt"
)

// ErrSyntax: the bytes are not DER, or not of the shape that was asked for.
var ErrSyntax = errors.New("der: malformed")

// Bounds on what is walked.
const (
	MaxDepth = 8       // levels of constructed values
	MaxTag   = 1 << 24 // tag number
)

// The classes of a tag, X.690 §8.1.2.2.
const (
	Universal       = 0
	Application     = 1
	ContextSpecific = 2
	Private         = 3
)

// Universal tag numbers, X.680 §8.4.
const (
	Boolean         = 1
	Integer         = 2
	BitString       = 3
	OctetString     = 4
	Null            = 5
	ObjectID        = 6
	Enumerated      = 10
	UTF8String      = 12
	Sequence        = 16
	Set             = 17
	UTCTime         = 23
	GeneralizedTime = 24
)

// Element is one value: its tag, its contents, and both together.
type Element struct {
	Tag         uint32
	Class       uint8
	Constructed bool
	depth       uint8
	Body        []byte // contents octets
	Full        []byte // identifier, length and contents octets
}

// Is reports whether e has the universal tag, in the form (primitive or
// constructed) that DER gives that type.
func (e Element) Is(tag uint32) bool {
	return e.Class == Universal && e.Tag == tag && e.Constructed == (tag == Sequence || tag == Set)
}

// IsContext reports whether e is context-specific and constructed with this
// number: an EXPLICIT tag.
func (e Element) IsContext(tag uint32) bool {
	return e.Class == ContextSpecific && e.Tag == tag && e.Constructed
}

// Open returns a Reader of the values inside e. It fails if e is primitive or
// lies too deep.
func (e Element) Open() (Reader, error) {
	if !e.Constructed {
		return Reader{}, fmt.Errorf("%w: tag %d is primitive", ErrSyntax, e.Tag)
	}
	if e.depth >= MaxDepth {
		return Reader{}, fmt.Errorf("%w: more than %d levels", ErrSyntax, MaxDepth)
	}
	return Reader{rest: e.Body, depth: e.depth + 1}, nil
}

// Only returns the single value inside e; anything beside it is an error.
func (e Element) Only() (Element, error) {
	r, err := e.Open()
	if err != nil {
		return Element{}, err
	}
	inner, err := r.Next()
	if err != nil {
		return Element{}, err
	}
	return inner, r.Done()
}

// Reader reads values one after the other. The zero Reader is empty.
type Reader struct {
	rest  []byte
	depth uint8
}

// NewReader returns a Reader of the values that are concatenated in b.
func NewReader(b []byte) Reader { return Reader{rest: b} }

// Open returns a Reader of the values inside the one constructed value with
// this universal tag that b consists of.
func Open(b []byte, tag uint32) (Reader, error) {
	r := NewReader(b)
	e, err := r.Expect(tag)
	if err != nil {
		return Reader{}, err
	}
	if err := r.Done(); err != nil {
		return Reader{}, err
	}
	return e.Open()
}

// Empty reports whether nothing is left.
func (r *Reader) Empty() bool { return len(r.rest) == 0 }

// Rest returns the bytes that are left.
func (r *Reader) Rest() []byte { return r.rest }

// Done fails if something is left: trailing bytes are never ignored.
func (r *Reader) Done() error {
	if len(r.rest) != 0 {
		return fmt.Errorf("%w: %d trailing bytes", ErrSyntax, len(r.rest))
	}
	return nil
}

// Expect reads the next value, which must have this universal tag.
func (r *Reader) Expect(tag uint32) (e Element, err error) {
	err = r.expect(tag, &e)
	return e, err
}

// expect is Expect without a copy.
func (r *Reader) expect(tag uint32, e *Element) error {
	if err := r.next(e); err != nil {
		return err
	}
	if e.Class != Universal || e.Tag != tag || e.Constructed != (tag == Sequence || tag == Set) {
		return fmt.Errorf("%w: universal tag %d expected, class %d tag %d found", ErrSyntax, tag, e.Class, e.Tag)
	}
	return nil
}

// Optional reads the next value if it has this universal tag, and leaves it
// where it is otherwise.
func (r *Reader) Optional(tag uint32) (e Element, ok bool, err error) {
	if r.Empty() {
		return Element{}, false, nil
	}
	before := *r
	if e, err = r.Next(); err != nil {
		return Element{}, false, err
	}
	if !e.Is(tag) {
		*r = before
		return Element{}, false, nil
	}
	return e, true, nil
}

// OptionalContext reads the next value if it is context-specific with this
// number, primitive or constructed, and leaves it where it is otherwise.
func (r *Reader) OptionalContext(tag uint32) (e Element, ok bool, err error) {
	if r.Empty() {
		return Element{}, false, nil
	}
	before := *r
	if e, err = r.Next(); err != nil {
		return Element{}, false, err
	}
	if e.Class != ContextSpecific || e.Tag != tag {
		*r = before
		return Element{}, false, nil
	}
	return e, true, nil
}

// Next reads the next value, whatever it is.
func (r *Reader) Next() (e Element, err error) {
	err = r.next(&e)
	return e, err
}

// next is Next without a copy.
func (r *Reader) next(e *Element) error {
	b := r.rest
	if len(b) < 2 {
		return fmt.Errorf("%w: cut short", ErrSyntax)
	}
	e.Tag, e.Class, e.Constructed, e.depth = uint32(b[0]&0x1f), b[0]>>6, b[0]&0x20 != 0, r.depth
	n := 1
	if e.Tag == 0x1f { // X.690 §8.1.2.4: high tag number form
		var err error
		if e.Tag, n, err = highTag(b); err != nil {
			return err
		}
	}
	var length int
	if n < len(b) && b[n] < 0x80 { // the short form, most often
		length = int(b[n])
		n++
	} else {
		l, m, err := bodyLength(b[n:])
		if err != nil {
			return err
		}
		length = l
		n += m
	}
	if length > len(b)-n {
		return fmt.Errorf("%w: length %d with %d bytes left", ErrSyntax, length, len(b)-n)
	}
	end := n + length
	e.Full, e.Body, r.rest = b[:end:end], b[n:end:end], b[end:]
	return nil
}

// highTag reads the tag number that begins at b[1] and returns how many
// identifier octets there are.
func highTag(b []byte) (tag uint32, n int, err error) {
	for n = 1; n < len(b); n++ {
		if n == 1 && b[n] == 0x80 {
			return 0, 0, fmt.Errorf("%w: tag number with leading zeros", ErrSyntax) // X.690 §8.1.2.4.2 c
		}
		tag = tag<<7 | uint32(b[n]&0x7f)
		if tag > MaxTag {
			return 0, 0, fmt.Errorf("%w: tag number above %d", ErrSyntax, MaxTag)
		}
		if b[n]&0x80 == 0 {
			if tag < 0x1f {
				return 0, 0, fmt.Errorf("%w: tag %d in the long form", ErrSyntax, tag)
			}
			return tag, n + 1, nil
		}
	}
	return 0, 0, fmt.Errorf("%w: tag cut short", ErrSyntax)
}

// bodyLength reads length octets in the long form at the start of b: definite
// and minimal, X.690 §10.1.
func bodyLength(b []byte) (length, n int, err error) {
	if len(b) == 0 {
		return 0, 0, fmt.Errorf("%w: length cut short", ErrSyntax)
	}
	n = int(b[0] & 0x7f)
	switch {
	case n == 0:
		return 0, 0, fmt.Errorf("%w: indefinite length", ErrSyntax)
	case n > 4:
		return 0, 0, fmt.Errorf("%w: length of %d octets", ErrSyntax, n)
	case len(b) <= n:
		return 0, 0, fmt.Errorf("%w: length cut short", ErrSyntax)
	}
	var v uint64
	for _, c := range b[1 : 1+n] {
		v = v<<8 | uint64(c)
	}
	if v < 0x80 || b[1] == 0 || v > 1<<31-1 {
		return 0, 0, fmt.Errorf("%w: length not in its shortest form", ErrSyntax)
	}
	return int(v), 1 + n, nil
}
