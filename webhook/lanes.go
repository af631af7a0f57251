package webhook

import (
	"math/rand/v2"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
)

const (
	firstWait = 100 * time.Millisecond
	longWait  = time.Minute
	giveUp    = 7 * 24 * time.Hour // after an event has happened
)

// wait is how long to wait after so many failures in a row: 100 ms, doubling up
// to a minute, give or take a fifth.
func wait(failures int) time.Duration {
	d := longWait
	if shift := failures - 1; shift < 10 { // 100 ms * 2^10 is more than a minute
		d = min(firstWait<<shift, longWait)
	}
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// lane is what is to be sent of one account, in order.
type lane struct {
	queue    []event.Event
	busy     bool // the first of them is on its way
	failures int  // in a row
	at       time.Time
}

// outbox is what was read and not all acknowledged.
type outbox struct {
	cursor uint64 // everything up to here is done
	read   uint64 // and up to here was read
	order  []uint64
	done   map[uint64]bool
	lanes  map[account.ID]*lane
}

func newOutbox(cursor uint64) *outbox {
	return &outbox{cursor: cursor, read: cursor, done: map[uint64]bool{}, lanes: map[account.ID]*lane{}}
}

func (o *outbox) add(events []event.Event) {
	for _, e := range events {
		l := o.lanes[e.Account]
		if l == nil {
			l = &lane{}
			o.lanes[e.Account] = l
		}
		l.queue = append(l.queue, e)
		o.order, o.read = append(o.order, e.ID), e.ID
	}
}

// finish takes the first event off a lane, and moves the cursor up to the last
// event before which all are done.
func (o *outbox) finish(id account.ID) {
	l := o.lanes[id]
	o.done[l.queue[0].ID] = true
	l.queue, l.busy, l.failures = l.queue[1:], false, 0
	if len(l.queue) == 0 {
		delete(o.lanes, id)
	}
	for len(o.order) > 0 && o.done[o.order[0]] {
		delete(o.done, o.order[0])
		o.cursor, o.order = o.order[0], o.order[1:]
	}
}

// fail puts the lane off.
func (o *outbox) fail(id account.ID, now time.Time) *lane {
	l := o.lanes[id]
	l.busy, l.failures = false, l.failures+1
	l.at = now.Add(wait(l.failures))
	return l
}

// due gives a lane that may send, if there is one, and else when there may be
// one; zero: nothing waits.
func (o *outbox) due(now time.Time) (id account.ID, ok bool, next time.Time) {
	for id, l := range o.lanes {
		switch {
		case l.busy:
		case !l.at.After(now):
			return id, true, time.Time{}
		case next.IsZero() || l.at.Before(next):
			next = l.at
		}
	}
	return "", false, next
}
