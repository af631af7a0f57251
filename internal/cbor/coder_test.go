package cbor_test

import (
	"bytes"
	"math"
	"sync"
	"testing"

	"github.com/staunchid/staunch/internal/cbor"
)

// item has one member of each kind that a Coder knows.
type item struct {
	small  uint8
	large  uint64
	octets []byte
	fixed  [4]byte
	text   string
	yes    bool
	maybe  *uint32
	many   []uint16
	keys   map[string]uint8
	extra  []byte // optional
}

func (v *item) code(c *cbor.Coder) {
	c.Map(func(f *cbor.Fields) {
		f.Key(1)
		c.Label("item")
		f.Key(2)
		c.Array(9)
		cbor.Uint(c, &v.small, 1, 200)
		cbor.Uint(c, &v.large, 0, math.MaxUint64)
		cbor.Octets(c, &v.octets, 0, 300)
		c.Fixed(v.fixed[:])
		cbor.String(c, &v.text, 0, 10)
		c.Bool(&v.yes)
		if c.Null(v.maybe != nil) {
			if c.Reading() {
				v.maybe = new(uint32)
			}
			cbor.Uint(c, v.maybe, 0, math.MaxUint32)
		}
		cbor.Slice(c, &v.many, 0, 3, func(n *uint16) { cbor.Uint(c, n, 0, math.MaxUint16) })
		cbor.TextKeys(c, &v.keys, 3, 0, 3, func(n *uint8) { cbor.Uint(c, n, 0, math.MaxUint8) })
		if f.Optional(3, v.extra != nil) {
			cbor.Octets(c, &v.extra, 0, 3)
		}
		f.Key(5)
		c.Const(1)
	})
}

func fullItem() *item {
	n := uint32(70_000)
	return &item{
		small: 200, large: 1 << 40, octets: make([]byte, 300), fixed: [4]byte{1, 2, 3, 4}, text: "é", yes: true, maybe: &n,
		many: []uint16{23, 24, 256}, keys: map[string]uint8{"b": 1, "aa": 2, "a": 3}, extra: []byte{},
	}
}

// TestCoder: what is written is what the other encoder writes, and is read back.
func TestCoder(t *testing.T) {
	for _, v := range []*item{fullItem(), {small: 1}} {
		b, err := cbor.Encode(v.code)
		if err != nil {
			t.Fatal(err)
		}
		var any any
		if err := cbor.Unmarshal(b, &any); err != nil {
			t.Fatal(err)
		}
		if other, err := cbor.Marshal(any); err != nil || !bytes.Equal(other, b) {
			t.Errorf("%x, the other encoder %x, %v", b, other, err)
		}
		var got item
		if err := cbor.Decode(b, got.code); err != nil {
			t.Fatal(err)
		}
		if again, err := cbor.Encode(got.code); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x is written again as %x, %v", b, again, err)
		}
		for i := range b {
			if cbor.Decode(b[:i], new(item).code) == nil {
				t.Errorf("the first %d of %d bytes are read", i, len(b))
			}
		}
	}
}

