package account

import (
	"errors"
	"time"
)

// Why a step is refused. They come wrapped in ErrStep.
var (
	errNoStep       = errors.New("the table has no such step")
	errNotOver      = errors.New("the hold is not over")
	errNotFinal     = errors.New("the move is not final")
	errNoWait       = errors.New("the step says not how long its hold lasts")
	errOperators    = errors.New("it takes two operators")
	errOwnThaw      = errors.New("it takes another device of the account")
	errAccountFirst = errors.New("its account is not active")
	errOutlasts     = errors.New("it was frozen or leaving before, which outlasts a new key")
)

// life is the part of an account or a device that steps change.
type life struct {
	state, prior State
	hold         Hold
}

// apply finds the row of the table and takes the step. What is in no row is
// refused.
func (l life) apply(table []edge, s Step, now time.Time) (life, error) {
	for _, e := range table {
		if e.step != s.Name || e.from != l.state || e.of != "" && e.of != l.hold.Reason {
			continue
		}
		if s.Name == StepUnfreeze && e.to != l.prior { // to what it was
			continue
		}
		if err := l.admits(e, s, now); err != nil {
			return l, err
		}
		return l.move(e, s, now), nil
	}
	return l, errNoStep
}

// admits checks what a row wants beside the state.
func (l life) admits(e edge, s Step, now time.Time) error {
	switch {
	case e.decided && !s.decided():
		return errOperators
	case e.begins != "" && s.Wait <= 0 && s.Name != StepLeaveStart:
		return errNoWait
	case s.Name == StepHoldOver && l.hold.Until.IsZero() && l.hold.Reason == HoldLeaving && !s.Final:
		return errNotFinal
	case s.Name == StepHoldOver && l.hold.Until.IsZero() && l.hold.Reason != HoldLeaving:
		return errNotOver // its clock stands
	case s.Name == StepHoldOver && now.Before(l.hold.Until):
		return errNotOver
	}
	return nil
}

func (l life) move(e edge, s Step, now time.Time) life {
	switch {
	case e.begins != "":
		return life{state: e.to, hold: l.hold.begin(e.begins, s, now)}
	case s.Name == StepReattest:
		return l // the key changes, and nothing else
	case s.Name == StepVeto && e.to == Frozen:
		return life{state: Frozen, prior: Active}
	case s.Name == StepUnlock: // what was before the freeze stays, and its clock still stands
		return life{state: Frozen, prior: l.prior, hold: l.hold}
	case e.to == Frozen || e.to == Locked:
		next := life{state: e.to, prior: l.prior, hold: l.hold.stop(now)}
		if l.state != Frozen {
			next.prior = l.state
		}
		return next
	case e.to == Held:
		return life{state: Held, hold: l.hold.resume(now)}
	}
	return life{state: e.to}
}

// begin begins a hold. What is left of the one before is not cut short by it.
func (h Hold) begin(why HoldReason, s Step, now time.Time) Hold {
	next := Hold{Reason: why, Since: now, By: s.By}
	if s.Wait > 0 {
		next.Until = now.Add(max(s.Wait, h.Left))
	}
	return next
}

// stop stops the clock. Something is always left of it, by which a clock that
// stands differs from none.
func (h Hold) stop(now time.Time) Hold {
	if !h.Until.IsZero() {
		h.Left, h.Until = max(time.Microsecond, h.Until.Sub(now)), time.Time{}
	}
	return h
}

// resume lets it go on with what was left.
func (h Hold) resume(now time.Time) Hold {
	if h.Left > 0 {
		h.Left, h.Until = 0, now.Add(h.Left)
	}
	return h
}

// decided reports whether two different operators stand behind the step.
func (s Step) decided() bool {
	for _, name := range s.Operators {
		if name != "" && name != s.Operators[0] && s.Operators[0] != "" {
			return true
		}
	}
	return false
}
