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

// gatherTime is how long a leader waits for others at most.
const gatherTime = 5 * time.Millisecond

// guard lets judged requests into the store in groups. There is no goroutine of
// its own: who comes while no commit runs leads, commits what has arrived, and
// then names the next leader among those who came meanwhile. An answer is given
// after the commit.
//
// A transaction costs as much as the judgement of several requests. So a leader
// waits a little for those that are being judged, until four in five have
// arrived: on a server that is busy groups are large, and on one that is not
// hardly anybody waits.
type guard struct {
	commit func(context.Context, []*ask) error

	mu       sync.Mutex
	led      bool          // somebody leads, or has been named
	coming   int           // requests that are being judged
	enough   chan struct{} // closed when the leader need not wait; nil: he does not
	signed   []*waiter
	unsigned []*waiter
}

// expect tells that a request is being judged. pass or drop must follow.
func (g *guard) expect() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.coming++
}

// drop tells that a request which was expected does not come.
func (g *guard) drop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.arrived()
}

// arrived counts one less that is coming.
func (g *guard) arrived() {
	g.coming--
	if g.enough != nil && g.gathered() {
		close(g.enough)
		g.enough = nil
	}
}

// gathered reports whether four in five have arrived of those that are on their
// way, or as many as fit into a group.
func (g *guard) gathered() bool {
	n := len(g.signed) + len(g.unsigned)
	return n >= 4*g.coming || n >= groupSize
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

// pass takes a request that was expected. It returns when that is committed, and
// its answer set; or with an error, and then nobody knows whether it was.
func (g *guard) pass(ctx context.Context, a *ask) error {
	if err := ctx.Err(); err != nil {
		g.drop()
		return err
	}
	w := &waiter{ask: a, turn: make(chan turn, 1)}
	g.mu.Lock()
	queue := g.queue(w)
	*queue = append(*queue, w)
	g.arrived()
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
	group := g.gather()
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

// gather waits until there is a group, and takes it.
func (g *guard) gather() []*waiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.gathered() {
		enough := make(chan struct{})
		g.enough = enough
		g.mu.Unlock()
		timer := time.NewTimer(gatherTime)
		select {
		case <-enough:
		case <-timer.C:
		}
		timer.Stop()
		g.mu.Lock()
		g.enough = nil
	}
	return g.take()
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
