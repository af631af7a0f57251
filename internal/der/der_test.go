package der_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/staunchid/staunch/internal/der"
)

// unhex reads hex with spaces between the parts of an encoding.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func next(t testing.TB, b []byte) der.Element {
	t.Helper()
	r := der.NewReader(b)
	e, err := r.Next()
	if err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	return e
}

func TestNext(t *testing.T) {
	long := "04 8180" + strings.Repeat("00", 128)
	longer := "04 820100" + strings.Repeat("00", 256)
	for _, c := range []struct {
		name, in    string
		class       uint8
		constructed bool
		tag         uint32
		body        int
	}{
		{"empty NULL", "05 00", der.Universal, false, der.Null, 0},
		{"SEQUENCE", "30 03 020105", der.Universal, true, der.Sequence, 3},
		{"application", "41 00", der.Application, false, 1, 0},
		{"context, constructed", "a3 02 0500", der.ContextSpecific, true, 3, 2},
		{"private", "c2 00", der.Private, false, 2, 0},
		{"tag 30, the last short one", "9e 00", der.ContextSpecific, false, 30, 0},
		{"tag 31, the first long one", "bf1f 00", der.ContextSpecific, true, 31, 0},
		{"tag 127", "bf7f 00", der.ContextSpecific, true, 127, 0},
		{"tag 128, two octets", "bf8100 00", der.ContextSpecific, true, 128, 0},
		{"tag 709", "bf8545 00", der.ContextSpecific, true, 709, 0},
		{"tag 2^24", "bf88808000 00", der.ContextSpecific, true, 1 << 24, 0},
		{"length 127", "04 7f" + strings.Repeat("00", 127), der.Universal, false, der.OctetString, 127},
		{"length 128", long, der.Universal, false, der.OctetString, 128},
		{"length 256", longer, der.Universal, false, der.OctetString, 256},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := unhex(t, c.in)
			r := der.NewReader(append(bytes.Clone(in), 0x05, 0x00))
			e, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if e.Class != c.class || e.Constructed != c.constructed || e.Tag != c.tag || len(e.Body) != c.body {
				t.Errorf("class %d, constructed %v, tag %d, %d octets", e.Class, e.Constructed, e.Tag, len(e.Body))
			}
			if !bytes.Equal(e.Full, in) || !bytes.Equal(r.Rest(), []byte{5, 0}) {
				t.Errorf("full %x, rest %x", e.Full, r.Rest())
			}
			if cap(e.Full) != len(e.Full) || cap(e.Body) != len(e.Body) {
				t.Error("appending to a slice that was handed out writes into the input")
			}
		})
	}
}

func TestNextRefuses(t *testing.T) {
	for _, c := range []struct{ name, in, why string }{
		{"nothing", "", "cut short"},
		{"one octet", "30", "cut short"},
		{"body cut short", "04 02 00", "length 2 with 1 bytes left"},
		{"indefinite length", "30 80 0000", "indefinite length"},
		{"length 5 in the long form", "04 8105 0000000000", "shortest"},
		{"length 127 in the long form", "04 817f" + strings.Repeat("00", 127), "shortest"},
		{"length with leading zeros", "04 820080" + strings.Repeat("00", 128), "shortest"},
		{"length of five octets", "04 850100000000", "length of 5 octets"},
		{"length octet 255", "04 ff", "length of 127 octets"},
		{"length of 2^31", "04 8480000000", "shortest"},
		{"length of 2^31-1", "04 847fffffff", "bytes left"},
		{"length octets cut short", "04 8201", "length cut short"},
		{"no length behind a long tag", "bf8545", "length cut short"},
		{"long tag cut short", "bf85", "tag cut short"},
		{"long tag with leading zeros", "bf8045 00", "leading zeros"},
		{"tag 30 in the long form", "bf1e 00", "in the long form"},
		{"tag 0 in the long form", "bf00 00", "in the long form"},
		{"tag 2^24+1", "bf88808001 00", "tag number above"},
		{"tag 2^32", "bf9080808000 00", "tag number above"},
		{"tag of many octets", "bf" + strings.Repeat("ff", 20) + "00", "tag number above"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := unhex(t, c.in)
			r := der.NewReader(in)
			e, err := r.Next()
			if !errors.Is(err, der.ErrSyntax) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%+v, error %v; want %q", e, err, c.why)
			}
			if !bytes.Equal(r.Rest(), in) {
				t.Error("an error moved the reader")
			}
		})
	}
}

// nested is a value of n levels.
func nested(n int) []byte {
	b := []byte{0x05, 0x00}
	for range n - 1 {
		b = append([]byte{0x30, byte(len(b))}, b...)
	}
	return b
}

func TestDepth(t *testing.T) {
	walk := func(b []byte) (levels int, err error) {
		r := der.NewReader(b)
		for {
			e, err := r.Next()
			if err != nil {
				return levels, err
			}
			levels++
			if !e.Constructed {
				return levels, nil
			}
			if r, err = e.Open(); err != nil {
				return levels, err
			}
		}
	}
	if n, err := walk(nested(der.MaxDepth + 1)); err != nil || n != der.MaxDepth+1 {
		t.Errorf("%d constructed levels: %d, %v", der.MaxDepth, n, err)
	}
	if n, err := walk(nested(der.MaxDepth + 2)); !errors.Is(err, der.ErrSyntax) || n != der.MaxDepth+1 {
		t.Errorf("%d constructed levels: %d, %v", der.MaxDepth+1, n, err)
	}
}

