package stream

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/staunchid/staunch/recovery"
)

// Options say how entries are tried.
type Options struct {
	// Workers is how many entries are applied at a time; 0: 32.
	Workers int
	// MaxAttempts of an entry, then it is a dead letter; 0: 10,000, which is about
	// a week.
	MaxAttempts int
	// Rate is how many entries are applied a second. 0 stops, so it must be given;
	// -1 is no limit. Nudge waits for no rate, but does nothing while it is 0.
	Rate float64
	// Ignore are keys, as Key.String writes them, whose entries are not tried: they
	// become dead letters.
	Ignore []string
	// Sound reports whether an entry is genuine. Only such are joined: what somebody
	// else has written is tried, and given up, by itself. nil: all are.
	Sound func(recovery.Record) bool
	// Logger; nil discards.
	Logger *slog.Logger
}

// Check reports options that no queue can work with.
func (o *Options) Check() error {
	switch {
	case o.Workers < 0:
		return errors.New("stream: workers below 0")
	case o.MaxAttempts < 0:
		return errors.New("stream: max_attempts below 0")
	case o.Rate < 0 && o.Rate != -1:
		return errors.New("stream: rate is -1 (no limit), 0 (nothing is applied) or above")
	}
	return nil
}

var (
	// ErrStopped: nothing is applied now, because rate is 0 or Run does not run.
	ErrStopped = errors.New("stream: the retry stream is stopped")
	// errIgnored is why an entry of an ignored key is a dead letter.
	errIgnored = errors.New("its key is in ignore_keys")
)

// Hooks are what a stream does for the queue, which holds no lock meanwhile.
type Hooks[P any] struct {
	// Done tells places whose entries are applied, dead or parked.
	Done func(places []P)
	// Bury makes a letter durable. On an error the entry is tried again.
	Bury func(ctx context.Context, l Letter) error
	// Park, which may be nil, hands an entry back to the stream after a failed
	// attempt. If it returns nil, the places of the entry are done.
	Park func(ctx context.Context, e Entry) error
}

// Entry is a record and how often it was tried.
type Entry struct {
	Record   recovery.Record
	Attempts int
	Failed   time.Time // first failed; zero: never
	Due      time.Time // not tried earlier; zero: at once
}

// join is a and b, two entries of a key, in one. How often the newer one was
// tried is what counts.
func (a Entry) join(b Entry) Entry {
	e := Entry{Record: a.Record.Join(b.Record), Attempts: a.Attempts, Failed: a.Failed, Due: a.Due}
	switch order := cmp.Or(cmp.Compare(a.Record.Gen, b.Record.Gen), cmp.Compare(a.Record.Ver, b.Record.Ver)); {
	case order < 0:
		e.Attempts = b.Attempts
	case order == 0:
		e.Attempts = max(a.Attempts, b.Attempts)
	}
	if e.Failed.IsZero() {
		e.Failed = b.Failed
	}
	return e
}

// Queue holds the newest entry of each key and tries it until it is applied. P is
// a place in the stream. A Queue is safe for concurrent use.
type Queue[P any] struct {
	opts   Options
	hooks  Hooks[P]
	ignore map[string]bool
	wake   chan struct{} // that something may be due earlier; one buffered
	free   chan struct{} // a token a worker

	mu    sync.Mutex // guards what follows, and all of a lane but its key
	lanes map[Key]*lane[P]
	due   dueHeap[P]
	apply func(context.Context, recovery.Record) error // nil: Run does not run
	tries sync.WaitGroup
}

// lane is the queue of one key. Nearly always it is one item: entries are joined.
// The first is the one that is tried.
type lane[P any] struct {
	key      Key
	items    []item[P]
	home     P // the last place, also when it was handed back
	failures int
	due      time.Time
	index    int           // in the heap; -1: not there
	ended    chan struct{} // while an attempt is on: closed at its end
	gone     bool          // dropped during an attempt
}

// item is an entry, and the places of all that was joined to it.
type item[P any] struct {
	Entry
	places []P
}

// NewQueue gives a queue of nothing.
func NewQueue[P any](o Options, h Hooks[P]) (*Queue[P], error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Workers == 0 {
		o.Workers = 32
	}
	if o.MaxAttempts == 0 {
		o.MaxAttempts = 10000
	}
	if o.Sound == nil {
		o.Sound = func(recovery.Record) bool { return true }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	q := &Queue[P]{
		opts: o, hooks: h, ignore: map[string]bool{}, lanes: map[Key]*lane[P]{},
		wake: make(chan struct{}, 1), free: make(chan struct{}, o.Workers),
	}
	for _, k := range o.Ignore {
		q.ignore[k] = true
	}
	for range o.Workers {
		q.free <- struct{}{}
	}
	return q, nil
}

// Put holds e, which is durable at place.
func (q *Queue[P]) Put(e Entry, place P) {
	q.mu.Lock()
	defer q.mu.Unlock()
	k := KeyOf(e.Record)
	l := q.lanes[k]
	if l == nil {
		l = &lane[P]{key: k, due: e.Due, index: -1}
		q.lanes[k] = l
		q.push(l)
	}
	l.home = place
	last := len(l.items) - 1
	if last < 0 || last == 0 && l.ended != nil || !q.joins(l.items[last].Record, e.Record) {
		l.items = append(l.items, item[P]{e, []P{place}})
		return
	}
	l.items[last].Entry = l.items[last].join(e) // the lane's back-off goes on: it is the store that fails
	l.items[last].places = append(l.items[last].places, place)
}

// joins reports whether two entries of a key become one. The newer one's record
// takes the place of the other, so neither may be somebody else's.
func (q *Queue[P]) joins(a, b recovery.Record) bool {
	return fits(a, b) && q.opts.Sound(a) && q.opts.Sound(b)
}

// Drop forgets the lanes whose last place is one of those that another process
// has taken over.
func (q *Queue[P]) Drop(taken func(P) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lanes {
		if taken(l.home) {
			l.gone = true
			q.remove(l)
		}
	}
}

// Depth is the number of keys that something is held of, and Oldest is when the
// oldest entry of them was enqueued.
func (q *Queue[P]) Depth() (n int, oldest time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lanes {
		if at := l.items[0].Record.At; oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return len(q.lanes), oldest
}

func (q *Queue[P]) push(l *lane[P]) {
	q.due.push(l)
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *Queue[P]) remove(l *lane[P]) {
	q.due.remove(l)
	delete(q.lanes, l.key)
}
