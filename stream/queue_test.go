package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/staunchid/staunch/recovery"
)

func rec(n byte, ver uint64) recovery.Record {
	return recovery.Record{App: "demo", Vault: "v1", Acct: [16]byte{n}, Gen: 1, Ver: ver, At: time.Now()}
}

// bench is a queue, and what became of its entries.
type bench struct {
	*Queue[int]
	mu     sync.Mutex
	done   []int
	buried []Letter
	parked []Entry
	tried  []time.Duration // since the beginning
	vers   []uint64
	begin  time.Time
	fail   func(recovery.Record) error
}

func newBench(t *testing.T, o Options, h Hooks[int]) *bench {
	t.Helper()
	b := &bench{begin: time.Now(), fail: func(recovery.Record) error { return errors.New("away") }}
	h.Done = func(places []int) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.done = append(b.done, places...)
	}
	if h.Bury == nil {
		h.Bury = func(_ context.Context, l Letter) error {
			b.buried = append(b.buried, l)
			return nil
		}
	}
	var err error
	if b.Queue, err = NewQueue(o, h); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) apply(_ context.Context, r recovery.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried, b.vers = append(b.tried, time.Since(b.begin)), append(b.vers, r.Ver)
	return b.fail(r)
}

// run runs the queue for some time.
func (b *bench) run(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := b.Run(ctx, b.apply); err != nil {
		t.Fatal(err)
	}
}

// TestBackoff: 100 ms doubling to 60 s, each 20 % more or less.
func TestBackoff(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		0: 100 * time.Millisecond, 1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 9: 25600 * time.Millisecond,
		10: 51200 * time.Millisecond, 11: 60 * time.Second, 12: 60 * time.Second, 1 << 40: 60 * time.Second,
	} {
		least, most := time.Hour, time.Duration(0)
		for range 2000 {
			d := Backoff(failures)
			least, most = min(least, d), max(most, d)
		}
		if least < want*80/100 || most > want*120/100 || least > want*82/100 || most < want*118/100 {
			t.Errorf("%d failures: %v to %v, want %v and 20 %% more or less", failures, least, most, want)
		}
	}
}

func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Rate: -1}, Hooks[int]{})
		b.Put(Entry{Record: rec(1, 1)}, 1)
		b.run(t, time.Hour)
		for i := 1; i < len(b.tried); i++ {
			want := min(100*time.Millisecond<<min(i-1, 20), time.Minute)
			if gap := b.tried[i] - b.tried[i-1]; gap < want*79/100 || gap > want*121/100 {
				t.Errorf("attempt %d came %v after the one before, want %v", i+1, gap, want)
			}
		}
		if n := len(b.tried); n < 55 || n > 85 { // 10 in the first 100 s, then one a minute
			t.Errorf("%d attempts in an hour", n)
		}
		// A success ends the back-off: the next failure waits 100 ms again.
		b.fail = func(recovery.Record) error { return nil }
		b.run(t, 2*time.Minute)
		if n, _ := b.Depth(); n != 0 || !slices.Equal(b.done, []int{1}) {
			t.Errorf("%d held, done %v", n, b.done)
		}
	})
}

// TestBackoffGoesOn: a newer entry does not bring an earlier attempt, since it is
// the store that fails; and it has attempts of its own.
func TestBackoffGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Rate: -1, MaxAttempts: 8}, Hooks[int]{})
		b.Put(Entry{Record: rec(1, 1)}, 1)
		b.run(t, 5*time.Second) // 6 attempts, the next after 6.3 s
		before := len(b.tried)
		b.Put(Entry{Record: rec(1, 2)}, 2)
		b.run(t, 10*time.Millisecond)
		if len(b.tried) != before {
			t.Error("tried at once")
		}
		b.run(t, time.Minute)
		if len(b.buried) != 0 {
			t.Errorf("a dead letter after %d attempts with version %v", len(b.tried), b.vers)
		}
		b.run(t, time.Hour)
		if len(b.buried) != 1 || b.buried[0].Record.Ver != 2 || b.buried[0].Attempts != 8 || !slices.Equal(b.done, []int{1, 2}) {
			t.Errorf("%+v, done %v", b.buried, b.done)
		}
	})
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Rate: 10}, Hooks[int]{})
		b.fail = func(recovery.Record) error { return nil }
		for n := range byte(100) {
			b.Put(Entry{Record: rec(n, 1)}, int(n))
		}
		b.run(t, 5*time.Second)
		if n := len(b.tried); n < 49 || n > 51 {
			t.Errorf("%d in 5 s at 10 a second", n)
		}
	})
}

