package vault

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

func TestQuorumSizes(t *testing.T) {
	for _, c := range []struct {
		name string
		s    sizes
		ok   bool
	}{
		{"the default", sizes{4, 3, 3, 1}, true},
		{"large sites", sizes{5, 4, 3, 1}, true},
		{"one alone", sizes{1, 1, 1, 0}, true},
		{"three without a liar", sizes{3, 2, 2, 0}, true},
		{"three with a liar", sizes{3, 2, 2, 1}, false},
		{"a load may miss a write", sizes{4, 3, 2, 1}, false},
		{"two writes may miss each other", sizes{4, 2, 4, 1}, false},
		{"more than there are", sizes{4, 5, 3, 0}, false},
		{"more are asked than there are", sizes{4, 4, 5, 0}, false},
		{"nobody", sizes{}, false},
		{"fewer liars than none", sizes{4, 3, 3, -1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.s.check(); (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}

func TestNewQuorum(t *testing.T) {
	s := newSet(t, 4, 3, 3, 1)
	peers := slices.Clip(s.others(0))
	good := QuorumOptions{Vault: "v1", Key: testKey(), Witnesses: append(peers, s.witnesses[0].Local("v1")), Q: 3, R: 3, F: 1}
	for _, c := range []struct {
		name   string
		change func(*QuorumOptions)
		ok     bool
	}{
		{"good", func(*QuorumOptions) {}, true},
		{"two are missing", func(o *QuorumOptions) { o.Witnesses = peers[:2] }, false},
		{"one is there twice", func(o *QuorumOptions) { o.Witnesses = append(peers, peers[0]) }, false},
		{"no key", func(o *QuorumOptions) { o.Key = wire.MarkKey{} }, false},
		{"no vault", func(o *QuorumOptions) { o.Vault = "" }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := good
			c.change(&o)
			if _, err := NewQuorum(&o); (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}

// TestPartialWrite is crash/03: a mark that fewer than Q hold makes the count
// larger, and its attempt free, if a load meets it.
func TestPartialWrite(t *testing.T) {
	s := newSet(t, 4, 3, 3, 1)
	s.attempts(acctOf(1), 2)
	s.peers[2].cut(true)
	s.peers[3].cut(true)
	if _, err := s.writer.Load(t.Context(), acctOf(1)); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("two of four answer a load: %v", err)
	}
	s.peers[2].cut(false)
	m, err := s.writer.Load(t.Context(), acctOf(1))
	if err != nil {
		t.Fatal(err)
	}
	s.peers[2].cut(true)
	m.Ver, m.Charges, m.Last = m.Ver+1, 3, [16]byte{3}
	if err := s.writer.Advance(t.Context(), acctOf(1), m); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("two of four acknowledge: %v", err)
	}
	s.peers[2].cut(false)
	s.peers[3].cut(false)
	s.peers[1].cut(true)
	if again, err := s.writer.Load(t.Context(), acctOf(1)); err != nil || again != m {
		t.Errorf("%+v, %v", again, err)
	}
}

// TestInFlight is crash/14: what was begun before a restart does not count after
// it, though the witness acknowledged one half of it in the life it has forgotten.
func TestInFlight(t *testing.T) {
	s := newSet(t, 4, 3, 3, 1)
	s.attempts(acctOf(1), 2)
	m, err := s.writer.Load(t.Context(), acctOf(1))
	if err != nil {
		t.Fatal(err)
	}
	m.Ver, m.Charges, m.Last = m.Ver+1, 3, [16]byte{3}
	tagged, err := s.key.Tag(m.wire(acctOf(1)))
	if err != nil {
		t.Fatal(err)
	}
	view := s.writer.open[acctOf(1)].view
	acks := 0
	write := func(i int) {
		if _, err := s.witnesses[i].Local("v1").Write(t.Context(), "v1", tagged, view); err == nil {
			acks++
		}
	}
	write(3)
	if acks != 1 {
		t.Fatal("the first write is refused")
	}
	s.restart(3)
	if _, err := s.witnesses[3].Local("v1").Load(t.Context(), "v1", acctOf(1)); !errors.Is(err, ErrAmnesia) {
		t.Errorf("it answers, and knows nothing: %v", err)
	}
	if _, err := s.witnesses[3].Local("v1").Write(t.Context(), "v1", tagged, view); !errors.Is(err, ErrAmnesia) {
		t.Errorf("it acknowledges, and knows nothing: %v", err)
	}
	if err := s.join(time.Second, 3); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		write(i)
	}
	if acks != 1 {
		t.Errorf("%d more have acknowledged a write of the view before", acks-1)
	}
	s.attempts(acctOf(1), 1) // with the view of now
}

// TestWitnessRefuses is rule Q1 where it counts: at the witness.
func TestWitnessRefuses(t *testing.T) {
	s := newSet(t, 1, 1, 1, 0)
	s.attempts(acctOf(1), 3)
	for _, c := range []struct {
		name string
		m    Mark
		ok   bool
	}{
		{"a charge more", Mark{Gen: 1, Ver: 4, Charges: 4, Last: [16]byte{4}}, true},
		{"another attempt of the same charge", Mark{Gen: 1, Ver: 5, Charges: 4, Last: [16]byte{5}}, false},
		{"an older version", Mark{Gen: 1, Ver: 2, Charges: 9, Last: [16]byte{9}}, false},
	} {
		tagged, err := s.key.Tag(c.m.wire(acctOf(1)))
		if err != nil {
			t.Fatal(err)
		}
		ack, err := s.witnesses[0].Local("v1").Write(t.Context(), "v1", tagged, s.writer.current())
		if (err == nil) != c.ok || err != nil && (!errors.Is(err, ErrStale) || len(ack.View) == 0) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestAmnesia is crash/17: fewer than R remember.
func TestAmnesia(t *testing.T) {
	s := newSet(t, 4, 3, 3, 1)
	s.attempts(acctOf(1), 1)
	s.restart(2)
	s.restart(3)
	if m, err := s.writer.Load(t.Context(), acctOf(1)); !errors.Is(err, ErrAmnesia) {
		t.Errorf("%+v, %v", m, err)
	}
	if err := s.join(200*time.Millisecond, 2, 3); !errors.Is(err, ErrAmnesia) {
		t.Errorf("two join, whom two remember: %v", err)
	}
	if err := s.witnesses[0].Begin(); err == nil {
		t.Error("a witness that remembers begins anew")
	}
}

// TestBeginAmongOthers: a witness that is said to begin where others remember it
// joins them instead.
func TestBeginAmongOthers(t *testing.T) {
	s := newSet(t, 4, 3, 3, 1)
	if err := s.join(time.Second, 0, 1, 2, 3); err != nil { // so that they know each other
		t.Fatal(err)
	}
	s.attempts(acctOf(1), 3)
	w := s.restart(3)
	if err := w.Begin(); err != nil {
		t.Fatal(err)
	}
	if err := s.join(time.Second, 3); err != nil {
		t.Fatal(err)
	}
	if m := heldBy(w, acctOf(1)); m.Charges != 3 || !w.Live() {
		t.Errorf("it holds %+v", m)
	}
}

// TestLiars: what one of four says changes nothing.
func TestLiars(t *testing.T) {
	for _, c := range []struct {
		name string
		lie  func(t *testing.T, s *set, h *Held)
	}{
		{"that it knows nothing", func(_ *testing.T, _ *set, h *Held) { h.Marks = nil }},
		{"a mark of its own making", func(t *testing.T, _ *set, h *Held) {
			key := wire.DeriveMarkKey(wire.Key{2}, "v1")
			tagged, err := key.Tag(Mark{Gen: 9, Ver: 99, Charges: 99, State: StateDeleted}.wire(acctOf(1)))
			if err != nil {
				t.Error(err)
			}
			h.Marks = append(h.Marks, tagged)
		}},
		{"the mark of another account", func(t *testing.T, s *set, h *Held) {
			tagged, err := s.key.Tag(Mark{Gen: 9, Ver: 99, Charges: 99, State: StateDeleted}.wire(acctOf(2)))
			if err != nil {
				t.Error(err)
			}
			h.Marks = append(h.Marks, tagged)
		}},
		{"a number of more, under the same tag", func(t *testing.T, s *set, h *Held) {
			b, err := wire.Encode(Mark{Gen: 9, Ver: 99, Charges: 99}.wire(acctOf(1)))
			if err != nil || len(h.Marks) == 0 {
				t.Error(err)
				return
			}
			h.Marks = []wire.Tagged{{Mark: b, Tag: h.Marks[0].Tag}}
		}},
		{"that another has restarted", func(_ *testing.T, _ *set, h *Held) { h.View = joinViews(h.View, wire.View{"v2": life(7, 7)}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSet(t, 4, 3, 3, 1)
			s.attempts(acctOf(1), 3)
			s.peers[0].lie(func(h *Held) { c.lie(t, s, h) })
			s.peers[3].cut(true) // so that the liar is needed
			m, err := s.quorum(nil).Load(t.Context(), acctOf(1))
			if want := (Mark{Gen: 1, Ver: 3, Charges: 3, Last: [16]byte{3}}); err != nil || m != want {
				t.Fatalf("%+v, %v", m, err)
			}
			s.attempts(acctOf(1), 1)
		})
	}
}

// TestAdvanceNeedsLoad: what is advanced grows out of what was loaded, once.
func TestAdvanceNeedsLoad(t *testing.T) {
	s := newSet(t, 4, 3, 3, 1)
	s.attempts(acctOf(1), 3)
	for _, c := range []struct {
		name   string
		change func(*Mark)
		ok     bool
	}{
		{"ver + 1", func(m *Mark) { m.Ver++ }, true},
		{"nothing changes", func(*Mark) {}, false},
		{"a charge less", func(m *Mark) { m.Ver, m.Charges = m.Ver+1, m.Charges-1 }, false},
		{"no mark", func(m *Mark) { *m = Mark{} }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := s.writer.Load(t.Context(), acctOf(1))
			if err != nil {
				t.Fatal(err)
			}
			c.change(&m)
			if err := s.writer.Advance(t.Context(), acctOf(1), m); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrStale) {
				t.Error(err)
			}
			m.Ver++
			if err := s.writer.Advance(t.Context(), acctOf(1), m); !errors.Is(err, ErrStale) || !strings.Contains(err.Error(), "not loaded") {
				t.Errorf("without a load: %v", err)
			}
		})
	}
}

// around is a peer with something that happens before or after it is asked to load.
type around struct {
	Peer
	before, after func()
}

func (p *around) Load(ctx context.Context, vault string, acct [16]byte) (Held, error) {
	p.before()
	h, err := p.Peer.Load(ctx, vault, acct)
	p.after()
	return h, err
}

// TestViewOfLoad is rule Q7: a load in the middle of which somebody tells of a
// restart begins again, with a view that is older than all that it loads.
func TestViewOfLoad(t *testing.T) {
	s := newSet(t, 3, 2, 2, 0)
	s.attempts(acctOf(1), 2)
	back := make(chan struct{})
	var loads atomic.Int32
	s.peers[0].become(&around{s.peers[0].now().Peer, func() { loads.Add(1) }, sync.OnceFunc(func() {
		s.restart(2)
		if err := s.join(time.Second, 2); err != nil {
			t.Error(err)
		}
		close(back)
	})})
	s.peers[1].become(&around{s.peers[1].now().Peer, func() { <-back }, func() {}})
	s.peers[2].cut(true)
	m, err := s.writer.Load(t.Context(), acctOf(1))
	if err != nil {
		t.Fatal(err)
	}
	if n := loads.Load(); n != 2 {
		t.Errorf("loaded %d times, want twice", n)
	}
	m.Ver++
	if err := s.writer.Advance(t.Context(), acctOf(1), m); err != nil {
		t.Errorf("the write is of the view before: %v", err)
	}
}

// slowClock is a witness with a clock that is off.
type slowClock struct {
	Peer
	off time.Duration
	err error
}

func (p slowClock) Clock(ctx context.Context) (time.Time, error) {
	now, err := p.Peer.Clock(ctx)
	return now.Add(p.off), errors.Join(err, p.err)
}

func TestClock(t *testing.T) {
	s := newSet(t, 3, 2, 3, 0)
	s.peers[0].become(slowClock{Peer: s.peers[0].now().Peer, off: 100 * time.Hour})
	s.peers[1].become(slowClock{Peer: s.peers[1].now().Peer, off: time.Hour})
	if now, err := s.writer.Now(t.Context()); err != nil || time.Until(now) < 50*time.Minute || time.Until(now) > 70*time.Minute {
		t.Errorf("the median of 0, 1 and 100 hours is %v, %v", time.Until(now), err)
	}
	s.peers[2].become(slowClock{Peer: s.peers[2].now().Peer, err: errCut})
	if now, err := s.writer.Now(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("two of three clocks, and three are needed: %v, %v", now, err)
	}
}

// TestOneHangs: a witness that never answers delays nobody.
func TestOneHangs(t *testing.T) {
	s := newSet(t, 4, 3, 3, 1)
	release := make(chan struct{})
	defer close(release)
	s.peers[2].lie(func(*Held) { <-release })
	began := time.Now()
	s.attempts(acctOf(1), 5)
	if took := time.Since(began); took > time.Second {
		t.Errorf("five attempts took %v", took)
	}
}
