// Package streamtest is the one conformance suite of the retry streams: what
// recovery.Retry promises, whichever implements it.
package streamtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
)

// Stream is what is tested.
type Stream interface {
	recovery.Retry
	Stats() stream.Stats
	Close() error
}

// Letters are the dead letters of a stream.
type Letters interface {
	List(ctx context.Context) ([]stream.Letter, error)
	Retry(ctx context.Context, id string) error
	Drop(ctx context.Context, id string) error
	Close() error
}

// Bed makes streams for a test. Open opens the same stream again after it was
// closed, with what it held.
type Bed struct {
	Open    func(t *testing.T, o stream.Options) Stream
	Letters func(t *testing.T) Letters
}

// Record is a record of account n at vault v1.
func Record(n byte, gen uint32, ver uint64) recovery.Record {
	return recovery.Record{
		App: "demo", Vault: "v1", Acct: [16]byte{n}, Account: account.ID(fmt.Sprintf("a_%d", n)), Gen: gen, Ver: ver,
		Sealed: fmt.Appendf(nil, "%d/%d/%d", n, gen, ver), At: time.Now().UTC().Truncate(time.Millisecond),
	}
}

// Store is a store with the conditional write, and the faults that a test wants.
type Store struct {
	mu      sync.Mutex
	rows    map[stream.Key]recovery.Record
	calls   []recovery.Record
	fail    func(recovery.Record) error
	running map[stream.Key]bool
	overlap bool
	changed chan struct{}
}

// NewStore gives an empty one. fail, which may be nil, says what a call returns.
func NewStore(fail func(recovery.Record) error) *Store {
	return &Store{rows: map[stream.Key]recovery.Record{}, running: map[stream.Key]bool{}, fail: fail, changed: make(chan struct{}, 1)}
}

// Fail changes what calls return.
func (s *Store) Fail(fail func(recovery.Record) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// Apply is the conditional write.
func (s *Store) Apply(_ context.Context, r recovery.Record) error {
	k := stream.KeyOf(r)
	s.mu.Lock()
	s.calls = append(s.calls, r)
	s.overlap = s.overlap || s.running[k]
	s.running[k] = true
	fail := s.fail
	s.mu.Unlock()
	var err error
	if fail != nil {
		err = fail(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[k] = false
	if have := s.rows[k]; err == nil && (have.Gen < r.Gen || have.Gen == r.Gen && have.Ver < r.Ver) {
		s.rows[k] = r
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return err
}

// Ver is the version of account n's row.
func (s *Store) Ver(n byte) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows[stream.KeyOf(Record(n, 0, 0))].Ver
}

// Row is account n's row.
func (s *Store) Row(n byte) recovery.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows[stream.KeyOf(Record(n, 0, 0))]
}

// Calls are the entries that it was called with, in order.
func (s *Store) Calls() []recovery.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]recovery.Record{}, s.calls...)
}

// Overlapped reports whether two calls of one key ran at a time.
func (s *Store) Overlapped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.overlap
}

// Wait waits until ok holds, which it asks after each call.
func (s *Store) Wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	Wait(t, s.changed, what, ok)
}

// patience is for machines that have much else to do.
const patience = 3 * time.Minute

// Wait waits until ok holds.
func Wait(t *testing.T, changed <-chan struct{}, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("for %v in vain: %s", patience, what)
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Run runs s over apply until the test, or stop, ends it.
func Run(t *testing.T, s Stream, apply func(context.Context, recovery.Record) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, apply) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// Enqueue enqueues, or ends the test.
func Enqueue(t *testing.T, s Stream, all ...recovery.Record) {
	t.Helper()
	for _, r := range all {
		if err := s.Enqueue(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// errAway is a store that is away.
var errAway = errors.New("the store is away")
