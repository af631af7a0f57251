package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

func typeName(v any) string { return strings.TrimPrefix(fmt.Sprintf("%T", v), "*wire.") }

// partOfOthers are the types that stand only inside samples of other types.
func partOfOthers() map[string]bool {
	return map[string]bool{
		"Acct": true, "RegID": true, "ID16": true, "Hash": true, "EdKey": true, "Key": true, "Scalar": true,
		"SlotView": true, "Incarnation": true, "Member": true,
	}
}

// codedTypes are the exported types of the package that have a method Code.
func codedTypes(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "Code" && fn.Recv != nil {
				if star, ok := fn.Recv.List[0].Type.(*ast.StarExpr); ok {
					names = append(names, star.X.(*ast.Ident).Name)
				}
			}
		}
	}
	if len(names) < 30 {
		t.Fatalf("%d types only", len(names))
	}
	return names
}

// TestRoundTrip: what is written is read back, is the one deterministic encoding
// that the other encoder makes of it too, and is no more and no less.
func TestRoundTrip(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			b := encoded(t, s.value)
			got, err := s.decode(b)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(s.value, got, cmpopts.EquateEmpty()); d != "" {
				t.Error(d)
			}
			if again := encoded(t, got); !bytes.Equal(again, b) {
				t.Errorf("%x is written again as %x", b, again)
			}
			var any any
			if err := cbor.Unmarshal(b, &any); err != nil { // RFC 8949, Section 4.2.1
				t.Fatalf("another reader: %v", err)
			}
			if other, err := cbor.Marshal(any); err != nil || !bytes.Equal(other, b) {
				t.Errorf("another encoder: %x, %v, ours %x", other, err, b)
			}
			if _, err := s.decode(append(bytes.Clone(b), 0)); !errors.Is(err, wire.ErrMalformed) {
				t.Errorf("with a byte behind it: %v", err)
			}
			for i := range b {
				if _, err := s.decode(b[:i]); !errors.Is(err, wire.ErrMalformed) {
					t.Fatalf("the first %d of %d bytes: %v", i, len(b), err)
				}
			}
		})
	}
}

// TestOneBitOff: a changed byte is an error, or another value that is written as
// it came.
func TestOneBitOff(t *testing.T) {
	for _, s := range samples() {
		b := encoded(t, s.value)
		if len(b) > 2_000 {
			b = b[:2_000]
		}
		for i := range b {
			for _, flip := range []byte{1, 2, 0x20, 0x80} {
				b[i] ^= flip
				if v, err := s.decode(b); err == nil {
					if again := encoded(t, v); !bytes.Equal(again, b) {
						t.Fatalf("%s: %x is written again as %x", s.name, b, again)
					}
				}
				b[i] ^= flip
			}
		}
	}
}

// FuzzDecode: no panic, and what decodes encodes to the same bytes.
func FuzzDecode(f *testing.F) {
	all := samples()
	for i, s := range all {
		f.Add(uint8(i), encoded(f, s.value))
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		s := all[int(which)%len(all)]
		v, err := s.decode(b)
		if err != nil {
			if !errors.Is(err, wire.ErrMalformed) {
				t.Fatalf("%s: %v", s.name, err)
			}
			return
		}
		if again := encoded(t, v); !bytes.Equal(again, b) {
			t.Fatalf("%s: %x is written again as %x", s.name, b, again)
		}
	})
}

