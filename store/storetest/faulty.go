package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// ErrFault is what the call that was to fail gives.
var ErrFault = errors.New("storetest: fault")

// When says whether the failing call took effect.
type When bool

// A call fails before it took effect, or after.
const (
	Before When = false
	After  When = true
)

// Faulty is a store that fails one call. Calls are counted from 1: the beginning
// of a transaction, each method in it, its commit. A commit that fails After is
// on the disk all the same, and only its caller does not know.
type Faulty struct {
	Store
	at   int
	when When

	mu    sync.Mutex
	calls int
	name  string
}

// NewFaulty returns s with a fault at the n-th call; 0 is no fault.
func NewFaulty(s Store, n int, when When) *Faulty { return &Faulty{Store: s, at: n, when: when} }

// Fired names the call that failed; empty: there were fewer calls than that.
func (f *Faulty) Fired() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.name
}

// Update runs fn in a transaction with faults.
func (f *Faulty) Update(ctx context.Context, fn func(Tx) error) error {
	return f.transact(ctx, f.Store.Update, fn)
}

// View runs fn in a reading transaction with faults.
func (f *Faulty) View(ctx context.Context, fn func(Tx) error) error {
	return f.transact(ctx, f.Store.View, fn)
}

func (f *Faulty) transact(ctx context.Context, run func(context.Context, func(Tx) error) error, fn func(Tx) error) error {
	fails := f.next("begin")
	if fails && f.when == Before {
		return ErrFault
	}
	lost := false // the commit took effect and its answer is lost
	err := run(ctx, func(tx Tx) error {
		if fails {
			return ErrFault
		}
		ft := &faultyTx{Tx: tx, f: f}
		if err := fn(ft); err != nil {
			return err
		}
		if ft.failed {
			return ErrFault // a failed method keeps the transaction from being committed
		}
		lost = f.next("commit")
		if lost && f.when == Before {
			return ErrFault
		}
		return nil
	})
	if err == nil && lost {
		return ErrFault
	}
	return err
}

// next counts a call and reports whether it is to fail.
func (f *Faulty) next(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.calls != f.at {
		return false
	}
	f.name = name
	return true
}

// faultyTx is a transaction with faults in the methods that services call.
type faultyTx struct {
	Tx
	f      *Faulty
	failed bool
}

// around runs a call, or fails it before or after.
func around[T any](tx *faultyTx, name string, call func() (T, error)) (T, error) {
	var zero T
	if tx.failed {
		return zero, ErrFault
	}
	if tx.f.next(name) {
		tx.failed = true
		if tx.f.when == After {
			_, _ = call() // what it did stays; that it did is not told
		}
		return zero, ErrFault
	}
	return call()
}

// around0 is around for a call that gives an error only.
func around0(tx *faultyTx, name string, call func() error) error {
	_, err := around(tx, name, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

func (tx *faultyTx) AppendAudit(ctx context.Context, e audit.Entry) error {
	return around0(tx, "AppendAudit", func() error { return tx.Tx.AppendAudit(ctx, e) })
}

func (tx *faultyTx) AppendEvent(ctx context.Context, e event.Event) error {
	return around0(tx, "AppendEvent", func() error { return tx.Tx.AppendEvent(ctx, e) })
}

func (tx *faultyTx) Challenge(ctx context.Context, hash [32]byte) (registry.Challenge, error) {
	return around(tx, "Challenge", func() (registry.Challenge, error) { return tx.Tx.Challenge(ctx, hash) })
}

func (tx *faultyTx) AddChallenge(ctx context.Context, c registry.Challenge) error {
	return around0(tx, "AddChallenge", func() error { return tx.Tx.AddChallenge(ctx, c) })
}

func (tx *faultyTx) UseChallenge(ctx context.Context, hash [32]byte, now time.Time) (bool, error) {
	return around(tx, "UseChallenge", func() (bool, error) { return tx.Tx.UseChallenge(ctx, hash, now) })
}

func (tx *faultyTx) DeleteChallenges(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteChallenges", func() (int, error) { return tx.Tx.DeleteChallenges(ctx, t, limit) })
}

func (tx *faultyTx) AttestedKey(ctx context.Context, id string) (registry.Key, error) {
	return around(tx, "AttestedKey", func() (registry.Key, error) { return tx.Tx.AttestedKey(ctx, id) })
}

func (tx *faultyTx) PutAttestedKey(ctx context.Context, k registry.Key) error {
	return around0(tx, "PutAttestedKey", func() error { return tx.Tx.PutAttestedKey(ctx, k) })
}

func (tx *faultyTx) AddEvidence(ctx context.Context, e registry.Evidence) error {
	return around0(tx, "AddEvidence", func() error { return tx.Tx.AddEvidence(ctx, e) })
}

func (tx *faultyTx) DeleteEvidence(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteEvidence", func() (int, error) { return tx.Tx.DeleteEvidence(ctx, t, limit) })
}
