package sealed_test

import (
	"bytes"
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
		pieces := []int{sealed.RecordSize, len(stream)}
		if len(stream) < sealed.RecordSize { // the large one would say the same, slowly
			pieces = append(pieces, 1, 7)
			if err := iotest.TestReader(newWriter(objects), stream); err != nil {
				t.Error(err)
			}
		}
		for _, n := range pieces {
			sink := new(staging)
			if err := read(sink, stream, n); err != nil {
				t.Fatalf("in pieces of %d: %v", n, err)
			}
			sink.holds(t, objects)
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

// TestCheckpointUnsound: a stored state that no reader has been in, each by one small
// change to one that a reader is in: within media/a.bin.
func TestCheckpointUnsound(t *testing.T) {
	stream := plaintext(t, small())
	r := sealed.NewReader(new(staging))
	if _, err := r.Write(stream[:bytes.Index(stream, make([]byte, 300))+40]); err != nil {
		t.Fatal(err)
	}
	state, err := r.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to string }{
		{"another version", "b000 01", "b000 02"},
		{"never begun", "b000 0101f5", "b000 0101f4"},
		{"ended within a file", "02f4 03f5", "02f5 03f5"},
		{"within a file of which all has come", "03f5 0404", "03f4 0404"},
		{"more objects than announced", "0507", "0505"},
		{"more bytes than announced", "0619 0134", "0619 0132"},
		{"more left than there is", "0a19 0104", "0a19 0204"},
		{"no entry at hand", "0b01", "0b00"},
		{"an entry of an unknown kind", "0b01", "0b04"},
	} {
		changed := bytes.Replace(state, unhex(t, c.from), unhex(t, c.to), 1)
		if bytes.Equal(changed, state) {
			t.Fatalf("%s: %x has no %s", c.name, state[:60], c.from)
		}
		if _, err := sealed.ResumeReader(new(staging), changed); !errors.Is(err, sealed.ErrCheckpoint) {
			t.Errorf("%s: %v", c.name, err)
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
		"of a preamble's kind":    {file(0, "a", nil)},
		"of a trailer's kind":     {file(9, "a", nil)},
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
