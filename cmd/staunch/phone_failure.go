package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/client"
)

// Exit codes of `staunch phone`, besides those of the other commands.
const (
	phoneUsed        = 2 // wrong usage
	phoneRefused     = 3 // by a rule, a state or a verdict
	phoneAbsent      = 4 // no phone here, or not known there
	phoneUnreachable = 5 // or interrupted
	phoneRate        = 6
	phoneTampered    = 9 // a cryptographic check failed
)

// phoneUsage is a wrong command line.
type phoneUsage struct{ err error }

func (u *phoneUsage) Error() string { return u.err.Error() }
func (u *phoneUsage) Unwrap() error { return u.err }

var (
	errInterrupted = errors.New("interrupted; nothing is lost, run it again")
	errBusy        = errors.New("another `staunch phone` is enrolling or joining in this folder; wait for it")
)

// phoneFailure is what is printed of a failure.
type phoneFailure struct {
	OK      bool   `json:"ok"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	OpensAt moment `json:"opens_at"`
	RetryAt moment `json:"retry_at"`

	exit int
}

// phoneFailed prints a failure, and gives the error that ends the program with
// its code. Words go to standard error, in any form.
func phoneFailed(s *streams, asJSON bool, err error) error {
	f := failureOf(err)
	if asJSON {
		if err := printLine(s.out, f); err != nil {
			return err
		}
		return &exitError{code: f.exit}
	}
	text := f.Message
	if t := time.Time(f.OpensAt); !t.IsZero() {
		text += "; from " + inWordsAt(t) + " on"
	}
	if t := time.Time(f.RetryAt); !t.IsZero() {
		text += "; not before " + inWordsAt(t)
	}
	return &exitError{f.exit, fmt.Errorf("%s (%s)", text, f.Reason)}
}

// failureOf finds exit code and reason of an error (accounts, "The reference
// phone in the terminal").
func failureOf(err error) *phoneFailure {
	f := &phoneFailure{Reason: "INTERNAL", Message: err.Error(), exit: exitNo}
	var e *client.Error
	if errors.As(err, &e) {
		f.exit = exitOf(e.Code)
		f.Reason, f.Message = e.Reason, e.Message
		f.OpensAt, f.RetryAt = moment(e.OpensAt), moment(e.RetryAt)
		if f.Reason == "" {
			f.Reason = strings.ToUpper(e.Code.String())
		}
		if e.Advice != "" {
			f.Message += "; advice: " + e.Advice
		}
	}
	for _, row := range []struct {
		err    error
		exit   int
		reason string
	}{
		{client.ErrUnreachable, phoneUnreachable, "UNREACHABLE"},
		{client.ErrEnrolled, phoneRefused, "PHONE_ENROLLED"},
		{client.ErrUnfinished, phoneRefused, "PHONE_UNFINISHED"},
		{client.ErrNotEnrolled, phoneAbsent, "PHONE_NOT_ENROLLED"},
		{client.ErrMismatch, phoneTampered, "APPROVAL_MISMATCH"},
		{client.ErrJoinKeys, phoneTampered, "JOIN_KEYS"},
		{client.ErrCode, phoneUsed, "USAGE"},
		{client.ErrJoinOver, phoneRefused, "JOIN_EXPIRED"},
		{errInterrupted, phoneUnreachable, "INTERRUPTED"},
		{errBusy, phoneRefused, "PHONE_BUSY"},
	} {
		if errors.Is(err, row.err) {
			f.exit, f.Reason = row.exit, row.reason
			f.Message = strings.TrimPrefix(err.Error(), "client: ")
			break
		}
	}
	if errors.As(err, new(*phoneUsage)) {
		f.exit, f.Reason = phoneUsed, "USAGE"
	}
	f.Message = withoutPackage(f.Message)
	if next, ok := nextSteps()[f.Reason]; ok {
		f.Message = next
	}
	var receives *receiving
	if errors.As(err, &receives) {
		f.Message = receives.Error()
	}
	var left *moved
	if errors.As(err, &left) {
		f.Message = left.Error()
		if !errors.Is(err, client.ErrNotEnrolled) {
			f.exit, f.Reason = phoneRefused, "PHONE_MOVED"
		}
	}
	var waits *recovering
	if errors.As(err, &waits) {
		f.Message = waits.Error()
	}
	return f
}

// withoutPackage is the text of an error without the name of the package that it
// comes from, which says nothing to a person.
func withoutPackage(text string) string {
	for _, name := range []string{"client: ", "integrity: ", "recovery: ", "account: ", "passkey: "} {
		if rest, ok := strings.CutPrefix(text, name); ok {
			return withoutPackage(rest)
		}
	}
	return text
}

// recovering is a phone that has no account yet: it has begun to recover one.
type recovering struct {
	home    string
	account account.ID
}

func (r *recovering) Error() string {
	return "this phone has no account yet, it recovers one; go on with `staunch phone recover --home " + quoted(r.home) + " --account " + string(r.account) + "`"
}

func (r *recovering) Unwrap() error { return client.ErrNotEnrolled }

// exitOf is the exit code of what the server answers.
func exitOf(c connect.Code) int {
	switch c {
	case connect.CodeUnauthenticated, connect.CodePermissionDenied, connect.CodeFailedPrecondition, connect.CodeAlreadyExists,
		connect.CodeInvalidArgument, connect.CodeAborted:
		return phoneRefused
	case connect.CodeNotFound:
		return phoneAbsent
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeCanceled:
		return phoneUnreachable
	case connect.CodeResourceExhausted:
		return phoneRate
	}
	return exitNo
}

// nextSteps says of reasons what the person can do, where the server's words are
// meant for programs.
func nextSteps() map[string]string {
	return map[string]string{
		"PHONE_ENROLLED":     "this folder has a phone with an account already; take another --home for another phone",
		"PHONE_NOT_ENROLLED": "there is no phone in this folder; make one with `staunch phone enroll`, or `staunch phone join` for an account that you have",
		"UNREACHABLE":        "the server cannot be reached; nothing is lost, run it again when it is there",
		"INTERRUPTED":        errInterrupted.Error(),
		"ACCOUNT_FROZEN":     "the account is frozen; unfreeze it first, with `staunch phone unfreeze`",
		"ACCOUNT_HELD":       "the account cools off; until then what matters waits, and any older device can freeze it",
		"ACCOUNT_LOCKED":     "the account is locked, since something was wrong with it; an operator must look",
		"DEVICE_HELD":        "this phone is new and cools off; until then another device of the account must do it",
		"DEVICE_FROZEN":      "this phone is frozen; unfreeze it from another device",
		"DEVICE_LOCKED":      "this phone is locked, since its evidence was revoked; it must be attested anew",
		"NOT_OLDER_DEVICE":   "only a device that was there before may do that",
		"JOIN_NUMBER":        "this is not the number that the new device shows; look again and type it as it stands there",
		"JOIN_EXPIRED":       "the new device was not let in, or not in time; run `staunch phone join` there for a new code",
		"JOIN_NOT_FOUND":     "there is no such join; compare the code with what the new device shows, or run `staunch phone join` there again",
		"JOIN_KEYS":          "the server shows another device than the code does: somebody is in between; nothing was approved",
		"APPROVAL_MISMATCH":  "the server asks to sign something else than it shows; nothing was signed",
		"DEVICE_NOT_FOUND":   "the server knows no such device: this phone, or the one that was named, may have been removed; if the server has another host name, enrol under that",
		"ACCOUNT_NOT_FOUND":  "the server knows no such account, or no longer",
		"APP_UNKNOWN":        "the server has no such app, or it has no accounts; name it with --app",
		"APP_REQUIRED":       "the server has several apps; name one with --app",
		"RATE_LIMITED":       "too often; wait a little",
		"PASSKEY_REFUSED":    "the server does not take this passkey for this account, or from this origin; see --origin of enroll",
		"STEP_UP_REQUIRED":   "this phone or its passkey is not enough for that; another device of the account must do it",
		"PROOF_INVALID":      "the server does not accept this phone's signature: it does not know the phone, or is another server than the one it enrolled with",
		"UNIMPLEMENTED":      "there is no Staunch server with accounts at this address",
	}
}
