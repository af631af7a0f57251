package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/staunchid/staunch/transfer/sealed"
)

// fetcher gets segments in order, two at once. Those that were spooled during a hold
// it takes from there.
type fetcher struct {
	bulk     *bulk
	revision uint32
	spool    string // folder; empty: none
	patient  time.Duration
	now      func() time.Time
	retry    func(error, time.Duration)

	free chan []byte
}

// fetched is a segment on its way.
type fetched struct {
	first   uint64
	data    []byte // the room it is in
	size    int
	pieces  int           // connections that it took
	spooled bool          // it was on the disk
	ready   chan struct{} // closed when it is all there
	err     error
}

func newFetcher(b *bulk, revision uint32, p *Phone, retry func(error, time.Duration)) *fetcher {
	f := &fetcher{bulk: b, revision: revision, patient: p.patience, now: p.now, retry: retry, free: make(chan []byte, streams)}
	for range streams { // a phone has little memory: what has come is opened before more is fetched
		f.free <- make([]byte, fullBlock)
	}
	return f
}

// run gets segments from one on, until ctx ends. out is closed then; an error comes
// as the last one's.
func (f *fetcher) run(ctx context.Context, first uint64, out chan<- *fetched) {
	defer close(out)
	for {
		var data []byte
		select {
		case <-ctx.Done():
			return
		case data = <-f.free:
		}
		s := &fetched{first: first, data: data, ready: make(chan struct{})}
		body, h, err := f.head(ctx, s)
		if err != nil {
			s.err = err
			close(s.ready)
		} else {
			first += uint64(h.Records()) //nolint:gosec // at most 64
			s.size = int(h.Size())
			go f.rest(ctx, s, body)
		}
		select {
		case <-ctx.Done():
			<-s.ready
			return
		case out <- s:
		}
		if err != nil {
			return
		}
	}
}

// head waits for a segment and reads its header.
func (f *fetcher) head(ctx context.Context, s *fetched) (io.ReadCloser, sealed.Header, error) {
	since := f.now()
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		body, err := f.open(ctx, s, 0, watchFor)
		if body == nil && err == nil { // not there yet
			since, pause = f.now(), firstPause
			continue
		}
		if err == nil {
			_, err = io.ReadFull(body, s.data[:sealed.HeaderSize])
			if err == nil {
				h, err := sealed.ParseHeader(s.data[:sealed.HeaderSize])
				if err != nil && s.spooled { // torn by a power cut: the server has it still
					s.spooled = false
					err = errors.Join(body.Close(), os.Remove(spooled(f.spool, s.first)))
					if err == nil {
						continue
					}
					return nil, h, diskError(err)
				}
				if err == nil && (h.First != s.first || h.Revision != f.revision) {
					err = fmt.Errorf("%w: it is of record %d in revision %d, and %d in %d was asked for", sealed.ErrOrder, h.First, h.Revision, s.first, f.revision)
				}
				if err != nil {
					return nil, h, errors.Join(err, body.Close())
				}
				return body, h, nil
			}
			body.Close() //nolint:errcheck // it is broken
		}
		if err := f.lost(ctx, err, since, pause); err != nil {
			return nil, sealed.Header{}, err
		}
	}
}

// rest reads the rest, over as many connections as it takes.
func (f *fetcher) rest(ctx context.Context, s *fetched, body io.ReadCloser) {
	defer close(s.ready)
	s.pieces = 1
	at, since, pause := sealed.HeaderSize, f.now(), firstPause
	for {
		if body != nil {
			n, err := io.ReadFull(body, s.data[at:s.size])
			body.Close() //nolint:errcheck // all that counts has been read
			if at += n; err == nil {
				return
			}
			if n > 0 {
				since, pause = f.now(), firstPause
			}
			s.err = err
		}
		if s.err = f.lost(ctx, s.err, since, pause); s.err != nil {
			return
		}
		pause = min(2*pause, mostPause)
		s.pieces++
		body, s.err = f.open(ctx, s, int64(at), 0)
	}
}

// open opens a segment from a byte on.
func (f *fetcher) open(ctx context.Context, s *fetched, from int64, wait time.Duration) (io.ReadCloser, error) {
	if f.spool != "" && from == 0 {
		file, err := os.Open(spooled(f.spool, s.first))
		if err == nil {
			s.spooled = true
			return file, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, diskError(err)
		}
	}
	return f.bulk.get(ctx, f.revision, s.first, from, wait)
}

// lost waits after an answer that broke off, as long as the phone is patient. What
// is no lost answer it gives back.
func (f *fetcher) lost(ctx context.Context, err error, since time.Time, pause time.Duration) error {
	refused := (*refusedSegment)(nil)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &refused) && refused.status == 416:
		return fmt.Errorf("%w: the server has less of it than its header says", sealed.ErrSegment)
	case errors.As(err, &refused) && reasonOf(refused.err) == "TRANSFER_INCOMPLETE": // after the seal nobody sends it again
		return fmt.Errorf("%w: the server has lost it: %w", sealed.ErrSegment, err)
	case errors.As(err, &refused) && !gone(refused.err) && refused.status != 429:
		return err
	case f.now().Sub(since) > f.patient:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	f.retry(err, pause)
	return wait(ctx, pause)
}

// again gets a segment once more, whole and from the server.
func (f *fetcher) again(ctx context.Context, s *fetched) error {
	if s.spooled {
		if err := os.Remove(spooled(f.spool, s.first)); err != nil {
			return diskError(err)
		}
	}
	n := &fetched{first: s.first, data: s.data, ready: make(chan struct{})}
	body, h, err := f.head(ctx, n)
	if err != nil {
		return err
	}
	n.size = int(h.Size())
	f.rest(ctx, n, body)
	s.size = n.size
	return n.err
}

// spooled is the file of a segment that waits for the end of a hold.
func spooled(dir string, first uint64) string {
	return filepath.Join(dir, strconv.FormatUint(first, 10))
}
