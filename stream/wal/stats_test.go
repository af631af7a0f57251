package wal_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/streamtest"
	"github.com/staunchid/staunch/stream/wal"
)

// TestReadStats: who has not opened the log sees what it holds, while another
// process has it open, and changes nothing of it.
func TestReadStats(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "retry")
	look := func() stream.Stats {
		t.Helper()
		s, err := wal.ReadStats(dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := look(); s != (stream.Stats{}) {
		t.Errorf("without a log: %+v", s)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("looking has made the folder")
	}
	l := open(t, dir, stream.Options{Rate: -1})
	old := streamtest.Record(1, 1, 1)
	old.At = old.At.Add(-time.Hour)
	streamtest.Enqueue(t, l, old, streamtest.Record(1, 1, 2), streamtest.Record(2, 1, 1), streamtest.Record(3, 1, 1))
	if s := look(); s.Depth != 3 || !s.Oldest.Equal(old.At) || s.Dead != 0 {
		t.Errorf("%+v, want three keys, the oldest of %s", s, old.At)
	}
	segments, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(segments) != 1 {
		t.Fatal(segments, err)
	}
	half := filepath.Join(dir, "9999999999.log")
	if err := os.WriteFile(half, []byte{0, 0, 1}, 0o600); err != nil {
		t.Fatal(err)
	}
	if s := look(); s.Depth != 3 {
		t.Errorf("with a frame that is being written: %+v", s)
	}
	if b, err := os.ReadFile(half); err != nil || len(b) != 3 {
		t.Errorf("it was cut off: %x, %v", b, err)
	}
	if err := os.Remove(half); err != nil {
		t.Fatal(err)
	}
	store := streamtest.NewStore(func(r recovery.Record) error {
		if r.Acct == old.Acct {
			return errors.New("away")
		}
		return recovery.ErrPermanent
	})
	streamtest.Run(t, l, store.Apply)
	streamtest.Wait(t, nil, "two are given up", func() bool {
		s := look()
		return s.Depth == 1 && s.Dead == 2 && s.Oldest.Equal(old.At)
	})
	data, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), filepath.Base(segments[0]))
	data[20] ^= 1
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := wal.ReadStats(filepath.Dir(copied)); !errors.Is(err, wal.ErrDamaged) {
		t.Errorf("a damaged segment: %v", err)
	}
}
