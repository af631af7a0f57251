package registry

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// groups is a commit that takes a while and remembers what it was given.
type groups struct {
	mu   sync.Mutex
	runs int
	all  [][]*ask
	err  error
	took time.Duration
}

func (g *groups) commit(ctx context.Context, group []*ask) error {
	g.mu.Lock()
	g.runs++
	if g.runs > 1 {
		panic("two commits at a time")
	}
	g.all = append(g.all, slices.Clone(group))
	err := g.err
	g.mu.Unlock()
	if g.took > 0 {
		time.Sleep(g.took)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.runs--
	return errors.Join(err, ctx.Err())
}

// enter is a request that is judged in no time.
func enter(ctx context.Context, g *guard, a *ask) error {
	g.expect()
	return g.pass(ctx, a)
}

// TestGuardGroups: what arrives during a commit is committed together, in
// order, at most so many at a time; those that nobody has signed take no place
// of those that somebody has.
func TestGuardGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &groups{took: time.Second}
		guard := guard{commit: g.commit}
		var order []*ask
		var wg sync.WaitGroup
		for i := range 2*groupSize + 11 {
			a := &ask{good: i%2 == 0 || i > groupSize}
			order = append(order, a)
			wg.Go(func() {
				if err := enter(t.Context(), &guard, a); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		var sizes []int
		var signed, unsigned []*ask
		for _, group := range g.all {
			sizes = append(sizes, len(group))
			for _, a := range group {
				if a.good {
					signed = append(signed, a)
				} else {
					unsigned = append(unsigned, a)
				}
			}
		}
		// The first comes alone; then 128 that are not signed and 256 of the 394
		// that are left; then the rest.
		if want := []int{1, 128 + groupSize, 394 - groupSize}; !slices.Equal(sizes, want) {
			t.Errorf("groups of %v, want %v", sizes, want)
		}
		isSigned := func(a *ask) bool { return a.good }
		if !slices.Equal(signed, slices.DeleteFunc(slices.Clone(order), func(a *ask) bool { return !isSigned(a) })) ||
			!slices.Equal(unsigned, slices.DeleteFunc(slices.Clone(order), isSigned)) {
			t.Error("not in the order in which they came")
		}
		if guard.led || len(guard.signed)+len(guard.unsigned) > 0 {
			t.Errorf("at rest: %+v", &guard)
		}
	})
}

// TestGuardFails: a commit that fails fails for all that were in it, and for no
// other.
func TestGuardFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("away")
		g := &groups{took: time.Second, err: away}
		guard := guard{commit: g.commit}
		errs := make([]error, 10)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = enter(t.Context(), &guard, &ask{good: true}) })
			synctest.Wait()
		}
		time.Sleep(1500 * time.Millisecond) // the first commit is over, the second runs
		g.mu.Lock()
		g.err = nil
		g.mu.Unlock()
		wg.Go(func() {
			if err := enter(t.Context(), &guard, &ask{good: true}); err != nil {
				t.Errorf("after the failure: %v", err)
			}
		})
		wg.Wait()
		for i, err := range errs {
			if !errors.Is(err, away) {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

// TestGuardPanics: a panic in a commit is that of its leader; the others in the
// group get an error, and who comes later is served.
func TestGuardPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		guard := guard{commit: func(context.Context, []*ask) error {
			time.Sleep(time.Second)
			if runs++; runs == 2 {
				panic("boom")
			}
			return nil
		}}
		var wg sync.WaitGroup
		var mu sync.Mutex
		panics, failed := 0, 0
		for i := range 4 {
			wg.Go(func() {
				defer func() {
					if recover() != nil {
						mu.Lock()
						panics++
						mu.Unlock()
					}
				}()
				if err := enter(t.Context(), &guard, &ask{good: true}); i > 0 && errors.Is(err, errGuardPanic) {
					mu.Lock()
					failed++
					mu.Unlock()
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		if panics != 1 || failed != 2 {
			t.Errorf("%d panics, %d errors", panics, failed)
		}
		guard.commit = func(context.Context, []*ask) error { return nil }
		if err := enter(t.Context(), &guard, &ask{}); err != nil {
			t.Error(err)
		}
	})
}

// TestGuardContexts: who does not wait any longer goes, and cancels nobody, the
// leader of a commit and the one who was to be the next included.
func TestGuardContexts(t *testing.T) {
	for leaves := range 4 {
		synctest.Test(t, func(t *testing.T) {
			g := &groups{took: time.Second}
			guard := guard{commit: g.commit}
			var wg sync.WaitGroup
			var cancels []context.CancelFunc
			errs := make([]error, 4)
			for i := range errs {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				cancels = append(cancels, cancel)
				wg.Go(func() { errs[i] = enter(ctx, &guard, &ask{good: true}) })
				synctest.Wait()
			}
			cancels[leaves]()
			start := time.Now()
			wg.Wait()
			for i, err := range errs {
				want := error(nil)
				if i == leaves && i > 0 { // the first one leads: its commit goes on
					want = context.Canceled
				}
				if !errors.Is(err, want) {
					t.Errorf("%d left, %d: %v", leaves, i, err)
				}
			}
			if took := time.Since(start); took != 2*time.Second {
				t.Errorf("%d left: took %v", leaves, took)
			}
			committed := 0
			for _, group := range g.all {
				committed += len(group)
			}
			if want := map[bool]int{true: 4, false: 3}[leaves == 0]; committed != want {
				t.Errorf("%d left: %d committed", leaves, committed)
			}
			if guard.led {
				t.Error("led by nobody")
			}
		})
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	guard := guard{commit: func(context.Context, []*ask) error { t.Error("committed"); return nil }}
	if err := enter(cancelled, &guard, &ask{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before it came: %v", err)
	}
}

// TestGuardNamed: one who has been named to lead, and goes before he does, hands
// over.
func TestGuardNamed(t *testing.T) {
	g := &groups{}
	guard := guard{commit: g.commit, led: true}
	first := &waiter{ask: &ask{}, turn: make(chan turn, 1)}
	second := &waiter{ask: &ask{}, turn: make(chan turn, 1)}
	guard.unsigned = []*waiter{first, second}
	guard.name()
	guard.leave(first)
	if !second.named || <-second.turn != lead || !guard.led {
		t.Error("nobody leads")
	}
	guard.leave(second)
	if guard.led {
		t.Error("led by somebody who has gone")
	}
}

// TestGuardGathers: a leader waits for those that are being judged, until four
// in five have arrived and for a few milliseconds at most.
func TestGuardGathers(t *testing.T) {
	for _, tt := range []struct {
		name                    string
		coming, arrive, dropped int // of those that are coming, so many arrive after 1 ms and so many never
		group                   int
		after                   time.Duration
	}{
		{"alone", 0, 0, 0, 1, 0},
		{"another is coming", 1, 0, 0, 1, gatherTime},
		{"and arrives", 1, 1, 0, 2, time.Millisecond},
		{"four in five arrive", 5, 4, 0, 5, time.Millisecond},
		{"one is missing", 6, 4, 0, 5, gatherTime},
		{"which is dropped", 6, 4, 1, 5, time.Millisecond},
		{"all are dropped", 10, 0, 10, 1, time.Millisecond},
		{"a whole group arrives", 3 * groupSize, groupSize - 1, 0, groupSize, time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var first int
				var after time.Duration
				guard := guard{commit: func(_ context.Context, group []*ask) error {
					if first == 0 {
						first, after = len(group), time.Since(start)
					}
					return nil
				}}
				for range tt.coming {
					guard.expect()
				}
				var wg sync.WaitGroup
				wg.Go(func() {
					if err := enter(t.Context(), &guard, &ask{good: true}); err != nil {
						t.Error(err)
					}
				})
				synctest.Wait()
				time.Sleep(time.Millisecond)
				for i := range tt.arrive {
					wg.Go(func() {
						if err := guard.pass(t.Context(), &ask{good: i%2 == 0}); err != nil {
							t.Error(err)
						}
					})
				}
				for range tt.dropped {
					guard.drop()
				}
				wg.Wait()
				if first != tt.group || after != tt.after {
					t.Errorf("a group of %d after %v, want %d after %v", first, after, tt.group, tt.after)
				}
				if left := tt.coming - tt.arrive - tt.dropped; guard.coming != left {
					t.Errorf("%d are coming, want %d", guard.coming, left)
				}
			})
		})
	}
}

// TestGuardCommitTimeout: a store that hangs does not hold a leader for ever.
func TestGuardCommitTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard := guard{commit: func(ctx context.Context, _ []*ask) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		start := time.Now()
		if err := enter(t.Context(), &guard, &ask{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != commitTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestBudget: as many at once as the burst, then as many as the rate, whatever
// the clock does.
func TestBudget(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	b := budget{rate: 10, burst: 100}
	take := func(at time.Time) (n int) {
		for b.take(at) {
			n++
		}
		return n
	}
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{0, 100}, {0, 0}, {50 * time.Millisecond, 0}, {100 * time.Millisecond, 1}, {1100 * time.Millisecond, 10}, {0, 0}, {time.Hour, 100}, {-time.Hour, 0}, {time.Hour, 0}} {
		if n := take(now.Add(tt.after)); n != tt.want {
			t.Errorf("after %v: %d, want %d", tt.after, n, tt.want)
		}
	}
	if (&budget{}).take(now) {
		t.Error("the zero budget has room")
	}
}

// TestKeyCache: it stays within its bound, and keeps what is in use.
func TestKeyCache(t *testing.T) {
	const size = 8
	c := newKeyCache(size)
	name := func(i int) string { return string(rune('a' + i)) }
	for i := range 1000 {
		c.keep(&requestKey{id: name(i)})
		if c.find(name(i)) == nil || c.find(name(0)) == nil {
			t.Fatalf("%d: the newest, or one in use, is gone", i)
		}
		if n := len(c.now) + len(c.old); n > 2*size {
			t.Fatalf("%d keys are kept", n)
		}
	}
	if c.find(name(500)) != nil {
		t.Error("one that nobody has asked for is still there")
	}
	c.forget(name(0))
	if c.find(name(0)) != nil {
		t.Error("not forgotten")
	}
}
