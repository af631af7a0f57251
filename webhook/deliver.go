package webhook

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
)

const (
	name     = "webhook" // of cursor and lease
	workers  = 8         // calls at a time
	window   = 1000      // events that are read and not all acknowledged
	leaseFor = 30 * time.Second
	renew    = 10 * time.Second
	poll     = 500 * time.Millisecond // for new events; without the lease, ten times as long
)

// errLost: another server has the lease.
var errLost = errors.New("webhook: another server has taken the lease")

// Run sends what is in the outbox and what comes into it, until ctx ends, and
// then returns nil. What fails is tried again; a store that is away, too.
func (d *Deliverer) Run(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; {
		err := d.hold(ctx)
		pause := 10 * poll
		if err != nil && !errors.Is(err, errLost) && ctx.Err() == nil {
			failures++
			pause = wait(failures)
			d.log.ErrorContext(ctx, "webhook: the outbox cannot be read", "app", d.app, "error", err)
		} else {
			failures = 0
		}
		sleep(ctx, pause)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// hold delivers for as long as it has the lease. Calls that are on their way when
// that ends are cut off and waited for.
func (d *Deliverer) hold(ctx context.Context) error {
	var o *outbox
	err := d.leased(ctx, leaseFor, func(tx Tx) error {
		cursor, err := tx.Cursor(ctx, name)
		o = newOutbox(cursor)
		return err
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	results := make(chan result, workers)
	p := &pump{Deliverer: d, outbox: o, results: results, stored: o.cursor, renewed: time.Now()}
	err = p.run(ctx)
	stop()
	for p.running > 0 {
		p.settle(ctx, <-results)
	}
	// What is acknowledged is stored even if ctx has ended; a lease that is lost
	// leaves it to the other, who sends it once more.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, p.store(last, 0))
}

// leased runs fn in a transaction in which the lease is taken or held on to, or,
// if it is for no time, given back.
func (d *Deliverer) leased(ctx context.Context, lasts time.Duration, fn func(Tx) error) error {
	return d.update(ctx, func(tx Tx) error {
		now := d.now()
		ok, err := tx.TakeLease(ctx, name, d.holder, now, now.Add(lasts))
		if err != nil {
			return err
		}
		if !ok {
			return errLost
		}
		return fn(tx)
	})
}

// result is what became of a call.
type result struct {
	account account.ID
	event   event.Event
	err     error
}

// pump is one hold of the lease. One goroutine has all of it; calls report to it.
type pump struct {
	*Deliverer
	outbox  *outbox
	results chan result
	running int
	stored  uint64
	renewed time.Time
}

func (p *pump) run(ctx context.Context) error {
	for {
		if err := p.fill(ctx); err != nil {
			return err
		}
		next := p.start(ctx)
		timer := time.NewTimer(until(next))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case r := <-p.results:
			p.settle(ctx, r)
			for more := true; more; {
				select {
				case r := <-p.results:
					p.settle(ctx, r)
				default:
					more = false
				}
			}
		case <-timer.C:
		}
		timer.Stop()
		if p.outbox.cursor != p.stored || time.Since(p.renewed) >= renew {
			if err := p.store(ctx, leaseFor); err != nil {
				return err
			}
		}
	}
}

// until is how long to wait for: at most until it is looked for new events.
func until(next time.Time) time.Duration {
	if next.IsZero() {
		return poll
	}
	return max(time.Millisecond, min(poll, time.Until(next)))
}

// fill reads on, if there is room.
func (p *pump) fill(ctx context.Context) error {
	room := window - len(p.outbox.order)
	if room <= 0 {
		return nil
	}
	var events []event.Event
	err := p.view(ctx, func(tx Tx) (err error) {
		events, err = tx.Events(ctx, p.outbox.read, room)
		return err
	})
	if err != nil {
		return fmt.Errorf("webhook: read the outbox: %w", err)
	}
	p.outbox.add(events)
	return nil
}

// start sends what may be sent, and says when there may be more.
func (p *pump) start(ctx context.Context) (next time.Time) {
	for p.running < workers {
		id, ok, next := p.outbox.due(time.Now())
		if !ok {
			return next
		}
		l := p.outbox.lanes[id]
		l.busy = true
		p.running++
		go func(e event.Event) { p.results <- result{id, e, p.send(ctx, e)} }(l.queue[0])
	}
	return time.Time{}
}

// settle notes what became of a call.
func (p *pump) settle(ctx context.Context, r result) {
	p.running--
	old := p.now().Sub(r.event.At) >= giveUp
	if r.err == nil || old && ctx.Err() == nil {
		if r.err != nil {
			p.log.ErrorContext(ctx, "webhook: an event was not acknowledged for a week and is given up; it can still be polled",
				"app", p.app, "event", r.event.ID, "type", r.event.Type, "error", r.err)
		}
		p.outbox.finish(r.account)
		return
	}
	l := p.outbox.fail(r.account, time.Now())
	if ctx.Err() == nil && bits.OnesCount(uint(l.failures)) == 1 { // the 1st, 2nd, 4th ...
		p.log.WarnContext(ctx, "webhook: an event is not acknowledged; it is sent again",
			"app", p.app, "event", r.event.ID, "type", r.event.Type, "failures", l.failures, "error", r.err)
	}
}

// store stores how far it has come, and holds on to the lease for so long.
func (p *pump) store(ctx context.Context, lasts time.Duration) error {
	err := p.leased(ctx, lasts, func(tx Tx) error { return tx.PutCursor(ctx, name, p.outbox.cursor) })
	if err != nil {
		return err
	}
	p.stored, p.renewed = p.outbox.cursor, time.Now()
	return nil
}