// TestWorkers: so many at a time and no more.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Rate: -1, Workers: 7}, Hooks[int]{})
		var mu sync.Mutex
		now, most := 0, 0
		for n := range byte(50) {
			b.Put(Entry{Record: rec(n, 1)}, int(n))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := b.Run(ctx, func(context.Context, recovery.Record) error {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return nil
		})
		if n, _ := b.Depth(); err != nil || most != 7 || n != 0 {
			t.Errorf("%d at a time, %d left, %v", most, n, err)
		}
	})
}

// TestDone: places are done when what stands for them is, and no earlier.
func TestDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Rate: -1}, Hooks[int]{})
		b.fail = func(r recovery.Record) error {
			if r.Ver < 5 {
				return errors.New("away")
			}
			return nil
		}
		for place, ver := range []uint64{3, 1, 4, 4} {
			b.Put(Entry{Record: rec(1, ver)}, place)
		}
		b.run(t, time.Minute)
		if len(b.done) != 0 || slices.ContainsFunc(b.vers, func(v uint64) bool { return v != 4 }) {
			t.Errorf("done %v, tried %v", b.done, b.vers)
		}
		b.Put(Entry{Record: rec(1, 5)}, 4)
		b.run(t, 2*time.Minute)
		if !slices.Equal(b.done, []int{0, 1, 2, 3, 4}) {
			t.Errorf("done %v", b.done)
		}
	})
}

// TestPark: what the stream has taken back is done there, and tried from here all
// the same.
func TestPark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *bench
		refuse := errors.New("no broker")
		b = newBench(t, Options{Rate: -1}, Hooks[int]{Park: func(_ context.Context, e Entry) error {
			if b.parked = append(b.parked, e); len(b.parked) == 1 {
				return refuse
			}
			return nil
		}})
		b.Put(Entry{Record: rec(1, 1)}, 1)
		b.run(t, 50*time.Millisecond)
		if len(b.done) != 0 || len(b.parked) != 1 {
			t.Errorf("not taken back, but done: %v", b.done)
		}
		b.run(t, 150*time.Millisecond)
		if !slices.Equal(b.done, []int{1}) || b.parked[1].Attempts != 2 || b.parked[1].Due.Before(b.begin) || b.parked[1].Failed.IsZero() {
			t.Errorf("done %v, parked %+v", b.done, b.parked)
		}
		b.Put(b.parked[1], 2) // it comes back
		b.fail = func(recovery.Record) error { return nil }
		b.run(t, time.Minute)
		if n, _ := b.Depth(); n != 0 || !slices.Equal(b.done, []int{1, 2}) {
			t.Errorf("%d held, done %v", n, b.done)
		}
	})
}

// TestDue: an entry that is not due yet waits.
func TestDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Rate: -1, MaxAttempts: 5}, Hooks[int]{})
		b.Put(Entry{Record: rec(1, 1), Attempts: 4, Due: time.Now().Add(30 * time.Second)}, 1)
		b.run(t, 29*time.Second)
		if len(b.tried) != 0 {
			t.Error("tried early")
		}
		b.run(t, 2*time.Second)
		if len(b.tried) != 1 || len(b.buried) != 1 { // its earlier attempts count
			t.Errorf("%d attempts, %d letters", len(b.tried), len(b.buried))
		}
	})
}

// TestBury: an entry whose letter cannot be written stays.
func TestBury(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := true
		var b *bench
		b = newBench(t, Options{Rate: -1}, Hooks[int]{Bury: func(_ context.Context, l Letter) error {
			if full {
				return errors.New("disk full")
			}
			b.buried = append(b.buried, l)
			return nil
		}})
		b.fail = func(recovery.Record) error { return fmt.Errorf("x: %w", recovery.ErrPermanent) }
		b.Put(Entry{Record: rec(1, 1)}, 1)
		b.run(t, time.Minute)
		if n, _ := b.Depth(); n != 1 || len(b.done) != 0 {
			t.Errorf("%d held, done %v", n, b.done)
		}
		full = false
		b.run(t, 2*time.Minute)
		if n, _ := b.Depth(); n != 0 || len(b.done) != 1 || len(b.buried) != 1 {
			t.Errorf("%d held, done %v, %d letters", n, b.done, len(b.buried))
		}
	})
}

