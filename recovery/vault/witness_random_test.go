package vault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// storm is a set of four witnesses of which one lies, others restart and join
// again, and all messages are lost now and then, before or after they took effect.
type storm struct {
	*set
	liar  int
	loss  float64
	mu    sync.Mutex
	alive []*Witness // by number; guarded by mu
}

// stormy is a witness as somebody reaches it in a storm.
type stormy struct {
	*storm
	i    int
	from string
}

func (p stormy) ID() string { return fmt.Sprint("v", p.i+1) }

func (p stormy) now() Peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alive[p.i].Local(p.from)
}

// lost reports whether a message is.
func (p stormy) lost() bool { return rand.Float64() < p.loss }

func (p stormy) Load(ctx context.Context, vault string, acct [16]byte) (Held, error) {
	if p.lost() {
		return Held{}, errCut
	}
	h, err := p.now().Load(ctx, vault, acct)
	if p.lost() {
		return Held{}, errCut
	}
	if p.i == p.liar && err == nil {
		h.Marks = nil
	}
	return h, err
}

func (p stormy) Write(ctx context.Context, vault string, t wire.Tagged, v wire.View) (Ack, error) {
	if p.lost() {
		return Ack{}, errCut
	}
	time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond) // so that writes are in flight over restarts
	if p.i == p.liar {
		return Ack{}, nil // it holds nothing, and says that it does
	}
	ack, err := p.now().Write(context.WithoutCancel(ctx), vault, t, v) // what was sent arrives
	if p.lost() {
		return Ack{}, errCut
	}
	return ack, err
}

func (p stormy) Join(ctx context.Context, inc wire.Incarnation, page func([]VaultMark) error) (Memories, error) {
	if p.i == p.liar {
		page = func([]VaultMark) error { return nil }
	}
	return p.now().Join(ctx, inc, page)
}

func (p stormy) HeadAt(ctx context.Context, n uint64) (HeadAnswer, error) {
	return p.now().HeadAt(ctx, n)
}
func (p stormy) Clock(ctx context.Context) (time.Time, error) { return p.now().Clock(ctx) }

// peers are all witnesses but one.
func (s *storm) reach(from string, but int) (peers []Peer) {
	for i := range s.alive {
		if i != but {
			peers = append(peers, stormy{s, i, from})
		}
	}
	return peers
}

// account1 is what must hold of one account, whatever happens.
type account1 struct {
	mu       sync.Mutex
	answered map[byte]bool // attempts
	releases int           // valid ones that were begun
	floor    Mark          // the join of all that counted
	nonces   map[uint32]bool
}

// TestStorm drives the real witnesses and writers, and checks I1 and I3: at most L
// attempts are answered between two releases, and nothing that counted is
// forgotten.
func TestStorm(t *testing.T) {
	const limit, accounts, owner, lasts = 4, 120, 1, 4 * time.Second
	s := &storm{set: newSet(t, 4, 3, 3, 1), liar: 3, loss: 0.03}
	s.alive = append(s.alive, s.witnesses...)
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	var all [accounts]account1
	for i := range all {
		all[i].answered, all[i].nonces = map[byte]bool{}, map[uint32]bool{}
	}
	began := time.Now()
	var wg sync.WaitGroup
	counted, restarts := make([]int, 3), 0
	for writer := range 3 {
		wg.Go(func() {
			q, err := NewQuorum(&QuorumOptions{Vault: "v1", Key: s.key, Witnesses: s.reach("v1", -1), Q: 3, R: 3, F: 1})
			if err != nil {
				t.Error(err)
				return
			}
			for ctx.Err() == nil {
				n := min(int(time.Since(began)*accounts/lasts)+rand.IntN(4), accounts-1) // a few at a time, so that writers meet
				if all[n].call(t, q, acctOf(byte(n)+1), byte(1+rand.IntN(9)), n%3 == 0, limit, owner) {
					counted[writer]++
				}
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			i := rand.IntN(3)
			w := s.witness(i)
			s.mu.Lock()
			s.alive[i] = w
			s.mu.Unlock()
			if err := w.Run(ctx, s.reach(w.ID(), i)); err == nil {
				restarts++
			}
			time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
		}
	})
	wg.Wait()
	answers, releases := 0, 0
	for n := range all {
		a := &all[n]
		got := len(a.answered)
		if got > limit*(1+a.releases) {
			t.Errorf("account %d: %d attempts answered, with %d releases: %+v", n, got, a.releases, a.floor)
		}
		answers, releases = answers+got, releases+a.releases
	}
	calls := counted[0] + counted[1] + counted[2]
	t.Logf("%d calls counted, %d answers, %d releases, %d restarts", calls, answers, releases, restarts)
	if answers < 20 || releases == 0 || restarts < 3 {
		t.Error("that is no storm")
	}
}

// call evaluates an attempt, or releases the owner's, as the vault does.
func (a *account1) call(t *testing.T, q *Quorum, acct [16]byte, attempt byte, releases bool, limit uint32, owner byte) bool {
	ctx := context.Background()
	a.mu.Lock()
	floor := a.floor
	a.mu.Unlock()
	m, err := q.Load(ctx, acct)
	if err != nil {
		return false
	}
	if m.Charges < floor.Charges || m.Base < floor.Base || m.Ver < floor.Ver || m.State < floor.State {
		t.Errorf("what counted is forgotten: %+v after %+v", m, floor)
	}
	if releases && attempt%4 == 0 {
		attempt = owner
	}
	answers := true
	h := [16]byte{attempt}
	a.mu.Lock()
	bound := a.nonces[m.Charges]
	a.mu.Unlock()
	m.Gen = 1
	m.Ver++
	switch {
	case m.State != StateActive:
		answers = false
	case m.Last == h && releases && attempt == owner && bound:
		m.Base, answers = m.Charges, false
		a.mu.Lock()
		a.releases++
		clear(a.nonces) // each is used once, so that releases are counted
		a.mu.Unlock()
	case m.Last == h:
	case m.Used() >= limit && releases:
		answers = false
	case m.Used() >= limit:
		m.State, answers = StateLocked, false
	default:
		m.Charges++
		m.Last = h
	}
	if q.Advance(ctx, acct, m) != nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.floor = Join(a.floor, m)
	if answers {
		a.answered[attempt] = true
		if attempt == owner {
			a.nonces[m.Charges] = true
		}
	}
	return true
}
