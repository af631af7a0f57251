package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/recovery/wire"
)

// TestFrames: messages follow each other on a link that delivers byte by byte.
func TestFrames(t *testing.T) {
	var link bytes.Buffer
	frames := []wire.Frame{{ID: 1, Kind: wire.FrameCall, Body: fill(70_000)}, {ID: 2, Kind: wire.FrameInfo}, {ID: 3, Kind: wire.FrameState, Body: []byte{}}}
	for i := range frames {
		if err := wire.WriteFrame(&link, &frames[i]); err != nil {
			t.Fatal(err)
		}
	}
	r := iotest.OneByteReader(&link)
	for _, want := range frames {
		got, err := wire.ReadFrame[wire.Frame](r)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Fatalf("%v\n%s", err, d)
		}
	}
	if _, err := wire.ReadFrame[wire.Frame](r); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestReadFrameRefuses(t *testing.T) {
	good := encoded(t, &wire.Frame{ID: 1, Kind: wire.FrameInfo})
	head := func(n uint32, b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, n), b...) }
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"good", head(uint32(len(good)), good), nil},
		{"too long", head(wire.MaxFrame+1, make([]byte, wire.MaxFrame+1)), wire.ErrMalformed},
		{"4 GiB", head(1<<32-1, nil), wire.ErrMalformed},
		{"cut short", head(uint32(len(good)), good[1:]), io.ErrUnexpectedEOF},
		{"half a length", []byte{0, 0}, io.ErrUnexpectedEOF},
		{"shorter than its item", head(uint32(len(good)-1), good), wire.ErrMalformed},
		{"longer than its item", head(uint32(len(good)+1), append(good, 0)), wire.ErrMalformed},
		{"empty", head(0, nil), wire.ErrMalformed},
	} {
		if f, err := wire.ReadFrame[wire.Frame](bytes.NewReader(c.in)); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, %v", c.name, f, err)
		}
	}
	if err := wire.WriteFrame(io.Discard, &wire.Frame{Kind: "x", Body: fill(wire.MaxFrame)}); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("written too long: %v", err)
	}
}
