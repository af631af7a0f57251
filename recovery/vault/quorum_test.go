package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// set is W witnesses in this process, and a writer of vault v1.
type set struct {
	testing.TB
	witnesses []*Witness
	peers     []*fickle // as the writer reaches them
	key       wire.MarkKey
	sizes     sizes
	writer    *Quorum
	dirs      []string // of the journals; nil: none
}

// fickle is a peer that can be cut off, that can lie, and that can be another one
// from now on.
type fickle struct {
	mu  sync.Mutex
	way way // guarded by mu: calls of before are still under way when a test goes on
}

type way struct {
	Peer
	cut bool // no call arrives
	lie func(*Held)
}

var errCut = errors.New("cut off")

func (p *fickle) now() way {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.way
}

func (p *fickle) change(by func(*way)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	by(&p.way)
}

func (p *fickle) cut(cut bool)        { p.change(func(w *way) { w.cut = cut }) }
func (p *fickle) become(peer Peer)    { p.change(func(w *way) { w.Peer = peer }) }
func (p *fickle) lie(lie func(*Held)) { p.change(func(w *way) { w.lie = lie }) }

func (p *fickle) ID() string { return p.now().ID() }

func (p *fickle) Load(ctx context.Context, vault string, acct [16]byte) (Held, error) {
	w := p.now()
	if w.cut {
		return Held{}, errCut
	}
	h, err := w.Load(ctx, vault, acct)
	if w.lie != nil {
		w.lie(&h)
	}
	return h, err
}

func (p *fickle) Write(ctx context.Context, vault string, t wire.Tagged, v wire.View) (Ack, error) {
	w := p.now()
	if w.cut {
		return Ack{}, errCut
	}
	return w.Write(ctx, vault, t, v)
}

func (p *fickle) Join(ctx context.Context, inc wire.Incarnation, page func([]VaultMark) error) (Memories, error) {
	return p.now().Join(ctx, inc, page)
}

func (p *fickle) HeadAt(ctx context.Context, n uint64) (HeadAnswer, error) {
	return p.now().HeadAt(ctx, n)
}

func (p *fickle) Clock(ctx context.Context) (time.Time, error) { return p.now().Clock(ctx) }

// heldBy is what a witness holds of an account of v1.
func heldBy(w *Witness, acct [16]byte) Mark {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.held(account{"v1", acct})
}

// forget makes a witness one that has restarted without a journal.
func forget(w *Witness) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live, w.whole = false, false
}

func testKey() wire.MarkKey { return wire.DeriveMarkKey(wire.Key{1}, "v1") }

// newSet returns w witnesses that have begun.
func newSet(t testing.TB, w, q, r, f int) *set {
	t.Helper()
	return startSet(&set{TB: t, key: testKey(), sizes: sizes{w, q, r, f}})
}

func startSet(s *set) *set {
	t, w := s.TB, s.sizes.w
	t.Helper()
	for i := range w {
		s.witnesses = append(s.witnesses, s.witness(i))
		if err := s.witnesses[i].Begin(); err != nil {
			t.Fatal(err)
		}
		s.peers = append(s.peers, &fickle{way: way{Peer: s.witnesses[i].Local("v1")}})
	}
	s.writer = s.quorum(s.witnesses[0])
	return s
}

// witness returns a new life of the i-th witness, which knows nothing.
func (s *set) witness(i int) *Witness {
	s.Helper()
	var all []string
	for j := range s.sizes.w {
		all = append(all, fmt.Sprint("v", j+1))
	}
	o := &WitnessOptions{ID: all[i], Boot: bootID(), All: all, Q: s.sizes.q, R: s.sizes.r, F: s.sizes.f}
	if s.dirs != nil {
		o.Dir = s.dirs[i]
	}
	w, err := NewWitness(o)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { w.Close() })
	return w
}

// quorum returns another writer of vault v1.
func (s *set) quorum(own *Witness) *Quorum {
	s.Helper()
	var peers []Peer
	for _, p := range s.peers {
		peers = append(peers, p)
	}
	q, err := NewQuorum(&QuorumOptions{Vault: "v1", Key: s.key, Witnesses: peers, Q: s.sizes.q, R: s.sizes.r, F: s.sizes.f, Own: own})
	if err != nil {
		s.Fatal(err)
	}
	return q
}

// restart gives the i-th witness a new life, without joining it.
func (s *set) restart(i int) *Witness {
	w := s.witness(i)
	s.witnesses[i] = w
	s.peers[i].become(w.Local("v1"))
	return w
}

// others are the peers of the i-th witness.
func (s *set) others(i int) []Peer {
	var others []Peer
	for j, w := range s.witnesses {
		if j != i {
			others = append(others, w.Local(s.witnesses[i].ID()))
		}
	}
	return others
}

func bootID() (id wire.ID16) {
	rand.Read(id[:])
	return id
}

func acctOf(n byte) [16]byte { return [16]byte{n} }

// charge loads, charges an attempt, and advances.
func charge(q *Quorum, acct [16]byte, last byte) (Mark, error) {
	m, err := q.Load(context.Background(), acct)
	if err != nil {
		return m, err
	}
	m.Gen = max(m.Gen, 1)
	m.Ver++
	m.Charges++
	m.Last = [16]byte{last}
	return m, q.Advance(context.Background(), acct, m)
}

func TestQuorum(t *testing.T) {
	s := newSet(t, 4, 3, 3, 1)
	ctx := t.Context()
	for n := range byte(10) {
		m, err := charge(s.writer, acctOf(1), n+1)
		if err != nil || m.Charges != uint32(n)+1 {
			t.Fatalf("attempt %d: %+v, %v", n, m, err)
		}
	}
	m, err := s.quorum(nil).Load(ctx, acctOf(1)) // another replica
	if want := (Mark{Gen: 1, Ver: 10, Charges: 10, Last: [16]byte{10}}); err != nil || m != want {
		t.Errorf("another replica loads %+v, %v", m, err)
	}
	if m, err := s.writer.Load(ctx, acctOf(2)); err != nil || m != (Mark{}) {
		t.Errorf("an account that nobody heard of: %+v, %v", m, err)
	}
}
