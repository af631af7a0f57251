package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store"
)

// testTransactions: all of a transaction or nothing of it.
func testTransactions(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	there := func(b byte) bool {
		t.Helper()
		var found bool
		view(t, s, func(tx Tx) error {
			_, err := tx.Challenge(ctx, challenge(b).Hash)
			found = err == nil
			if err != nil && !errors.Is(err, registry.ErrChallengeUnknown) {
				return err
			}
			return nil
		})
		return found
	}

	update(t, s, func(tx Tx) error { return tx.AddChallenge(ctx, challenge(1)) })
	if !there(1) {
		t.Error("what was committed is not there")
	}

	mine := errors.New("mine")
	err := s.Update(ctx, func(tx Tx) error {
		if err := tx.AddChallenge(ctx, challenge(2)); err != nil {
			return err
		}
		return mine
	})
	if !errors.Is(err, mine) || there(2) {
		t.Errorf("error of fn: %v; kept: %v", err, there(2))
	}

	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of fn was swallowed")
			}
		}()
		_ = s.Update(ctx, func(tx Tx) error {
			if err := tx.AddChallenge(ctx, challenge(3)); err != nil {
				return err
			}
			panic("in fn")
		})
	}()
	if there(3) {
		t.Error("kept in spite of a panic")
	}

	err = s.Update(ctx, func(tx Tx) error {
		if err := tx.AddChallenge(ctx, challenge(4)); err != nil {
			return err
		}
		if err := tx.AddChallenge(ctx, challenge(1)); err == nil {
			t.Error("one challenge can be added twice")
		}
		if err := tx.AddChallenge(ctx, challenge(5)); err == nil {
			t.Error("a method works after another has failed")
		}
		return nil
	})
	if err == nil || there(4) || there(5) {
		t.Errorf("committed after a method had failed: %v", err)
	}

	err = s.Update(ctx, func(tx Tx) error {
		if _, err := tx.Challenge(ctx, challenge(9).Hash); !errors.Is(err, registry.ErrChallengeUnknown) {
			return err
		}
		return tx.AddChallenge(ctx, challenge(6))
	})
	if err != nil || !there(6) {
		t.Errorf("not to find something is a failure: %v", err)
	}

	cancelled, cancel := context.WithCancel(ctx)
	err = s.Update(cancelled, func(tx Tx) error {
		err := tx.AddChallenge(ctx, challenge(7))
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) || there(7) {
		t.Errorf("cancelled before the commit: %v; kept: %v", err, there(7))
	}
	if err := s.Update(cancelled, func(Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before the beginning: %v", err)
	}
	mustCheck(t, s)
}

// testViews: a view sees one state and changes nothing.
func testViews(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	if err := s.View(ctx, func(tx Tx) error { return tx.AddChallenge(ctx, challenge(1)) }); err == nil {
		t.Error("a view can write")
	}
	view(t, s, func(tx Tx) error {
		if _, err := tx.Challenge(ctx, challenge(1).Hash); !errors.Is(err, registry.ErrChallengeUnknown) {
			t.Errorf("before: %v", err)
		}
		update(t, s, func(tx Tx) error { return tx.AddChallenge(ctx, challenge(1)) })
		if _, err := tx.Challenge(ctx, challenge(1).Hash); !errors.Is(err, registry.ErrChallengeUnknown) {
			t.Errorf("a view sees what was committed after it began: %v", err)
		}
		return nil
	})
	view(t, s, func(tx Tx) error { _, err := tx.Challenge(ctx, challenge(1).Hash); return err })
}

// testOpening: a store is found again, under its own name only.
func testOpening(t *testing.T, open Open) {
	ctx, dir := t.Context(), t.TempDir()
	s, err := open(ctx, dir, App)
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx Tx) error { return tx.AddChallenge(ctx, challenge(1)) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	for name, err := range map[string]error{
		"Update": s.Update(ctx, func(Tx) error { return nil }),
		"View":   s.View(ctx, func(Tx) error { return nil }),
	} {
		if !errors.Is(err, store.ErrAway) {
			t.Errorf("%s of a closed store: %v", name, err)
		}
	}
	if _, err := s.Check(ctx, noon()); !errors.Is(err, store.ErrAway) {
		t.Errorf("Check of a closed store: %v", err)
	}

	if other, err := open(ctx, dir, "other"); !errors.Is(err, store.ErrOtherApp) {
		t.Errorf("opened under another app's name: %v, %v", other, err)
	}
	if _, err := open(ctx, t.TempDir(), "Not an app"); !errors.Is(err, account.ErrMalformed) {
		t.Errorf("opened under no app's name: %v", err)
	}
	if s, err = open(ctx, dir, App); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx Tx) error { _, err := tx.Challenge(ctx, challenge(1).Hash); return err })
	mustCheck(t, s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// testSerialisable: concurrent read-modify-write loses nothing.
func testSerialisable(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	update(t, s, func(tx Tx) error { return tx.PutAttestedKey(ctx, key()) })
	const workers, rounds = 8, 10
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				err := s.Update(ctx, func(tx Tx) error {
					k, err := tx.AttestedKey(ctx, key().ID)
					if err != nil {
						return err
					}
					k.Counter++
					return tx.PutAttestedKey(ctx, k)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	view(t, s, func(tx Tx) error {
		k, err := tx.AttestedKey(ctx, key().ID)
		if want := key().Counter + workers*rounds; k.Counter != want {
			t.Errorf("counter is %d, want %d", k.Counter, want)
		}
		return err
	})
}

// noon is a time whose microseconds matter, in a zone that is not UTC.
func noon() time.Time {
	return time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.FixedZone("JST", 9*3600))
}
