package sealed_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/staunchid/staunch/transfer/sealed"
)

// bulk is the key of these tests.
func bulk(t testing.TB) sealed.Key {
	t.Helper()
	k, err := sealed.NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// random is n bytes that nothing compresses or repeats.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // crypto/rand: never returns an error
	return b
}

// sizes are lengths of plaintext around every edge of the format.
func sizes() []int {
	const r = sealed.RecordSize
	return []int{1, 15, 16, r - 1, r, r + 1, 2 * r, 3*r - 7, 64*r - 1, 64 * r}
}

// mustSeal seals plain as revision 3 from record first on.
func mustSeal(t testing.TB, first uint64, plain []byte) ([]byte, sealed.Leaf) {
	t.Helper()
	segment, leaf, err := sealed.Seal(nil, bulk(t), sealed.Header{Revision: 3, First: first, Plain: uint32(len(plain))}, plain)
	if err != nil {
		t.Fatal(err)
	}
	return segment, leaf
}

// TestSeal: sealed and opened, in both ways, behind what is in the buffer already,
// with one leaf for all who see the segment.
func TestSeal(t *testing.T) {
	for _, n := range sizes() {
		plain := random(n)
		h := sealed.Header{Revision: 3, First: 128, Plain: uint32(n)}
		segment, leaf := mustSeal(t, 128, plain)
		if int64(len(segment)) != h.Size() {
			t.Fatalf("%d bytes: a segment of %d, its header says %d", n, len(segment), h.Size())
		}
		got, gotHeader, gotLeaf, err := sealed.Open([]byte("before"), bulk(t), segment)
		if err != nil || string(got[:6]) != "before" || !bytes.Equal(got[6:], plain) {
			t.Fatalf("%d bytes: %v, or other plaintext", n, err)
		}
		h.Salt = gotHeader.Salt
		if gotHeader != h || gotLeaf != leaf {
			t.Fatalf("%d bytes: %+v, leaf %x, want %+v, leaf %x", n, gotHeader, gotLeaf, h, leaf)
		}
		hasher := sealed.NewLeafHasher()
		hasher.Write(segment) //nolint:errcheck // Sum gives it again
		if seenHeader, seen, err := hasher.Sum(); err != nil || seen != leaf || seenHeader != h {
			t.Fatalf("%d bytes: as it passes %+v, leaf %x, %v", n, seenHeader, seen, err)
		}
		inPlace(t, h, plain)
	}
}

// inPlace seals and opens plain without a second buffer, and crosswise.
func inPlace(t *testing.T, h sealed.Header, plain []byte) {
	t.Helper()
	h.Salt = [32]byte{}
	segment := make([]byte, h.Size())
	for j := range h.Records() {
		copy(h.Record(segment, j), plain[j*sealed.RecordSize:])
	}
	leaf, err := sealed.SealInPlace(segment, bulk(t), h)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, opened, err := sealed.Open(nil, bulk(t), segment); err != nil || !bytes.Equal(got, plain) || opened != leaf {
		t.Fatalf("%d bytes sealed in place: %v, leaf %x of %x", h.Plain, err, opened, leaf)
	}
	got, opened, err := sealed.OpenInPlace(segment, bulk(t))
	if err != nil || opened != leaf {
		t.Fatalf("%d bytes opened in place: %v, leaf %x of %x", h.Plain, err, opened, leaf)
	}
	for j := range got.Records() {
		if want := plain[j*sealed.RecordSize : min(len(plain), (j+1)*sealed.RecordSize)]; !bytes.Equal(got.Record(segment, j), want) {
			t.Fatalf("%d bytes opened in place: record %d differs", h.Plain, j)
		}
	}
}

// TestNoAllocationPerRecord: a full segment takes no more memory than one record, where
// there is room for it.
func TestNoAllocationPerRecord(t *testing.T) {
	k := bulk(t)
	allocations := func(records int) (seal, open, inPlace float64) {
		plain := make([]byte, records*sealed.RecordSize)
		h := sealed.Header{Plain: uint32(len(plain))}
		segment, _ := mustSeal(t, 0, plain)
		room, buffer := make([]byte, h.Size()), make([]byte, h.Size())
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		seal = testing.AllocsPerRun(3, func() { _, _, err := sealed.Seal(room[:0], k, h, plain); must(err) })
		open = testing.AllocsPerRun(3, func() { _, _, _, err := sealed.Open(room[:0], k, segment); must(err) })
		inPlace = testing.AllocsPerRun(3, func() {
			_, err := sealed.SealInPlace(buffer, k, h)
			must(err)
			_, _, err = sealed.OpenInPlace(buffer, k)
			must(err)
		})
		return seal, open, inPlace
	}
	seal1, open1, inPlace1 := allocations(1)
	seal, open, inPlace := allocations(sealed.MaxRecords)
	if seal > seal1 || open > open1 || inPlace > inPlace1 {
		t.Errorf("%g, %g and %g allocations for a full segment; %g, %g and %g for one record", seal, open, inPlace, seal1, open1, inPlace1)
	}
}