// TestDrop: what another process has taken over is forgotten, also in the middle
// of an attempt.
func TestDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Rate: -1}, Hooks[int]{})
		b.Put(Entry{Record: rec(1, 1)}, 1)
		b.Put(Entry{Record: rec(2, 1)}, 2)
		b.Put(Entry{Record: rec(3, 1)}, 3)
		b.fail = func(r recovery.Record) error {
			if r.Acct[0] == 2 {
				b.Drop(func(place int) bool { return place != 3 })
			}
			return errors.New("away")
		}
		b.run(t, time.Minute)
		if n, _ := b.Depth(); n != 1 || len(b.done) != 0 {
			t.Errorf("%d held, done %v", n, b.done)
		}
	})
}

// TestNudge: it waits for the attempt that is on, then makes its own.
func TestNudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Rate: -1}, Hooks[int]{})
		b.Put(Entry{Record: rec(1, 1)}, 1)
		if err := b.Nudge(t.Context(), "demo", "v1", [16]byte{1}); !errors.Is(err, ErrStopped) {
			t.Errorf("Run does not run: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		calls := 0
		go b.Run(ctx, func(context.Context, recovery.Record) error {
			time.Sleep(time.Second)
			if calls++; calls == 1 {
				return errors.New("away")
			}
			return nil
		})
		synctest.Wait()
		begin := time.Now()
		err := b.Nudge(t.Context(), "demo", "v1", [16]byte{1})
		if n, _ := b.Depth(); err != nil || n != 0 || calls != 2 || time.Since(begin) != 2*time.Second {
			t.Errorf("%v, %d held, %d calls, %v", err, n, calls, time.Since(begin))
		}
		// Who gives up waiting leaves the entry as it was, and no failure is counted.
		b.Put(Entry{Record: rec(1, 2)}, 2)
		synctest.Wait()
		short, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		if err := b.Nudge(short, "demo", "v1", [16]byte{1}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		<-ctx.Done()
		synctest.Wait()
	})
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{"rate": {Rate: -2}, "workers": {Workers: -1}, "attempts": {MaxAttempts: -1}} {
		if _, err := NewQueue(o, Hooks[int]{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestCreateAfterDead: a dead letter that was to make the row leaves that to what
// came meanwhile.
func TestCreateAfterDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Rate: -1}, Hooks[int]{})
		first := rec(1, 1)
		first.Create = true
		b.Put(Entry{Record: first}, 1)
		made := false
		b.fail = func(r recovery.Record) error {
			if r.Ver == 1 {
				b.Put(Entry{Record: rec(1, 2)}, 2)
				return recovery.ErrPermanent
			}
			made = r.Create
			return nil
		}
		b.run(t, time.Second)
		if len(b.buried) != 1 || !made {
			t.Errorf("%d letters, made %v", len(b.buried), made)
		}
	})
}

// TestUnsound: an entry that somebody else has written takes no other's place, and
// is given up by itself, whenever it comes.
func TestUnsound(t *testing.T) {
	sound := func(r recovery.Record) bool { return r.Used == 0 }
	forged := rec(1, 1<<63)
	forged.Used = 9
	for name, order := range map[string][]recovery.Record{
		"first": {forged, rec(1, 1)}, "last": {rec(1, 1), forged}, "between": {rec(1, 1), forged, rec(1, 2)},
	} {
		for _, during := range []bool{false, true} { // all there, or the others come during the first try
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Options{Rate: -1, Sound: sound}, Hooks[int]{})
				rest := order
				var stored []uint64
				b.fail = func(r recovery.Record) error {
					failing := rest != nil
					for i, r := range rest {
						b.Put(Entry{Record: r}, i+2)
					}
					rest = nil
					switch {
					case !sound(r):
						return recovery.ErrPermanent
					case failing:
						return errors.New("the store is down")
					}
					stored = append(stored, r.Ver)
					return nil
				}
				n := len(order)
				if during {
					n = 1
				}
				for i, r := range order[:n] {
					b.Put(Entry{Record: r}, i+1)
				}
				if rest = order[n:]; len(rest) == 0 {
					rest = nil
				}
				b.run(t, time.Minute)
				if len(b.buried) != 1 || sound(b.buried[0].Record) {
					t.Errorf("%s: given up: %+v", name, b.buried)
				}
				want := uint64(1)
				if name == "between" {
					want = 2
				}
				if len(stored) == 0 || slices.Max(stored) != want {
					t.Errorf("%s: stored: %v, want %d", name, stored, want)
				}
				if n, _ := b.Depth(); n != 0 {
					t.Errorf("%s: %d are left", name, n)
				}
			})
		}
	}
}

// TestLettersApart: a letter that is not genuine has an ID of its own.
func TestLettersApart(t *testing.T) {
	good, forged := rec(1, 1), rec(1, 1)
	good.MAC, forged.MAC = []byte{1}, []byte{2}
	if LetterID(good) == LetterID(forged) {
		t.Error("one ID")
	}
}
