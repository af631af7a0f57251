package streamtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/stream"
)

// Conform runs the suite. make makes a new stream's bed.
func Conform(t *testing.T, make func(t *testing.T) Bed) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, b Bed)
	}{
		{"whole entries", wholeEntries},
		{"retried until stored", retried},
		{"order of a key", order},
		{"the largest wins", largest},
		{"a row that is not made yet", create},
		{"notes", notes},
		{"duplicates", duplicates},
		{"one key holds up no other", otherKeys},
		{"permanent", permanent},
		{"max attempts", maxAttempts},
		{"ignored keys", ignored},
		{"letters", lettersRetryDrop},
		{"restart", restart},
		{"stopped within an attempt", within},
		{"nudge", nudge},
		{"rate 0", stopped},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, make(t)) })
	}
}

func options() stream.Options { return stream.Options{Rate: -1, MaxAttempts: 1000} }

func wholeEntries(t *testing.T, b Bed) {
	s, store := b.Open(t, options()), NewStore(nil)
	r := Record(1, 7, 1<<40)
	r.Create, r.Used, r.State, r.Notes = true, 9, 1, [][]byte{[]byte("one"), []byte("two")}
	Enqueue(t, s, r)
	Run(t, s, store.Apply)
	store.Wait(t, "the record is stored", func() bool { return store.Ver(1) == r.Ver })
	if diff := cmp.Diff(r, store.Row(1)); diff != "" {
		t.Error(diff)
	}
}

// retried: crash table 06, R9.
func retried(t *testing.T, b Bed) {
	left := 3
	store := NewStore(func(recovery.Record) error {
		if left--; left >= 0 {
			return errAway
		}
		return nil
	})
	s := b.Open(t, options())
	Run(t, s, store.Apply)
	begin := time.Now()
	Enqueue(t, s, Record(1, 1, 1))
	store.Wait(t, "the record is stored", func() bool { return store.Ver(1) == 1 })
	// 100 + 200 + 400 ms, 20 % less at the most
	if took := time.Since(begin); took < 560*time.Millisecond {
		t.Errorf("three failures and stored after %v: no back-off", took)
	}
	Wait(t, nil, "nothing is held any more", func() bool { return s.Stats().Depth == 0 })
	if s.Stats().Dead != 0 || !s.Stats().Oldest.IsZero() {
		t.Errorf("%+v", s.Stats())
	}
}

func order(t *testing.T, b Bed) {
	s, store := b.Open(t, options()), NewStore(func(recovery.Record) error {
		time.Sleep(time.Millisecond)
		return nil
	})
	Run(t, s, store.Apply)
	for v := range uint64(50) {
		Enqueue(t, s, Record(1, 1, v+1), Record(2, 1, v+1))
	}
	store.Wait(t, "both are stored", func() bool { return store.Ver(1) == 50 && store.Ver(2) == 50 })
	if store.Overlapped() {
		t.Error("two entries of one key at a time")
	}
	last := map[stream.Key]uint64{}
	for _, r := range store.Calls() {
		if r.Ver < last[stream.KeyOf(r)] {
			t.Errorf("%d after %d", r.Ver, last[stream.KeyOf(r)])
		}
		last[stream.KeyOf(r)] = r.Ver
	}
}

// largest: crash table 09. The larger gen wins, whatever the ver.
func largest(t *testing.T, b Bed) {
	s, store := b.Open(t, options()), NewStore(func(recovery.Record) error { return errAway })
	Run(t, s, store.Apply)
	Enqueue(t, s, Record(1, 1, 5), Record(1, 2, 3), Record(1, 1, 9), Record(1, 2, 2))
	store.Wait(t, "they were tried", func() bool { return len(store.Calls()) > 3 })
	store.Fail(nil)
	store.Wait(t, "the largest is stored", func() bool { return store.Row(1).Gen == 2 && store.Ver(1) == 3 })
	if got := string(store.Row(1).Sealed); got != "1/2/3" {
		t.Errorf("stored %s", got)
	}
	Wait(t, nil, "nothing is held any more", func() bool { return s.Stats().Depth == 0 })
}

