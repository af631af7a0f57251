package client

import (
	"math"
	"sync"
	"time"

	"github.com/staunchid/staunch/account"
)

// Phases of progress.
const (
	PhasePair   = "pair"
	PhaseHold   = "hold"
	PhaseCopy   = "copy"
	PhaseCheck  = "check"
	PhaseCommit = "commit"
	PhaseOpen   = "open"
)

const (
	rateOver   = 10 * time.Second // the average goes back so far
	rateAfter  = 3 * time.Second  // before there is a rate
	tellEvery  = time.Second
	unknownETA = time.Duration(-1)
)

// teller tells events, one at a time and with their time, and keeps progress.
type teller struct {
	to  func(MoveEvent)
	now func() time.Time

	mu       sync.Mutex // held while an event is told
	transfer account.TransferID
	progress MoveEvent
	told     time.Time // when progress was, last
	samples  rate
}

func newTeller(to func(MoveEvent), now func() time.Time) *teller {
	t := &teller{to: to, now: now}
	t.progress = MoveEvent{Event: EventProgress, Rate: -1, ETA: unknownETA}
	return t
}

func (t *teller) of(id account.TransferID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.transfer = id
}

// tell tells one event that is not progress.
func (t *teller) tell(e MoveEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.send(e)
}

func (t *teller) send(e MoveEvent) {
	if t.to == nil {
		return
	}
	e.At, e.Transfer = t.now(), t.transfer
	t.to(e)
}

// phase says what is done now, if it is another phase than before.
func (t *teller) phase(name string) {
	t.update(func(p *MoveEvent) { p.Phase = name })
}

// update changes progress, and tells of it: at once when the phase is another, and
// else at most once a second. What is durable at the new phone is the only measure:
// it never falls within a revision.
func (t *teller) update(fn func(p *MoveEvent)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.progress
	fn(&t.progress)
	p, now := &t.progress, t.now()
	if p.Revision != before.Revision {
		t.samples = rate{}
	} else if p.Done < before.Done {
		p.Done = before.Done
	}
	if p.Phase == PhaseHold { // nothing is opened: there is no end in sight
		t.samples = rate{}
	}
	t.samples.add(now, p.Done)
	p.Rate, p.ETA = t.samples.at(now), unknownETA
	if p.Phase == PhaseCopy && p.Total > 0 {
		p.ETA = eta(p.Rate, p.Total-min(p.Done, p.Total))
	}
	if p.Phase != before.Phase || p.Done != before.Done && now.Sub(t.told) >= tellEvery {
		t.told = now
		t.send(*p)
	}
}

// eta is how long the rest takes. It is never 0: as long as the account has not
// moved, it is not done.
func eta(rate float64, rest uint64) time.Duration {
	if rate <= 0 {
		return unknownETA
	}
	s := max(1, math.Ceil(float64(rest)/rate))
	if s > math.MaxInt32 {
		return unknownETA
	}
	return time.Duration(s) * time.Second
}

// rate is an exponential average of bytes a second.
type rate struct {
	began, last time.Time
	done        uint64
	average     float64
}

func (r *rate) add(now time.Time, done uint64) {
	if r.began.IsZero() {
		r.began, r.last, r.done = now, now, done
		return
	}
	d := now.Sub(r.last).Seconds()
	if d < 0.1 {
		return
	}
	step := float64(done-min(done, r.done)) / d
	keep := math.Exp(-d / rateOver.Seconds())
	if whole := now.Sub(r.began).Seconds(); whole < rateOver.Seconds() { // so far it is the plain average
		keep = (whole - d) / whole
	}
	r.average = keep*r.average + (1-keep)*step
	r.last, r.done = now, done
}

// at is negative until there are three seconds of it.
func (r *rate) at(now time.Time) float64 {
	if r.began.IsZero() || now.Sub(r.began) < rateAfter {
		return -1
	}
	return r.average
}
