package registry

import (
	"context"
	"sync"
	"time"
)

// exchangesPerMinute is the budget of a team if Options names none.
const exchangesPerMinute = 600

// receiptWork is what a Service needs to exchange receipts.
type receiptWork struct {
	exchange  func(context.Context, Receipt) (Exchanged, error) // nil: none are
	exchanged func(ExchangeResult)                              // nil: nobody is told
	perMinute int
	workers   int // a team

	mu    sync.Mutex
	teams map[string]*team
}

// team is the budget of a team, and whether Apple wants to hear of it. It lives
// in this process: another one finds out for itself.
type team struct {
	name  string
	every time.Duration // an exchange

	mu      sync.Mutex
	next    time.Time // when the budget has room again
	waits   int       // answers ExchangeLater in a row
	stopped bool      // its credentials were refused
}

func (w *receiptWork) team(name string) *team {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.teams[name]
	if t == nil {
		if w.teams == nil {
			w.teams = map[string]*team{}
		}
		t = &team{name: name, every: time.Minute / time.Duration(w.perMinute)}
		w.teams[name] = t
	}
	return t
}

func (w *receiptWork) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.teams)
}

// turn waits until the budget has room, and takes it. It is false when the
// team is stopped, or has to wait for longer than a caller does.
func (t *team) turn(ctx context.Context) bool {
	for {
		now := time.Now()
		t.mu.Lock()
		wait := t.next.Sub(now)
		ok := !t.stopped && wait <= time.Second
		if ok && wait <= 0 {
			t.next = now.Add(t.every)
			t.mu.Unlock()
			return ctx.Err() == nil
		}
		t.mu.Unlock()
		if !ok {
			return false
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}

// giveBack returns a turn that nobody needed.
func (t *team) giveBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next = t.next.Add(-t.every)
}

// answered slows a team down that Apple has no answer for, and stops one whose
// credentials it refuses.
func (t *team) answered(x Exchanged) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch x.Result {
	case ExchangeBadCredentials:
		t.stopped = true
	case ExchangeLater:
		t.waits++
		pause := max(x.RetryAfter, min(time.Second<<min(t.waits, 6), time.Minute))
		if until := time.Now().Add(pause); until.After(t.next) {
			t.next = until
		}
	default:
		t.waits = 0
	}
}
