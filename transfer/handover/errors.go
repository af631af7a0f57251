package handover

import (
	"errors"
	"fmt"

	"github.com/staunchid/staunch/attest"
)

// What a phone finds wrong. None of these reaches it from the server: each is the
// phone's own judgement of what the server has brought.
var (
	// ErrVersion is a code of a later version.
	ErrVersion = errors.New("handover: the code is of a version that this app does not know: update the app")
	// ErrCommitment is an offer, or a share, that is not the one promised: by the
	// code that was scanned, or by a hash in a message.
	ErrCommitment = errors.New("handover: not what was committed to")
	// ErrMAC is a message that was made without the key that only the two phones have.
	ErrMAC = errors.New("handover: not from the phone that scanned or showed the code")
	// ErrForged is a message without the device proof of its sender.
	ErrForged = errors.New("handover: not signed by the other phone")
	// ErrUntrusted is evidence that the own policy does not accept; it comes as a
	// *UntrustedError, or says what is missing.
	ErrUntrusted = errors.New("handover: the other phone is not trusted")
	// ErrAudience is a phone that speaks of another app or server.
	ErrAudience = errors.New("handover: the other phone speaks of another app or server")
	// ErrSchema is a history that the new phone's app cannot read.
	ErrSchema = errors.New("handover: the app on the new phone cannot read this history: update it there")
	// ErrSpace is a history that is larger than what is free on the new phone.
	ErrSpace = errors.New("handover: the new phone has no room for the history: make room there")
	// ErrBeacon is something heard that is no beacon of this code.
	ErrBeacon = errors.New("handover: not a beacon of this code")
	// ErrNumber is a number that was not the one on the current phone; it comes as a
	// *NumberError.
	ErrNumber = errors.New("handover: not the number on the other phone")
	// ErrStream is a receipt for something else than what was granted.
	ErrStream = errors.New("handover: what has arrived is not what was granted")
	// ErrKey is a sealing key that is not the one of the grant.
	ErrKey = errors.New("handover: not the sealing key that was granted")
	// ErrOrder is a message whose turn it is not, or other bytes where some are
	// already.
	ErrOrder = errors.New("handover: out of order")
	// ErrErased is a half that has forgotten its keys, because it is over or a check
	// has failed. Begin anew, with a new code.
	ErrErased = errors.New("handover: the keys are erased: begin anew with a new code")
)

// NumberError is an ErrNumber. At 0 the transfer is over.
type NumberError struct{ Left int }

func (e *NumberError) Error() string { return fmt.Sprintf("%v: %d tries left", ErrNumber, e.Left) }

// Unwrap gives ErrNumber.
func (e *NumberError) Unwrap() error { return ErrNumber }

// UntrustedError is an ErrUntrusted: evidence that was judged.
type UntrustedError struct{ Verdict attest.Verdict }

func (e *UntrustedError) Error() string {
	text := ErrUntrusted.Error()
	for _, f := range e.Verdict.Findings {
		if f.Effect == attest.Reject {
			text += "; " + f.Code + ": " + f.Detail
		}
	}
	return text
}

// Unwrap gives ErrUntrusted.
func (e *UntrustedError) Unwrap() error { return ErrUntrusted }
