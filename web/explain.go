package web

import (
	"errors"
	"net/http"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/web/site"
)

// said is how an error reaches a person: the status, the reason of the API, and
// words that tell what to do.
type said struct {
	err    error
	status int
	reason string
	text   string
}

// table has a row for each error that a browser's request can bring about. The
// reasons are those of rpc/errors.go, and a test compares them.
func table() []said {
	const (
		reload = "This page is out of date. Load it again."
		again  = "Too much time has passed. Start again."
		other  = "That passkey doesn't work here. Use another one."
	)
	return []said{
		{errFreezeCode, http.StatusBadRequest, "REQUEST_MALFORMED", "A freeze code has four groups of four letters and digits. Compare it with what you wrote down."},
		{site.ErrRequest, http.StatusBadRequest, "REQUEST_MALFORMED", reload},
		{integrity.ErrMalformed, http.StatusBadRequest, "REQUEST_MALFORMED", "Something in that can't be right. Check what you typed."},
		{account.ErrHandle, http.StatusBadRequest, "HANDLE_INVALID", "A name has 2 to 64 letters and digits, without spaces."},
		{account.ErrMalformed, http.StatusBadRequest, "REQUEST_MALFORMED", reload},
		{passkey.ErrSecretSent, http.StatusBadRequest, "PASSKEY_SECRET_SENT", "Your browser sent something that should have stayed with you, and it was thrown away. Update the browser."},
		{passkey.ErrMalformed, http.StatusBadRequest, "PASSKEY_MALFORMED", "Your browser's answer can't be read. Update the browser, or use another one."},

		{integrity.ErrSessionRequired, http.StatusUnauthorized, "SESSION_REQUIRED", "Sign in first."},
		{integrity.ErrSessionEnded, http.StatusUnauthorized, "SESSION_ENDED", "You were signed out. Sign in again."},
		{passkey.ErrRefused, http.StatusUnauthorized, "PASSKEY_REFUSED", other},
		{passkey.ErrUnknown, http.StatusUnauthorized, "PASSKEY_UNKNOWN", "That passkey was removed from your account. Use another one."},

		{passkey.ErrNotVerified, http.StatusForbidden, "PASSKEY_NOT_VERIFIED", "Your device did not check that it is you. Set up a screen lock or a PIN for it, and try again."},
		{integrity.ErrSyncedRefused, http.StatusForbidden, "PASSKEY_SYNCED_REFUSED", "This needs a passkey that stays on one device, such as a security key."},
		{integrity.ErrModelRefused, http.StatusForbidden, "PASSKEY_MODEL_REFUSED", "This kind of authenticator is not accepted here. Use another one."},
		{integrity.ErrNotAllowed, http.StatusForbidden, "CALLER_REFUSED", "This can't be done in a browser. Use the app on your phone."},

		{integrity.ErrAccountUnknown, http.StatusNotFound, "ACCOUNT_NOT_FOUND", "There is no such account any more."},
		{integrity.ErrDeviceUnknown, http.StatusNotFound, "DEVICE_NOT_FOUND", "That device is not there any more. Load the page again."},
		{integrity.ErrCredentialUnknown, http.StatusNotFound, "PASSKEY_NOT_FOUND", "That passkey is not there any more. Load the page again."},
		{integrity.ErrSessionUnknown, http.StatusNotFound, "SESSION_NOT_FOUND", "That browser is signed out already. Load the page again."},
		{integrity.ErrApprovalUnknown, http.StatusNotFound, "APPROVAL_NOT_FOUND", "There is nothing to decide here. It may have been meant for another account."},
		{integrity.ErrJoinUnknown, http.StatusNotFound, "JOIN_NOT_FOUND", "That code is not known. Compare it with the one on the new device."},
		{integrity.ErrPendingUnknown, http.StatusNotFound, "PENDING_NOT_FOUND", "That is over already. Load the page again."},

		{integrity.ErrPasskeyKnown, http.StatusConflict, "PASSKEY_ALREADY_REGISTERED", "That device already has a passkey here. Sign in with it."},
		{integrity.ErrHandleTaken, http.StatusConflict, "HANDLE_TAKEN", "Somebody has that name already. Choose another."},
		{account.ErrStep, http.StatusConflict, "STATE_CHANGED", "Something has changed meanwhile. Load the page again."},

		{integrity.ErrLastWayIn, http.StatusPreconditionFailed, "LAST_WAY_IN", "This is your last passkey. Add another one first, or you could never sign in again."},
		{integrity.ErrTooManyPasskeys, http.StatusPreconditionFailed, "PASSKEY_TOO_MANY", "You have as many passkeys as one may have. Remove one that you don't use any more first."},
		{integrity.ErrNoRecovery, http.StatusPreconditionFailed, "RECOVERY_OFF", "Nothing can be brought back by a PIN here."},
		{integrity.ErrNoBackup, http.StatusNotFound, "RECOVERY_NOT_FOUND", "No recovery PIN was set for this account."},
		{integrity.ErrNotProved, http.StatusPreconditionFailed, "PIN_NOT_PROVED", "Your PIN comes first. Go on in the app on your new phone."},
		{integrity.ErrTooEarly, http.StatusPreconditionFailed, "TOO_EARLY", "It is too early for that."},
		{integrity.ErrTooLate, http.StatusPreconditionFailed, "TOO_LATE", "It is too late for that. Load the page again."},
		{integrity.ErrNoMoves, http.StatusPreconditionFailed, "TRANSFER_OFF", "Accounts can't be moved to a new phone here."},
		{transfer.ErrNotFound, http.StatusNotFound, "TRANSFER_NOT_FOUND", "That move is over already. Load the page again."},
		{transfer.ErrEnded, http.StatusPreconditionFailed, "TRANSFER_ENDED", "That move is over already. Load the page again."},
		{transfer.ErrState, http.StatusPreconditionFailed, "TRANSFER_WRONG_STATE", "It is too late to cancel: the account has moved. Your old phone can take it back."},
		{integrity.ErrCeremonyExpired, http.StatusPreconditionFailed, "PASSKEY_CEREMONY_EXPIRED", again},
		{passkey.ErrExpired, http.StatusPreconditionFailed, "PASSKEY_CEREMONY_EXPIRED", again},
		{integrity.ErrCeremonyUsed, http.StatusPreconditionFailed, "PASSKEY_CEREMONY_USED", "That was done already. Load the page again."},
		{passkey.ErrUsed, http.StatusPreconditionFailed, "PASSKEY_CEREMONY_USED", "That was done already. Load the page again."},
		{integrity.ErrBackupFlagChanged, http.StatusPreconditionFailed, "PASSKEY_BACKUP_FLAG_CHANGED", "That passkey has changed in a way it should not. Sign in with another one, remove it and make a new one."},
		{integrity.ErrCounter, http.StatusPreconditionFailed, "PASSKEY_COUNTER", "That passkey may have been copied, so it was not accepted. Sign in with another one and remove it."},
		{integrity.ErrApprovalExpired, http.StatusPreconditionFailed, "APPROVAL_EXPIRED", "The time to decide is over. Nothing was done."},
		{integrity.ErrApprovalUsed, http.StatusPreconditionFailed, "APPROVAL_USED", "This was decided already."},
		{integrity.ErrJoinExpired, http.StatusPreconditionFailed, "JOIN_EXPIRED", "That code has run out. Show a new one on the new device."},
		{integrity.ErrJoinNumber, http.StatusPreconditionFailed, "JOIN_NUMBER", "That is not the number that the new device shows. Compare them: if they differ, somebody else may be trying to get in."},

		{integrity.ErrRateLimited, http.StatusTooManyRequests, "RATE_LIMITED", "That was tried too often. Wait a little and try again."},
		{integrity.ErrIntegrity, http.StatusInternalServerError, "INTEGRITY_FAILURE", "Your account was locked because its records are not as they should be. The people who run this service must look at it."},
	}
}

