package console

import (
	"errors"
	"net/http"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/web/site"
)

// errBusy: too many ceremonies were begun from this network. Wait a minute.
var errBusy = errors.New("console: too many ceremonies from one network")

// said is how an error reaches a person: the status, a reason, and words that tell
// what to do.
type said struct {
	err    error
	status int
	reason string
	text   string
}

// table has a row for each error that an operator's request can bring about.
func table() []said {
	const again = "Too much time has passed, or another window was quicker. Start again."
	return []said{
		{site.ErrRequest, http.StatusBadRequest, "REQUEST_MALFORMED", "This page is out of date. Load it again."},
		{errBusy, http.StatusTooManyRequests, "RATE_LIMITED", "That was tried too often from this network. Wait a minute and try again."},
		{account.ErrMalformed, http.StatusBadRequest, "REQUEST_MALFORMED", "That is no identifier of this app. Copy it whole."},
		{operator.ErrSession, http.StatusUnauthorized, "SESSION_ENDED", "You are signed out: a sign-in lasts 8 hours. Sign in again."},
		{operator.ErrInvitation, http.StatusNotFound, "OPERATOR_INVITATION", "This link is not good any more: it works once, for 24 hours, and ends when a newer one is made. Have a new one made on the server: staunch operator add."},
		{operator.ErrCeremony, http.StatusPreconditionFailed, "PASSKEY_CEREMONY_EXPIRED", again},
		{operator.ErrSynced, http.StatusForbidden, "PASSKEY_SYNCED_REFUSED", "That passkey can be copied to other devices, so it was not taken. Use a security key, or another passkey that stays on one device."},
		{operator.ErrRefused, http.StatusUnauthorized, "OPERATOR_REFUSED", "That passkey is no operator's. Use the one that you made for this console."},
		{operator.ErrTampered, http.StatusInternalServerError, "INTEGRITY_FAILURE", "A record of this console was changed behind its back, so nothing is done with it. On the server: staunch check."},
		{operator.ErrNotAllowed, http.StatusForbidden, "CALLER_REFUSED", "That is done on the server's own machine, by staunch operator."},
		{operator.ErrUnknown, http.StatusNotFound, "OPERATOR_NOT_FOUND", "There is no such operator."},
		{operator.ErrName, http.StatusBadRequest, "OPERATOR_NAME", "That can't be the name of an operator."},
		{operator.ErrNameTaken, http.StatusConflict, "OPERATOR_NAME_TAKEN", "There is an operator of this name already."},
		{passkey.ErrNotVerified, http.StatusForbidden, "PASSKEY_NOT_VERIFIED", "Your authenticator did not check that it is you. Set a PIN or a fingerprint for it, and try again."},
		{passkey.ErrSecretSent, http.StatusBadRequest, "PASSKEY_SECRET_SENT", "Your browser sent something that should have stayed with you, and it was thrown away. Update the browser."},
		{passkey.ErrMalformed, http.StatusBadRequest, "PASSKEY_MALFORMED", "Your browser's answer can't be read. Update the browser, or use another one."},
		{passkey.ErrExpired, http.StatusPreconditionFailed, "PASSKEY_CEREMONY_EXPIRED", again},
		{passkey.ErrUsed, http.StatusPreconditionFailed, "PASSKEY_CEREMONY_USED", again},
		{passkey.ErrUnknown, http.StatusUnauthorized, "OPERATOR_REFUSED", "That passkey is no operator's. Use the one that you made for this console."},
		{passkey.ErrRefused, http.StatusUnauthorized, "PASSKEY_REFUSED", "That passkey was not accepted. If it is your own, have yourself invited again on the server: staunch operator remove, then add."},
		{errAsked, http.StatusBadRequest, "QUESTION_UNKNOWN", "There is no answer to what this address asks. Begin at the page itself, and use its form."},
		{audit.ErrQuery, http.StatusBadRequest, "QUESTION_UNKNOWN", "The record can't be searched for that. An account is named by its identifier, which begins with a_; From has to be before To."},
		{integrity.ErrAccountUnknown, http.StatusNotFound, "ACCOUNT_NOT_FOUND", "There is no such account in this app."},
		{integrity.ErrIntegrity, http.StatusInternalServerError, "INTEGRITY_FAILURE", "The handle leads to an account that does not have it: somebody has written to the store. On the server: staunch check."},
		{ErrNotFound, http.StatusNotFound, "NOT_FOUND", "There is no such thing in this app."},
	}
}

// explain finds the words for err. What is in no row gets fixed ones, and known is
// false: the log has it in full.
func (s *Site) explain(err error) (row said, known bool) {
	if s.away(err) {
		return said{err, http.StatusServiceUnavailable, "STORE_AWAY", "The store can't be reached right now. Try again in a moment; the server's log says why."}, true
	}
	for _, row := range table() {
		if errors.Is(err, row.err) {
			return row, true
		}
	}
	return said{err, http.StatusInternalServerError, "INTERNAL", "Something went wrong on our side. The server's log has it."}, false
}
