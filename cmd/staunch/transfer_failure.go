package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/client"
)

// phoneFull: no room, beside too often.
const phoneFull = 6

// receiving is a phone that has no account yet: it has begun to receive one.
type receiving struct{ home string }

func (r *receiving) Error() string {
	return "this phone has no account yet, it receives one; go on with `staunch phone transfer receive --home " + quoted(r.home) + "`, or stop it with `staunch phone transfer cancel`"
}

func (r *receiving) Unwrap() error { return client.ErrNotEnrolled }

// transferFailed prints a failure of a command of transfer, and gives the error
// that ends the program with its code.
func transferFailed(s *streams, asJSON bool, transfer string, at time.Time, err error) error {
	f := transferFailureOf(err)
	f.eventHead = eventHead{"error", moment(at), transfer}
	if asJSON {
		if err := printLine(s.out, f); err != nil {
			return err
		}
		return &exitError{code: f.Exit}
	}
	text := f.Message
	if t := time.Time(f.OpensAt); !t.IsZero() {
		text += "; from " + inWordsAt(t) + " on"
	}
	if t := time.Time(f.RetryAt); !t.IsZero() {
		text += "; not before " + inWordsAt(t)
	}
	return &exitError{f.Exit, fmt.Errorf("%s (%s)", text, f.Reason)}
}

// transferFailureOf finds exit code and reason of an error (transfer, "The
// reference phone in the terminal").
func transferFailureOf(err error) *errorEvent {
	base := failureOf(err)
	f := &errorEvent{Reason: base.Reason, Message: base.Message, Exit: base.exit, OpensAt: base.OpensAt, RetryAt: base.RetryAt}
	var ended *client.MoveEnded
	switch {
	case errors.As(err, &ended):
		f.Reason, f.Exit = endOf(ended)
		f.Message = endWords(f.Reason)
		return f
	case errors.Is(err, client.ErrDeclined):
		f.Reason, f.Exit, f.Message = "user_cancelled", phoneRefused, endWords("user_cancelled")
		return f
	}
	if other := (*client.OtherHostError)(nil); errors.As(err, &other) {
		f.Reason, f.Exit = "check_failed", phoneTampered
		f.Message = fmt.Sprintf("the server calls itself %.80q, and this phone asked %s: if you know that both are one server, run it again with --host %s; else somebody may be in between, and nothing was moved", other.Says, other.Asked, printable(other.Says))
		return f
	}
	for _, row := range []struct {
		err    error
		exit   int
		reason string
	}{
		{client.ErrNoMove, phoneAbsent, "none"},
		{errNo, phoneRefused, "user_cancelled"},
		{client.ErrMoveOther, phoneUsed, "usage"},
		{client.ErrHistory, phoneUsed, "usage"},
		{client.ErrSealingKey, phoneRefused, "sealing_key"},
		{client.ErrMoveCheck, phoneTampered, "check_failed"},
		{client.ErrMoveTooEarly, phoneRefused, "too_early"},
		{client.ErrMoveTooLate, phoneRefused, "too_late"},
		{client.ErrKeysClosed, phoneTampered, "check_failed"},
		{client.ErrNoSpace, phoneFull, "no_space"},
		{errNoInput, phoneUnreachable, "interrupted"},
		{errNoCode, phoneUsed, "usage"},
	} {
		if errors.Is(err, row.err) {
			f.Reason, f.Exit, f.Message = row.reason, row.exit, withoutPackage(err.Error())
			return f
		}
	}
	own := map[string]string{"UNREACHABLE": "unreachable", "INTERRUPTED": "interrupted", "USAGE": "usage", "INTERNAL": "internal"}
	if name, ok := own[f.Reason]; ok {
		f.Reason = name
	}
	return f
}

// endOf is reason and exit code of a move that has ended without one.
func endOf(e *client.MoveEnded) (string, int) {
	if e.State == "recalled" {
		return "recalled", phoneRefused
	}
	switch e.Reason {
	case "":
		return e.State, phoneRefused
	case "no_space", "quota":
		return e.Reason, phoneFull
	case "integrity", "device_rejected":
		return e.Reason, phoneTampered
	}
	return e.Reason, phoneRefused
}

// endWords says of each end what it means, and what to do.
func endWords(reason string) string {
	words := map[string]string{
		"user_cancelled":      "cancelled: the account stays on the old phone; begin anew with `staunch phone transfer receive` on the new one",
		"number_mismatch":     "the number was wrong three times, so the new phone may have been joined by a stranger's; the account stays where it was; begin anew",
		"contended":           "a second phone has scanned the code, so somebody else can see it; nothing was moved; begin anew where nobody looks over your shoulder",
		"device_rejected":     "the other phone could not prove that it is genuine; nothing was moved",
		"schema_too_new":      "the new phone's app is too old for this history; update it there and begin anew",
		"no_space":            "the new phone has no room for the history; make room and begin anew",
		"quota":               "the server has no room for the history now; try again later",
		"integrity":           "what has arrived is not what was sent: nothing was moved; begin anew, and tell the operator if it happens again",
		"expired":             "it was not gone on with in time; the account stays on the old phone; begin anew",
		"account_changed":     "the account has changed meanwhile: its old phone is no longer the one in charge; nothing was moved",
		"frozen":              "the account was frozen, so nothing was moved; unfreeze it and begin anew",
		"cancelled_elsewhere": "another device of the account has cancelled it; nothing was moved; look at `staunch phone alerts` there",
		"recalled":            "the old phone has taken the account back",
	}
	if text, ok := words[reason]; ok {
		return text
	}
	return "it has ended: " + printable(reason) // the server's word
}
