package transfer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer/handover"
)

const (
	waitMost  = 25 * time.Second
	pollEvery = 500 * time.Millisecond // what another process has changed, or time, nobody calls out
	progress  = time.Second            // mere progress wakes at most so often
)

// watches wakes who waits for a transfer.
type watches struct {
	mu  sync.Mutex
	all map[ID]*watch
}

type watch struct {
	changed chan struct{} // closed at the next change
	waiting int
}

// on gives a channel that is closed at the next change of a transfer; off ends it.
func (w *watches) on(id ID) (changed <-chan struct{}, off func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[ID]*watch{}
	}
	one := w.all[id]
	if one == nil {
		one = &watch{changed: make(chan struct{})}
		w.all[id] = one
	}
	one.waiting++
	return one.changed, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if one.waiting--; one.waiting == 0 && w.all[id] == one {
			delete(w.all, id)
		}
	}
}

// waitersMost is how many wait for the segments of one transfer at a time. A phone has a
// few connections; who has its token and opens a thousand gets his answers at once.
const waitersMost = 32

// crowded reports whether more than that wait.
func (w *watches) crowded(id ID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.all[id]
	return one != nil && one.waiting > waitersMost
}

func (w *watches) wake(id ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.all[id]; one != nil {
		close(one.changed)
		delete(w.all, id)
	}
}

// Wake is called after the commit of a transaction with a Tx method: who waits for
// these transfers looks again at once.
func (s *Service) Wake(ids ...ID) {
	for _, id := range ids {
		s.watches.wake(id)
		s.arrivals.wake(id)
	}
}

// sleep returns at the next change, after a while, or when ctx is done.
func (s *Service) sleep(ctx context.Context, changed <-chan struct{}, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(min(d, pollEvery))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Waiting asks for a transfer: a phone with its token, or a session of the account.
type Waiting struct {
	ID      ID
	Token   handover.Secret // of a phone; zero: Account's
	Account account.ID      // whose session it is, when there is no token
	After   uint64          // the version that the caller knows; 0: any
	For     time.Duration
}

// Look gives a transfer as the caller sees it, now.
func (s *Service) Look(ctx context.Context, tx Tx, in *Waiting, now time.Time) (*View, error) {
	r, by, _, err := s.canceller(ctx, tx, &Cancelling{ID: in.ID, Token: in.Token, Account: in.Account}, now)
	if err != nil {
		return nil, err
	}
	return r.view(by, in.After, now), nil
}

// Wait answers when the transfer has a newer version than the caller knows, when a
// second has passed and something has moved, or when the time is over. It holds no
// transaction meanwhile.
func (s *Service) Wait(ctx context.Context, in *Waiting) (*View, error) {
	if in.For < 0 || in.For > waitMost {
		return nil, fmt.Errorf("%w: a wait of %s, not within 0 and %s", ErrMalformed, in.For, waitMost)
	}
	begun := time.Now() // waiting is by the process's clock, whatever the service's is
	var first *View
	for {
		changed, off := s.watches.on(in.ID) // before the look, so that no change falls between
		v, err := s.look(ctx, in)
		if err != nil {
			off()
			return nil, err
		}
		if first == nil {
			first = v
		}
		left := in.For - time.Since(begun)
		// What moved just before is told as well: it may have done so between two waits.
		moved := first.At.Sub(first.moved) < progress || v.BytesStored != first.BytesStored || v.RecordAcked != first.RecordAcked
		if v.Version > in.After || left <= 0 || ctx.Err() != nil || moved && time.Since(begun) >= progress {
			off()
			return v, ctx.Err()
		}
		if moved {
			left = min(left, progress-time.Since(begun))
		}
		s.sleep(ctx, changed, left)
		off()
	}
}

func (s *Service) look(ctx context.Context, in *Waiting) (v *View, err error) {
	err = s.view(ctx, func(tx Tx) (err error) {
		v, err = s.Look(ctx, tx, in, s.now())
		return err
	})
	return v, err
}

// List gives the transfers of an account that have not ended, by time.
func (s *Service) List(ctx context.Context, tx Tx, id account.ID, now time.Time) (all []*View, err error) {
	rows, err := tx.TransfersOf(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, t := range rows {
		r, err := s.settled(t, now)
		if err != nil {
			return nil, err
		}
		if !r.ended() {
			all = append(all, r.view("", 0, now))
		}
	}
	return all, nil
}
