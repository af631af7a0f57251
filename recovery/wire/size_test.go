package wire_test

import (
	"bytes"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// encoded returns the encoding of v, and wants it to be read and written again
// as the same bytes.
func encoded(t testing.TB, v wire.Coded) []byte {
	t.Helper()
	b, err := wire.Encode(v)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	return b
}

func fill(n int) []byte { return bytes.Repeat([]byte{0xa5}, n) }

func newCreate(suite wire.Suite) *wire.Create {
	return &wire.Create{
		Target: wire.Target{Vault: "v1"}, Suite: suite, Limit: 10,
		Auth: fill(suite.PublicSize()), Manage: fill(suite.PublicSize()),
	}
}

// TestSizes: the sizes of the design, for suite 1.
func TestSizes(t *testing.T) {
	master := wire.NewKey()
	env := &wire.Envelope{Suite: wire.Suite1, Vault: "v1", Epoch: 7, Op: wire.OpEvaluate}
	key, err := wire.DeriveHPKE(wire.Suite1, master, "v1", 7)
	if err != nil {
		t.Fatal(err)
	}
	element := wire.Element(fill(32))
	create, err := wire.SignManaged(nil, newCreate(wire.Suite1))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		request wire.Coded
		plain   int
		sealed  int
	}{
		{"evaluate", &wire.Evaluate{B: element}, 53, 1189},
		{"release", &wire.Release{B: element, E: element}, 186, 1322},
		{"create", create, 234, 1370},
	} {
		plain := encoded(t, c.request)
		sealed, _, err := env.SealRequest(key.Public(), plain)
		if err != nil {
			t.Fatal(err)
		}
		if len(plain) != c.plain || len(sealed) != c.sealed {
			t.Errorf("%s: %d, sealed %d, want %d and %d", c.name, len(plain), len(sealed), c.plain, c.sealed)
		}
	}
}
