package sealed_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/transfer/sealed"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// merkle is RFC 9162, Section 2.1.1, word for word.
func merkle(leaves []sealed.Leaf) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := merkle(leaves[:k]), merkle(leaves[k:])
	return sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
}

// TestTree: against the definition, stored and read again at each length.
func TestTree(t *testing.T) {
	var leaves []sealed.Leaf
	var tree sealed.Tree
	for i := range 200 {
		if got, want := tree.Hash(), merkle(leaves); got != want || tree.Leaves() != uint64(i) {
			t.Fatalf("%d leaves: %x, want %x", i, got, want)
		}
		state, err := tree.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var again sealed.Tree
		if err := again.UnmarshalBinary(state); err != nil || again.Hash() != tree.Hash() {
			t.Fatalf("%d leaves: %v, or another hash", i, err)
		}
		for _, bad := range [][]byte{state[:len(state)-1], append(bytes.Clone(state), make([]byte, 32)...), nil} {
			if err := again.UnmarshalBinary(bad); !errors.Is(err, sealed.ErrCheckpoint) {
				t.Fatalf("%d leaves, %d bytes of %d: %v", i, len(bad), len(state), err)
			}
		}
		tree = again
		leaf := sealed.Leaf(sha256.Sum256([]byte{byte(i)}))
		leaves = append(leaves, leaf)
		tree.Append(leaf)
	}
}

// TestRoot: every part of a root counts.
func TestRoot(t *testing.T) {
	tree := sha256.Sum256([]byte("tree"))
	roots := [][32]byte{
		sealed.Root(1, 2, 3, 4, tree), sealed.Root(2, 2, 3, 4, tree), sealed.Root(1, 3, 3, 4, tree),
		sealed.Root(1, 2, 4, 4, tree), sealed.Root(1, 2, 3, 5, tree), sealed.Root(1, 2, 3, 4, sha256.Sum256(nil)),
	}
	for i, root := range roots {
		if slices.Contains(roots[:i], root) {
			t.Errorf("root %d comes twice", i)
		}
	}
}

