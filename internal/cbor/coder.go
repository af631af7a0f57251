package cbor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// Coder writes or reads one data item in the core deterministic form of RFC
// 8949, Section 4.2.1, and nothing else: shortest heads, definite lengths, keys
// in bytewise order, no tags, no floats, and negative numbers only where [Coder.Int]
// is asked for one.
//
// A structure describes itself once, by a function that walks its fields with a
// Coder; the same walk writes and reads it. So what is read is written as the
// same bytes, and there is no encoding of our own structures that is valid and
// not the one we write. After the first error a Coder does nothing more.
type Coder struct {
	reading bool
	buf     []byte // written so far, or still to be read
	err     error
}

// Encode returns what walk writes.
func Encode(walk func(*Coder)) ([]byte, error) {
	return Append(make([]byte, 0, 512), walk) // most of what we write fits, and leaves no copies behind
}

// Append appends what walk writes to b. On an error it returns nil.
func Append(b []byte, walk func(*Coder)) ([]byte, error) {
	c := &Coder{buf: b}
	walk(c)
	if c.err != nil {
		return nil, c.err
	}
	return c.buf, nil
}

// Decode lets walk read b, the whole of it.
func Decode(b []byte, walk func(*Coder)) error {
	rest, err := DecodeFirst(b, walk)
	if err == nil && len(rest) > 0 {
		return fmt.Errorf("cbor: %d bytes after the item", len(rest))
	}
	return err
}

// DecodeFirst lets walk read the first item of b and returns what is left.
func DecodeFirst(b []byte, walk func(*Coder)) (rest []byte, err error) {
	c := &Coder{reading: true, buf: b}
	walk(c)
	return c.buf, c.err
}

// Reading reports whether the walk reads.
func (c *Coder) Reading() bool { return c.reading }

// Err returns the first error.
func (c *Coder) Err() error { return c.err }

// Failf ends the walk with an error, unless it has ended already.
func (c *Coder) Failf(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("cbor: "+format, args...)
	}
}

// putHead writes the head of an item in its shortest form.
func (c *Coder) putHead(major byte, n uint64) {
	m := major << 5
	switch {
	case n < 24:
		c.buf = append(c.buf, m|byte(n))
	case n <= math.MaxUint8:
		c.buf = append(c.buf, m|24, byte(n))
	case n <= math.MaxUint16:
		c.buf = binary.BigEndian.AppendUint16(append(c.buf, m|25), uint16(n))
	case n <= math.MaxUint32:
		c.buf = binary.BigEndian.AppendUint32(append(c.buf, m|26), uint32(n))
	default:
		c.buf = binary.BigEndian.AppendUint64(append(c.buf, m|27), n)
	}
}

var errShort = errors.New("cbor: the item is cut short")

// peekHead reads a head without consuming it: its major type, its number, and
// its length in bytes.
func (c *Coder) peekHead() (major byte, n uint64, size int, err error) {
	if len(c.buf) == 0 {
		return 0, 0, 0, errShort
	}
	major, info := c.buf[0]>>5, c.buf[0]&31
	if info < 24 {
		return major, uint64(info), 1, nil
	}
	if info > 27 {
		return 0, 0, 0, errors.New("cbor: an indefinite length, or a reserved head")
	}
	size = 1 + 1<<(info-24)
	if len(c.buf) < size {
		return 0, 0, 0, errShort
	}
	for _, b := range c.buf[1:size] {
		n = n<<8 | uint64(b)
	}
	least := [...]uint64{24, math.MaxUint8 + 1, math.MaxUint16 + 1, math.MaxUint32 + 1}[info-24]
	if n < least { // RFC 8949, Section 4.2.1: the shortest form
		return 0, 0, 0, errors.New("cbor: a number longer than it needs to be")
	}
	return major, n, size, nil
}

// head writes n, or reads the head of an item of this major type.
func (c *Coder) head(major byte, n uint64) uint64 {
	if c.err != nil {
		return 0
	}
	if !c.reading {
		c.putHead(major, n)
		return n
	}
	got, n, size, err := c.peekHead()
	if err != nil {
		c.err = err
		return 0
	}
	if got != major {
		c.Failf("major type %d where %d belongs", got, major)
		return 0
	}
	c.buf = c.buf[size:]
	return n
}

// Uint is an unsigned number from lo to hi.
func Uint[T ~uint8 | ~uint16 | ~uint32 | ~uint64](c *Coder, v *T, lo, hi uint64) {
	hi = min(hi, uint64(^T(0)))
	n := c.head(MajorUnsigned, uint64(*v))
	if c.err != nil {
		return
	}
	if n < lo || n > hi {
		c.Failf("%d is not within %d and %d", n, lo, hi)
		return
	}
	if c.reading { // what is written may be read by others meanwhile
		*v = T(n)
	}
}

// Int is a number from lo to hi, of either sign.
func (c *Coder) Int(v *int64, lo, hi int64) {
	major, n := byte(MajorUnsigned), uint64(*v)
	if *v < 0 {
		major, n = MajorNegative, ^uint64(*v) // RFC 8949, Section 3.1: -1-n
	}
	if c.reading && c.err == nil {
		var err error
		if major, _, _, err = c.peekHead(); err != nil {
			c.err = err
			return
		}
		if major != MajorNegative { // head says what is wrong with other types
			major = MajorUnsigned
		}
	}
	n = c.head(major, n)
	if c.err != nil {
		return
	}
	if n > math.MaxInt64 {
		c.Failf("a number beyond 63 bits")
		return
	}
	i := int64(n)
	if major == MajorNegative {
		i = ^i
	}
	if i < lo || i > hi {
		c.Failf("%d is not within %d and %d", i, lo, hi)
		return
	}
	if c.reading {
		*v = i
	}
}

