package account

import (
	"fmt"
	"time"
)

// Apply gives the account after a step, or ErrStep if there is no such step from
// here. It changes State, Prior and Hold. Steps that end all sessions also set
// NotBefore, so that a sign-in that was begun before dies with them: freeze,
// lock, recover and delete. A deleted account is a tombstone, without handle and
// freeze code.
//
// Who may cause a step is for a Requirement to say. Two things are said here,
// because they hold whoever asks: unlocking, and deleting what is locked, need
// two operators (Step.Operators); and a hold is over when its time is.
func (a Account) Apply(s Step, now time.Time) (Account, error) {
	now = now.Truncate(time.Microsecond) // as times are stored
	next, err := life{a.State, a.Prior, a.Hold}.apply(accountSteps, s, now)
	if err != nil {
		return a, fmt.Errorf("%w: account %s is %s, %s: %w", ErrStep, a.ID, a.State.name(), s.Name, err)
	}
	a.State, a.Prior, a.Hold = next.state, next.prior, next.hold
	switch s.Name {
	case StepDelete:
		a.Handle, a.FreezeCode, a.NotBefore = "", nil, now
	case StepFreeze, StepLock, StepRecover:
		a.NotBefore = now
	}
	return a, nil
}

// Apply gives the device after a step, or ErrStep if there is no such step from
// here. It changes State, Prior and Hold; a deleted device is a tombstone, and
// has no name any more.
//
//   - unfreeze needs another device of the account (Step.By).
//   - hold_over needs an account that is active (Step.AccountState): a hold that
//     runs beside that of a recovery lasts as long as it, so the account's comes
//     first, and none ends while the account is frozen or locked.
//   - hold_over of a device that leaves by a move needs the move to be FINAL
//     (Step.Final). Its hold has no clock: leave_start with no Wait began it.
//   - reattest of a locked device is refused if its owner had frozen it, or if
//     it was leaving: a new key undoes neither. Remove it.
func (d Device) Apply(s Step, now time.Time) (Device, error) {
	next, err := d.apply(s, now.Truncate(time.Microsecond))
	if err != nil {
		return d, fmt.Errorf("%w: device %s is %s, %s: %w", ErrStep, d.ID, d.State.name(), s.Name, err)
	}
	d.State, d.Prior, d.Hold = next.state, next.prior, next.hold
	if d.State == Deleted {
		d.Name = ""
	}
	return d, nil
}

func (d Device) apply(s Step, now time.Time) (life, error) {
	switch {
	case s.Name == StepUnfreeze && (s.By == "" || s.By == d.ID):
		return life{}, errOwnThaw
	case s.Name == StepHoldOver && s.AccountState != Active:
		return life{}, errAccountFirst
	case s.Name == StepReattest && d.State == Locked && (d.Prior == Frozen || d.Hold.Reason == HoldLeaving):
		return life{}, errOutlasts
	}
	next, err := life{d.State, d.Prior, d.Hold}.apply(deviceSteps, s, now)
	if err == nil && s.Name == StepLock {
		next.prior = d.State // frozen too: there is no unlock that would go back further
	}
	return next, err
}
