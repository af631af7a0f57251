package cbor_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/staunchid/staunch/internal/cbor"
)

// TestInt: numbers of either sign, as the other encoder writes them, and no others.
func TestInt(t *testing.T) {
	walk := func(v *int64, lo, hi int64) func(*cbor.Coder) {
		return func(c *cbor.Coder) { c.Int(v, lo, hi) }
	}
	for _, v := range []int64{0, 1, 23, 24, -1, -24, -25, -256, -257, 1 << 40, -1 << 40, math.MaxInt64, math.MinInt64} {
		want, err := cbor.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b, err := cbor.Encode(walk(&v, math.MinInt64, math.MaxInt64))
		if err != nil || !bytes.Equal(b, want) {
			t.Errorf("%d is written as %x, want %x, %v", v, b, want, err)
		}
		got := v + 1
		if err := cbor.Decode(want, walk(&got, math.MinInt64, math.MaxInt64)); err != nil || got != v {
			t.Errorf("%d is read as %d, %v", v, got, err)
		}
	}
	for _, c := range []struct {
		name, in string
		lo, hi   int64
	}{
		{"below the range", "28", -8, 8},
		{"above the range", "09", -8, 8},
		{"2^63", "1b 8000000000000000", math.MinInt64, math.MaxInt64},
		{"-2^63-1", "3b 8000000000000000", math.MinInt64, math.MaxInt64},
		{"1 in two bytes", "18 01", -8, 8},
		{"-1 in two bytes", "38 00", -8, 8},
		{"text", "61 61", -8, 8},
		{"nothing", "", -8, 8},
		{"a head that is cut off", "39 00", -8, 8},
	} {
		v := int64(77)
		if err := cbor.Decode(unhex(t, c.in), walk(&v, c.lo, c.hi)); err == nil || v != 77 {
			t.Errorf("%s: %d is read, %v", c.name, v, err)
		}
	}
	v := int64(9)
	if b, err := cbor.Encode(walk(&v, -8, 8)); err == nil {
		t.Errorf("out of range, %x is written", b)
	}
}
