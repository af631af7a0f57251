package cbor_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/staunchid/staunch/internal/cbor"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// arrays is n arrays, one inside the other, around 0.
func arrays(n int) string { return strings.Repeat("81", n) + "00" }

// list is an array of n zeros; pairs a map of n pairs.
func list(n int) string { return fmt.Sprintf("98%02x", n) + strings.Repeat("00", n) }
func pairs(n int) string {
	s := fmt.Sprintf("b8%02x", n)
	for i := range n {
		s += fmt.Sprintf("18%02x00", 0x80+i)
	}
	return s
}

func TestUnmarshal(t *testing.T) {
	for _, c := range []struct {
		name, in string
		ok       bool
	}{
		{"a map", "a1 61 61 01", true},
		{"8 levels", arrays(8), true},
		{"64 elements", list(64), true},
		{"64 pairs", pairs(64), true},
		{"integers longer than they need", "18 01", true}, // RFC 8949, Section 4.2.1 asks it of the encoder
		{"nothing", "", false},
		{"cut short", "a1 61 61", false},
		{"trailing bytes", "a0 00", false},
		{"two items", "a0 a0", false},
		{"duplicate text keys", "a2 6161 01 6161 02", false},
		{"duplicate number keys", "a2 01 01 01 02", false},
		{"an indefinite map", "bf ff", false},
		{"an indefinite array", "9f ff", false},
		{"indefinite octets", "5f 4100 ff", false},
		{"indefinite text", "7f 6161 ff", false},
		{"a tag", "c1 00", false},
		{"a tag inside", "81 d818 4100", false},
		{"text that is not UTF-8", "61 ff", false},
		{"a key that is not UTF-8", "a1 61ff 00", false},
		{"9 levels", arrays(9), false},
		{"65 elements", list(65), false},
		{"65 pairs", pairs(65), false},
		{"a length of 2^63", "5b 8000000000000000", false},
		{"an array of 2^32", "9a ffffffff", false},
		{"reserved additional information", "1c", false},
		{"a break alone", "ff", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var v any
			if err := cbor.Unmarshal(unhex(t, c.in), &v); (err == nil) != c.ok {
				t.Errorf("%v, error %v", v, err)
			}
			if c.ok {
				return
			}
			var raw cbor.RawMessage // a raw item is checked as strictly
			if err := cbor.Unmarshal(unhex(t, c.in), &raw); err == nil && !strings.HasPrefix(c.name, "duplicate") && !strings.Contains(c.name, "UTF-8") {
				t.Errorf("kept raw: %x", raw)
			}
		})
	}
}

// TestUnmarshalIsCaseSensitive: members are found by their exact names.
func TestUnmarshalIsCaseSensitive(t *testing.T) {
	var v struct {
		Format string `cbor:"fmt"`
	}
	if err := cbor.Unmarshal(unhex(t, "a1 63464d54 6178"), &v); err != nil || v.Format != "" {
		t.Errorf("FMT is read as fmt: %q, %v", v.Format, err)
	}
	if err := cbor.Unmarshal(unhex(t, "a2 63464d54 6178 63666d74 6179"), &v); err != nil || v.Format != "y" {
		t.Errorf("FMT and fmt: %q, %v", v.Format, err)
	}
}

func TestUnmarshalFirst(t *testing.T) {
	var v map[int]int
	rest, err := cbor.UnmarshalFirst(unhex(t, "a1 01 02 ff00"), &v)
	if err != nil || v[1] != 2 || !bytes.Equal(rest, []byte{0xff, 0}) {
		t.Errorf("%v, rest %x, %v", v, rest, err)
	}
	for _, in := range []string{"", "a1 01", "bf ff", "c1 00", arrays(9)} {
		var v any
		if _, err := cbor.UnmarshalFirst(unhex(t, in), &v); err == nil {
			t.Errorf("%s: %v", in, v)
		}
	}
}

func TestMarshal(t *testing.T) {
	b, err := cbor.Marshal(map[string]any{"bb": 1, "a": []byte{1}, "c": nil})
	if err != nil {
		t.Fatal(err)
	}
	if want := unhex(t, "a3 6161 4101 6163 f6 626262 01"); !bytes.Equal(b, want) { // RFC 8949, Section 4.2.1: keys in bytewise order
		t.Errorf("%x, want %x", b, want)
	}
	if _, err := cbor.Marshal(make(chan int)); err == nil {
		t.Error("a channel is encoded")
	}
}

// FuzzUnmarshal: no panic, and UnmarshalFirst reads of an item with something
// behind it what Unmarshal reads of the item alone.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{"", "a1 6161 01", arrays(9), list(64), pairs(64), "bf ff", "c1 00", "a2 01 01 01 02", "61 ff", "fb 7ff8000000000000"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, alone any
		rest, err := cbor.UnmarshalFirst(b, &first)
		if err != nil {
			if cbor.Unmarshal(b, &alone) == nil {
				t.Fatalf("%x is read alone, but not first: %v", b, err)
			}
			return
		}
		item := b[:len(b)-len(rest)]
		if len(item) == 0 || !bytes.HasSuffix(b, rest) {
			t.Fatalf("item %x, rest %x", item, rest)
		}
		if err := cbor.Unmarshal(item, &alone); err != nil || fmt.Sprint(first) != fmt.Sprint(alone) {
			t.Fatalf("%x: %v first, %v alone (%v)", item, first, alone, err)
		}
		if err := cbor.Unmarshal(b, &alone); (err == nil) != (len(rest) == 0) {
			t.Fatalf("with %d bytes behind the item: %v", len(rest), err)
		}
		if _, err := cbor.Marshal(first); err != nil {
			t.Fatalf("%v cannot be written: %v", first, err)
		}
	})
}
