package recovery

import (
	"errors"
	"time"
)

// The reasons of the API (docs/api.md). Wrong PINs, locks and the other sealed
// verdicts are answers and no errors: the service cannot read them.
var (
	// ErrNotFound is a backup that is not there, or not the caller's.
	ErrNotFound = errors.New("recovery: no such backup")
	// ErrTicket is a recovery ticket that is none, has expired, or is another key's.
	ErrTicket = errors.New("recovery: this needs a recovery ticket: start a recovery, and come back when its wait is over")
	// ErrSession is a session that is over.
	ErrSession = errors.New("recovery: the session is over: open another, the attempt that was begun goes on in it")
	// ErrUnfinished is a session in which too few vaults have seen the right PIN.
	ErrUnfinished = errors.New("recovery: too few vaults have seen the right PIN: release at the others, then finish again")
	// ErrStale is a record that every replica found too old.
	ErrStale = errors.New("recovery: the store is behind the vaults: try again shortly, no attempt was counted")
	// ErrEpoch is a request sealed to keys that were replaced.
	ErrEpoch = errors.New("recovery: the vault has new keys: fetch the configuration and repeat")
	// ErrAmnesia is a vault whose witnesses have all forgotten.
	ErrAmnesia = errors.New("recovery: the vault has lost its marks and is paused: an operator must act")
	// ErrFuture is a record that is newer than anything a vault has acknowledged.
	ErrFuture = errors.New("recovery: the store is ahead of the vault, which is paused for this account: an operator must act")
	// ErrVaultUnavailable is a vault that does not answer.
	ErrVaultUnavailable = errors.New("recovery: the vault does not answer: repeat, no attempt was counted")
	// ErrStoreUnavailable is an answer that could be made durable nowhere.
	ErrStoreUnavailable = errors.New("recovery: the answer could not be stored: repeat it, the same PIN costs nothing again")
	// ErrRate is too many evaluations; it comes as a *RateError.
	ErrRate = errors.New("recovery: too many attempts in a short time")
	// ErrBlob is a blob that is too large, or is no blob of this registration.
	ErrBlob = errors.New("recovery: not a blob of this registration, or too large")
	// ErrMalformed is a request that cannot be decoded.
	ErrMalformed = errors.New("recovery: malformed")
	// ErrProfile is an op that this profile does not have.
	ErrProfile = errors.New("recovery: this profile has no such op")

	// ErrUnavailable is for a phone: too few vaults answered. Nothing is lost.
	ErrUnavailable = errors.New("recovery: too few vaults answered: run it again, nothing is lost")
	// ErrEvidence is for a phone: a vault did not prove that it runs what the set says.
	ErrEvidence = errors.New("recovery: a vault's evidence is refused")
	// ErrLocked is for a phone: no attempt is left.
	ErrLocked = errors.New("recovery: no attempts remaining: the registration is locked for ever")
)

// RateError is an ErrRate.
type RateError struct{ RetryAt time.Time }

func (e *RateError) Error() string {
	return ErrRate.Error() + "; try again at " + e.RetryAt.UTC().Format(time.RFC3339)
}

// Unwrap gives ErrRate.
func (e *RateError) Unwrap() error { return ErrRate }
