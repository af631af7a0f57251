package registry

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// groupSize is how many requests one transaction of the guard answers at most:
// as many signed ones, and beside them as many that are not, so that a flood of
// the latter takes nobody's place.
const groupSize = 256

// commitTimeout bounds one transaction of the guard. It does not end with the
// context of a caller, who would end it for all others.
const commitTimeout = 30 * time.Second

// errGuardPanic is what those get who waited for a commit that panicked.
var errGuardPanic = errors.New("registry: panic in the replay guard")

// guard lets judged requests into the store in groups. There is no goroutine of
// its own: who comes while no commit runs leads, commits what has arrived, and
// then names the next leader among those who came meanwhile. An answer is given
// after the commit.
type guard struct {
	commit func(context.Context, []*ask) error

	mu       sync.Mutex
	led      bool // somebody leads, or has been named
	signed   []*waiter
	unsigned []*waiter
}

// waiter is a request on its way through the guard.
type waiter struct {
	ask   *ask
	turn  chan turn // gets one value
	named bool      // to lead; guarded by guard.mu
	err   error     // set before turn gets answered
}

// turn is what a waiter is told.
type turn bool

const (
	answered turn = false
	lead     turn = true
)

// pass returns when a is committed, and its answer set; or with an error, and
// then nobody knows whether it was.
func (g *guard) pass(ctx context.Context, a *ask) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiter{ask: a, turn: make(chan turn, 1)}
	g.mu.Lock()
	queue := g.queue(w)
	*queue = append(*queue, w)
	leads := !g.led
	g.led = true
	g.mu.Unlock()
	if !leads {
		select {
		case t := <-w.turn:
			if t == answered {
				return w.err
			}
		case <-ctx.Done():
			g.leave(w)
			return ctx.Err()
		}
	}
	g.lead(ctx, w)
	return w.err
}

func (g *guard) queue(w *waiter) *[]*waiter {
	if w.ask.signed() {
		return &g.signed
	}
	return &g.unsigned
}

// lead commits one group, which w is in, and hands over.
func (g *guard) lead(ctx context.Context, w *waiter) {
	g.mu.Lock()
	group := g.take()
	g.mu.Unlock()
	err := errGuardPanic
	defer func() {
		g.mu.Lock()
		g.name()
		g.mu.Unlock()
		for _, other := range group {
			other.err = err
			if other != w {
				other.turn <- answered
			}
		}
	}()
	asks := make([]*ask, len(group))
	for i, w := range group {
		asks[i] = w.ask
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	err = g.commit(ctx, asks)
}

// take removes the next group from the queues, in order. The leader is always
// in it: it stands at the head of its queue.
func (g *guard) take() []*waiter {
	group := make([]*waiter, 0, min(len(g.signed), groupSize)+min(len(g.unsigned), groupSize))
	for _, queue := range []*[]*waiter{&g.signed, &g.unsigned} {
		n := min(len(*queue), groupSize)
		group = append(group, (*queue)[:n]...)
		*queue = slices.Delete(*queue, 0, n)
	}
	return group
}

// name tells the first who waits to lead.
func (g *guard) name() {
	for _, queue := range [][]*waiter{g.signed, g.unsigned} {
		if len(queue) > 0 {
			queue[0].named = true
			queue[0].turn <- lead
			return
		}
	}
	g.led = false
}

// leave takes w out of the queue, if it still is in it; if it has been named to
// lead, somebody else is.
func (g *guard) leave(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	queue := g.queue(w)
	i := slices.Index(*queue, w)
	if i < 0 {
		return // its group is being committed, or was
	}
	*queue = slices.Delete(*queue, i, i+1)
	if w.named {
		g.name()
	}
}
