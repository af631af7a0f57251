package wal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/staunchid/staunch/stream"
)

// statReads is how often ReadStats reads a log that is written meanwhile.
const statReads = 3

// ReadStats tells what a log holds, without opening it: a server may have it open.
// Nothing is changed. A log that is not there holds nothing.
func ReadStats(dir string) (s stream.Stats, err error) {
	for i := range statReads {
		if i > 0 {
			time.Sleep(50 * time.Millisecond) // what looked damaged may have been half written
		}
		if s, err = readStats(dir); !errors.Is(err, ErrDamaged) {
			return s, err
		}
	}
	return s, err
}

func readStats(dir string) (s stream.Stats, err error) {
	s.Dead = openLetters(dir).count()
	numbers, err := segmentNumbers(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	h := &history{undone: map[mark]int{}}
	for i, n := range numbers {
		if err := h.look(newSegment(dir, n), i == len(numbers)-1); err != nil {
			return s, err
		}
	}
	keys := map[stream.Key]bool{}
	for _, i := range h.undone {
		r := h.records[i]
		keys[stream.KeyOf(r)] = true
		if s.Oldest.IsZero() || r.At.Before(s.Oldest) {
			s.Oldest = r.At
		}
	}
	s.Depth = len(keys)
	return s, nil
}

// look is read without cutting anything off.
func (h *history) look(s *segment, last bool) error {
	data, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // all of it was done meanwhile
	}
	if err != nil {
		return fmt.Errorf("wal: %w", err)
	}
	return h.frames(s, data, func(at int64, err error) error {
		if last && torn(data[at:]) {
			return nil
		}
		return damaged(s, at, err)
	})
}

// damaged is what is wrong at an offset of a segment.
func damaged(s *segment, at int64, err error) error {
	return fmt.Errorf("%w: %s, at offset %d: %w; restore the file, or move it away to do without what it holds", ErrDamaged, s.path, at, err)
}

// frames takes up the frames of a segment. end judges what is none.
func (h *history) frames(s *segment, data []byte, end func(at int64, err error) error) error {
	for rest := data; len(rest) > 0; {
		at := int64(len(data) - len(rest))
		body, more, err := nextFrame(rest)
		if err != nil {
			return end(at, err)
		}
		if err := h.add(place{s, at}, body); err != nil {
			return fmt.Errorf("wal: %s, at offset %d: %w; read it with the version that wrote it", s.path, at, err)
		}
		rest = more
	}
	return nil
}
