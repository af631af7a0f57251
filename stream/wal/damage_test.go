package wal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/streamtest"
	"github.com/staunchid/staunch/stream/wal"
)

// written is the bytes of a segment with n entries, and where the last begins.
func written(t *testing.T, n byte) (data []byte, last int) {
	t.Helper()
	dir := t.TempDir()
	l := open(t, dir, stream.Options{Rate: -1})
	for i := range n {
		if i == n-1 {
			info, err := os.Stat(filepath.Join(dir, "0000000001.log"))
			if err != nil {
				t.Fatal(err)
			}
			last = int(info.Size())
		}
		streamtest.Enqueue(t, l, streamtest.Record(i, 1, 1))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "0000000001.log"))
	if err != nil {
		t.Fatal(err)
	}
	return data, last
}

// reopen opens a log with these segments.
func reopen(t *testing.T, segments ...[]byte) (dir string, depth int, err error) {
	t.Helper()
	dir = t.TempDir()
	for i, data := range segments {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%010d.log", i+1)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := wal.Open(&wal.Options{Dir: dir, Stream: stream.Options{Rate: -1}})
	if err != nil {
		return dir, 0, err
	}
	depth = l.Stats().Depth
	return dir, depth, l.Close()
}

// TestTorn: what a power cut leaves of the last frame is cut off.
func TestTorn(t *testing.T) {
	data, last := written(t, 3)
	for cut := last + 1; cut < len(data); cut++ {
		dir, depth, err := reopen(t, data[:cut])
		if err != nil || depth != 2 {
			t.Fatalf("cut at %d of %d: %d held, %v", cut, len(data), depth, err)
		}
		if now, err := os.ReadFile(filepath.Join(dir, "0000000001.log")); err != nil || len(now) != last {
			t.Fatalf("cut at %d: %d bytes are left of %d, %v", cut, len(now), last, err)
		}
	}
	for name, tail := range map[string][]byte{"zeros": make([]byte, 5000), "half, then zeros": append(data[last:last+20:last+20], make([]byte, 100)...)} {
		if _, depth, err := reopen(t, append(data[:last:last], tail...)); err != nil || depth != 2 {
			t.Errorf("%s: %d held, %v", name, depth, err)
		}
	}
}

// TestDamaged: damage elsewhere is an error that names file and offset, and
// nothing is cut. That holds for a length, too, which would skip what follows.
func TestDamaged(t *testing.T) {
	data, last := written(t, 3)
	check := func(what string, file string, offset string, segments ...[]byte) {
		t.Helper()
		dir, _, err := reopen(t, segments...)
		if !errors.Is(err, wal.ErrDamaged) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), offset) {
			t.Fatalf("%s: %v", what, err)
		}
		for i, data := range segments {
			if now, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%010d.log", i+1))); err != nil || len(now) != len(data) {
				t.Fatalf("%s: segment %d has %d bytes of %d, %v", what, i+1, len(now), len(data), err)
			}
		}
	}
	for i := range last {
		bad := append([]byte{}, data...)
		bad[i] ^= 0x80
		check(fmt.Sprintf("byte %d", i), "0000000001.log", "at offset", bad)
	}
	bad := append([]byte{}, data...)
	bad[last-1] ^= 1
	check("the second", "0000000001.log", fmt.Sprintf("at offset %d:", last/2), bad)
	check("a first segment that ends within a frame", "0000000001.log", fmt.Sprintf("at offset %d:", last), data[:len(data)-1], data)
	check("zeros after a first segment", "0000000001.log", fmt.Sprintf("at offset %d:", len(data)), append(data[:len(data):len(data)], 0), data)
}

func TestStrangers(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "server.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := wal.Open(&wal.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "server.log") {
		t.Errorf("%v", err)
	}
	if _, err := wal.Open(&wal.Options{}); err == nil {
		t.Error("opened without a folder")
	}
}

// TestInUse: one process at a time.
func TestInUse(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, stream.Options{Rate: -1})
	if _, err := wal.Open(&wal.Options{Dir: dir}); !errors.Is(err, wal.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir, stream.Options{Rate: -1}).Close(); err != nil {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add(make([]byte, 20), []byte{0, 0, 0, 1, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		dir, depth, err := reopen(t, first, second)
		if err != nil {
			return
		}
		l, err := wal.Open(&wal.Options{Dir: dir, Stream: stream.Options{Rate: -1}}) // what was opened once opens again
		if err != nil || l.Stats().Depth != depth {
			t.Fatalf("%v", err)
		}
		l.Close()
	})
}
