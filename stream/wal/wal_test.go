package wal_test

import (
	"testing"

	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/streamtest"
	"github.com/staunchid/staunch/stream/wal"
)

func open(t *testing.T, dir string, o stream.Options) *wal.Log {
	t.Helper()
	l, err := wal.Open(&wal.Options{Dir: dir, Stream: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestConform(t *testing.T) {
	streamtest.Conform(t, func(t *testing.T) streamtest.Bed {
		dir := t.TempDir()
		return streamtest.Bed{
			Open:    func(t *testing.T, o stream.Options) streamtest.Stream { return open(t, dir, o) },
			Letters: func(*testing.T) streamtest.Letters { return wal.OpenLetters(dir) },
		}
	})
}