// TestCoderRefuses: one walk each, and what it must not read.
func TestCoderRefuses(t *testing.T) {
	var (
		n  uint8
		n4 uint64
		b  []byte
		s  string
		y  bool
		l  []uint8
		m  map[string]uint8
	)
	number := func(c *cbor.Coder) { cbor.Uint(c, &n4, 0, math.MaxUint64) }
	octets := func(c *cbor.Coder) { cbor.Octets(c, &b, 1, 2) }
	text := func(c *cbor.Coder) { cbor.String(c, &s, 1, 2) }
	array := func(c *cbor.Coder) { cbor.Slice(c, &l, 1, 2, func(v *uint8) { cbor.Uint(c, v, 0, 9) }) }
	keys := func(c *cbor.Coder) { cbor.TextKeys(c, &m, 2, 1, 2, func(v *uint8) { cbor.Uint(c, v, 0, 9) }) }
	fields := func(c *cbor.Coder) {
		c.Map(func(f *cbor.Fields) {
			f.Key(1)
			cbor.Uint(c, &n, 0, 9)
			if f.Optional(2, true) {
				cbor.Uint(c, &n, 0, 9)
			}
		})
	}
	for _, c := range []struct {
		name, in string
		walk     func(*cbor.Coder)
		ok       bool
	}{
		{"23", "17", number, true},
		{"24", "1818", number, true},
		{"2^64-1", "1bffffffffffffffff", number, true},
		{"23 in two bytes", "1817", number, false}, // RFC 8949, Section 4.2.1
		{"255 in three", "1900ff", number, false},
		{"65535 in five", "1a0000ffff", number, false},
		{"2^32-1 in nine", "1b00000000ffffffff", number, false},
		{"a negative number", "20", number, false},
		{"a tag", "c100", number, false},
		{"a float", "f93c00", number, false},
		{"reserved", "1c", number, false},
		{"a head cut short", "1b00", number, false},
		{"nothing", "", number, false},
		{"two items", "0000", number, false},
		{"below", "00", func(c *cbor.Coder) { cbor.Uint(c, &n, 1, 5) }, false},
		{"above", "06", func(c *cbor.Coder) { cbor.Uint(c, &n, 1, 5) }, false},
		{"above the type", "190100", func(c *cbor.Coder) { cbor.Uint(c, &n, 0, math.MaxUint64) }, false},
		{"another constant", "02", func(c *cbor.Coder) { c.Const(1) }, false},

		{"octets", "4100", octets, true},
		{"octets, a longer head", "580100", octets, false},
		{"no octets", "40", octets, false},
		{"three octets", "43000000", octets, false},
		{"octets cut short", "4200", octets, false},
		{"indefinite octets", "5f4100ff", octets, false},
		{"text for octets", "6161", octets, false},
		{"numbers for octets", "8101", octets, false},
		{"null for octets", "f6", octets, false},
		{"2^63 octets", "5b8000000000000000", octets, false},
		{"fixed", "420102", func(c *cbor.Coder) { c.Fixed(make([]byte, 2)) }, true},
		{"fixed, shorter", "4101", func(c *cbor.Coder) { c.Fixed(make([]byte, 2)) }, false},
		{"fixed, longer", "43010203", func(c *cbor.Coder) { c.Fixed(make([]byte, 2)) }, false},

		{"text", "6161", text, true},
		{"text that is not UTF-8", "61ff", text, false},
		{"octets for text", "4161", text, false},
		{"text too long", "63616161", text, false},
		{"another label", "6162", func(c *cbor.Coder) { c.Label("a") }, false},

		{"true", "f5", func(c *cbor.Coder) { c.Bool(&y) }, true},
		{"null for a boolean", "f6", func(c *cbor.Coder) { c.Bool(&y) }, false},
		{"no boolean", "", func(c *cbor.Coder) { c.Bool(&y) }, false},
		{"undefined for null", "f7", func(c *cbor.Coder) { c.Null(true) }, false},

		{"array", "8101", array, true},
		{"an empty array", "80", array, false},
		{"three elements", "83010101", array, false},
		{"an array cut short", "8201", array, false},
		{"an indefinite array", "9f01ff", array, false},
		{"2^32 elements", "9b0000000100000000", array, false},

		{"keys", "a2616101616202", keys, true},
		{"keys out of order", "a2616201616102", keys, false},
		{"the longer key first", "a262616101616202", keys, false},
		{"a key twice", "a2616101616102", keys, false},
		{"a key too long", "a16361616101", keys, false},
		{"a number for a key", "a10101", keys, false},
		{"no pairs", "a0", keys, false},

		{"fields", "a201010202", fields, true},
		{"without the optional one", "a10101", fields, true},
		{"without the needed one", "a10202", fields, false},
		{"an unknown member", "a201010302", fields, false},
		{"a member twice", "a201010102", fields, false},
		{"out of order", "a202020101", fields, false},
		{"more pairs than there are", "a30101", fields, false},
		{"an unknown member read as what follows the map", "82a2010105", func(c *cbor.Coder) { c.Array(2); fields(c); number(c) }, false},
		{"an indefinite map", "bf0101ff", fields, false},
		{"a longer key", "a1180101", fields, false},
	} {
		if err := cbor.Decode(unhex(t, c.in), c.walk); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestCoderCaller: mistakes of the walk itself are errors too.
func TestCoderCaller(t *testing.T) {
	for name, walk := range map[string]func(*cbor.Coder){
		"keys out of order": func(c *cbor.Coder) { c.Map(func(f *cbor.Fields) { f.Key(2); c.Const(1); f.Key(1); c.Const(1) }) },
		"key 23":            func(c *cbor.Coder) { c.Map(func(f *cbor.Fields) { f.Key(23); c.Const(1) }) },
		"text not UTF-8":    func(c *cbor.Coder) { s := "\xff"; cbor.String(c, &s, 0, 9) },
		"said so":           func(c *cbor.Coder) { c.Failf("no") },
	} {
		if b, err := cbor.Encode(walk); err == nil {
			t.Errorf("%s: %x", name, b)
		}
	}
}

// FuzzCoder: what is read is written again as the same bytes, and is also what
// the other reader and the other encoder make of it.
func FuzzCoder(f *testing.F) {
	for _, v := range []*item{fullItem(), {small: 1}} {
		b, err := cbor.Encode(v.code)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v item
		if cbor.Decode(b, v.code) != nil {
			return
		}
		again, err := cbor.Encode(v.code)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x is written again as %x, %v", b, again, err)
		}
		var any any
		if err := cbor.Unmarshal(b, &any); err != nil {
			t.Fatalf("%x is read, but not by the other reader: %v", b, err)
		}
		if other, err := cbor.Marshal(any); err != nil || !bytes.Equal(other, b) {
			t.Fatalf("%x is read, but is %x to the other encoder", b, other)
		}
	})
}

// TestCoderWritesInParallel: writing leaves the structure alone, so several may
// write one at the same time. The race detector sees it.
func TestCoderWritesInParallel(t *testing.T) {
	n, text, flag, list := uint64(7), "x", true, []uint64{1, 2}
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			_, err := cbor.Encode(func(c *cbor.Coder) {
				c.Array(4)
				cbor.Uint(c, &n, 0, 9)
				cbor.String(c, &text, 0, 9)
				c.Bool(&flag)
				cbor.Slice(c, &list, 0, 9, func(v *uint64) { cbor.Uint(c, v, 0, 9) })
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
}