// Const is the number n and no other.
func (c *Coder) Const(n uint64) { Uint(c, &n, n, n) }

// octets is the body of a byte or text string of lo to hi bytes. What it
// returns while reading is part of the input.
func (c *Coder) octets(major byte, v []byte, lo, hi int) []byte {
	n := c.head(major, uint64(len(v)))
	if c.err != nil {
		return nil
	}
	if n < uint64(lo) || n > uint64(hi) {
		c.Failf("%d bytes, not within %d and %d", n, lo, hi)
		return nil
	}
	if !c.reading {
		c.buf = append(c.buf, v...)
		return v
	}
	if n > uint64(len(c.buf)) {
		c.err = errShort
		return nil
	}
	v, c.buf = c.buf[:n], c.buf[n:]
	return v
}

// Octets is a byte string of lo to hi bytes. Reading makes a copy.
func Octets[T ~[]byte](c *Coder, v *T, lo, hi int) {
	b := c.octets(MajorBytes, *v, lo, hi)
	if c.err == nil && c.reading {
		*v = append(make(T, 0, len(b)), b...)
	}
}

// Fixed is a byte string of exactly the length of v.
func (c *Coder) Fixed(v []byte) {
	if b := c.octets(MajorBytes, v, len(v), len(v)); c.err == nil && c.reading {
		copy(v, b)
	}
}

// String is a text string of lo to hi bytes, valid UTF-8.
func String[T ~string](c *Coder, v *T, lo, hi int) {
	b := c.octets(MajorText, []byte(*v), lo, hi)
	if c.err != nil {
		return
	}
	if !utf8.Valid(b) { // RFC 8949, Section 5.3.1
		c.Failf("text that is not UTF-8")
		return
	}
	if c.reading {
		*v = T(b)
	}
}

// Label is the text s and no other.
func (c *Coder) Label(s string) {
	got := s
	if String(c, &got, 0, math.MaxInt32); c.err == nil && got != s {
		c.Failf("%.40q where %q belongs", got, s)
	}
}

// The simple values, RFC 8949, Section 3.3.
const (
	simpleFalse = 0xf4
	simpleTrue  = 0xf5
	simpleNull  = 0xf6
)

// Bool is true or false.
func (c *Coder) Bool(v *bool) {
	switch {
	case c.err != nil:
	case !c.reading && *v:
		c.buf = append(c.buf, simpleTrue)
	case !c.reading:
		c.buf = append(c.buf, simpleFalse)
	case len(c.buf) == 0:
		c.err = errShort
	case c.buf[0] != simpleTrue && c.buf[0] != simpleFalse:
		c.Failf("neither true nor false")
	default:
		*v = c.buf[0] == simpleTrue
		c.buf = c.buf[1:]
	}
}

// Null stands before an item that may be null. Writing, it writes null unless
// there is something; reading, it consumes null if that comes. It reports
// whether the item itself is still to be walked.
func (c *Coder) Null(something bool) bool {
	switch {
	case c.err != nil:
		return false
	case !c.reading:
		if !something {
			c.buf = append(c.buf, simpleNull)
		}
		return something
	case len(c.buf) == 0:
		c.err = errShort
		return false
	case c.buf[0] == simpleNull:
		c.buf = c.buf[1:]
		return false
	}
	return true
}

// Array is the head of an array of exactly n elements.
func (c *Coder) Array(n int) { c.List(n, n, n) }

// List is the head of an array of lo to hi elements. It returns how many there
// are, 0 after an error.
func (c *Coder) List(n, lo, hi int) int { return c.count(MajorArray, n, lo, hi) }

func (c *Coder) count(major byte, n, lo, hi int) int {
	got := c.head(major, uint64(n))
	if c.err != nil {
		return 0
	}
	if got < uint64(lo) || got > uint64(hi) {
		c.Failf("%d elements, not within %d and %d", got, lo, hi)
		return 0
	}
	return int(got)
}

// Slice is an array of lo to hi elements, each walked by element.
func Slice[T any](c *Coder, v *[]T, lo, hi int, element func(*T)) {
	n := c.List(len(*v), lo, hi)
	if c.err != nil {
		return
	}
	if c.reading {
		*v = nil
	}
	for i := range n {
		if c.reading {
			*v = append(*v, *new(T))
		}
		if element(&(*v)[i]); c.err != nil {
			return
		}
	}
}

// TextKeys is a map from texts of at most keyMax bytes, with lo to hi pairs.
func TextKeys[T any](c *Coder, v *map[string]T, keyMax, lo, hi int, value func(*T)) {
	n := c.count(MajorMap, len(*v), lo, hi)
	if c.err != nil {
		return
	}
	var keys []string
	if c.reading {
		*v = make(map[string]T, n)
	} else {
		keys = sortedKeys(*v)
	}
	last := ""
	for i := range n {
		var key string
		if !c.reading {
			key = keys[i]
		}
		String(c, &key, 0, keyMax)
		if i > 0 && c.err == nil && !keyLess(last, key) { // RFC 8949, Section 4.2.1: in order, and none twice
			c.Failf("keys out of order")
		}
		last = key
		val := (*v)[key]
		if c.err == nil {
			value(&val)
		}
		if c.err != nil {
			return
		}
		if c.reading {
			(*v)[key] = val
		}
	}
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if keyLess(a, b) {
			return -1
		}
		return 1
	})
	return keys
}

// keyLess is the bytewise order of the encodings: of text, the shorter first.
func keyLess(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}
