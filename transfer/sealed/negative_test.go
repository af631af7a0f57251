package sealed_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/staunchid/staunch/transfer/sealed"
)

// sent is the large history on its way: in segments of 16 records, revision 3.
func sent(t *testing.T) (objects []object, segments [][]byte, root [32]byte) {
	t.Helper()
	objects = large()
	segments, root = send(t, bulk(t), 3, plaintext(t, objects), 16)
	if len(segments) < 5 {
		t.Fatalf("%d segments are too few to lose some", len(segments))
	}
	return objects, segments, root
}

// refused wants an error of this kind, and that nothing is taken for whole.
func refused(t *testing.T, name string, segments [][]byte, root [32]byte, want error) {
	t.Helper()
	if err := receive(bulk(t), 3, segments, root, new(staging)); !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
}

// TestSentIsReceived: what the tests below spoil arrives as it was, however it is cut.
func TestSentIsReceived(t *testing.T) {
	objects, segments, root := sent(t)
	sink := new(staging)
	if err := receive(bulk(t), 3, segments, root, sink); err != nil {
		t.Fatal(err)
	}
	sink.holds(t, objects)
	halved, other := send(t, bulk(t), 3, plaintext(t, objects), 64, 32, 1, 64)
	sink = new(staging)
	if err := receive(bulk(t), 3, halved, other, sink); err != nil {
		t.Fatal(err)
	}
	sink.holds(t, objects)
	refused(t, "another cut under the root of the first", halved, root, errRoot)
}

func TestTruncated(t *testing.T) {
	_, segments, root := sent(t)
	last := len(segments) - 1
	refused(t, "without the last segment", segments[:last], root, sealed.ErrItem)
	refused(t, "without all", nil, root, sealed.ErrItem)
	for _, n := range []int{0, 1, 63, 64, 65, 80, 64 + sealed.RecordSize, 64 + sealed.RecordSize + 16, len(segments[0]) - 16, len(segments[0]) - 1} {
		cut := slices.Clone(segments)
		cut[0] = cut[0][:n]
		refused(t, "a segment cut short", cut, root, sealed.ErrSegment)
		hasher := sealed.NewLeafHasher()
		hasher.Write(cut[0]) //nolint:errcheck // Sum gives it again
		if _, _, err := hasher.Sum(); !errors.Is(err, sealed.ErrSegment) {
			t.Errorf("the server takes %d bytes of a segment of %d: %v", n, len(segments[0]), err)
		}
	}
	// The header is made to fit what is left of the segment: then its key is another.
	short := segments[last-1][:64+8*(sealed.RecordSize+sealed.TagSize)]
	header, err := sealed.ParseHeader(short)
	if err != nil {
		t.Fatal(err)
	}
	header.Plain = 8 * sealed.RecordSize
	fitted := append(header.Append(nil), short[64:]...)
	refused(t, "with a header that fits", append(slices.Clone(segments[:last-1]), fitted), root, sealed.ErrRecord)
}

func TestReordered(t *testing.T) {
	_, segments, root := sent(t)
	swapped := slices.Clone(segments)
	swapped[1], swapped[2] = swapped[2], swapped[1]
	refused(t, "two segments", swapped, root, sealed.ErrOrder)
	refused(t, "without the first", segments[1:], root, sealed.ErrOrder)
	refused(t, "without one in the middle", slices.Delete(slices.Clone(segments), 2, 3), root, sealed.ErrOrder)

	const record = sealed.RecordSize + sealed.TagSize
	records := slices.Clone(segments)
	records[1] = bytes.Clone(records[1])
	copy(records[1][64:], segments[1][64+record:64+2*record])
	copy(records[1][64+record:], segments[1][64:64+record])
	refused(t, "two records of a segment", records, root, sealed.ErrRecord)
}

func TestDuplicated(t *testing.T) {
	_, segments, root := sent(t)
	refused(t, "a segment twice", slices.Insert(slices.Clone(segments), 1, segments[0]), root, sealed.ErrOrder)
	last := len(segments) - 1
	refused(t, "the last one twice", append(slices.Clone(segments), segments[last]), root, sealed.ErrOrder)

	const record = sealed.RecordSize + sealed.TagSize
	records := slices.Clone(segments)
	records[0] = bytes.Clone(records[0])
	copy(records[0][64+record:], records[0][64:64+record])
	refused(t, "a record in the place of the next", records, root, sealed.ErrRecord)
}

