package transfer

import (
	"time"

	"github.com/staunchid/staunch/account"
)

// The rules are plain methods of a row: they look at it, at what has come and at the
// time, and change it or say why not. Each begins with a settled row: times are
// judged lazily, so no rule ever sees a state whose time is over.

// settle lets the row's clock run up to now: what time alone does
// (spec/transfer.md, "States", rows 6, 10 and 11). It reports whether it changed
// anything. p has been checked.
func (t *Transfer) settle(p *Policy, now time.Time) bool {
	was := t.State
	if t.State == Held && !now.Before(t.Opens) { // row 6
		t.to(Streaming, t.Deadline)
	}
	if t.live() && !t.Deadline.IsZero() && !now.Before(t.Deadline) { // row 11
		t.abort(Expired, now)
		return true
	}
	if t.State == Acked && t.FrozenSince.IsZero() && !now.Before(t.RecallUntil) { // row 10
		t.end(Final, now)
		return true
	}
	return t.State != was
}

// live reports whether the transfer can still be cancelled.
func (t *Transfer) live() bool {
	switch t.State {
	case Offered, Claimed, Held, Streaming, Sealed:
		return true
	}
	return false
}

// recallable reports whether the account is N's and can still be taken back.
func (t *Transfer) recallable() bool { return t.State == Committed || t.State == Acked }

// ended reports whether nothing can happen to it any more.
func (t *Transfer) ended() bool {
	return t.State == Final || t.State == Recalled || t.State == Aborted
}

// holder is the phone that the account belongs to, as far as this transfer says:
// always exactly one of the two.
func (t *Transfer) holder() Party {
	switch t.State {
	case Committed, Acked, Final:
		return Receiver
	}
	return Sender
}

// to moves the row to a state.
func (t *Transfer) to(s State, deadline time.Time) {
	t.State, t.Deadline = s, deadline
	t.Version++
}

// end moves the row to a state without a way out. Shares and secrets are of use to
// nobody then.
func (t *Transfer) end(s State, now time.Time) {
	t.to(s, time.Time{})
	t.EndedAt = now
	t.forget()
}

func (t *Transfer) forget() { t.HoldShare, t.CommitShare, t.SealedKeys, t.Passkey = nil, nil, nil, nil }

func (t *Transfer) abort(why Reason, now time.Time) {
	t.Reason = why
	t.end(Aborted, now)
}

// moving gives the limit of a stream: so long after something has come, and never
// longer than MaxAge after the confirmation.
func (t *Transfer) moving(p *Policy) time.Time {
	from := t.Moved
	if from.Before(t.Opens) {
		from = t.Opens
	}
	return earlier(from.Add(p.IdleTTL), t.ConfirmedAt.Add(p.MaxAge))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// in refuses every state but these.
func (t *Transfer) in(states ...State) error {
	for _, s := range states {
		if t.State == s {
			return nil
		}
	}
	if t.State == Aborted || t.State == Recalled {
		return &EndedError{t.State, t.Reason}
	}
	return &StateError{t.State}
}

// cancel is row 11: by one of the phones, or by a session of the account. Once more
// it changes nothing.
func (t *Transfer) cancel(by Party, why Reason, now time.Time) error {
	if t.State == Aborted {
		return nil
	}
	if !t.live() {
		return t.in(Offered, Claimed, Held, Streaming, Sealed)
	}
	if !t.cancels(by, why) {
		return malformedReason(by, why)
	}
	t.abort(why, now)
	return nil
}

// stop is what happens to a transfer when its account is frozen, locked or held, or
// C's device is: it ends while it is live (row 11); afterwards the clock of the recall
// window stands (row 10).
func (t *Transfer) stop(why Reason, now time.Time) bool {
	switch {
	case t.live():
		t.abort(why, now)
	case t.recallable() && t.FrozenSince.IsZero():
		t.FrozenSince = now
		t.Version++
	default:
		return false
	}
	return true
}

// thaw lets the clock of the recall window go on.
func (t *Transfer) thaw(now time.Time) bool {
	if !t.recallable() || t.FrozenSince.IsZero() {
		return false
	}
	if t.State == Acked {
		since := t.FrozenSince
		if since.Before(t.AckedAt) {
			since = t.AckedAt
		}
		if now.After(since) {
			t.RecallUntil = t.RecallUntil.Add(now.Sub(since))
		}
	}
	t.FrozenSince = time.Time{}
	t.Version++
	return true
}

// lost is row 12 without C: another device has vetoed or removed N.
func (t *Transfer) lost(device account.DeviceID, now time.Time) bool {
	if !t.recallable() || t.NewDevice != device {
		return false
	}
	t.end(Recalled, now)
	return true
}
