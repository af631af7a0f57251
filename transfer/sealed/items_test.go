package sealed_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/staunchid/staunch/transfer/sealed"
)

// TestItems: a history arrives as it was, in pieces of any length.
func TestItems(t *testing.T) {
	for _, objects := range [][]object{nil, small(), large()} {
		stream := plaintext(t, objects)
		size, err := sealed.Measure(totals(objects), &history{objects: objects})
		if err != nil || size != uint64(len(stream)) {
			t.Errorf("measured %d bytes, %v; the stream has %d", size, err, len(stream))
		}
		for _, n := range []int{1, 7, sealed.RecordSize, len(stream)} {
			if n == 1 && len(stream) > 1<<20 {
				continue // it would say the same as for the small one
			}
			sink := new(staging)
			if err := read(sink, stream, n); err != nil {
				t.Fatalf("in pieces of %d: %v", n, err)
			}
			sink.holds(t, objects)
		}
		if err := iotest.TestReader(newWriter(objects), stream); err != nil && len(stream) < 1<<20 {
			t.Error(err)
		}
	}
}

// TestSkipTo: from every byte on the stream is the same, and nothing before it is opened.
func TestSkipTo(t *testing.T) {
	stream := plaintext(t, small())
	for at := range len(stream) + 1 {
		src := &history{objects: small()}
		w := sealed.NewWriter(totals(small()), src)
		if err := w.SkipTo(uint64(at)); err != nil || len(src.opened) > 0 {
			t.Fatalf("skipped to %d: %v, opened %q", at, err, src.opened)
		}
		if got, err := io.ReadAll(w); err != nil || !bytes.Equal(got, stream[at:]) || w.Offset() != uint64(len(stream)) {
			t.Fatalf("from byte %d: %v, or other bytes", at, err)
		}
	}
	src := &history{objects: small()}
	w := sealed.NewWriter(totals(small()), src)
	start := bytes.Index(stream, bytes.Repeat([]byte{0}, 300))
	head := make([]byte, start+10)
	if _, err := io.ReadFull(w, head); err != nil {
		t.Fatal(err)
	}
	if err := w.SkipTo(uint64(start) + 200); err != nil { // on within a file that is open
		t.Fatal(err)
	}
	rest, err := io.ReadAll(w)
	if err != nil || !bytes.Equal(rest, stream[start+200:]) || !slices.Contains(src.opened, "media/a.bin@200") {
		t.Errorf("%v, opened %q, or other bytes", err, src.opened)
	}
	if err := w.SkipTo(3); err == nil {
		t.Error("it skips back")
	}
	if err := w.SkipTo(uint64(len(stream)) + 1); !errors.Is(err, sealed.ErrItem) {
		t.Errorf("it skips beyond the end: %v", err)
	}
}

// TestCheckpoint: stopped at every byte and gone on from what was stored, in a new reader.
func TestCheckpoint(t *testing.T) {
	stream := plaintext(t, small())
	for at := range len(stream) + 1 {
		sink := new(staging)
		r := sealed.NewReader(sink)
		if _, err := r.Write(stream[:at]); err != nil {
			t.Fatal(err)
		}
		state, err := r.MarshalBinary()
		if err != nil || len(state) > 6<<10 {
			t.Fatalf("%d bytes, %v", len(state), err)
		}
		e, done, open := r.At()
		if r, err = sealed.ResumeReader(sink, state); err != nil {
			t.Fatalf("at byte %d: %v", at, err)
		}
		if e2, done2, open2 := r.At(); e2 != e || done2 != done || open2 != open {
			t.Fatalf("at byte %d: %d of %v, was %d of %v", at, done2, e2, done, e)
		}
		if _, err := r.Write(stream[at:]); err != nil {
			t.Fatalf("at byte %d: %v", at, err)
		}
		if err := r.Close(); err != nil {
			t.Fatalf("at byte %d: %v", at, err)
		}
		sink.holds(t, small())
		if want := totals(small()); r.Totals() != want || r.Objects() != want.Objects || r.Bytes() != want.Bytes {
			t.Fatalf("at byte %d: %d objects of %d bytes", at, r.Objects(), r.Bytes())
		}
		for _, n := range []int{0, 1, len(state) - 1} {
			if _, err := sealed.ResumeReader(sink, state[:n]); !errors.Is(err, sealed.ErrCheckpoint) {
				t.Fatalf("%d bytes of a checkpoint: %v", n, err)
			}
		}
	}
}

