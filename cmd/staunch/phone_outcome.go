package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/recovery"
)

// Exit codes of the commands of recovery, besides those of `staunch phone`.
const (
	phoneWrongPIN = 7
	phoneLocked   = 8
)

// recoveryFailure is what a command of recovery prints of a failure (recovery,
// "The reference phone in the terminal"). What is not known is null.
type recoveryFailure struct {
	OK        bool   `json:"ok"`
	Op        string `json:"op"`
	Result    string `json:"result"`
	Account   known  `json:"account"`
	RegID     known  `json:"reg_id"`
	Limit     *int   `json:"limit"`
	Remaining *int   `json:"remaining"`
	Vaults    *int   `json:"vaults"`
	Threshold *int   `json:"threshold"`
	Answered  *int   `json:"answered"`
	Reason    string `json:"reason"`
	Message   string `json:"message"`
	OpensAt   moment `json:"opens_at"`
	RetryAt   moment `json:"retry_at"`
	exit      int    // of the program
	last      string // line on standard error
}

// tooEarly is a recovery whose wait is not over.
type tooEarly struct{ opens time.Time }

func (e *tooEarly) Error() string {
	return "the wait is not over: run the same command again from " + inWordsAt(e.opens) + " on; until then any device of the account can cancel it"
}

// guardedRecovery is guarded for a command of recovery.
func (f phoneFlags) guardedRecovery(s *streams, op string, id func() account.ID, fn func() error) error {
	err := fn()
	if err == nil {
		return nil
	}
	out := recoveryFailureOf(op, err)
	if out.Account == "" {
		out.Account = known(id())
	}
	if f.JSON {
		if err := printLine(s.out, out); err != nil {
			return err
		}
	}
	fmt.Fprintln(s.err, out.last)
	return &exitError{code: out.exit}
}

// recoveryFailureOf finds result, exit code and words of an error.
func recoveryFailureOf(op string, err error) *recoveryFailure {
	base := failureOf(err)
	f := &recoveryFailure{
		Op: op, Result: "refused", Reason: base.Reason, Message: base.Message, OpensAt: base.OpensAt, RetryAt: base.RetryAt, exit: base.exit,
	}
	var guess *recovery.GuessError
	var away *recovery.UnavailableError
	var pin *recovery.PINError
	var other *otherPIN
	var often *recovery.PINWaitError
	var early *tooEarly
	var rate *recovery.RateError
	switch {
	case errors.As(err, &guess):
		f.outcome(&guess.Outcome)
		f.Result, f.Reason, f.exit = "wrong_pin", "PIN_WRONG", phoneWrongPIN
		f.last = fmt.Sprintf("wrong PIN: %d of %d attempts remaining", guess.Remaining, guess.Limit)
		if errors.Is(err, recovery.ErrLocked) {
			f.Result, f.Reason, f.exit, f.last = "locked", "PIN_LOCKED", phoneLocked, "locked: no attempts remaining"
		}
		f.Message = f.last
		return f
	case errors.Is(err, recovery.ErrLocked):
		f.Result, f.Reason, f.exit, f.last = "locked", "PIN_LOCKED", phoneLocked, "locked: no attempts remaining"
		f.Message = f.last
		return f
	case errors.As(err, &other):
		f.Result, f.Reason, f.exit = "wrong_pin", "PIN_WRONG", phoneWrongPIN
		f.RegID, f.last = known(regHex(other.info.Reg)), "wrong PIN: this phone remembers another one; that has cost no attempt"
		f.Message = f.last
		return f
	case errors.As(err, &often):
		f.Reason, f.Message, f.RetryAt, f.exit = "PIN_WAIT", withoutPackage(err.Error()), moment(often.RetryAt), phoneRate
		f.last = "refused: too many wrong PINs on this phone; the next one not before " + inWordsAt(often.RetryAt) + ". No attempt was used; `staunch phone pin change` sets another PIN"
		return f
	case errors.As(err, &pin):
		f.Result, f.Reason, f.Message, f.exit = "pin_refused", "PIN_REFUSED", pin.Reason, phoneRefused
		f.last = "PIN refused: " + pin.Reason
		return f
	case errors.As(err, &early):
		f.Reason, f.Message, f.OpensAt, f.exit = "TOO_EARLY", early.Error(), moment(early.opens), phoneRefused
	case errors.As(err, &away):
		f.outcome(&away.Outcome)
		f.Result, f.Reason, f.Message, f.exit = "unavailable", "RECOVERY_VAULT_UNAVAILABLE", err.Error(), phoneUnreachable
		if op != "recover" && op != "backup_status" {
			f.Result = "incomplete"
		}
		f.last = fmt.Sprintf("vaults unavailable: %d of %d answered, %d needed", away.Answered, away.Vaults, away.Needed)
		return f
	case errors.As(err, &rate):
		f.Reason, f.RetryAt, f.exit = "RECOVERY_RATE", moment(rate.RetryAt), phoneRate
	}
	f.named(err)
	switch {
	case f.exit == phoneUsed:
		f.Result, f.last = "usage", "usage: "+f.Message
	case f.exit == phoneUnreachable:
		f.Result, f.last = "unavailable", "unavailable: "+f.Message
	case f.exit == exitNo || f.exit == phoneTampered:
		f.Result, f.last = "failed", "failed: "+f.Message
	case !time.Time(f.RetryAt).IsZero():
		f.last = "refused: " + f.Reason + ", retry at " + inWordsAt(time.Time(f.RetryAt))
		if f.Op == "recover" && f.Reason == "RATE_LIMITED" {
			f.last += " (an account is recovered once a day at most, and not within a week after a device has cancelled it)"
		}
	default:
		f.last = "refused: " + f.Reason + " (" + f.Message
		if t := time.Time(f.OpensAt); !t.IsZero() && early == nil {
			f.last += "; from " + inWordsAt(t) + " on"
		}
		f.last += ")"
	}
	return f
}

