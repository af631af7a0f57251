package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// segment is one file of the log.
type segment struct {
	number  uint64
	path    string
	pending int  // entries that are not done; guarded by Log.mu
	sealed  bool // nothing is appended to it any more; guarded by Log.mu
}

// place is where an entry stands.
type place struct {
	seg    *segment
	offset int64
}

func newSegment(dir string, n uint64) *segment {
	return &segment{number: n, path: filepath.Join(dir, segmentName(n))}
}

func segmentName(n uint64) string { return fmt.Sprintf("%010d.log", n) }

// segmentNumbers lists the segments of a folder, the oldest first.
func segmentNumbers(dir string) ([]uint64, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("wal: %w", err)
	}
	var all []uint64
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".log")
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(name, 10, 64)
		if err != nil || segmentName(n) != f.Name() {
			return nil, fmt.Errorf("wal: %s is no segment of a log: move it away", filepath.Join(dir, f.Name()))
		}
		all = append(all, n)
	}
	slices.Sort(all)
	return all, nil
}

// file is what a segment is written through.
type file interface {
	WriteAt(b []byte, off int64) (int, error)
	Sync() error
	Truncate(size int64) error
	Close() error
}

// tail is the segment that is written. One goroutine has it.
type tail struct {
	dir  string
	max  int64
	open func(path string) (file, error)

	next  uint64 // number of the next segment
	seg   *segment
	f     file
	good  int64 // what is written, and, of entries, synced
	dirty bool  // there may be something after good
}

func openFile(path string) (file, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

// room gives the segment for n more bytes, a new one if need be. full is the one
// that it takes the place of.
func (t *tail) room(n int) (seg, full *segment, err error) {
	if t.f != nil && t.good+int64(n) <= t.max {
		return t.seg, nil, nil
	}
	if err := t.settle(); err != nil { // only the last segment may end within a frame
		return nil, nil, err
	}
	s := newSegment(t.dir, t.next)
	f, err := t.open(s.path)
	if errors.Is(err, fs.ErrExist) {
		t.next++ // what a failure below has left
	}
	if err != nil {
		return nil, nil, err
	}
	t.next++
	if err := syncDir(t.dir); err != nil {
		return nil, nil, errors.Join(err, f.Close(), os.Remove(s.path))
	}
	if full = t.seg; t.f != nil {
		_ = t.f.Close() // it is synced
	}
	t.seg, t.f, t.good = s, f, 0
	return t.seg, full, nil
}

// write appends b; with sync it is durable then. After an error nothing of b is
// there, or nothing more is written before it has gone.
func (t *tail) write(b []byte, sync bool) error {
	if err := t.repair(); err != nil {
		return err
	}
	t.dirty = true
	_, err := t.f.WriteAt(b, t.good)
	if err == nil && sync {
		err = t.f.Sync()
	}
	if err != nil {
		return errors.Join(err, t.repair())
	}
	t.good += int64(len(b))
	t.dirty = false
	return nil
}

// repair cuts off what a failed write has left. A sync that failed says nothing of
// later ones, so the file counts as it stands only after another.
func (t *tail) repair() error {
	if !t.dirty || t.f == nil {
		return nil
	}
	if err := t.f.Truncate(t.good); err != nil {
		return fmt.Errorf("cut off what a failed write has left: %w", err)
	}
	if err := t.f.Sync(); err != nil {
		return err
	}
	t.dirty = false
	return nil
}

// settle makes the marks at the end durable as well, before another segment follows.
func (t *tail) settle() error {
	if t.f == nil {
		return nil
	}
	return errors.Join(t.repair(), t.f.Sync())
}