// TestReaderStops: an error of the sink comes out, and nothing is taken after it.
func TestReaderStops(t *testing.T) {
	full := errors.New("no space")
	sink := &staging{fail: full}
	r := sealed.NewReader(sink)
	for range 2 {
		if _, err := r.Write(plaintext(t, small())); !errors.Is(err, full) {
			t.Errorf("%v", err)
		}
	}
	if err := r.Close(); !errors.Is(err, full) || len(sink.objects) > 0 {
		t.Errorf("%v, %d objects", err, len(sink.objects))
	}
	if _, err := r.MarshalBinary(); err == nil {
		t.Error("a reader that has failed gives a checkpoint")
	}
}

// TestWriterRefuses: a plan that no reader would take is not sent.
func TestWriterRefuses(t *testing.T) {
	for name, objects := range map[string][]object{
		"not in order":            {folder("b"), folder("a")},
		"a path that climbs":      {folder("../a")},
		"of an unknown kind":      {file(7, "a", nil)},
		"a folder with a content": {file(sealed.Folder, "a", []byte("x"))},
	} {
		if _, err := io.ReadAll(newWriter(objects)); !errors.Is(err, sealed.ErrItem) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, t2 := range map[string]sealed.Totals{
		"an object more than announced":  {Schema: 4, Objects: 6, Bytes: 308},
		"an object less than announced":  {Schema: 4, Objects: 8, Bytes: 308},
		"a byte more than announced":     {Schema: 4, Objects: 7, Bytes: 307},
		"a byte less than announced":     {Schema: 4, Objects: 7, Bytes: 309},
		"more than can be counted":       {Schema: 4, Objects: 7, Bytes: 1<<62 + 1},
		"nothing announced, all of zero": {},
	} {
		if _, err := io.ReadAll(sealed.NewWriter(t2, &history{objects: small()})); !errors.Is(err, sealed.ErrItem) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := sealed.Measure(t2, &history{objects: small()}); !errors.Is(err, sealed.ErrItem) {
			t.Errorf("%s, measured: %v", name, err)
		}
	}
}

// TestSourceChanges: a content that ends early, or that its source finds changed when
// it has been read, ends the stream before its trailer.
func TestSourceChanges(t *testing.T) {
	shorter := small()
	shorter[5].content = shorter[5].content[:299]
	_, err := io.ReadAll(newWriter(shorter))
	if !errors.Is(err, sealed.ErrChanged) || !strings.Contains(err.Error(), "media/a.bin") {
		t.Errorf("shorter than planned: %v", err)
	}
	torn := fmt.Errorf("%w: another mtime", sealed.ErrChanged)
	w := sealed.NewWriter(totals(small()), &history{objects: small(), closed: torn})
	for range 2 {
		if _, err := io.ReadAll(w); !errors.Is(err, sealed.ErrChanged) {
			t.Errorf("changed while it was read: %v", err)
		}
	}
}

// item is a raw item: a head in hexadecimal, and its content.
func item(t *testing.T, head, content string) []byte {
	t.Helper()
	b := unhex(t, head)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...), content...)
}

// badStream is one that must not be read.
type badStream struct {
	name  string
	parts [][]byte
}