// named gives the errors of the phone's own half their exit codes. That the server
// is away says enough by itself.
func (f *recoveryFailure) named(err error) {
	if f.Reason == "UNREACHABLE" {
		return
	}
	for _, row := range []struct {
		err    error
		exit   int
		reason string
	}{
		{recovery.ErrEvidence, phoneRefused, "RECOVERY_EVIDENCE_REFUSED"},
		{recovery.ErrShares, phoneTampered, "RECOVERY_SHARES"},
		{recovery.ErrOtherDevice, phoneRefused, "RECOVERY_OTHER_DEVICE"},
		{recovery.ErrForgotten, phoneRefused, "RECOVERY_FORGOTTEN"},
		{recovery.ErrRenamed, phoneRefused, "RECOVERY_RENAMED"},
		{client.ErrRecoveryOver, phoneRefused, "RECOVERY_OVER"},
		{recovery.ErrNotFound, phoneAbsent, "RECOVERY_NOT_FOUND"},
		{recovery.ErrVaultUnavailable, phoneUnreachable, "RECOVERY_VAULT_UNAVAILABLE"},
		{recovery.ErrStoreUnavailable, phoneUnreachable, "RECOVERY_STORE_UNAVAILABLE"},
		{recovery.ErrStale, phoneUnreachable, "RECOVERY_STALE"},
	} {
		if !errors.Is(err, row.err) {
			continue
		}
		f.exit, f.Reason = row.exit, row.reason
		if errors.Is(err, client.ErrRecoveryOver) {
			f.Message = "the recovery is over: another device has cancelled it, or it was not gone on with within a day"
			return
		}
		if said := (*client.Error)(nil); errors.As(err, &said) && said.Reason == row.reason {
			return // the server's words are there already
		}
		f.Message = withoutPackage(err.Error())
		return
	}
}

// outcome is what was learnt before it failed.
func (f *recoveryFailure) outcome(o *recovery.Outcome) {
	number := func(n int) *int { return &n }
	f.Account = known(o.Account)
	f.RegID = known(regHex(o.Reg))
	f.Vaults, f.Threshold, f.Answered = number(o.Vaults), number(o.Threshold), number(o.Answered)
	if o.Limit > 0 {
		f.Limit, f.Remaining = number(o.Limit), number(o.Remaining)
	}
	if f.Answered != nil && f.Limit != nil && o.Answered < o.Threshold {
		f.Remaining = nil
	}
}

// regHex is a registration's name, and nothing for none.
func regHex(reg [16]byte) string {
	if reg == ([16]byte{}) {
		return ""
	}
	return hex.EncodeToString(reg[:])
}