// create: an entry of op create is joined by a later one. What is applied then has
// to make the row.
func create(t *testing.T, b Bed) {
	made := false
	store := NewStore(func(recovery.Record) error { return errAway })
	s := b.Open(t, options())
	Run(t, s, store.Apply)
	first := Record(1, 1, 1)
	first.Create = true
	Enqueue(t, s, first)
	store.Wait(t, "it was tried", func() bool { return len(store.Calls()) > 0 })
	Enqueue(t, s, Record(1, 1, 2))
	store.Fail(func(r recovery.Record) error {
		if made = made || r.Create; !made {
			return errors.New("no row to advance")
		}
		return nil
	})
	store.Wait(t, "the row is made", func() bool { return store.Ver(1) == 2 })
}

func notes(t *testing.T, b Bed) {
	store := NewStore(func(recovery.Record) error { return errAway })
	s := b.Open(t, options())
	Run(t, s, store.Apply)
	var want []string
	for v := range uint64(100) { // more than one entry holds
		r := Record(1, 1, v+1)
		want = append(want, fmt.Sprintf("call %d", v+1))
		r.Notes = [][]byte{[]byte(want[v])}
		Enqueue(t, s, r)
	}
	Wait(t, nil, "all are held", func() bool { return s.Stats().Depth >= 1 && len(store.Calls()) > 2 })
	seen := map[string]bool{}
	store.Fail(func(r recovery.Record) error { // one key: one call at a time
		for _, n := range r.Notes {
			seen[string(n)] = true
		}
		return nil
	})
	store.Wait(t, "the last is stored", func() bool { return store.Ver(1) == 100 })
	Wait(t, nil, "nothing is held any more", func() bool { return s.Stats().Depth == 0 })
	for _, n := range want {
		if !seen[n] {
			t.Errorf("%s was lost", n)
		}
	}
}

func duplicates(t *testing.T, b Bed) {
	s, store := b.Open(t, options()), NewStore(nil)
	for range 5 {
		Enqueue(t, s, Record(1, 1, 4), Record(2, 1, 4))
	}
	Run(t, s, store.Apply)
	store.Wait(t, "both are stored", func() bool { return store.Ver(1) == 4 && store.Ver(2) == 4 })
	Wait(t, nil, "nothing is held any more", func() bool { return s.Stats().Depth == 0 })
}

func otherKeys(t *testing.T, b Bed) {
	hang := make(chan struct{})
	store := NewStore(func(r recovery.Record) error {
		switch r.Acct[0] {
		case 1:
			return errAway
		case 2:
			<-hang
		}
		return nil
	})
	s := b.Open(t, options())
	stop := Run(t, s, store.Apply)
	Enqueue(t, s, Record(1, 1, 1), Record(2, 1, 1))
	for n := byte(3); n < 60; n++ {
		Enqueue(t, s, Record(n, 1, 1))
	}
	for n := byte(3); n < 60; n++ {
		store.Wait(t, fmt.Sprintf("%d is stored", n), func() bool { return store.Ver(n) == 1 })
	}
	close(hang)
	stop()
}

func permanent(t *testing.T, b Bed) {
	store := NewStore(func(r recovery.Record) error {
		if r.Acct[0] == 1 {
			return fmt.Errorf("unknown vault: %w", recovery.ErrPermanent)
		}
		return nil
	})
	s := b.Open(t, options())
	Run(t, s, store.Apply)
	bad := Record(1, 3, 5)
	bad.Notes, bad.Create = [][]byte{[]byte("n")}, true
	Enqueue(t, s, bad, Record(2, 1, 1))
	store.Wait(t, "the other is stored", func() bool { return store.Ver(2) == 1 })
	Wait(t, nil, "it is a dead letter", func() bool { return s.Stats().Dead == 1 && s.Stats().Depth == 0 })
	l := b.Letters(t)
	all, err := l.List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d letters, %v", len(all), err)
	}
	if diff := cmp.Diff(bad, all[0].Record); diff != "" {
		t.Error(diff)
	}
	if a := all[0]; !strings.Contains(a.Reason, "unknown vault") || a.Attempts != 1 || a.At.IsZero() || a.ID != stream.LetterID(bad) {
		t.Errorf("%+v", a)
	}
	tries := 0
	for _, r := range store.Calls() {
		if r.Acct[0] == 1 {
			tries++
		}
	}
	if tries != 1 {
		t.Errorf("tried %d times", tries)
	}
}

