package wal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
)

// letters are the dead letters of a log: a file each, so that a person's command
// and a running server need no lock between them. A rename puts one back.
type letters struct{ root, dead, again string }

func openLetters(dir string) *letters {
	return &letters{dir, filepath.Join(dir, "dead"), filepath.Join(dir, "again")}
}

func makeLetters(dir string) (*letters, error) {
	d := openLetters(dir)
	for _, sub := range []string{d.dead, d.again} {
		if err := os.MkdirAll(sub, 0o700); err != nil {
			return nil, fmt.Errorf("wal: %w", err)
		}
	}
	return d, nil
}

// letter is the bytes of a letter: dCBOR, an array, after its CRC-32C.
type letter struct {
	_        struct{} `cbor:",toarray"`
	Version  uint
	Entry    []byte
	Attempts uint64
	Reason   string
	At       int64 // Unix time in milliseconds
}

// put makes a letter durable.
func (d *letters) put(l stream.Letter) error {
	body, err := stream.Encode(l.Record)
	if err != nil {
		return err
	}
	data, err := cbor.Marshal(letter{Version: 1, Entry: body, Attempts: uint64(l.Attempts), Reason: stream.Clip(l.Reason), At: l.At.UnixMilli()})
	if err != nil {
		return fmt.Errorf("wal: encode a dead letter: %w", err)
	}
	f, err := os.CreateTemp(d.dead, "*.tmp")
	if err != nil {
		return fmt.Errorf("wal: %w", err)
	}
	_, err = f.Write(appendFrame(nil, data))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(d.dead, l.ID))
	}
	if err == nil {
		return syncDir(d.dead)
	}
	return fmt.Errorf("wal: write a dead letter: %w", errors.Join(err, os.Remove(f.Name())))
}

// ids lists the letters of a folder; one that is not there has none.
func ids(dir string) ([]string, error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("wal: %w", err)
	}
	var all []string
	for _, f := range files {
		if stream.ValidID(f.Name()) {
			all = append(all, f.Name())
		}
	}
	return all, nil
}

func (d *letters) count() int {
	all, err := ids(d.dead)
	if err != nil {
		return 0
	}
	return len(all)
}

func read(dir, id string) (stream.Letter, error) {
	file := filepath.Join(dir, id)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return stream.Letter{}, fmt.Errorf("%w: %s", stream.ErrNoLetter, id)
	}
	if err != nil {
		return stream.Letter{}, fmt.Errorf("wal: %w", err)
	}
	body, rest, err := nextFrame(data)
	if err != nil || len(rest) > 0 {
		return stream.Letter{}, fmt.Errorf("%w: %s: restore the file, or delete it to do without its entry", ErrDamaged, file)
	}
	var l letter
	if err := cbor.Unmarshal(body, &l); err != nil || l.Version != 1 {
		return stream.Letter{}, fmt.Errorf("wal: %s: %w", file, stream.ErrMalformed)
	}
	r, err := stream.Decode(l.Entry)
	if err != nil {
		return stream.Letter{}, fmt.Errorf("wal: %s: %w", file, err)
	}
	return stream.Letter{ID: id, Record: r, Attempts: int(l.Attempts), Reason: l.Reason, At: time.UnixMilli(l.At).UTC()}, nil
}

// bury is the queue's.
func (l *Log) bury(_ context.Context, letter stream.Letter) error { return l.dead.put(letter) }

// takeBack enqueues the letters that were put back, until ctx ends.
func (l *Log) takeBack(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := l.takeBackNow(ctx); err != nil && ctx.Err() == nil {
			l.log.ErrorContext(ctx, "wal: a dead letter that was put back cannot be taken up", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (l *Log) takeBackNow(ctx context.Context) error {
	all, err := ids(l.dead.again)
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range all {
		letter, err := read(l.dead.again, id)
		if err == nil {
			err = l.Enqueue(ctx, letter.Record)
		}
		if err == nil { // killed before this: it is enqueued once more, which does nothing
			err = os.Remove(filepath.Join(l.dead.again, id))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Letters opens the dead letters of a log. The log need not be closed, and none
// need be there: then there are none.
type Letters struct{ d *letters }

// OpenLetters opens them. It makes nothing.
func OpenLetters(dir string) *Letters { return &Letters{openLetters(dir)} }

// List gives all letters, the oldest first.
func (l *Letters) List(ctx context.Context) ([]stream.Letter, error) {
	names, err := ids(l.d.dead)
	if err != nil {
		return nil, err
	}
	var all []stream.Letter
	for _, id := range names {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("wal: %w", err)
		}
		one, err := read(l.d.dead, id)
		if errors.Is(err, stream.ErrNoLetter) {
			continue // somebody else was faster
		}
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b stream.Letter) int { return a.At.Compare(b.At) })
	return all, nil
}

// Retry puts a letter back: a server that runs takes it up within seconds, else
// the next one does.
func (l *Letters) Retry(_ context.Context, id string) error {
	if !stream.ValidID(id) {
		return fmt.Errorf("%w: %q", stream.ErrNoLetter, id)
	}
	err := os.Rename(filepath.Join(l.d.dead, id), filepath.Join(l.d.again, id))
	return l.changed(id, err)
}

// Drop deletes a letter for good.
func (l *Letters) Drop(_ context.Context, id string) error {
	if !stream.ValidID(id) {
		return fmt.Errorf("%w: %q", stream.ErrNoLetter, id)
	}
	return l.changed(id, os.Remove(filepath.Join(l.d.dead, id)))
}

func (l *Letters) changed(id string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s", stream.ErrNoLetter, id)
	case err != nil:
		return fmt.Errorf("wal: %w", err)
	}
	return errors.Join(syncDir(l.d.again), syncDir(l.d.dead))
}

// Close has nothing to do.
func (l *Letters) Close() error { return nil }

var _ recovery.Retry = (*Log)(nil)
