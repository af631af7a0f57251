package wal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
)

var (
	// ErrInUse: another process has the log open. A log has one writer; stop the
	// other server, or give this one a folder of its own.
	ErrInUse = errors.New("wal: the log is in use by another process")
	// ErrDamaged: a segment cannot be read as a whole. Restore the file, or move it
	// away to do without what it holds.
	ErrDamaged = errors.New("wal: a segment is damaged")
	// ErrClosed: the log was closed.
	ErrClosed = errors.New("wal: the log is closed")
)

// maxMarks wait to be written: more than a disk that fails takes in a second.
const maxMarks = 1 << 16

// segmentSize is where a segment ends.
const segmentSize = 64 << 20

// Options of a log.
type Options struct {
	Dir    string // made when it is not there
	Stream stream.Options

	testingOnlySegmentSize int64
	testingOnlyOpen        func(path string) (file, error)
}

// Log is an open log. It is safe for concurrent use.
type Log struct {
	dir    string
	log    *slog.Logger
	lock   *os.File
	queue  *stream.Queue[place]
	dead   *letters
	writes chan *write
	stop   chan struct{} // closed by Close
	ended  chan struct{} // closed when the writer has ended

	mu    sync.Mutex // guards what follows, and the counts of the segments
	marks [][]byte   // that are not written yet
	once  sync.Once
}

// write is an entry on its way to the disk.
type write struct {
	body   []byte
	record recovery.Record
	done   chan error // one buffered
}

// Open opens a log, or makes it, and reads what is not done.
func Open(o *Options) (*Log, error) {
	if o.Dir == "" {
		return nil, errors.New("wal: no folder")
	}
	l := &Log{
		dir: o.Dir, log: o.Stream.Logger, writes: make(chan *write, 256),
		stop: make(chan struct{}), ended: make(chan struct{}),
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if l.queue, err = stream.NewQueue(o.Stream, stream.Hooks[place]{Done: l.done, Bury: l.bury}); err != nil {
		return nil, fmt.Errorf("wal: %w", err)
	}
	if l.dead, err = makeLetters(o.Dir); err != nil {
		return nil, err
	}
	if l.lock, err = lock(o.Dir); err != nil {
		return nil, err
	}
	t := &tail{dir: o.Dir, max: segmentSize, open: openFile}
	if o.testingOnlySegmentSize > 0 {
		t.max = o.testingOnlySegmentSize
	}
	if o.testingOnlyOpen != nil {
		t.open = o.testingOnlyOpen
	}
	if t.next, err = l.load(); err != nil {
		return nil, errors.Join(err, l.lock.Close())
	}
	go l.write(t)
	return l, nil
}

// Enqueue returns when r is durable.
func (l *Log) Enqueue(ctx context.Context, r recovery.Record) error {
	if r.At.IsZero() {
		r.At = time.Now()
	}
	body, err := stream.Encode(r)
	if err != nil {
		return err
	}
	w := &write{body: body, record: r, done: make(chan error, 1)}
	select {
	case <-l.stop:
		return ErrClosed
	default:
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("wal: enqueue: %w", ctx.Err())
	case <-l.ended:
		return ErrClosed
	case l.writes <- w:
	}
	select {
	case <-ctx.Done(): // it may become durable all the same, which harms nothing
		return fmt.Errorf("wal: enqueue: %w", ctx.Err())
	case <-l.ended:
		select {
		case err := <-w.done:
			return err
		default:
			return ErrClosed
		}
	case err := <-w.done:
		return err
	}
}

// Run applies entries until ctx ends, and takes up letters that were put back. It
// returns nil.
func (l *Log) Run(ctx context.Context, apply func(context.Context, recovery.Record) error) error {
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { l.takeBack(ctx) })
	err := l.queue.Run(ctx, apply)
	stop()
	wg.Wait()
	return err
}

// Nudge applies what is held for a key now.
func (l *Log) Nudge(ctx context.Context, app account.AppID, vault string, acct [16]byte) error {
	return l.queue.Nudge(ctx, app, vault, acct)
}

// Stats tells what the log holds. Depth counts keys: of each one entry is held.
func (l *Log) Stats() stream.Stats {
	var s stream.Stats
	s.Depth, s.Oldest = l.queue.Depth()
	s.Dead = l.dead.count()
	return s
}

// Close writes what is on its way, and gives the folder free. Let Run end first.
func (l *Log) Close() error {
	var err error
	l.once.Do(func() {
		close(l.stop)
		<-l.ended
		err = l.lock.Close()
	})
	return err
}

// done is the queue's: entries that need not be kept.
func (l *Log) done(places []place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range places {
		if p.seg.pending--; p.seg.pending > 0 || !p.seg.sealed {
			if body, err := encodeMark(p); err == nil && len(l.marks) < maxMarks {
				l.marks = append(l.marks, body) // one that is lost does no harm
			}
		}
		l.drop(p.seg)
	}
}

// drop deletes a segment that nothing needs. With the lock. One that cannot be
// deleted is read again at the next start.
func (l *Log) drop(s *segment) {
	if s.pending > 0 || !s.sealed {
		return
	}
	if err := os.Remove(s.path); err != nil {
		l.log.Warn("wal: a segment of which all is done cannot be deleted", "file", filepath.Base(s.path), "error", err)
	}
}