func TestOpenAndOnly(t *testing.T) {
	for _, c := range []struct {
		name, in string
		tag      uint32
		ok       bool
	}{
		{"SEQUENCE", "30 02 0500", der.Sequence, true},
		{"SET", "31 00", der.Set, true},
		{"SET for a SEQUENCE", "31 00", der.Sequence, false},
		{"primitive SEQUENCE", "10 00", der.Sequence, false},
		{"trailing byte", "30 00 00", der.Sequence, false},
		{"two values", "30 00 30 00", der.Sequence, false},
		{"nothing", "", der.Sequence, false},
		{"context-specific 16", "b0 00", der.Sequence, false},
		{"a primitive tag", "04 00", der.OctetString, false},
	} {
		if _, err := der.Open(unhex(t, c.in), c.tag); (err == nil) != c.ok || err != nil && !errors.Is(err, der.ErrSyntax) {
			t.Errorf("Open, %s: %v", c.name, err)
		}
	}
	for _, c := range []struct {
		name, in string
		ok       bool
	}{
		{"one value", "a3 02 0500", true},
		{"none", "a3 00", false},
		{"two", "a3 04 05000500", false},
		{"primitive", "83 02 0500", false},
		{"damaged", "a3 02 05ff", false},
	} {
		if _, err := next(t, unhex(t, c.in)).Only(); (err == nil) != c.ok || err != nil && !errors.Is(err, der.ErrSyntax) {
			t.Errorf("Only, %s: %v", c.name, err)
		}
	}
}

// TestIs: a universal tag counts only in the form that DER gives its type.
func TestIs(t *testing.T) {
	for _, c := range []struct {
		in   string
		tag  uint32
		want bool
	}{
		{"02 01 00", der.Integer, true}, {"22 03 020100", der.Integer, false}, {"82 01 00", der.Integer, false},
		{"24 00", der.OctetString, false}, {"30 00", der.Sequence, true}, {"10 00", der.Sequence, false},
		{"31 00", der.Set, true}, {"11 00", der.Set, false}, {"1f10 00", der.Sequence, false},
	} {
		r := der.NewReader(unhex(t, c.in))
		e, err := r.Next()
		if err != nil && c.want {
			t.Errorf("%s: %v", c.in, err)
		}
		if err == nil && e.Is(c.tag) != c.want {
			t.Errorf("%s is tag %d: %v", c.in, c.tag, !c.want)
		}
	}
	for in, want := range map[string]bool{"a3 00": true, "83 00": false, "a4 00": false, "23 00": false} {
		if got := next(t, unhex(t, in)).IsContext(3); got != want {
			t.Errorf("%s is [3]: %v", in, got)
		}
	}
}

func TestOptional(t *testing.T) {
	r := der.NewReader(unhex(t, "0101ff 020105"))
	if _, ok, err := r.Optional(der.Integer); ok || err != nil {
		t.Errorf("INTEGER: %v, %v", ok, err)
	}
	if e, ok, err := r.Optional(der.Boolean); !ok || err != nil || len(e.Body) != 1 {
		t.Errorf("BOOLEAN: %v, %v", ok, err)
	}
	if e, err := r.Expect(der.Integer); err != nil || e.Body[0] != 5 {
		t.Errorf("INTEGER behind it: %v", err)
	}
	if _, ok, err := r.Optional(der.Integer); ok || err != nil {
		t.Errorf("at the end: %v, %v", ok, err)
	}
	if !r.Empty() || r.Done() != nil {
		t.Error("something is left")
	}

	r = der.NewReader(unhex(t, "a1 00 82 00"))
	if _, ok, err := r.OptionalContext(2); ok || err != nil {
		t.Errorf("[2]: %v, %v", ok, err)
	}
	if _, ok, err := r.OptionalContext(1); !ok || err != nil {
		t.Errorf("[1]: %v, %v", ok, err)
	}
	if e, ok, err := r.OptionalContext(2); !ok || err != nil || e.Constructed {
		t.Errorf("primitive [2]: %v, %v", ok, err)
	}
	if _, ok, err := r.OptionalContext(3); ok || err != nil {
		t.Errorf("at the end: %v, %v", ok, err)
	}
	if r := der.NewReader(unhex(t, "41 00")); true {
		if _, ok, err := r.OptionalContext(1); ok || err != nil {
			t.Errorf("APPLICATION 1 as [1]: %v, %v", ok, err)
		}
	}

	broken := der.NewReader(unhex(t, "01 05 ff"))
	if _, _, err := broken.Optional(der.Boolean); !errors.Is(err, der.ErrSyntax) {
		t.Errorf("damaged: %v", err)
	}
	if _, _, err := broken.OptionalContext(1); !errors.Is(err, der.ErrSyntax) {
		t.Errorf("damaged: %v", err)
	}
	if _, err := broken.Expect(der.Boolean); !errors.Is(err, der.ErrSyntax) {
		t.Errorf("damaged: %v", err)
	}
	if _, err := new(der.Reader).Expect(der.Null); !errors.Is(err, der.ErrSyntax) {
		t.Errorf("the zero Reader: %v", err)
	}
	if err := broken.Done(); !errors.Is(err, der.ErrSyntax) {
		t.Errorf("bytes are left: %v", err)
	}
}