// TestBounds: a field outside its bounds is neither written nor read.
func TestBounds(t *testing.T) {
	header, set := sampleHeader(wire.Suite1), sampleSet()
	for _, c := range []struct {
		name  string
		value wire.Coded
	}{
		{"limit 2", &wire.Create{Target: sampleTarget(), Suite: 1, Limit: 2, Manage: fill(32)}},
		{"limit 51", &wire.Create{Target: sampleTarget(), Suite: 1, Limit: 51, Manage: fill(32)}},
		{"suite 0", &wire.Create{Target: sampleTarget(), Limit: 10}},
		{"suite 3", &wire.Create{Target: sampleTarget(), Suite: 3, Limit: 10, Manage: fill(32)}},
		{"a manage key of another suite", &wire.Create{Target: sampleTarget(), Suite: 2, Limit: 10, Manage: fill(32)}},
		{"no vault", &wire.Delete{}},
		{"a vault with capitals", &wire.Delete{Target: wire.Target{Vault: "V1"}}},
		{"a vault that begins with -", &wire.Delete{Target: wire.Target{Vault: "-1"}}},
		{"a vault of 33 letters", &wire.Delete{Target: wire.Target{Vault: strings.Repeat("a", 33)}}},
		{"an element of 31 bytes", &wire.Evaluate{B: fill(31)}},
		{"an element of 34 bytes", &wire.Evaluate{B: fill(34)}},
		{"no such operation", &wire.Call{Op: 9}},
		{"no operation", &wire.Call{}},
		{"a record too long", &wire.Call{Op: 4, Record: fill(wire.MaxRecord + 1)}},
		{"a request too long", &wire.Call{Op: 4, Request: fill(wire.MaxRequest + 1)}},
		{"no such verdict", &wire.Answer{Verdict: 14}},
		{"no such state", &wire.Answer{State: 3}},
		{"no such code", &wire.Reply{Result: 9}},
		{"no purpose", &wire.Voucher{Vault: "v1"}},
		{"no such purpose", &wire.Voucher{Vault: "v1", Purpose: 4}},
		{"six resets", changed(sampleRecord(1), func(r *wire.Record) { r.Resets = make([]uint32, 6) })},
		{"a slot of another suite", changed(sampleRecord(1), func(r *wire.Record) { r.Suite = 2 })},
		{"a view of nobody", &wire.View{}},
		{"a view with a bad name", &wire.View{"V": {}}},
		{"less memory", changed(header, func(h *wire.Header) { h.Argon2.M = 65_535 })},
		{"more memory", changed(header, func(h *wire.Header) { h.Argon2.M = 1_048_577 })},
		{"fewer passes", changed(header, func(h *wire.Header) { h.Argon2.T = 2 })},
		{"more passes", changed(header, func(h *wire.Header) { h.Argon2.T = 11 })},
		{"no lanes", changed(header, func(h *wire.Header) { h.Argon2.P = 0 })},
		{"more lanes", changed(header, func(h *wire.Header) { h.Argon2.P = 9 })},
		{"threshold 0", changed(header, func(h *wire.Header) { h.T = 0 })},
		{"threshold above n", changed(header, func(h *wire.Header) { h.T = 4 })},
		{"fewer vaults than n", changed(header, func(h *wire.Header) { h.Vaults = h.Vaults[:2] })},
		{"a vault twice", changed(header, func(h *wire.Header) { h.Vaults = []wire.Share{h.Vaults[0], h.Vaults[1], h.Vaults[0]} })},
		{"a share of another suite", changed(header, func(h *wire.Header) { h.Suite = 2 })},
		{"three recovery keys", changed(samplePayload(), func(p *wire.Payload) { p.Recovery = make([]wire.Key, 3) })},
		{"no recovery key", changed(samplePayload(), func(p *wire.Payload) { p.Recovery = []wire.Key{} })},
		{"a sealing key without a name", changed(samplePayload(), func(p *wire.Payload) { p.Keys = []wire.SealingKey{{Secret: fill(1)}} })},
		{"an empty sealing key", changed(samplePayload(), func(p *wire.Payload) { p.Keys = []wire.SealingKey{{KID: fill(1)}} })},
		{"a sealing key of 257 bytes", changed(samplePayload(), func(p *wire.Payload) { p.Keys = []wire.SealingKey{{KID: fill(1), Secret: fill(257)}} })},
		{"a set with a vault missing", changed(set, func(s *wire.VaultSet) { s.Vaults = s.Vaults[:2] })},
		{"a set without release keys", changed(set, func(s *wire.VaultSet) { s.Release = wire.ReleaseKeys{K: 1} })},
		{"a set that nobody signs", changed(set, func(s *wire.VaultSet) { s.Release.K = 0 })},
		{"a member without measurements", &wire.Member{Vault: "v1"}},
		{"a measurement of nothing", &wire.Measurement{Platform: "x"}},
		{"no such ceremony", &wire.Ceremony{Kind: "x", Vault: "v1"}},
		{"no signatures", &wire.KofM{TBS: fill(1)}},
		{"a PIN of 257 bytes", &wire.SeedRequest{PIN: fill(257)}},
		{"no PIN", &wire.SeedRequest{}},
		{"a PIN that is not UTF-8", &wire.SeedRequest{PIN: wire.Secret{0xff}}},
		{"seed data of 4,097 bytes", &wire.SeedRequest{PIN: wire.Secret("1"), Data: fill(4_097)}},
		{"a mark too long", &wire.Tagged{Mark: fill(wire.MaxMark + 1)}},
		{"a frame without a kind", &wire.Frame{}},
		{"a frame too long", &wire.Frame{Kind: "x", Body: fill(wire.MaxFrame)}},
	} {
		if b, err := wire.Encode(c.value); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%s is written: %x, %v", c.name, b, err)
		}
	}
}

// changed is a copy of v with one change.
func changed[T any](v *T, change func(*T)) *T {
	w := *v
	change(&w)
	return &w
}