// badStreams are small changes to one good stream.
func badStreams(t *testing.T) []badStream {
	t.Helper()
	preamble := item(t, "a4 00 00 01 04 02 02 03 02", "")
	a := item(t, "a4 00 01 01 61 61 02 02 03 20", "xy")
	b := item(t, "a4 00 02 01 61 62 02 00 03 00", "")
	good := plaintext(t, []object{{sealed.Entry{Kind: 1, Path: "a", Size: 2, MTime: -1}, []byte("xy")}, {Entry: sealed.Entry{Kind: 2, Path: "b"}}})
	trailer := good[len(good)-4-42:]
	if want := slices.Concat(preamble, a, b, trailer); !bytes.Equal(good, want) {
		t.Fatalf("%x, want %x", good, want)
	}
	wrong := func(i int) []byte { w := bytes.Clone(trailer); w[i] ^= 1; return w }
	return []badStream{
		{"nothing", nil},
		{"no preamble", [][]byte{a, b, trailer}},
		{"two preambles", [][]byte{preamble, preamble, a, b, trailer}},
		{"a preamble behind an entry", [][]byte{preamble, a, preamble, b, trailer}},
		{"no trailer", [][]byte{preamble, a, b}},
		{"an entry less", [][]byte{preamble, a, trailer}},
		{"an entry behind the trailer", [][]byte{preamble, a, b, trailer, b}},
		{"two trailers", [][]byte{preamble, a, b, trailer, trailer}},
		{"a zero behind the trailer", [][]byte{preamble, a, b, trailer, {0}}},
		{"an entry twice", [][]byte{preamble, a, a, trailer}},
		{"another order", [][]byte{preamble, b, a, trailer}},
		{"other totals in the preamble: objects", [][]byte{item(t, "a4 00 00 01 04 02 03 03 02", ""), a, b, trailer}},
		{"other totals in the preamble: bytes", [][]byte{item(t, "a4 00 00 01 04 02 02 03 03", ""), a, b, trailer}},
		{"another schema in the preamble", [][]byte{item(t, "a4 00 00 01 05 02 02 03 02", ""), a, b, trailer}},
		{"other objects in the trailer", [][]byte{preamble, a, b, wrong(4 + 4)}},
		{"other bytes in the trailer", [][]byte{preamble, a, b, wrong(4 + 6)}},
		{"another hash in the trailer", [][]byte{preamble, a, b, wrong(len(trailer) - 1)}},
		{"another mtime", [][]byte{preamble, item(t, "a4 00 01 01 61 61 02 02 03 21", "xy"), b, trailer}},
		{"another kind", [][]byte{preamble, item(t, "a4 00 03 01 61 61 02 02 03 20", "xy"), b, trailer}},
		{"an unknown kind", [][]byte{preamble, item(t, "a4 00 04 01 61 61 02 02 03 20", "xy"), b, trailer}},
		{"a member too many", [][]byte{preamble, item(t, "a5 00 01 01 61 61 02 02 03 20 05 00", "xy"), b, trailer}},
		{"a longer number than needed", [][]byte{preamble, item(t, "a4 00 01 01 61 61 02 18 02 03 20", "xy"), b, trailer}},
		{"a byte behind a head", [][]byte{preamble, item(t, "a4 00 01 01 61 61 02 02 03 20 00", "xy"), b, trailer}},
		{"a head of no bytes", [][]byte{preamble, {0, 0, 0, 0}, a, b, trailer}},
		{"a head of 4 KiB and one byte", [][]byte{preamble, {0, 0, 16, 1}, a, b, trailer}},
	}
}

// raw gives a reader these entries, which no writer would write, and says what it
// finds wrong with them.
func raw(t *testing.T, entries ...sealed.Entry) error {
	t.Helper()
	all := [][]byte{item(t, fmt.Sprintf("a4 00 00 01 04 02 %02x 03 00", len(entries)), "")}
	for _, e := range entries {
		head := slices.Concat([]byte{0xa4, 0, byte(e.Kind), 1}, textHead(len(e.Path)), []byte(e.Path), []byte{2, 0, 3, 0})
		all = append(all, append(binary.BigEndian.AppendUint32(nil, uint32(len(head))), head...))
	}
	r := sealed.NewReader(new(staging))
	_, err := r.Write(slices.Concat(all...))
	return err
}

