package sealed_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/staunchid/staunch/transfer/sealed"
)

// FuzzOpen: no panic; both ways to open agree with each other and with who sees the
// segment pass; what opens is what Seal makes of it; and nothing opens as another
// place than its own.
func FuzzOpen(f *testing.F) {
	for _, n := range []int{1, 100, sealed.RecordSize, sealed.RecordSize + 1} {
		segment, _ := mustSeal(f, 64, random(n))
		f.Add(segment, 0)
		f.Add(segment[:len(segment)-1], 7)
		f.Add(append(segment, 0), 70)
	}
	f.Fuzz(func(t *testing.T, segment []byte, cut int) {
		plain, h, leaf, err := sealed.Open(nil, bulk(t), segment)
		passes(t, segment, cut, leaf, err)
		inPlace := bytes.Clone(segment)
		h2, leaf2, err2 := sealed.OpenInPlace(inPlace, bulk(t))
		if (err == nil) != (err2 == nil) || h2 != h || leaf2 != leaf {
			t.Fatalf("opened: %+v, %v; in place: %+v, %v", h, err, h2, err2)
		}
		if err != nil {
			if !errors.Is(err, sealed.ErrSegment) && !errors.Is(err, sealed.ErrRecord) || plain != nil {
				t.Fatalf("%d bytes, %v", len(plain), err)
			}
			return
		}
		again, leaf3, err := sealed.SealSalted(nil, bulk(t), h, plain)
		if err != nil || !bytes.Equal(again, segment) || leaf3 != leaf {
			t.Fatalf("%+v is sealed as other bytes, %v", h, err)
		}
		h.First++
		if _, _, _, err := sealed.Open(nil, bulk(t), append(h.Append(nil), segment[sealed.HeaderSize:]...)); !errors.Is(err, sealed.ErrRecord) && !errors.Is(err, sealed.ErrSegment) {
			t.Fatalf("it opens in another place: %v", err)
		}
	})
}

// passes wants who sees the segment, in two pieces, to find what Open found.
func passes(t *testing.T, segment []byte, cut int, leaf sealed.Leaf, err error) {
	t.Helper()
	hasher := sealed.NewLeafHasher()
	cut = min(max(cut, 0), len(segment))
	hasher.Write(segment[:cut]) //nolint:errcheck // Sum gives it again
	hasher.Write(segment[cut:]) //nolint:errcheck
	_, seen, passed := hasher.Sum()
	if (passed == nil) == errors.Is(err, sealed.ErrSegment) || err == nil && seen != leaf {
		t.Fatalf("opened: %v, leaf %x; as it passes: %v, leaf %x", err, leaf, passed, seen)
	}
}

// FuzzReader: no panic; every path that comes out is one; a reader that is stopped and
// resumed finds the same; and what is complete is what Writer makes of it.
func FuzzReader(f *testing.F) {
	for _, objects := range [][]object{nil, small()} {
		stream := plaintext(f, objects)
		f.Add(stream, 0)
		f.Add(stream, len(stream)/2)
		f.Add(stream[:len(stream)-1], 40)
		f.Add(append(stream, 0), 100)
	}
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		whole := new(staging)
		err := read(whole, stream, max(len(stream), 1))
		for _, o := range whole.objects {
			if err := sealed.CheckPath(o.Path); err != nil {
				t.Fatal(err)
			}
		}
		halves := new(staging)
		if err2 := readHalves(t, halves, stream, min(max(cut, 0), len(stream))); (err == nil) != (err2 == nil) {
			t.Fatalf("in one piece: %v; stopped after %d: %v", err, cut, err2)
		}
		if err != nil {
			if !errors.Is(err, sealed.ErrItem) {
				t.Fatal(err)
			}
			return
		}
		halves.holds(t, whole.objects)
		again, err := io.ReadAll(sealed.NewWriter(whole.totals, &history{objects: whole.objects}))
		if err != nil || !bytes.Equal(again, stream) {
			t.Fatalf("written again as other bytes, %v", err)
		}
	})
}

// readHalves takes a stream apart in two readers, the second from the state of the first.
func readHalves(t *testing.T, sink *staging, stream []byte, cut int) error {
	t.Helper()
	r := sealed.NewReader(sink)
	if _, err := r.Write(stream[:cut]); err != nil {
		return err
	}
	state, err := r.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if r, err = sealed.ResumeReader(sink, state); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write(stream[cut:]); err != nil {
		return err
	}
	return r.Close()
}
