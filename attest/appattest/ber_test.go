package appattest_test

import (
	"bytes"
	"testing"

	"github.com/staunchid/staunch/attest/appattest"
)

func TestIsBER(t *testing.T) {
	nested := func(depth int) []byte { // depth sequences of indefinite length around nothing
		return append(bytes.Repeat([]byte{0x30, 0x80}, depth), make([]byte, 2*depth)...)
	}
	for _, tc := range []struct {
		name string
		b    []byte
		ok   bool
	}{
		{"null", []byte{5, 0}, true},
		{"long length", append([]byte{4, 0x81, 0x80}, make([]byte, 128)...), true},
		{"non-minimal length, as BER allows", []byte{4, 0x82, 0, 1, 7}, true},
		{"sequence", []byte{0x30, 4, 5, 0, 5, 0}, true},
		{"indefinite", []byte{0x30, 0x80, 5, 0, 0, 0}, true},
		{"indefinite and empty", []byte{0x30, 0x80, 0, 0}, true},
		{"indefinite in definite", []byte{0x30, 4, 0x30, 0x80, 0, 0}, true},
		{"indefinite with zero bytes inside", []byte{0x30, 0x80, 4, 2, 0, 0, 0, 0}, true},
		{"element of tag 0", []byte{0x30, 0x80, 0, 1, 9, 0, 0}, true},
		{"high tag", []byte{0xbf, 0x8a, 0x78, 2, 5, 0}, true},
		{"as deep as it may be", nested(32), true},

		{"empty", nil, false},
		{"tag alone", []byte{4}, false},
		{"too deep", nested(33), false},
		{"too deep, definite", deep(33), false},
		{"trailing byte", []byte{5, 0, 0}, false},
		{"value cut short", []byte{4, 2, 7}, false},
		{"length cut short", []byte{4, 0x82, 1}, false},
		{"length of 5 bytes", []byte{4, 0x85, 0, 0, 0, 0, 1, 7}, false},
		{"high tag cut short", []byte{0xbf, 0x8a}, false},
		{"high tag alone", []byte{0xbf, 0x8a, 0x78}, false},
		{"high tag, then indefinite without end", []byte{0xbf, 0x8a, 0x78, 0x80}, false},
		{"indefinite without end", []byte{0x30, 0x80, 5, 0}, false},
		{"indefinite with half an end", []byte{0x30, 0x80, 5, 0, 0}, false},
		{"indefinite and primitive", []byte{4, 0x80, 0, 0}, false},
		{"inner value reaches beyond the outer", []byte{0x30, 2, 4, 1, 7}, false},
		{"inner value unreadable", []byte{0x30, 1, 4}, false},
	} {
		if got := appattest.IsBER(tc.b); got != tc.ok {
			t.Errorf("%s: %t", tc.name, got)
		}
	}
}

// deep returns depth sequences of definite length around a null.
func deep(depth int) []byte {
	b := []byte{5, 0}
	for range depth - 1 {
		b = tlv(0x30, b)
	}
	return b
}
