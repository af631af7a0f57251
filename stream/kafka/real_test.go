//go:build unix

package kafka

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
	"github.com/staunchid/staunch/stream/streamtest"
)

// The environment of a child.
const childEnv = "STAUNCH_TEST_KAFKA_CHILD"

// TestBroker runs all against a real broker.
func TestBroker(t *testing.T) {
	if where := os.Getenv(childEnv); where != "" {
		consumeForever(t, where)
		return
	}
	b := newBroker(t, jars(t))
	t.Run("conform", func(t *testing.T) {
		streamtest.Conform(t, func(t *testing.T) streamtest.Bed { return bed([]string{b.addr}, unique()) })
	})
	for _, c := range []struct {
		name string
		test func(*testing.T, *broker)
	}{
		{"store down", storeDown},
		{"broker killed", brokerKilled},
		{"consumer killed between apply and commit", consumerKilled},
		{"rebalance", rebalance},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, b) })
	}
}

// many enqueues n records of 60 accounts, in an order that is none, and gives the
// largest version of each. Those that no broker has taken do not count.
func many(t *testing.T, s *Stream, n int) map[byte]uint64 {
	t.Helper()
	largest := map[byte]uint64{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range n / 20 {
				r := streamtest.Record(byte(rand.N(60)), 1, rand.Uint64N(1<<40)+1)
				for s.Enqueue(t.Context(), r) != nil {
					if t.Context().Err() != nil {
						return
					}
				}
				mu.Lock()
				largest[r.Acct[0]] = max(largest[r.Acct[0]], r.Ver)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return largest
}

// settled: each row is the largest of its key, and all offsets are committed.
func settled(t *testing.T, store *streamtest.Store, largest map[byte]uint64, all ...*Stream) {
	t.Helper()
	for n, ver := range largest {
		store.Wait(t, fmt.Sprintf("account %d has version %d", n, ver), func() bool { return store.Ver(n) == ver })
	}
	for _, s := range all {
		streamtest.Wait(t, nil, "nothing is held any more", func() bool { return s.Stats().Depth == 0 })
	}
}

func openOn(t *testing.T, b *broker, topic string) *Stream {
	return openTopic(t, []string{b.addr}, topic, stream.Options{Rate: -1})
}

func storeDown(t *testing.T, b *broker) {
	s := openOn(t, b, unique())
	store := streamtest.NewStore(func(recovery.Record) error { return fmt.Errorf("down") })
	streamtest.Run(t, s, store.Apply)
	largest := many(t, s, 1000)
	store.Wait(t, "it was tried", func() bool { return len(store.Calls()) > 60 })
	store.Fail(nil)
	settled(t, store, largest, s)
	if store.Overlapped() {
		t.Error("two entries of one key at a time")
	}
}

func brokerKilled(t *testing.T, b *broker) {
	s := openOn(t, b, unique())
	store := streamtest.NewStore(func(recovery.Record) error {
		if rand.N(3) == 0 {
			return fmt.Errorf("now and then")
		}
		return nil
	})
	streamtest.Run(t, s, store.Apply)
	done := make(chan map[byte]uint64)
	go func() { done <- many(t, s, 2000) }()
	for range 2 {
		store.Wait(t, "it goes on", func() bool { return len(store.Calls()) > 20 })
		b.kill()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if err := s.Enqueue(ctx, streamtest.Record(200, 1, 1)); err == nil {
			t.Error("enqueued without a broker")
		}
		cancel()
		b.start(t)
	}
	settled(t, store, <-done, s)
}

// consumerKilled: the child applies, which is to print a line, and is killed
// before it can commit. What it has printed is stored; the parent takes over.
func consumerKilled(t *testing.T, b *broker) {
	topic := unique()
	s := openOn(t, b, topic)
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	largest := many(t, s, 1000)
	store := streamtest.NewStore(nil)
	for round := range 2 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestBroker$")
		cmd.Env = append(os.Environ(), childEnv+"="+b.addr+" "+topic)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		applied := 0
		for in := bufio.NewScanner(out); in.Scan(); {
			var n byte
			var ver uint64
			if _, err := fmt.Sscanf(in.Text(), "applied %d %d", &n, &ver); err != nil {
				t.Errorf("%q: %v", in.Text(), err)
			}
			if err := store.Apply(t.Context(), streamtest.Record(n, 1, ver)); err != nil {
				t.Error(err)
			}
			if applied++; applied == 20*(round+1) {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // it was killed
		if applied == 0 {
			t.Fatal("the child has applied nothing")
		}
	}
	streamtest.Run(t, s, store.Apply)
	settled(t, store, largest, s)
}

// consumeForever is the child.
func consumeForever(t *testing.T, where string) {
	addr, topic, _ := strings.Cut(where, " ")
	s := openTopic(t, []string{addr}, topic, stream.Options{Rate: 200})
	var mu sync.Mutex
	_ = s.Run(t.Context(), func(_ context.Context, r recovery.Record) error {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println("applied", r.Acct[0], r.Ver)
		return nil
	})
}

// rebalance: a second process comes and goes while entries come and fail.
func rebalance(t *testing.T, b *broker) {
	topic := unique()
	first, second := openOn(t, b, topic), openOn(t, b, topic)
	store := streamtest.NewStore(func(recovery.Record) error {
		if rand.N(2) == 0 {
			return fmt.Errorf("now and then")
		}
		return nil
	})
	took := 0
	var mu sync.Mutex
	streamtest.Run(t, first, store.Apply)
	done := make(chan map[byte]uint64)
	go func() { done <- many(t, first, 3000) }()
	store.Wait(t, "it goes on", func() bool { return len(store.Calls()) > 20 })
	stop := streamtest.Run(t, second, func(ctx context.Context, r recovery.Record) error {
		mu.Lock()
		took++
		mu.Unlock()
		return store.Apply(ctx, r)
	})
	largest := <-done
	for n, ver := range many(t, second, 500) {
		largest[n] = max(largest[n], ver)
	}
	store.Wait(t, "the second has its share", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return took > 20
	})
	stop()
	for n, ver := range many(t, first, 200) {
		largest[n] = max(largest[n], ver)
	}
	store.Fail(nil)
	settled(t, store, largest, first)
}
