package storetest

import (
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
)

func nonce(b byte) [32]byte { return [32]byte{b, 31: b} }

// addNonces adds them in a transaction of its own.
func addNonces(t *testing.T, s Store, created time.Time, bytes ...byte) (fresh []bool) {
	t.Helper()
	var hashes [][32]byte
	for _, b := range bytes {
		hashes = append(hashes, nonce(b))
	}
	update(t, s, func(tx Tx) (err error) {
		fresh, err = tx.AddNonces(t.Context(), hashes, created)
		return err
	})
	return fresh
}

// testNonces: each is new once, in whatever transaction and store it comes, and
// only one that was committed was there.
func testNonces(t *testing.T, open Open) {
	ctx, dir := t.Context(), t.TempDir()
	s, err := open(ctx, dir, App)
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, got []bool, want ...bool) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	want("new", addNonces(t, s, noon(), 1, 2), true, true)
	want("one of them is not", addNonces(t, s, noon(), 2, 3), false, true)
	want("none is", addNonces(t, s, noon(), 1, 2, 3), false, false, false)

	mine := errors.New("mine")
	for range 2 {
		err = s.Update(ctx, func(tx Tx) error {
			fresh, err := tx.AddNonces(ctx, [][32]byte{nonce(4), nonce(1)}, noon())
			want("in a transaction that fails", fresh, true, false)
			if err != nil {
				return err
			}
			fresh, err = tx.AddNonces(ctx, [][32]byte{nonce(5), nonce(4)}, noon())
			want("in the same transaction", fresh, true, false)
			if err != nil {
				return err
			}
			return mine
		})
		if !errors.Is(err, mine) {
			t.Error(err)
		}
	}
	want("after it failed", addNonces(t, s, noon(), 4, 5), true, true)

	// The same file, opened a second time, and this one again afterwards.
	other, err := open(ctx, dir, App)
	if err != nil {
		t.Fatal(err)
	}
	want("in another opening", addNonces(t, other, noon(), 1, 5, 6), false, false, true)
	want("what another opening has added", addNonces(t, s, noon(), 6, 7), false, true)
	if err := errors.Join(other.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if s, err = open(ctx, dir, App); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want("opened again", addNonces(t, s, noon(), 1, 6, 7, 8), false, false, false, true)

	// Of many at the same time, one.
	var mu sync.Mutex
	var wg sync.WaitGroup
	won := 0
	for range 16 {
		wg.Go(func() {
			fresh := addNonces(t, s, noon(), 9)
			mu.Lock()
			defer mu.Unlock()
			if fresh[0] {
				won++
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("one nonce was new %d times", won)
	}
	if err := s.View(ctx, func(tx Tx) error { _, err := tx.AddNonces(ctx, [][32]byte{nonce(10)}, noon()); return err }); err == nil {
		t.Error("a view can add nonces")
	}
	mustCheck(t, s)
}

// testNonceFloor: deleting takes the oldest groups, and the floor tells of it.
func testNonceFloor(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	at := func(i int) time.Time { return noon().UTC().Add(time.Duration(i) * time.Second) }
	floor := func(want time.Time) {
		t.Helper()
		view(t, s, func(tx Tx) error {
			got, err := tx.NonceFloor(ctx)
			if !got.Equal(want) {
				t.Errorf("floor %v, want %v", got, want)
			}
			return err
		})
	}
	remove := func(before time.Time, limit, want int) {
		t.Helper()
		update(t, s, func(tx Tx) error {
			n, err := tx.DeleteNonces(ctx, before, limit)
			if n != want {
				t.Errorf("deleted %d groups, want %d", n, want)
			}
			return err
		})
	}
	for _, i := range []int{3, 1, 2, 4} {
		addNonces(t, s, at(i), byte(i), byte(10+i))
	}
	floor(time.Time{})
	remove(at(1), 10, 0)
	floor(time.Time{}) // nothing was deleted
	remove(at(4), 2, 2)
	floor(at(2))
	if fresh := addNonces(t, s, at(5), 1, 11, 2, 3, 13, 4); !slices.Equal(fresh, []bool{true, true, true, false, false, false}) {
		t.Errorf("what was deleted is new again, and nothing else: %v", fresh)
	}
	mine := errors.New("mine")
	err := s.Update(ctx, func(tx Tx) error {
		if n, err := tx.DeleteNonces(ctx, at(4), 10); n != 1 || err != nil {
			return errors.Join(err, errors.New("no group"))
		}
		return mine
	})
	if !errors.Is(err, mine) {
		t.Error(err)
	}
	floor(at(2))
	if fresh := addNonces(t, s, at(5), 3); fresh[0] {
		t.Error("deleted by a transaction that failed")
	}
	remove(at(4), 10, 1)
	remove(at(4), 10, 0)
	floor(at(3))
	update(t, s, func(tx Tx) error { // older ones do not lower it
		if _, err := tx.AddNonces(ctx, [][32]byte{nonce(30)}, at(0)); err != nil {
			return err
		}
		_, err := tx.DeleteNonces(ctx, at(1), 10)
		return err
	})
	floor(at(3))
}

// testKeyUse: what changes with use, and nothing else, is read and moved.
func testKeyUse(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	android, apple := key(), key()
	apple.ID, apple.Platform, apple.Serials = base64.RawURLEncoding.EncodeToString(make([]byte, 32)), "apple", nil
	apple.Counter, apple.Window, apple.LastUsed = math.MaxUint32-1, math.MaxUint64, time.Time{}
	update(t, s, func(tx Tx) error { return errors.Join(tx.PutAttestedKey(ctx, android), tx.PutAttestedKey(ctx, apple)) })
	standings := func(ids ...string) map[string]registry.KeyStanding {
		t.Helper()
		out := map[string]registry.KeyStanding{}
		view(t, s, func(tx Tx) error {
			all, err := tx.KeyStandings(ctx, ids)
			for _, k := range all {
				out[k.ID] = k
			}
			if len(out) != len(all) {
				t.Errorf("a key twice: %+v", all)
			}
			return err
		})
		return out
	}
	standing := func(k registry.Key) registry.KeyStanding {
		return registry.KeyStanding{
			ID: k.ID, Account: k.Account, AppID: k.AppID, Tier: k.Tier, State: k.State, Counter: k.Counter, Window: k.Window,
			RegisteredAt: k.RegisteredAt, LastUsed: k.LastUsed,
		}
	}
	want := map[string]registry.KeyStanding{android.ID: standing(android), apple.ID: standing(apple)}
	if diff := cmp.Diff(want, standings(android.ID, "unknown", apple.ID)); diff != "" {
		t.Error(diff)
	}
	if got := standings(); len(got) != 0 {
		t.Errorf("none: %+v", got)
	}

	move := registry.KeyMove{ID: apple.ID, OldCounter: apple.Counter, Counter: math.MaxUint32, Window: 5, LastUsed: noon().UTC().Truncate(24 * time.Hour)}
	update(t, s, func(tx Tx) error {
		return tx.MoveKeys(ctx, []registry.KeyMove{move, {ID: android.ID, OldCounter: android.Counter, Counter: android.Counter, Window: android.Window, LastUsed: move.LastUsed}})
	})
	moved := apple
	moved.Counter, moved.Window, moved.LastUsed = move.Counter, move.Window, move.LastUsed
	view(t, s, func(tx Tx) error {
		got, err := tx.AttestedKey(ctx, apple.ID)
		if diff := cmp.Diff(moved, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
	for name, m := range map[string]registry.KeyMove{
		"a counter that has moved": move,
		"a key that is not there":  {ID: "unknown", LastUsed: move.LastUsed},
	} {
		if err := s.Update(ctx, func(tx Tx) error { return tx.MoveKeys(ctx, []registry.KeyMove{m}) }); err == nil {
			t.Errorf("moved %s", name)
		}
	}
	if got := standings(apple.ID)[apple.ID]; got.Counter != move.Counter {
		t.Errorf("%+v", got)
	}
}

// testKeyLists: what a filter chooses, in the order of ids.
func testKeyLists(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	var all []registry.Key
	for i := range byte(12) {
		k := key()
		k.ID = base64.RawURLEncoding.EncodeToString(append(make([]byte, 31), i*20))
		k.Account = []account.ID{alice, bob}[i%2]
		k.State = []registry.State{registry.StateActive, registry.StateRevoked, registry.StateObserved}[i%3]
		k.Platform = []string{"android", "apple"}[i/2%2]
		k.Model = []string{"Sony SOV37", "Google Pixel 9"}[i/6]
		k.Serials = [][]string{{"a"}, {"a", "b"}, nil}[i/4]
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b registry.Key) int { return strings.Compare(a.ID, b.ID) })
	update(t, s, func(tx Tx) error {
		for _, k := range all {
			if err := tx.PutAttestedKey(ctx, k); err != nil {
				return err
			}
		}
		return nil
	})
	for _, id := range []account.ID{"", alice, account.NewID()} {
		for _, state := range []registry.State{"", registry.StateActive, registry.StateObserved, registry.StatePending} {
			for _, serial := range []string{"", "a", "b", "c"} {
				for _, model := range []string{"", "Google Pixel 9", "none"} {
					for _, after := range []string{"", all[4].ID, all[11].ID} {
						f := registry.KeyFilter{Account: id, State: state, Serial: serial, Model: model, After: after}
						var want []registry.Key
						for _, k := range all {
							if (id == "" || k.Account == id) && (state == "" || k.State == state) && (serial == "" || slices.Contains(k.Serials, serial)) &&
								(model == "" || k.Model == model) && k.ID > after && len(want) < 5 {
								want = append(want, k)
							}
						}
						view(t, s, func(tx Tx) error {
							got, err := tx.AttestedKeys(ctx, f, 5)
							if diff := cmp.Diff(want, got); diff != "" {
								t.Errorf("%+v: %s", f, diff)
							}
							return err
						})
					}
				}
			}
		}
	}
}
