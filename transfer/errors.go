package transfer

import (
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
)

// The reasons of the API (docs/api.md).
var (
	// ErrMalformed is bytes that are no message, no envelope or no segment.
	ErrMalformed = errors.New("transfer: malformed")
	// ErrNotFound is a transfer that is not there, or not the caller's.
	ErrNotFound = errors.New("transfer: no such transfer")
	// ErrProof is an envelope without the device proof of its sender.
	ErrProof = errors.New("transfer: the device proof is not good")
	// ErrUntrusted is evidence that is refused.
	ErrUntrusted = errors.New("transfer: the phone is not trusted")
	// ErrState is a call that this state does not have; it comes as a *StateError.
	ErrState = errors.New("transfer: not in this state")
	// ErrTooEarly comes as a *EarlyError.
	ErrTooEarly = errors.New("transfer: too early")
	// ErrEnded is a transfer that is over without a move; it comes as a *EndedError.
	ErrEnded = errors.New("transfer: it has ended")
	// ErrIncomplete is a seal over what has not all arrived; it comes as a *IncompleteError.
	ErrIncomplete = errors.New("transfer: not all of it has arrived")
	// ErrConflict is other bytes where some are already.
	ErrConflict = errors.New("transfer: something else is there already")
	// ErrLive is a second transfer of one account at a time.
	ErrLive = errors.New("transfer: another transfer of the account is under way: finish or cancel it first")
	// ErrWindow is too much that the new phone has not fetched; it comes as a *WaitError.
	ErrWindow = errors.New("transfer: the new phone has not fetched what is there: wait")
	// ErrQuota is no room at the server; it comes as a *WaitError.
	ErrQuota = errors.New("transfer: there is no room for it")
)

// StateError is an ErrState.
type StateError struct{ State State }

func (e *StateError) Error() string { return fmt.Sprintf("%v: it is %s", ErrState, e.State) }

// Unwrap gives ErrState.
func (e *StateError) Unwrap() error { return ErrState }

// EarlyError is an ErrTooEarly.
type EarlyError struct{ OpensAt time.Time }

func (e *EarlyError) Error() string {
	return fmt.Sprintf("%v: not before %s", ErrTooEarly, e.OpensAt.UTC().Format(time.RFC3339))
}

// Unwrap gives ErrTooEarly.
func (e *EarlyError) Unwrap() error { return ErrTooEarly }

// EndedError is an ErrEnded.
type EndedError struct {
	State  State
	Reason Reason
}

func (e *EndedError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("%v: %s", ErrEnded, e.State)
	}
	return fmt.Sprintf("%v: %s", ErrEnded, e.Reason)
}

// Unwrap gives ErrEnded.
func (e *EndedError) Unwrap() error { return ErrEnded }

// IncompleteError is an ErrIncomplete.
type IncompleteError struct{ FirstGap uint64 } // the first record that is missing

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("%v: record %d is missing", ErrIncomplete, e.FirstGap)
}

// Unwrap gives ErrIncomplete.
func (e *IncompleteError) Unwrap() error { return ErrIncomplete }

// Tampered is a row that does not carry the app's mark: it was changed past the
// program, and nothing is done by it. Its account may be a lie, too.
type Tampered struct {
	ID      ID
	Account account.ID
}

func (e *Tampered) Error() string {
	return fmt.Sprintf("transfer: the row of %s does not carry the app's mark", e.ID)
}

// WaitError is an ErrWindow or an ErrQuota.
type WaitError struct {
	Err     error
	RetryAt time.Time // zero: not by waiting
}

func (e *WaitError) Error() string { return e.Err.Error() }

// Unwrap gives which of the two it is.
func (e *WaitError) Unwrap() error { return e.Err }
