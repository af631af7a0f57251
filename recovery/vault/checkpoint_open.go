package vault

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/staunchid/staunch/recovery/wire"
)

// openJournal reads the journal in dir, which it makes if there is none, and
// hands each entry to learn. existed is false when there was nothing.
func openJournal(dir string, state func() state, learn func(entry) error) (j *journal, existed bool, err error) {
	j = &journal{dir: dir, state: state, least: snapshotSize}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrJournal, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w: %s: %w", ErrJournal, dir, err)
		}
	}()
	if err := removeUnfinished(dir); err != nil {
		return nil, false, err
	}
	segments, err := numbered(dir, segmentName)
	if err != nil {
		return nil, false, err
	}
	snapshots, err := numbered(dir, snapshotName)
	if err != nil {
		return nil, false, err
	}
	if len(segments) == 0 {
		if len(snapshots) > 0 {
			return nil, false, errors.New("there is a snapshot without its segment")
		}
		return j, false, j.rotate()
	}
	// The newest snapshot that the chain names is where to begin; without one, the
	// first segment.
	slices.Reverse(snapshots)
	for _, number := range append(snapshots, 0) {
		ok, err := j.replay(number, segments, learn)
		if err != nil {
			return nil, true, err
		}
		if ok {
			return j, j.end.N > 0, nil
		}
	}
	return nil, true, fmt.Errorf("the segments before %s are gone, and no snapshot stands for them", filepath.Base(j.segment(segments[0])))
}

// replay reads the snapshot and the segments from its number on; number 0 is no
// snapshot and all segments. ok is false when that is not where to begin.
func (j *journal) replay(number uint64, segments []uint64, learn func(entry) error) (ok bool, err error) {
	j.end, j.recent, j.marked, j.size = Head{}, nil, nil, 0
	var entries []entry
	digest := wire.Hash{}
	if number > 0 {
		if digest, entries, err = j.readSnapshot(number); err != nil {
			return false, err
		}
	}
	first, found := slices.BinarySearch(segments, max(number, 1))
	if !found {
		return false, nil
	}
	named := number == 0
	for i, n := range segments[first:] {
		if n != segments[first]+uint64(i) {
			return false, fmt.Errorf("the segment %s is missing", filepath.Base(j.segment(segments[first]+uint64(i))))
		}
		more, err := j.readSegment(n, first+i == len(segments)-1)
		if err != nil {
			return false, err
		}
		for _, e := range more {
			if e.kind == entrySnapshot && e.head.N == number {
				if e.head.Hash != digest {
					return false, fmt.Errorf("the snapshot %s is not the one that was made", filepath.Base(j.snapshot(number)))
				}
				named = true
			}
		}
		entries = append(entries, more...)
	}
	if !named {
		return false, nil
	}
	for _, e := range entries {
		if err := learn(e); err != nil {
			return false, err
		}
	}
	j.number = segments[len(segments)-1]
	j.file, err = os.OpenFile(j.segment(j.number), os.O_WRONLY|os.O_APPEND, 0o600)
	return true, err
}

func (j *journal) readSnapshot(number uint64) (digest wire.Hash, entries []entry, err error) {
	name := j.snapshot(number)
	b, err := os.ReadFile(name)
	if err != nil {
		return digest, nil, err
	}
	digest = sha256.Sum256(b)
	at := func(err error) error { return fmt.Errorf("%s: %w", filepath.Base(name), err) }
	body, b, err := unframe(b)
	if err != nil {
		return digest, nil, at(err)
	}
	var start base
	if err := decode(body, &start); err != nil || len(start.recent)%32 != 0 {
		return digest, nil, at(errors.Join(errors.New("it does not say where it stands"), err))
	}
	j.end = start.end
	for h := range slices.Chunk(start.recent, 32) {
		j.recent = append(j.recent, wire.Hash(h))
	}
	for {
		body, rest, err := unframe(b)
		if errors.Is(err, io.EOF) {
			return digest, entries, nil
		}
		if err != nil {
			return digest, nil, at(err)
		}
		var piece chained
		if err := decode(body, &piece); err != nil {
			return digest, nil, at(err)
		}
		entries, b = append(entries, piece.entries...), rest
	}
}

// readSegment reads the segment n. In the last one a frame that a power cut ended
// is cut off; damage anywhere else is an error.
func (j *journal) readSegment(n uint64, last bool) (entries []entry, err error) {
	name := j.segment(n)
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	offset := int64(0)
	for {
		body, rest, err := unframe(b)
		switch {
		case errors.Is(err, io.EOF):
			return entries, nil
		case err != nil && last && torn(b):
			return entries, cut(name, offset)
		case err != nil:
			return nil, fmt.Errorf("%s at byte %d: %w, and it is not the end", filepath.Base(name), offset, err)
		}
		var next chained
		if err := decode(body, &next); err != nil {
			return nil, fmt.Errorf("%s at byte %d: %w", filepath.Base(name), offset, err)
		}
		if next.n != j.end.N+1 || next.prev != j.end.Hash {
			return nil, fmt.Errorf("%s at byte %d: entry %d does not follow entry %d", filepath.Base(name), offset, next.n, j.end.N)
		}
		j.advance(body)
		if slices.ContainsFunc(next.entries, func(e entry) bool { return e.kind == entryMark }) {
			j.marked = append(j.marked, j.end.N)
		}
		entries = append(entries, next.entries...)
		offset += int64(frameHead + len(body))
		j.size += int64(frameHead + len(body))
		b = rest
	}
}

// cut ends the file at size, durably.
func cut(name string, size int64) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		return err
	}
	return f.Sync()
}

// removeUnfinished removes snapshots that a crash ended.
func removeUnfinished(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, snapshotName+"*.tmp"))
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	return err
}