func maxAttempts(t *testing.T, b Bed) {
	o := options()
	o.MaxAttempts = 3
	s, store := b.Open(t, o), NewStore(func(recovery.Record) error { return errAway })
	Run(t, s, store.Apply)
	Enqueue(t, s, Record(1, 1, 1))
	Wait(t, nil, "it is a dead letter", func() bool { return s.Stats().Dead == 1 && s.Stats().Depth == 0 })
	all, err := b.Letters(t).List(t.Context())
	if err != nil || len(all) != 1 || all[0].Attempts != 3 || len(store.Calls()) < 3 {
		t.Fatalf("%+v, %d tries, %v", all, len(store.Calls()), err)
	}
}

func ignored(t *testing.T, b Bed) {
	o := options()
	o.Ignore = []string{stream.KeyOf(Record(1, 0, 0)).String()}
	s, store := b.Open(t, o), NewStore(nil)
	Run(t, s, store.Apply)
	Enqueue(t, s, Record(1, 1, 1), Record(2, 1, 1))
	store.Wait(t, "the other is stored", func() bool { return store.Ver(2) == 1 })
	Wait(t, nil, "it is a dead letter", func() bool { return s.Stats().Dead == 1 })
	if store.Ver(1) != 0 {
		t.Error("it was tried all the same")
	}
}

func lettersRetryDrop(t *testing.T, b Bed) {
	refuse := func(recovery.Record) error { return recovery.ErrPermanent }
	s, store := b.Open(t, options()), NewStore(refuse)
	Run(t, s, store.Apply)
	Enqueue(t, s, Record(1, 1, 1), Record(2, 1, 1))
	Wait(t, nil, "both are dead letters", func() bool { return s.Stats().Dead == 2 && s.Stats().Depth == 0 })
	store.Fail(nil)
	l := b.Letters(t)
	for _, id := range []string{"0123456789abcdef", "../LOCK", ""} {
		if err := l.Retry(t.Context(), id); !errors.Is(err, stream.ErrNoLetter) {
			t.Errorf("retry %q: %v", id, err)
		}
		if err := l.Drop(t.Context(), id); !errors.Is(err, stream.ErrNoLetter) {
			t.Errorf("drop %q: %v", id, err)
		}
	}
	if err := l.Retry(t.Context(), stream.LetterID(Record(1, 1, 1))); err != nil {
		t.Fatal(err)
	}
	if err := l.Drop(t.Context(), stream.LetterID(Record(2, 1, 1))); err != nil {
		t.Fatal(err)
	}
	store.Wait(t, "the one that was put back is stored", func() bool { return store.Ver(1) == 1 })
	if all, err := l.List(t.Context()); err != nil || len(all) != 0 || store.Ver(2) != 0 {
		t.Errorf("%+v, %v; the dropped one: %d", all, err, store.Ver(2))
	}
	Wait(t, nil, "none is counted", func() bool { return s.Stats().Dead == 0 })
}

