package handover_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/staunchid/staunch/transfer/handover"
)

// coded is a code's text of any bytes: what a generator without our checks writes.
func coded(b []byte) string {
	out := "STAUNCH:/"
	for len(b) > 0 {
		n, width := min(7, len(b)), 17
		if n < 7 {
			width = 15
		}
		v := new(big.Int)
		for i := n - 1; i >= 0; i-- {
			v.Add(v.Lsh(v, 8), big.NewInt(int64(b[i])))
		}
		text := v.String()
		out += strings.Repeat("0", width-len(text)) + text
		b = b[n:]
	}
	return out
}

// codeBytes is a good code.
func codeBytes() []byte {
	b := make([]byte, 83)
	for i := range b {
		b[i] = byte(255 - i)
	}
	b[0], b[1], b[2] = 1, 5, 1
	return b
}

func TestParseCode(t *testing.T) {
	with := func(at int, v byte) string {
		b := codeBytes()
		b[at] = v
		return coded(b)
	}
	good := coded(codeBytes())
	for _, tt := range []struct {
		name, uri string
		err       error
	}{
		{"good", good, nil},
		{"lower case", strings.ToLower(good), nil},
		{"no beacons", with(1, 0), nil},
		{"empty", "", handover.ErrMalformed},
		{"another scheme", "FIDO:/" + good[9:], handover.ErrMalformed},
		{"no scheme", good[9:], handover.ErrMalformed},
		{"cut short", good[:210], handover.ErrMalformed},
		{"a digit more", good + "0", handover.ErrMalformed},
		{"a space in front", " " + good, handover.ErrMalformed},
		{"a letter", good[:100] + "x" + good[101:], handover.ErrMalformed},
		{"a sign", good[:9+17] + "+" + good[9+18:], handover.ErrMalformed},
		{"a digit of another script", good[:196] + "٠" + good[198:], handover.ErrMalformed},
		{"7 bytes overflow", good[:9+17] + "72057594037927936" + good[9+34:], handover.ErrMalformed},
		{"6 bytes overflow", good[:196] + "281474976710656", handover.ErrMalformed},
		{"version 0", with(0, 0), handover.ErrVersion},
		{"version 2", with(0, 2), handover.ErrVersion},
		{"version 2, longer", with(0, 2) + "000", handover.ErrVersion},
		{"version 2, shorter", with(0, 2)[:60], handover.ErrVersion},
		{"a beacon that is not known", with(1, 8), handover.ErrMalformed},
		{"suite 0", with(2, 0), handover.ErrMalformed},
		{"suite 2", with(2, 2), handover.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := handover.ParseCode(tt.uri)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				if c != (handover.Code{}) || tt.uri != "" && strings.Contains(err.Error(), tt.uri) {
					t.Errorf("a code beside the error, or its text in %q", err)
				}
				return
			}
			if got := c.URI(); got != strings.ToUpper(tt.uri) || len(got) != 211 {
				t.Errorf("%s comes back as %s", tt.uri, got)
			}
		})
	}
}

// TestCode: the fields lie where the offer and the server look for them.
func TestCode(t *testing.T) {
	b := codeBytes()
	c, err := handover.ParseCode(coded(b))
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Public(); string(p[:]) != string(b[:51]) {
		t.Errorf("public part %x", p)
	}
	if string(c.ID[:]) != string(b[3:19]) || string(c.KeyHash[:]) != string(b[19:51]) || string(c.Secret[:]) != string(b[51:]) || c.Beacons != 5 {
		t.Error("a field is not where it belongs")
	}
	if got := c.TransferID(); got != "t_7t57v6py673pl5ht6ly7b37o5u" || len(got) != 28 {
		t.Errorf("named %s", got)
	}
}

// FuzzParseCode: what is read is written as the same text, and nothing else is read.
func FuzzParseCode(f *testing.F) {
	good := coded(codeBytes())
	for _, s := range []string{good, strings.ToLower(good), good[:100], good + "1", "STAUNCH:/", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		c, err := handover.ParseCode(uri)
		if err == nil && c.URI() != strings.ToUpper(uri) {
			t.Fatalf("%q comes back as %q", uri, c.URI())
		}
		if err != nil && !errors.Is(err, handover.ErrMalformed) && !errors.Is(err, handover.ErrVersion) {
			t.Fatal(err)
		}
	})
}