// TestStream: stored and read again between segments; what is not the next one is
// refused with the number of the next.
func TestStream(t *testing.T) {
	const full = sealed.MaxRecords * sealed.RecordSize
	s := sealed.NewStream(9)
	first := uint64(0)
	for i, plain := range []uint32{full, sealed.RecordSize, full, full - 5} {
		for name, h := range map[string]sealed.Header{
			"another revision": {Revision: 8, First: first, Plain: plain},
			"a gap":            {Revision: 9, First: first + 1, Plain: plain},
			"an overlap":       {Revision: 9, First: first - 1, Plain: plain},
		} {
			err := s.Add(h, sealed.Leaf{})
			if !errors.Is(err, sealed.ErrOrder) && (i != 0 || !errors.Is(err, sealed.ErrSegment)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, n := range []uint32{0, full + 1} {
			if err := s.Add(sealed.Header{Revision: 9, First: first, Plain: n}, sealed.Leaf{}); !errors.Is(err, sealed.ErrSegment) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
		h := sealed.Header{Revision: 9, First: first, Plain: plain}
		if err := s.Add(h, sealed.Leaf{byte(i)}); err != nil {
			t.Fatal(err)
		}
		first += uint64(h.Records())
		state, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		again := new(sealed.Stream)
		if err := again.UnmarshalBinary(state); err != nil || again.Root() != s.Root() || again.Revision() != 9 {
			t.Fatalf("%v, or another root", err)
		}
		for at, bad := range map[int]byte{0: 2, 5: 0xff, 12: state[12] + 1, 20: state[20] + 1, 28: 0xff} {
			changed := bytes.Clone(state)
			changed[at] = bad
			if err := new(sealed.Stream).UnmarshalBinary(changed); !errors.Is(err, sealed.ErrCheckpoint) && i != 3 {
				t.Errorf("segment %d, byte %d of a checkpoint changed: %v", i, at, err)
			}
		}
		s = again
	}
	if s.Records() != 193 || s.Bytes() != 193*sealed.RecordSize-5 || s.Segments() != 4 {
		t.Errorf("%d records, %d bytes, %d segments", s.Records(), s.Bytes(), s.Segments())
	}
}

// TestHeader: one good header and small changes to it.
func TestHeader(t *testing.T) {
	good := sealed.Header{Revision: 1, First: 64, Plain: 100, Salt: [32]byte{1, 31: 2}}
	b := good.Append([]byte("x"))[1:]
	if got, err := sealed.ParseHeader(append(b, 1, 2, 3)); err != nil || got != good || len(b) != sealed.HeaderSize {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, change := range map[string]func([]byte) []byte{
		"short":                func(b []byte) []byte { return b[:63] },
		"another magic":        func(b []byte) []byte { b[3] = '2'; return b },
		"a byte that is not 0": func(b []byte) []byte { b[20] = 1; return b },
		"the last of them":     func(b []byte) []byte { b[31] = 1; return b },
		"no plaintext":         func(b []byte) []byte { b[19] = 0; return b },
		"65 records":           func(b []byte) []byte { copy(b[16:], []byte{0, 0x40, 0, 1}); return b },
		"a first beyond 2^47":  func(b []byte) []byte { b[9] = 0x80; return b },
	} {
		changed := change(bytes.Clone(b))
		if _, err := sealed.ParseHeader(changed); !errors.Is(err, sealed.ErrSegment) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := sealed.NewLeafHasher().Write(changed); !errors.Is(err, sealed.ErrSegment) && name != "short" {
			t.Errorf("%s, as it passes: %v", name, err)
		}
	}
}

// TestSealRefuses: what Seal is asked must fit, and there must be a key.
func TestSealRefuses(t *testing.T) {
	wiped := bulk(t)
	copied := wiped
	wiped.Wipe()
	plain := []byte("x")
	segment, _ := mustSeal(t, 0, plain)
	for name, k := range map[string]sealed.Key{"the zero key": {}, "a wiped key": wiped, "a copy of it": copied} {
		h := sealed.Header{Plain: 1}
		if _, _, err := sealed.Seal(nil, k, h, plain); !errors.Is(err, sealed.ErrKey) {
			t.Errorf("%s seals: %v", name, err)
		}
		if _, err := sealed.SealInPlace(make([]byte, h.Size()), k, h); !errors.Is(err, sealed.ErrKey) {
			t.Errorf("%s seals in place: %v", name, err)
		}
		if _, _, _, err := sealed.Open(nil, k, segment); !errors.Is(err, sealed.ErrKey) {
			t.Errorf("%s opens: %v", name, err)
		}
	}
	for _, n := range []int{0, 31, 33} {
		if _, err := sealed.NewKey(make([]byte, n)); !errors.Is(err, sealed.ErrKey) {
			t.Errorf("a key of %d bytes: %v", n, err)
		}
	}
	for _, n := range []int{80, 82} {
		if _, err := sealed.SealInPlace(make([]byte, n), bulk(t), sealed.Header{Plain: 1}); !errors.Is(err, sealed.ErrSegment) {
			t.Errorf("room of %d bytes where 81 belong: %v", n, err)
		}
	}
	for name, h := range map[string]sealed.Header{"another length": {Plain: 2}, "none": {}, "too much": {Plain: 1 << 23}, "a first beyond 2^47": {First: 1 << 47, Plain: 1}} {
		if _, _, err := sealed.Seal(nil, bulk(t), h, plain); !errors.Is(err, sealed.ErrSegment) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := sealed.SealInPlace(make([]byte, 64+1+16), bulk(t), h); !errors.Is(err, sealed.ErrSegment) {
			t.Errorf("%s, in place: %v", name, err)
		}
	}
}

// TestLeafHasherInPieces: any chunking gives the leaf; before the last byte there is none.
func TestLeafHasherInPieces(t *testing.T) {
	segment, leaf := mustSeal(t, 0, random(2*sealed.RecordSize+9))
	for _, n := range []int{1, 15, 63, 64, 65, 4096, sealed.RecordSize + sealed.TagSize, len(segment)} {
		hasher := sealed.NewLeafHasher()
		for piece := range slices.Chunk(segment, n) {
			if _, _, err := hasher.Sum(); !errors.Is(err, sealed.ErrSegment) {
				t.Fatalf("a leaf before the end: %v", err)
			}
			if wrote, err := hasher.Write(piece); err != nil || wrote != len(piece) {
				t.Fatal(wrote, err)
			}
		}
		if _, got, err := hasher.Sum(); err != nil || got != leaf {
			t.Errorf("in pieces of %d: %x, %v, want %x", n, got, err, leaf)
		}
		if _, err := hasher.Write([]byte{0}); !errors.Is(err, sealed.ErrSegment) {
			t.Errorf("a byte behind the end: %v", err)
		}
	}
	hasher := sealed.NewLeafHasher()
	if _, ok := hasher.Header(); ok {
		t.Error("a header before the first byte")
	}
	hasher.Write(segment[:64]) //nolint:errcheck // Header says it
	if h, ok := hasher.Header(); !ok || h.Plain != 2*sealed.RecordSize+9 {
		t.Errorf("%+v, %v", h, ok)
	}
}

// TestKeyIsRedacted: no verb, no log and no encoding shows a key.
func TestKeyIsRedacted(t *testing.T) {
	k, err := sealed.NewKey([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	holder := struct{ K sealed.Key }{k}
	slog.New(slog.NewTextHandler(&log, nil)).Info("key", "k", k, "in", holder)
	text, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %x %q %d %v %+v %x", k, k, k, k, k, k, k, holder, holder, &holder) + k.String() + log.String() + string(text)
	for _, leak := range []string{"0123456789abcdef", hex.EncodeToString([]byte("0123456789abcdef")), "48 49 50 51"} {
		if strings.Contains(printed, leak) {
			t.Errorf("%q shows a key", printed)
		}
	}
	if _, err := k.MarshalBinary(); !errors.Is(err, sealed.ErrKey) {
		t.Errorf("a key is stored: %v", err)
	}
}