func restart(t *testing.T, b Bed) {
	store := NewStore(func(r recovery.Record) error {
		if r.Acct[0]%2 == 0 {
			return errAway
		}
		return nil
	})
	s := b.Open(t, options())
	stop := Run(t, s, store.Apply)
	for n := byte(1); n <= 20; n++ {
		Enqueue(t, s, Record(n, 1, 1), Record(n, 1, 2))
	}
	for n := byte(1); n <= 20; n += 2 {
		store.Wait(t, "the odd ones are stored", func() bool { return store.Ver(n) == 2 })
	}
	stop()
	Enqueue(t, s, Record(21, 1, 1)) // nobody has tried it
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Enqueue(t.Context(), Record(22, 1, 1)); err == nil {
		t.Error("a closed stream takes entries")
	}
	store.Fail(nil)
	s = b.Open(t, options())
	Run(t, s, store.Apply)
	for n := byte(1); n <= 20; n++ {
		store.Wait(t, fmt.Sprintf("%d is stored", n), func() bool { return store.Ver(n) == 2 })
	}
	store.Wait(t, "the last one is stored", func() bool { return store.Ver(21) == 1 })
	Wait(t, nil, "nothing is held any more", func() bool { return s.Stats().Depth == 0 })
}

// within: what is not done when Run ends is not done, though later entries are.
func within(t *testing.T, b Bed) {
	hang, once := make(chan struct{}), sync.Once{}
	s, store := b.Open(t, options()), NewStore(nil)
	stop := Run(t, s, func(ctx context.Context, r recovery.Record) error {
		if r.Acct[0] != 1 {
			return store.Apply(ctx, r)
		}
		once.Do(func() { close(hang) }) // a stream that is slow to go on may bring it twice
		<-ctx.Done()
		return ctx.Err()
	})
	Enqueue(t, s, Record(1, 1, 1))
	<-hang
	for n := byte(2); n < 40; n++ {
		Enqueue(t, s, Record(n, 1, 1))
	}
	for n := byte(2); n < 40; n++ {
		store.Wait(t, "the others are stored", func() bool { return store.Ver(n) == 1 })
	}
	stop()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = b.Open(t, options())
	Run(t, s, store.Apply)
	store.Wait(t, "the first is stored", func() bool { return store.Ver(1) == 1 })
}

func nudge(t *testing.T, b Bed) {
	store := NewStore(func(recovery.Record) error { return errAway })
	s := b.Open(t, options())
	key := stream.KeyOf(Record(1, 0, 0))
	nudge := func() error { return s.Nudge(t.Context(), key.App, key.Vault, key.Acct) }
	Run(t, s, store.Apply)
	if err := nudge(); err != nil {
		t.Errorf("nothing held: %v", err)
	}
	Enqueue(t, s, Record(1, 1, 1))
	// After 6 failures the next attempt is seconds away.
	store.Wait(t, "it waits for long", func() bool { return len(store.Calls()) >= 6 })
	if err := nudge(); !errors.Is(err, errAway) {
		t.Errorf("the store is away: %v", err)
	}
	store.Fail(nil)
	before := len(store.Calls())
	if err := nudge(); err != nil || store.Ver(1) != 1 {
		t.Errorf("%v, version %d, %d calls more", err, store.Ver(1), len(store.Calls())-before)
	}
	// Another app's key with the same account is another key.
	if err := s.Nudge(t.Context(), "other", key.Vault, key.Acct); err != nil {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Nudge(ctx, key.App, key.Vault, key.Acct); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func stopped(t *testing.T, b Bed) {
	o := options()
	o.Rate = 0
	s, store := b.Open(t, o), NewStore(nil)
	stop := Run(t, s, store.Apply)
	Enqueue(t, s, Record(1, 1, 1))
	time.Sleep(200 * time.Millisecond)
	key := stream.KeyOf(Record(1, 0, 0))
	if err := s.Nudge(t.Context(), key.App, key.Vault, key.Acct); s.Stats().Depth > 0 && !errors.Is(err, stream.ErrStopped) {
		t.Errorf("%v", err)
	}
	stop()
	if calls := store.Calls(); slices.ContainsFunc(calls, func(recovery.Record) bool { return true }) {
		t.Errorf("%d calls", len(calls))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = b.Open(t, options())
	Run(t, s, store.Apply)
	store.Wait(t, "it is stored when the rate is back", func() bool { return store.Ver(1) == 1 })
}
