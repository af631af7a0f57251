package integrity

import (
	"errors"
	"time"
)

// Errors on which a caller acts. What package account refuses comes as an
// *account.Refused, and what package passkey refuses as its errors.
var (
	ErrMalformed = errors.New("integrity: malformed request")

	// ErrSessionRequired: sign in first.
	ErrSessionRequired = errors.New("integrity: this needs a session")
	// ErrSessionEnded: the session is over, or never was. Sign in again.
	ErrSessionEnded = errors.New("integrity: the session has ended")
	// ErrProofInvalid: the request is not signed as it must be, by a key that
	// counts. It comes as a *ProofError, which has the server's time.
	ErrProofInvalid = errors.New("integrity: the request proof is not valid")
	// ErrNotAllowed: this method is not for callers of that kind.
	ErrNotAllowed = errors.New("integrity: not for this kind of caller")

	// ErrAccountUnknown, ErrDeviceUnknown and so on: there is none, or it is
	// somebody else's, or it was deleted.
	ErrAccountUnknown    = errors.New("integrity: no such account")
	ErrDeviceUnknown     = errors.New("integrity: no such device")
	ErrCredentialUnknown = errors.New("integrity: no such passkey")
	ErrSessionUnknown    = errors.New("integrity: no such session")
	ErrApprovalUnknown   = errors.New("integrity: no such approval")
	ErrJoinUnknown       = errors.New("integrity: no such join")
	ErrPendingUnknown    = errors.New("integrity: nothing like this is pending")

	// ErrDeviceKeyKnown: a device key enrols once, for ever. Make a new one.
	ErrDeviceKeyKnown = errors.New("integrity: this device key is known already")
	// ErrPasskeyKnown: this passkey is registered already. Sign in with it.
	ErrPasskeyKnown = errors.New("integrity: this passkey is registered already")
	// ErrHandleTaken: choose another handle.
	ErrHandleTaken = errors.New("integrity: this handle is taken")

	// ErrDeviceUntrusted: the evidence was judged, and rejects. It comes as an
	// *Untrusted, which has the advice for the phone.
	ErrDeviceUntrusted = errors.New("integrity: the device is not trusted")
	// ErrSyncedRefused: the app takes no synced passkeys for this.
	ErrSyncedRefused = errors.New("integrity: a synced passkey does not count for this")
	// ErrModelRefused: the app does not take this model of authenticator.
	ErrModelRefused = errors.New("integrity: this model of authenticator is not accepted")
	// ErrBackupFlagChanged: remove this passkey and make a new one.
	ErrBackupFlagChanged = errors.New("integrity: the passkey says it has become, or ceased to be, one that can be synced")
	// ErrCounter: the passkey may have been copied. Remove it from another device.
	ErrCounter = errors.New("integrity: the signature counter of the passkey went back")

	// ErrLastWayIn: add another passkey first.
	ErrLastWayIn = errors.New("integrity: this is the last passkey of the account")
	// ErrTooManyPasskeys: remove one that is not used any more first.
	ErrTooManyPasskeys = errors.New("integrity: the account has as many passkeys as one may have")
	// ErrTooEarly comes as a *TooEarly, which says when.
	ErrTooEarly = errors.New("integrity: too early")
	// ErrTooLate: it has happened, or its time is over.
	ErrTooLate = errors.New("integrity: too late")

	// ErrCeremonyExpired: also one that is unknown, or begun before a sign-out.
	// Begin again.
	ErrCeremonyExpired = errors.New("integrity: the ceremony has expired")
	// ErrCeremonyUsed: it was answered before. Sign in.
	ErrCeremonyUsed = errors.New("integrity: the ceremony was used")
	// ErrApprovalExpired: propose it again.
	ErrApprovalExpired = errors.New("integrity: the approval has expired")
	// ErrApprovalUsed: it was confirmed or denied before.
	ErrApprovalUsed = errors.New("integrity: the approval was used")
	// ErrJoinExpired: open a new one on the new device.
	ErrJoinExpired = errors.New("integrity: the join has expired")
	// ErrJoinNumber: type the number that the new device shows.
	ErrJoinNumber = errors.New("integrity: this is not the number that the new device shows")

	// ErrApprovalOther: propose one for this transfer, with the value that it has now.
	ErrApprovalOther = errors.New("integrity: the approval is not for this transfer, or not for this moment of it: propose one with this transfer's id and the transcript value before the message")
	// ErrApprovalApart: send its answer in the call of the transfer.
	ErrApprovalApart = errors.New("integrity: an approval of a move is not confirmed by itself: the answer goes into the confirm, grant, recall or final, in that call of TransferService")
	// ErrNoMoves: this server has no pillar transfer.
	ErrNoMoves = errors.New("integrity: this server moves no accounts to new phones: [app.transfer] is not configured")

	// ErrNoRecovery: this server has no pillar recovery.
	ErrNoRecovery = errors.New("integrity: this server brings nothing back by a PIN: [recovery] is not configured")
	// ErrNoBackup: no PIN was set for the account.
	ErrNoBackup = errors.New("integrity: no recovery PIN was set for this account")
	// ErrNotProved: pillar recovery has not seen the PIN yet.
	ErrNotProved = errors.New("integrity: the PIN has not been proved with this ticket yet: open a session and finish it first")

	// ErrRateLimited comes as a *RateLimited, which says when to try again.
	ErrRateLimited = errors.New("integrity: too often")
	// ErrIntegrity: something in the store is not as it was written. The account
	// is locked, and an operator must look.
	ErrIntegrity = errors.New("integrity: the store was tampered with, or is damaged")
)

// ProofError is an ErrProofInvalid.
type ProofError struct {
	Reason     string // a code of attest: "common.request_clock" ...
	ServerTime time.Time
}

func (e *ProofError) Error() string { return ErrProofInvalid.Error() + ": " + e.Reason }

// Unwrap gives ErrProofInvalid.
func (e *ProofError) Unwrap() error { return ErrProofInvalid }

// Untrusted is an ErrDeviceUntrusted.
type Untrusted struct {
	Advice string // of the attest registry: what the phone may try
}

func (e *Untrusted) Error() string { return ErrDeviceUntrusted.Error() + "; advice: " + e.Advice }

// Unwrap gives ErrDeviceUntrusted.
func (e *Untrusted) Unwrap() error { return ErrDeviceUntrusted }

// TooEarly is an ErrTooEarly.
type TooEarly struct{ OpensAt time.Time }

func (e *TooEarly) Error() string {
	return ErrTooEarly.Error() + ": not before " + e.OpensAt.UTC().Format(time.RFC3339)
}

// Unwrap gives ErrTooEarly.
func (e *TooEarly) Unwrap() error { return ErrTooEarly }

// RateLimited is an ErrRateLimited.
type RateLimited struct{ RetryAt time.Time }

func (e *RateLimited) Error() string {
	return ErrRateLimited.Error() + "; try again at " + e.RetryAt.UTC().Format(time.RFC3339)
}

// Unwrap gives ErrRateLimited.
func (e *RateLimited) Unwrap() error { return ErrRateLimited }
