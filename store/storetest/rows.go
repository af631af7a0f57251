package storetest

import (
	"bytes"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at is n minutes after noon, as a store gives it.
func at(n int) time.Time { return noon().UTC().Add(time.Duration(n) * time.Minute) }

// mac is one that says which row has it.
func mac(n byte) []byte { return bytes.Repeat([]byte{n, 0}, 16) }

// get reads one thing, which must be there if wanted is true.
func get[T any](t *testing.T, s Store, wanted bool, read func(Tx) (T, bool, error)) (v T) {
	t.Helper()
	var found bool
	view(t, s, func(tx Tx) (err error) {
		v, found, err = read(tx)
		return err
	})
	if found != wanted {
		t.Errorf("found: %v, want %v: %+v", found, wanted, v)
	}
	return v
}

// look reads something that is always there.
func look[T any](t *testing.T, s Store, read func(Tx) (T, error)) (v T) {
	t.Helper()
	view(t, s, func(tx Tx) (err error) {
		v, err = read(tx)
		return err
	})
	return v
}

// act is look in a transaction that writes.
func act[T any](t *testing.T, s Store, write func(Tx) (T, error)) (v T) {
	t.Helper()
	update(t, s, func(tx Tx) (err error) {
		v, err = write(tx)
		return err
	})
	return v
}

// same compares what was stored with what comes back. Times are the same only in
// the same zone.
func same(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Location() == b.Location() })); diff != "" {
		t.Errorf("(-want +got) %s", diff)
	}
}

// names gives what identifies each of several rows.
func names[T any, N any](all []T, name func(T) N) []N {
	var out []N
	for _, v := range all {
		out = append(out, name(v))
	}
	return out
}

// onlyOne runs a compare and swap many times at once: it succeeds once.
func onlyOne(t *testing.T, s Store, swap func(tx Tx) (bool, error)) {
	t.Helper()
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			ok := false // of the last time that fn ran, which is the one that was committed
			err := s.Update(t.Context(), func(tx Tx) (err error) {
				ok, err = swap(tx)
				return err
			})
			if err != nil {
				t.Error(err)
			} else if ok {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 16 succeeded, want 1", won.Load())
	}
}

// sweep deletes what there is of three old rows, two at a time.
func sweep(t *testing.T, s Store, remove func(tx Tx, limit int) (int, error)) {
	t.Helper()
	for _, want := range []int{2, 1, 0} {
		if n := act(t, s, func(tx Tx) (int, error) { return remove(tx, 2) }); n != want {
			t.Errorf("deleted %d, want %d", n, want)
		}
	}
}

// refused fails the test if a transaction that only does this is committed.
func refused(t *testing.T, s Store, what string, write func(tx Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), write); err == nil {
		t.Errorf("stored %s", what)
	}
}
