package wal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
)

// load reads all segments, deletes those of which all is done, and gives the
// number of the next one.
func (l *Log) load() (next uint64, err error) {
	numbers, err := segmentNumbers(l.dir)
	if err != nil {
		return 0, err
	}
	h := &history{log: l, undone: map[mark]int{}}
	var all []*segment
	for i, n := range numbers {
		s := newSegment(l.dir, n)
		if err := h.read(s, i == len(numbers)-1); err != nil {
			return 0, err
		}
		all, next = append(all, s), n
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, p := range h.places {
		if _, ok := h.undone[markOf(p)]; ok {
			p.seg.pending++
			l.queue.Put(stream.Entry{Record: h.records[i]}, p)
		}
	}
	for _, s := range all {
		s.sealed = true
		l.drop(s)
	}
	return next + 1, nil
}

// history is what segments tell: entries in their order, and which are not done.
type history struct {
	log     *Log
	records []recovery.Record
	places  []place
	undone  map[mark]int // by place, the index of the entry
}

func markOf(p place) mark { return mark{Segment: p.seg.number, Offset: p.offset} }

// read reads one segment.
func (h *history) read(s *segment, last bool) error {
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("wal: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("wal: read %s: %w", s.path, err)
	}
	return h.frames(s, data, func(at int64, err error) error {
		rest := data[at:]
		if !last || !torn(rest) {
			return damaged(s, at, err)
		}
		h.log.log.Warn("wal: cut off what was being written when the server was last killed", "file", filepath.Base(s.path), "bytes", len(rest))
		return errors.Join(f.Truncate(at), f.Sync())
	})
}

// add takes up one frame.
func (h *history) add(p place, body []byte) error {
	r, done, err := decode(body)
	switch {
	case err != nil:
		return err
	case done != nil:
		if i, ok := h.undone[*done]; ok {
			h.records[i] = recovery.Record{}
			delete(h.undone, *done)
		}
	default:
		h.undone[markOf(p)] = len(h.records)
		h.records, h.places = append(h.records, r), append(h.places, p)
	}
	return nil
}