// textHead is the head of a text of n bytes, RFC 8949, Section 3.
func textHead(n int) []byte {
	switch {
	case n < 24:
		return []byte{0x60 | byte(n)}
	case n < 256:
		return []byte{0x78, byte(n)}
	}
	return binary.BigEndian.AppendUint16([]byte{0x79}, uint16(n))
}

// TestPathEscape: no path that could lead out of the folder, at either end.
func TestPathEscape(t *testing.T) {
	for _, path := range []string{
		"", "/", "/etc/passwd", "a/", "a//b", ".", "..", "./a", "../a", "a/..", "a/../b", "a/./b", "a/.", "a\\b", "..\\a",
		"C:\\a", "a\x00", "\xff", "a/\xc0\xaf", "\xed\xa0\x80", strings.Repeat("a", 1025), "/" + strings.Repeat("a", 1023),
	} {
		if err := sealed.CheckPath(path); !errors.Is(err, sealed.ErrItem) {
			t.Errorf("%.40q is a path: %v", path, err)
		}
		if err := raw(t, sealed.Entry{Kind: sealed.File, Path: path}); !errors.Is(err, sealed.ErrItem) {
			t.Errorf("%.40q is taken from a stream: %v", path, err)
		}
	}
	for _, path := range []string{"a", "...", "..a", "a..", "a/b/c", ".hidden", " ", "日本/写真 ⌘.jpg", "a\nb", "C:", "con", strings.Repeat("a", 1024)} {
		if err := raw(t, sealed.Entry{Kind: sealed.File, Path: path}); err != nil {
			t.Errorf("%.40q is refused: %v", path, err)
		}
	}
}

// TestOrder: records first, each group in the order of a folder walk, nothing twice.
func TestOrder(t *testing.T) {
	const f, d, r = sealed.File, sealed.Folder, sealed.Records
	for _, c := range []struct {
		name    string
		entries []sealed.Entry
		ok      bool
	}{
		{"a walk", []sealed.Entry{{Kind: d, Path: "a"}, {Kind: f, Path: "a/b"}, {Kind: f, Path: "a-b"}, {Kind: f, Path: "a.b"}}, true},
		{"records, then the rest", []sealed.Entry{{Kind: r, Path: "z"}, {Kind: d, Path: "a"}}, true},
		{"a folder behind its records", []sealed.Entry{{Kind: r, Path: "a/z"}, {Kind: d, Path: "a"}}, true},
		{"by the bytes of the whole path", []sealed.Entry{{Kind: d, Path: "a"}, {Kind: f, Path: "a-b"}, {Kind: f, Path: "a/b"}}, false},
		{"records behind the rest", []sealed.Entry{{Kind: d, Path: "a"}, {Kind: r, Path: "z"}}, false},
		{"twice", []sealed.Entry{{Kind: f, Path: "a"}, {Kind: f, Path: "a"}}, false},
		{"twice, of two kinds", []sealed.Entry{{Kind: d, Path: "a"}, {Kind: f, Path: "a"}}, false},
		{"records twice", []sealed.Entry{{Kind: r, Path: "a"}, {Kind: r, Path: "a"}}, false},
		{"within a file", []sealed.Entry{{Kind: f, Path: "a"}, {Kind: f, Path: "a/b"}}, false},
		{"within records", []sealed.Entry{{Kind: r, Path: "a"}, {Kind: r, Path: "a/b"}}, false},
	} {
		if err := raw(t, c.entries...); (err == nil) != c.ok || err != nil && !errors.Is(err, sealed.ErrItem) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	walk := []string{"A", "a", "a/b", "a/b/c", "a/c", "a b", "a-b", "b", "é"}
	for i, x := range walk {
		for j, y := range walk {
			if got := sealed.ComparePaths(x, y); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%q and %q: %d", x, y, got)
			}
		}
	}
}