// refused says what a rule of package account refuses.
func refused(r *account.Refused) said {
	switch r.Why {
	case account.WhyStepUp:
		text := "Confirm first that it is you."
		if r.Need >= account.Bound {
			text = "This needs a passkey that stays on one device, such as a security key, or your phone. Do it in the app, or with a security key."
		}
		return said{r, http.StatusForbidden, "STEP_UP_REQUIRED", text}
	case account.WhyNotOlder:
		return said{r, http.StatusForbidden, "NOT_OLDER_DEVICE", "Only a device that you had before can do this."}
	case account.WhyAccountHeld:
		return said{r, http.StatusPreconditionFailed, "ACCOUNT_HELD", "Your account is cooling off. This has to wait until it is over."}
	case account.WhyAccountFrozen:
		return said{r, http.StatusPreconditionFailed, "ACCOUNT_FROZEN", "Your account is frozen. Unfreeze it first."}
	case account.WhyAccountLocked:
		return said{r, http.StatusPreconditionFailed, "ACCOUNT_LOCKED", "Your account is locked. Ask the people who run this service."}
	case account.WhyDeviceHeld:
		return said{r, http.StatusPreconditionFailed, "DEVICE_HELD", "This device is cooling off. This has to wait until it is over."}
	case account.WhyDeviceFrozen:
		return said{r, http.StatusPreconditionFailed, "DEVICE_FROZEN", "That device is frozen. Unfreeze it from another one."}
	case account.WhyDeviceLocked:
		return said{r, http.StatusPreconditionFailed, "DEVICE_LOCKED", "That device is locked."}
	case account.WhyStale:
		return said{r, http.StatusPreconditionFailed, "DEVICE_STALE", "That device has to be checked anew. Open the app on it."}
	case account.WhyRisk:
		return said{r, http.StatusPreconditionFailed, "RISK_HOLD", "This has to wait, because something unusual was seen. Look at your alerts."}
	case account.WhyGone:
		return said{integrity.ErrAccountUnknown, http.StatusNotFound, "ACCOUNT_NOT_FOUND", "There is no such account any more."}
	}
	return said{r, http.StatusForbidden, "ACTION_REFUSED", "This can't be done from here. Try the app on your phone."}
}

// explain finds the words for err. What is in no row gets fixed ones, and known
// is false: the log has it in full.
func (s *Site) explain(err error) (row said, known bool) {
	if s.away(err) {
		return said{err, http.StatusServiceUnavailable, "STORE_AWAY", "The service can't be reached right now. Try again in a moment."}, true
	}
	var r *account.Refused
	if errors.As(err, &r) {
		return refused(r), true
	}
	for _, row := range table() {
		if errors.Is(err, row.err) {
			return row, true
		}
	}
	return said{err, http.StatusInternalServerError, "INTERNAL", "Something went wrong on our side. Try again in a moment."}, false
}
