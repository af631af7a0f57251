package der_test

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/staunchid/staunch/internal/der"
)

// FuzzReader walks whatever comes. What is handed out is the input and nothing
// else, and where encoding/asn1 reads the same element, it reads the same.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"", "05 00", "30 03 020105", "bf8545 02 0500", "bf88808000 00", "04 8180", "30 80 0000", "02 09 00ffffffffffffffff",
		"17 0d 3236313132313132303030305a", "17 0b 323631313231313230305a", "18 0f 32303530303130313030303030305a",
		"06 0a 2b06010401d679020111", "03 02 0780", "01 01 01",
		"30 20 310b3009060355040a0c02414231 11300f06035504030c0844726f696420434132",
	} {
		f.Add(unhex(f, seed))
	}
	f.Add(nested(der.MaxDepth + 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		walk(t, der.NewReader(b), 0)
		if !bytes.Equal(b, before) {
			t.Fatal("the reader wrote into its input")
		}
		if s := der.FormatName(b); s != "" {
			if _, err := der.WalkName(b, nil); err != nil {
				t.Errorf("%q of a name that does not parse: %v", s, err)
			}
		}
	})
}

func walk(t *testing.T, r der.Reader, depth int) {
	t.Helper()
	if depth > der.MaxDepth {
		t.Fatalf("%d levels", depth)
	}
	whole, joined := r.Rest(), []byte(nil)
	for !r.Empty() {
		e, err := r.Next()
		if err != nil {
			return
		}
		if len(e.Full) < 2 || !bytes.HasSuffix(e.Full, e.Body) {
			t.Fatalf("body %x is not the end of %x", e.Body, e.Full)
		}
		joined = append(joined, e.Full...)
		values(t, e)
		agree(t, e)
		if inner, err := e.Open(); err == nil {
			walk(t, inner, depth+1)
		} else if e.Constructed && depth < der.MaxDepth {
			t.Fatalf("%x does not open at depth %d: %v", e.Full, depth, err)
		}
	}
	if !bytes.Equal(joined, whole) {
		t.Fatalf("elements %x of %x", joined, whole)
	}
}

// values reads e as everything: only what it is may succeed.
func values(t *testing.T, e der.Element) {
	t.Helper()
	if _, err := e.Uint64(); err == nil && !e.Is(der.Integer) && !e.Is(der.Enumerated) {
		t.Errorf("%x is a number", e.Full)
	}
	if _, _, err := e.Bool(); err == nil && !e.Is(der.Boolean) {
		t.Errorf("%x is a BOOLEAN", e.Full)
	}
	if when, _, err := e.Time(); err == nil && !e.Is(der.UTCTime) && !e.Is(der.GeneralizedTime) || err != nil && !when.IsZero() {
		t.Errorf("%x is a time", e.Full)
	}
	if _, err := e.Bits(); err == nil && !e.Is(der.BitString) {
		t.Errorf("%x is a BIT STRING", e.Full)
	}
	if _, err := e.OID(); err == nil && !e.Is(der.ObjectID) {
		t.Errorf("%x is an OBJECT IDENTIFIER", e.Full)
	}
}

// agree holds e against encoding/asn1.
func agree(t *testing.T, e der.Element) {
	t.Helper()
	var raw asn1.RawValue
	if rest, err := asn1.Unmarshal(e.Full, &raw); err == nil {
		if len(rest) != 0 || raw.Tag != int(e.Tag) || raw.Class != int(e.Class) || raw.IsCompound != e.Constructed || !bytes.Equal(raw.Bytes, e.Body) {
			t.Errorf("%x: class %d tag %d, encoding/asn1 reads class %d tag %d", e.Full, e.Class, e.Tag, raw.Class, raw.Tag)
		}
	} else {
		t.Errorf("%x: encoding/asn1 refuses what is read here: %v", e.Full, err)
	}
	if e.Is(der.Integer) {
		var n *big.Int
		_, err := asn1.Unmarshal(e.Full, &n)
		if got, ours := e.Uint64(); ours == nil && (err != nil || !n.IsUint64() || n.Uint64() != got) {
			t.Errorf("%x: %d, encoding/asn1 reads %v (%v)", e.Full, got, n, err)
		} else if ours != nil && err == nil && n.IsUint64() {
			t.Errorf("%x: %v, encoding/asn1 reads %v", e.Full, ours, n)
		}
	}
	if value, exact, err := e.Bool(); err == nil && exact {
		var theirs bool
		if _, err := asn1.Unmarshal(e.Full, &theirs); err != nil || theirs != value {
			t.Errorf("%x: %v, encoding/asn1 reads %v (%v)", e.Full, value, theirs, err)
		}
	}
	if when, _, err := e.Time(); err == nil {
		var theirs time.Time
		if _, err := asn1.Unmarshal(e.Full, &theirs); err != nil || !theirs.Equal(when) {
			t.Errorf("%x: %s, encoding/asn1 reads %s (%v)", e.Full, when, theirs, err)
		}
	}
	if dotted, err := e.OID(); err == nil {
		var theirs asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(e.Full, &theirs); err == nil && theirs.String() != dotted { // its arcs are 31 bits
			t.Errorf("%x: %s, encoding/asn1 reads %s", e.Full, dotted, theirs)
		}
	}
}
