package registry_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
)

// TestChallengeTurns: however many strangers ask for challenges of a slow
// store, few of them are in it at a time; the others wait for a second and are
// then sent away. The backend is not held up, and turns come back.
func TestChallengeTurns(t *testing.T) {
	r := newRig(t)
	synctest.Test(t, func(t *testing.T) {
		const takes = 300 * time.Millisecond
		var inside, most, backends atomic.Int32
		o := *r.opts
		o.Now = time.Now
		o.View = func(context.Context, func(registry.Tx) error) error { return errors.New("not asked") }
		o.Update = func(ctx context.Context, _ func(registry.Tx) error) error {
			if ctx.Value(backendKey{}) != nil {
				backends.Add(1)
				return nil
			}
			n := inside.Add(1)
			defer inside.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(takes)
			return nil
		}
		s, err := registry.New(&o)
		if err != nil {
			t.Fatal(err)
		}
		ask := func(ctx context.Context, c account.Caller) error {
			_, err := s.CreateChallenge(ctx, c, &registry.ChallengeRequest{App: "demo", Purpose: registry.PurposeRequest})
			return err
		}
		stranger := account.Caller{Kind: account.Anonymous, App: "demo"}
		var done, refused atomic.Int32
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				start := time.Now()
				switch err := ask(t.Context(), stranger); {
				case err == nil:
					done.Add(1)
				case errors.Is(err, registry.ErrRate) && time.Since(start) == time.Second:
					refused.Add(1)
				default:
					t.Errorf("after %s: %v", time.Since(start), err)
				}
			})
		}
		synctest.Wait()
		if err := ask(context.WithValue(t.Context(), backendKey{}, true), backend); err != nil || backends.Load() != 1 {
			t.Errorf("the backend waits: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := ask(gone, stranger); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone away: %v", err)
		}
		all.Wait()
		if most.Load() != 4 || done.Load() != 16 || refused.Load() != 24 { // 4 at 0, 0.3, 0.6 and 0.9 s
			t.Errorf("%d at a time, %d got one, %d were sent away", most.Load(), done.Load(), refused.Load())
		}
		if err := ask(t.Context(), stranger); err != nil {
			t.Errorf("after the flood: %v", err)
		}
	})
}

// backendKey marks the backend's calls.
type backendKey struct{}
