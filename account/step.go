package account

import (
	"fmt"
	"time"
)

// transition is a row of the tables of accounts, "States". What is in no row is
// refused.
type transition struct {
	step     StepName
	from, to State
	held     HoldReason // which hold From must be; empty: any, or none
	begins   HoldReason // the hold that To is
}

// The steps of an account. Unfreeze and unlock go back to what was before, which
// the table names by each of its values.
var accountSteps = []transition{
	{StepEnrol, Unset, Active, "", ""},
	{StepRecover, Active, Held, "", HoldRecovered},
	{StepRecover, Frozen, Held, "", HoldRecovered},
	{StepHoldOver, Held, Active, HoldRecovered, ""},
	{StepVeto, Held, Active, HoldRecovered, ""},
	{StepVeto, Frozen, Frozen, HoldRecovered, ""},
	{StepFreeze, Active, Frozen, "", ""},
	{StepFreeze, Held, Frozen, "", ""},
	{StepUnfreeze, Frozen, Active, "", ""},
	{StepUnfreeze, Frozen, Held, HoldRecovered, ""},
	{StepLock, Active, Locked, "", ""},
	{StepLock, Held, Locked, "", ""},
	{StepLock, Frozen, Locked, "", ""},
	{StepUnlock, Locked, Frozen, "", ""},
	{StepDelete, Active, Deleted, "", ""},
	{StepDelete, Locked, Deleted, "", ""},
}

// The steps of a device.
var deviceSteps = []transition{
	{StepEnrolFirst, Unset, Active, "", ""},
	{StepAdd, Unset, Held, "", HoldNew},
	{StepRecover, Unset, Held, "", HoldNew},
	{StepHoldOver, Held, Active, HoldNew, ""},
	{StepHoldOver, Held, Deleted, HoldLeaving, ""},
	{StepLeaveStart, Active, Held, "", HoldLeaving},
	{StepStay, Held, Active, HoldLeaving, ""},
	{StepFreeze, Active, Frozen, "", ""},
	{StepFreeze, Held, Frozen, "", ""},
	{StepUnfreeze, Frozen, Active, "", ""},
	{StepUnfreeze, Frozen, Held, "", ""},
	{StepLock, Active, Locked, "", ""},
	{StepLock, Held, Locked, "", ""},
	{StepLock, Frozen, Locked, "", ""},
	{StepReattest, Active, Active, "", ""},
	{StepReattest, Locked, Held, "", HoldNew},
	{StepVeto, Held, Deleted, HoldNew, ""},
	{StepRemove, Active, Deleted, "", ""},
	{StepRemove, Held, Deleted, "", ""},
	{StepRemove, Frozen, Deleted, "", ""},
	{StepRemove, Locked, Deleted, "", ""},
}

// Legal reports whether the step of an "account" or a "device" is one of the
// tables, for whoever checks a record of steps.
func Legal(of, step, from, to string) bool {
	table := accountSteps
	switch of {
	case "account":
	case "device":
		table = deviceSteps
	default:
		return false
	}
	for _, t := range table {
		if string(t.step) == step && t.from.String() == from && t.to.String() == to {
			return true
		}
	}
	return false
}

// Apply gives the account after a step, or ErrStep.
func (a Account) Apply(s Step, now time.Time) (Account, error) {
	n, err := life{a.State, a.Prior, a.Hold}.apply(accountSteps, s, now)
	if err != nil {
		return a, fmt.Errorf("%w: account %s: %s", ErrStep, a.State, s.Name)
	}
	a.State, a.Prior, a.Hold = n.state, n.prior, n.hold
	return a, nil
}

// Apply gives the device after a step, or ErrStep.
func (d Device) Apply(s Step, now time.Time) (Device, error) {
	n, err := life{d.State, d.Prior, d.Hold}.apply(deviceSteps, s, now)
	if err != nil {
		return d, fmt.Errorf("%w: device %s: %s", ErrStep, d.State, s.Name)
	}
	d.State, d.Prior, d.Hold = n.state, n.prior, n.hold
	return d, nil
}

// life is the part of an account or a device that steps change.
type life struct {
	state, prior State
	hold         Hold
}

func (l life) apply(table []transition, s Step, now time.Time) (life, error) {
	for _, t := range table {
		if t.step != s.Name || t.from != l.state || t.held != "" && t.held != l.hold.Reason || !l.returns(t) {
			continue
		}
		if s.Name == StepHoldOver && (l.hold.Until.IsZero() || now.Before(l.hold.Until)) {
			return l, ErrStep
		}
		return l.move(t, s, now), nil
	}
	return l, ErrStep
}

// returns reports whether a step that goes back goes back to what was before.
func (l life) returns(t transition) bool {
	switch {
	case t.step == StepUnfreeze:
		return t.to == l.prior
	case t.step == StepVeto && t.from == Frozen:
		return l.prior == Held
	}
	return true
}

func (l life) move(t transition, s Step, now time.Time) life {
	n := life{state: t.to, prior: l.prior, hold: l.hold}
	switch {
	case t.begins != "":
		n.prior, n.hold = Unset, Hold{Reason: t.begins, Since: now, Until: now.Add(s.Wait), By: s.By}
	case t.to == Frozen && t.step == StepVeto: // frozen it stays, and the hold is gone
		n.prior, n.hold = Active, Hold{}
	case t.to == Frozen || t.to == Locked:
		if l.state == Active || l.state == Held {
			n.prior = l.state
		}
		n.hold = l.hold.stop(now)
	case t.to == Held: // unfrozen: it goes on with the time left
		n.prior, n.hold = Unset, l.hold.resume(now)
	default:
		n.prior, n.hold = Unset, Hold{}
	}
	return n
}

// stop stops the clock of a hold that runs.
func (h Hold) stop(now time.Time) Hold {
	if h.Reason == "" || h.Until.IsZero() {
		return h
	}
	h.Left, h.Until = max(0, h.Until.Sub(now)), time.Time{}
	return h
}

// resume lets it go on.
func (h Hold) resume(now time.Time) Hold {
	if h.Until.IsZero() {
		h.Until, h.Left = now.Add(h.Left), 0
	}
	return h
}