// TestSpliced: segments of another transfer, revision or place.
func TestSpliced(t *testing.T) {
	objects, segments, root := sent(t)
	stream := plaintext(t, objects)
	other, err := sealed.NewKey(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	stranger, _ := send(t, other, 3, stream, 16)
	refused(t, "of another transfer", slices.Concat(segments[:1], stranger[1:]), root, sealed.ErrRecord)

	earlier, _ := send(t, bulk(t), 2, stream, 16)
	refused(t, "of an earlier revision", slices.Concat(segments[:1], earlier[1:]), root, sealed.ErrOrder)
	refused(t, "all of an earlier revision", earlier, root, sealed.ErrOrder)

	again, _ := send(t, bulk(t), 3, stream, 16)
	refused(t, "of the same stream, sealed again", slices.Concat(segments[:1], again[1:]), root, errRoot)

	for _, c := range []struct {
		name   string
		change func(*sealed.Header)
	}{
		{"revision", func(h *sealed.Header) { h.Revision = 3 }},
		{"place", func(h *sealed.Header) { h.First = 16 }},
		{"salt", func(h *sealed.Header) { h.Salt[31] ^= 1 }},
	} {
		from := map[string][]byte{"revision": earlier[1], "place": segments[2], "salt": segments[1]}[c.name]
		h, err := sealed.ParseHeader(from)
		if err != nil {
			t.Fatal(err)
		}
		c.change(&h)
		renamed := append(h.Append(nil), from[64:]...)
		refused(t, "with another "+c.name+" in the header", slices.Concat(segments[:1], [][]byte{renamed}, segments[2:]), root, sealed.ErrRecord)
	}
}

func TestAppended(t *testing.T) {
	objects, segments, root := sent(t)
	last := len(segments) - 1
	longer := slices.Clone(segments)
	longer[last] = append(bytes.Clone(longer[last]), 0)
	refused(t, "a byte behind a segment", longer, root, sealed.ErrSegment)
	hasher := sealed.NewLeafHasher()
	if _, err := hasher.Write(longer[last]); !errors.Is(err, sealed.ErrSegment) {
		t.Errorf("the server takes a byte behind a segment: %v", err)
	}
	stream := plaintext(t, objects)
	more, wrong := send(t, bulk(t), 3, append(bytes.Clone(stream), 0), 16)
	refused(t, "a byte behind the trailer", more, wrong, sealed.ErrItem)
	twice, wrong := send(t, bulk(t), 3, append(bytes.Clone(stream), stream...), 16)
	refused(t, "a stream behind the trailer", twice, wrong, sealed.ErrItem)

	s := sealed.NewStream(3)
	if err := s.Add(sealed.Header{Revision: 3, Plain: sealed.RecordSize + 1}, sealed.Leaf{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(sealed.Header{Revision: 3, First: 2, Plain: 1}, sealed.Leaf{}); !errors.Is(err, sealed.ErrOrder) {
		t.Errorf("a segment behind a short record: %v", err)
	}
	before := s.Root()
	if s.Records() != 2 || s.Bytes() != sealed.RecordSize+1 || s.Segments() != 1 || before != s.Root() {
		t.Errorf("a segment that was refused counts: %d records, %d bytes, %d segments", s.Records(), s.Bytes(), s.Segments())
	}
}

// TestFlipped: every byte of a segment counts, those of the header too.
func TestFlipped(t *testing.T) {
	segment, _ := mustSeal(t, 5, random(40))
	for i := range segment {
		segment[i] ^= 0x40
		if _, _, _, err := sealed.Open(nil, bulk(t), segment); err == nil {
			t.Errorf("a segment opens with byte %d changed", i)
		}
		changed := bytes.Clone(segment)
		if _, _, err := sealed.OpenInPlace(changed, bulk(t)); err == nil {
			t.Errorf("in place, a segment opens with byte %d changed", i)
		}
		segment[i] ^= 0x40
	}
}

// TestAllOrNothing: a bad record keeps back the good ones before it.
func TestAllOrNothing(t *testing.T) {
	plain := bytes.Repeat([]byte("secret!!"), 3*sealed.RecordSize/8)
	segment, _ := mustSeal(t, 0, plain)
	segment[len(segment)-1] ^= 1
	room := make([]byte, len(plain))
	got, _, _, err := sealed.Open(room[:0], bulk(t), segment)
	if !errors.Is(err, sealed.ErrRecord) || got != nil {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if bytes.Contains(room, plain[:64]) {
		t.Error("what was opened before the bad record is left in the buffer")
	}
	if _, _, err := sealed.OpenInPlace(segment, bulk(t)); !errors.Is(err, sealed.ErrRecord) {
		t.Fatal(err)
	}
	if bytes.Contains(segment, plain[:64]) {
		t.Error("what was opened before the bad record is left in the segment")
	}
}

// TestZerosAreData: content of zeros is sent and hashed as any other; a segment of it
// can neither be left out nor taken for one that is missing.
func TestZerosAreData(t *testing.T) {
	objects := []object{file(sealed.File, "zeros", make([]byte, 10<<20))}
	stream := plaintext(t, objects)
	segments, root := send(t, bulk(t), 3, stream, 16)
	sink := new(staging)
	if err := receive(bulk(t), 3, segments, root, sink); err != nil {
		t.Fatal(err)
	}
	sink.holds(t, objects)
	if bytes.Equal(segments[3][64:], segments[4][64:]) {
		t.Error("two segments of zeros are the same ciphertext")
	}
	hole := slices.Clone(segments)
	hole[4] = make([]byte, len(hole[4]))
	refused(t, "a hole where a segment of zeros was", hole, root, sealed.ErrSegment)
	copy(hole[4], segments[4][:64])
	refused(t, "a hole behind the header", hole, root, sealed.ErrRecord)
	// The writer skips over zeros that were sent by their place, and by nothing else.
	w := newWriter(objects)
	if err := w.SkipTo(uint64(len(stream)) - 100); err != nil {
		t.Fatal(err)
	}
	rest := make([]byte, 100)
	if n, err := w.Read(rest); err != nil || n == 0 || !bytes.HasPrefix(stream[len(stream)-100:], rest[:n]) {
		t.Errorf("%d bytes, %v, not the end of the stream", n, err)
	}
}

// TestNonceNeverReused: the same place sealed again, after a change or without one, is
// under another key: no two plaintexts meet under one nonce.
func TestNonceNeverReused(t *testing.T) {
	zero, one := make([]byte, 100), bytes.Repeat([]byte{1}, 100)
	h := sealed.Header{Revision: 3, First: 7, Plain: 100}
	salts := map[[32]byte]bool{}
	var streams [][]byte // the key streams, as far as they could be the same
	for i := range 16 {
		plain := [][]byte{zero, one}[i%2]
		segment, _, err := sealed.Seal(nil, bulk(t), h, plain)
		if i >= 8 {
			segment = make([]byte, h.Size())
			copy(h.Record(segment, 0), plain)
			_, err = sealed.SealInPlace(segment, bulk(t), h)
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := sealed.ParseHeader(segment)
		if err != nil {
			t.Fatal(err)
		}
		if salts[got.Salt] || got.Salt == ([32]byte{}) {
			t.Errorf("the salt %x, again", got.Salt)
		}
		salts[got.Salt] = true
		key := bytes.Clone(segment[64:164])
		for j := range key {
			key[j] ^= plain[j]
		}
		for _, other := range streams {
			if bytes.Equal(key, other) {
				t.Error("two plaintexts under one key and nonce")
			}
		}
		streams = append(streams, key)
	}
	h.Salt[0] = 1
	if _, _, err := sealed.Seal(nil, bulk(t), h, zero); !errors.Is(err, sealed.ErrSegment) {
		t.Errorf("a salt of the caller's: %v", err)
	}
	if _, err := sealed.SealInPlace(make([]byte, h.Size()), bulk(t), h); !errors.Is(err, sealed.ErrSegment) {
		t.Errorf("a salt of the caller's, in place: %v", err)
	}
	// Within a segment each record has its own nonce: equal records do not look equal.
	segment, _ := mustSeal(t, 0, make([]byte, 3*sealed.RecordSize))
	const record = sealed.RecordSize + sealed.TagSize
	if bytes.Equal(segment[64:64+1000], segment[64+record:64+record+1000]) || bytes.Equal(segment[64:64+1000], segment[64+2*record:64+2*record+1000]) {
		t.Error("two records of a segment under one nonce")
	}
}
