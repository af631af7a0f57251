package stream

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
)

// Run hands what is due to apply until ctx ends, waits for the attempts that are
// on, and returns nil.
func (q *Queue[P]) Run(ctx context.Context, apply func(context.Context, recovery.Record) error) error {
	q.mu.Lock()
	if q.apply != nil {
		q.mu.Unlock()
		return errors.New("stream: Run runs already")
	}
	q.apply = apply
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		q.apply = nil
		q.mu.Unlock()
		q.tries.Wait()
	}()
	if q.opts.Rate == 0 {
		q.opts.Logger.WarnContext(ctx, "stream: rate is 0: entries are kept and none is applied")
		<-ctx.Done()
		return nil
	}
	var open time.Time // of the rate: when the next attempt may begin
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-q.free:
		}
		l, next := q.take(open)
		if l != nil {
			if q.opts.Rate > 0 {
				open = later(open, time.Now()).Add(time.Duration(float64(time.Second) / q.opts.Rate))
			}
			go func() {
				_ = q.try(ctx, l, apply) // it has logged, and the lane has its next time
				q.free <- struct{}{}
			}()
			continue
		}
		q.free <- struct{}{}
		q.sleep(ctx, next)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sleep waits for a time, zero for ever, or until something may be due earlier.
func (q *Queue[P]) sleep(ctx context.Context, until time.Time) {
	var at <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		at = t.C
	}
	select {
	case <-ctx.Done():
	case <-q.wake:
	case <-at:
	}
}

// take begins an attempt of what is due, unless the rate is used up until open.
func (q *Queue[P]) take(open time.Time) (*lane[P], time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if open.After(now) {
		return nil, open
	}
	l, next := q.due.pop(now)
	if l != nil {
		q.begin(l)
	}
	return l, next
}

// begin marks an attempt; the lane is out of the heap. With the lock.
func (q *Queue[P]) begin(l *lane[P]) {
	l.ended = make(chan struct{})
	q.tries.Add(1)
}

// Nudge applies what is held for a key now, and returns when it has been; nothing
// held is no error. An attempt that is on is waited for.
func (q *Queue[P]) Nudge(ctx context.Context, app account.AppID, vault string, acct [16]byte) error {
	for {
		l, apply, ended, err := q.reach(Key{app, vault, acct})
		switch {
		case err != nil:
			return err
		case ended != nil:
			select {
			case <-ctx.Done():
				return fmt.Errorf("stream: nudge: %w", ctx.Err())
			case <-ended:
			}
		case l == nil:
			return nil
		default:
			return q.try(ctx, l, apply)
		}
	}
}

// reach finds what Nudge is to do: nothing, wait, or try the lane, which is its own then.
func (q *Queue[P]) reach(k Key) (l *lane[P], apply func(context.Context, recovery.Record) error, ended chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l = q.lanes[k]
	switch {
	case l == nil:
		return nil, nil, nil, nil
	case q.apply == nil || q.opts.Rate == 0:
		return nil, nil, nil, ErrStopped
	case l.ended != nil:
		return nil, nil, l.ended, nil
	}
	q.due.remove(l)
	q.begin(l)
	return l, q.apply, nil, nil
}

// try is one attempt, from begin to its end.
func (q *Queue[P]) try(ctx context.Context, l *lane[P], apply func(context.Context, recovery.Record) error) error {
	defer q.tries.Done()
	q.mu.Lock()
	it := l.items[0] // Put leaves it alone while the attempt is on
	q.mu.Unlock()

	err := errIgnored
	if !q.ignore[l.key.String()] {
		err = apply(ctx, it.Record)
	}
	switch {
	case err == nil:
		q.settle(l, it)
		return nil
	case ctx.Err() != nil: // whoever asked has gone, or the server stops: that is no failure of the store
		q.again(l, it, 0)
		return fmt.Errorf("stream: apply %s: %w", l.key, err)
	}
	it.Attempts++
	if it.Failed.IsZero() {
		it.Failed = time.Now().UTC()
	}
	if errors.Is(err, recovery.ErrPermanent) || errors.Is(err, errIgnored) || it.Attempts >= q.opts.MaxAttempts {
		if q.bury(ctx, l, it.Entry, err) {
			q.settle(l, it)
			return fmt.Errorf("stream: apply %s, which is a dead letter now: %w", l.key, err)
		}
	}
	failures := q.failed(l)
	wait := Backoff(failures)
	it.Due = time.Now().Add(wait)
	if bits.OnesCount(uint(failures)) == 1 { // the 1st, 2nd, 4th ...
		q.opts.Logger.WarnContext(ctx, "stream: a record is not stored yet; it is tried again",
			"key", l.key.String(), "gen", it.Record.Gen, "ver", it.Record.Ver, "attempts", it.Attempts, "wait", wait, "error", err)
	}
	if q.hooks.Park != nil && q.hooks.Park(ctx, it.Entry) == nil {
		q.hooks.Done(it.places)
		it.places = nil
	}
	q.again(l, it, wait)
	return fmt.Errorf("stream: apply %s: %w", l.key, err)
}

// bury makes e a dead letter, and reports whether it is one.
func (q *Queue[P]) bury(ctx context.Context, l *lane[P], e Entry, why error) bool {
	err := q.hooks.Bury(ctx, Letter{ID: LetterID(e.Record), Record: e.Record, Attempts: e.Attempts, Reason: why.Error(), At: time.Now().UTC()})
	if err != nil {
		q.opts.Logger.ErrorContext(ctx, "stream: a dead letter cannot be written; its entry stays", "key", l.key.String(), "error", err)
		return false
	}
	q.opts.Logger.ErrorContext(ctx, "stream: an entry is a dead letter: see staunch recovery dlq list",
		"key", l.key.String(), "gen", e.Record.Gen, "ver", e.Record.Ver, "attempts", e.Attempts, "error", why)
	return true
}

func (q *Queue[P]) failed(l *lane[P]) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.failures++
	return l.failures
}

// settle ends an attempt after which the first item is done.
func (q *Queue[P]) settle(l *lane[P], it item[P]) {
	q.mu.Lock()
	l.items = l.items[1:]
	switch {
	case l.gone:
	case len(l.items) == 0:
		delete(q.lanes, l.key)
	default: // what came meanwhile; if this one is dead, there may be no row yet
		l.items[0].Record.Create = l.items[0].Record.Create || it.Record.Create
		l.failures, l.due = 0, time.Time{}
		q.push(l)
	}
	q.end(l)
	q.mu.Unlock()
	q.hooks.Done(it.places)
}

// again ends an attempt that is to be repeated after wait, together with what
// came meanwhile.
func (q *Queue[P]) again(l *lane[P], it item[P], wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.items[0] = it
	if len(l.items) > 1 && q.joins(it.Record, l.items[1].Record) {
		l.items = l.items[1:]
		l.items[0] = item[P]{it.join(l.items[0].Entry), append(it.places, l.items[0].places...)}
	}
	if l.due = time.Now().Add(wait); !l.gone {
		q.push(l)
	}
	q.end(l)
}

func (q *Queue[P]) end(l *lane[P]) {
	close(l.ended)
	l.ended = nil
}
