package rpc

import (
	"context"
	"errors"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/transfer"
)

// The edge's own errors. Callers act on their reasons.
var (
	errRequest      = errors.New("the request cannot be read")
	errTooLarge     = errors.New("the message is too large")
	errTokenInvalid = errors.New(`the token is of no app; send "Authorization: Bearer TOKEN" with the content of the app's service_token_file`)
	errTokenOther   = errors.New("the token is not that of app")
	errTokenMissing = errors.New(`this call is for the app's backend; send "Authorization: Bearer TOKEN" with the content of the app's service_token_file`)
	errAppMissing   = errors.New("name the app: the server has several")
	errPanic        = errors.New("rpc: panic")
	errStoreAway    = errors.New("the store cannot be reached; try again")

	errNoRecovery   = errors.New("this server brings nothing back by a PIN: [recovery] is not configured")
	errAppUnknown   = errors.New("there is no such app here, or it has no accounts; send the header Staunch-App with the id of an [[app]] that has an rp_id")
	errSessionToken = errors.New(`the token is that of no session; send "Authorization: Staunch TOKEN" with the token that the sign-in gave, or sign in`)
	errStreams      = errors.New("this device or browser has too many open streams; close one")
)

// domain is the ErrorInfo domain of all reasons.
const domain = "staunch"

// internal is the fixed text for what is in no row.
const internal = "internal error"

// row says how one error reaches a client.
type row struct {
	err    error
	code   connect.Code
	reason string // stable; never reused for something else
	detail bool   // the client caused it and may read the whole text, not the sentinel's alone
}

// table has a row for every error on which a client can act. The first match
// counts.
func table() []row {
	return []row{
		{errRequest, connect.CodeInvalidArgument, "REQUEST_MALFORMED", true},
		{errTooLarge, connect.CodeResourceExhausted, "REQUEST_TOO_LARGE", true},
		{errTokenInvalid, connect.CodeUnauthenticated, "TOKEN_INVALID", false},
		{errTokenOther, connect.CodeUnauthenticated, "TOKEN_INVALID", true},
		{errTokenMissing, connect.CodeUnauthenticated, "TOKEN_REQUIRED", false},
		{errAppMissing, connect.CodeInvalidArgument, "APP_REQUIRED", false},
		{errStoreAway, connect.CodeUnavailable, "STORE_AWAY", false},
		{errNoRecovery, connect.CodeFailedPrecondition, "RECOVERY_OFF", false},
		{errAppUnknown, connect.CodeNotFound, "APP_UNKNOWN", false},
		{errSessionToken, connect.CodeUnauthenticated, "SESSION_ENDED", false},
		{errStreams, connect.CodeResourceExhausted, "RATE_LIMITED", false},

		{registry.ErrTooLarge, connect.CodeInvalidArgument, "ATTEST_TOO_LARGE", true},
		{registry.ErrAppUnknown, connect.CodeNotFound, "ATTEST_APP_UNKNOWN", false},
		{registry.ErrKeyUnknown, connect.CodeNotFound, "ATTEST_KEY_UNKNOWN", false},
		{registry.ErrNotAllowed, connect.CodePermissionDenied, "CALLER_REFUSED", false},
		{registry.ErrProofRefused, connect.CodeUnauthenticated, "PROOF_INVALID", false},
		{registry.ErrRate, connect.CodeResourceExhausted, "ATTEST_RATE", false},
		{registry.ErrMalformed, connect.CodeInvalidArgument, "ATTEST_MALFORMED", true},
		{attest.ErrMalformed, connect.CodeInvalidArgument, "ATTEST_MALFORMED", true},
		{attest.ErrUnsupported, connect.CodeInvalidArgument, "ATTEST_MALFORMED", true},
		{request.ErrMalformed, connect.CodeInvalidArgument, "ATTEST_MALFORMED", true},
		{passkey.ErrSecretSent, connect.CodeInvalidArgument, "PASSKEY_SECRET_SENT", false},
		{passkey.ErrMalformed, connect.CodeInvalidArgument, "PASSKEY_MALFORMED", false},
		{passkey.ErrRefused, connect.CodeUnauthenticated, "PASSKEY_REFUSED", false},
		{passkey.ErrUnknown, connect.CodeUnauthenticated, "PASSKEY_UNKNOWN", false},
		{passkey.ErrNotVerified, connect.CodePermissionDenied, "PASSKEY_NOT_VERIFIED", false},
		{passkey.ErrExpired, connect.CodeFailedPrecondition, "PASSKEY_CEREMONY_EXPIRED", false},
		{passkey.ErrUsed, connect.CodeFailedPrecondition, "PASSKEY_CEREMONY_USED", false},
		{account.ErrHandle, connect.CodeInvalidArgument, "HANDLE_INVALID", false},
		{account.ErrMalformed, connect.CodeInvalidArgument, "REQUEST_MALFORMED", true},
		{account.ErrStep, connect.CodeAborted, "STATE_CHANGED", false},
		{account.ErrRefused, connect.CodePermissionDenied, "ACTION_REFUSED", false}, // by its Why: see refusal

		{transfer.ErrMalformed, connect.CodeInvalidArgument, "TRANSFER_MALFORMED", true},
		{transfer.ErrNotFound, connect.CodeNotFound, "TRANSFER_NOT_FOUND", false},
		{transfer.ErrProof, connect.CodePermissionDenied, "TRANSFER_BAD_PROOF", false},
		{transfer.ErrUntrusted, connect.CodePermissionDenied, "TRANSFER_UNTRUSTED_DEVICE", false},
		{transfer.ErrTooEarly, connect.CodeFailedPrecondition, "TRANSFER_TOO_EARLY", true},
		{transfer.ErrEnded, connect.CodeFailedPrecondition, "TRANSFER_ENDED", true},
		{transfer.ErrState, connect.CodeFailedPrecondition, "TRANSFER_WRONG_STATE", true},
		{transfer.ErrIncomplete, connect.CodeFailedPrecondition, "TRANSFER_INCOMPLETE", true},
		{transfer.ErrConflict, connect.CodeAborted, "TRANSFER_CONFLICT", true},
		{transfer.ErrLive, connect.CodeAborted, "TRANSFER_ALREADY_LIVE", false},
		{transfer.ErrWindow, connect.CodeResourceExhausted, "TRANSFER_WINDOW_FULL", false},
		{transfer.ErrQuota, connect.CodeResourceExhausted, "TRANSFER_QUOTA", true},

		{integrity.ErrMalformed, connect.CodeInvalidArgument, "REQUEST_MALFORMED", true},
		{integrity.ErrSessionRequired, connect.CodeUnauthenticated, "SESSION_REQUIRED", false},
		{integrity.ErrSessionEnded, connect.CodeUnauthenticated, "SESSION_ENDED", false},
		{integrity.ErrProofInvalid, connect.CodeUnauthenticated, "PROOF_INVALID", false},
		{integrity.ErrNotAllowed, connect.CodePermissionDenied, "CALLER_REFUSED", false},
		{integrity.ErrDeviceUntrusted, connect.CodePermissionDenied, "DEVICE_UNTRUSTED", false},
		{integrity.ErrSyncedRefused, connect.CodePermissionDenied, "PASSKEY_SYNCED_REFUSED", false},
		{integrity.ErrModelRefused, connect.CodePermissionDenied, "PASSKEY_MODEL_REFUSED", false},
		{integrity.ErrAccountUnknown, connect.CodeNotFound, "ACCOUNT_NOT_FOUND", false},
		{integrity.ErrDeviceUnknown, connect.CodeNotFound, "DEVICE_NOT_FOUND", false},
		{integrity.ErrCredentialUnknown, connect.CodeNotFound, "PASSKEY_NOT_FOUND", false},
		{integrity.ErrSessionUnknown, connect.CodeNotFound, "SESSION_NOT_FOUND", false},
		{integrity.ErrApprovalUnknown, connect.CodeNotFound, "APPROVAL_NOT_FOUND", false},
		{integrity.ErrJoinUnknown, connect.CodeNotFound, "JOIN_NOT_FOUND", false},
		{integrity.ErrPendingUnknown, connect.CodeNotFound, "PENDING_NOT_FOUND", false},
		{integrity.ErrDeviceKeyKnown, connect.CodeAlreadyExists, "DEVICE_KEY_KNOWN", false},
		{integrity.ErrPasskeyKnown, connect.CodeAlreadyExists, "PASSKEY_ALREADY_REGISTERED", false},
		{integrity.ErrHandleTaken, connect.CodeAlreadyExists, "HANDLE_TAKEN", false},
		{integrity.ErrLastWayIn, connect.CodeFailedPrecondition, "LAST_WAY_IN", false},
		{integrity.ErrTooManyPasskeys, connect.CodeFailedPrecondition, "PASSKEY_TOO_MANY", false},
		{integrity.ErrTooEarly, connect.CodeFailedPrecondition, "TOO_EARLY", false},
		{integrity.ErrTooLate, connect.CodeFailedPrecondition, "TOO_LATE", false},
		{integrity.ErrCeremonyExpired, connect.CodeFailedPrecondition, "PASSKEY_CEREMONY_EXPIRED", false},
		{integrity.ErrCeremonyUsed, connect.CodeFailedPrecondition, "PASSKEY_CEREMONY_USED", false},
		{integrity.ErrBackupFlagChanged, connect.CodeFailedPrecondition, "PASSKEY_BACKUP_FLAG_CHANGED", false},
		{integrity.ErrCounter, connect.CodeFailedPrecondition, "PASSKEY_COUNTER", false},
		{integrity.ErrApprovalExpired, connect.CodeFailedPrecondition, "APPROVAL_EXPIRED", false},
		{integrity.ErrApprovalUsed, connect.CodeFailedPrecondition, "APPROVAL_USED", false},
		{integrity.ErrJoinExpired, connect.CodeFailedPrecondition, "JOIN_EXPIRED", false},
		{integrity.ErrJoinNumber, connect.CodeFailedPrecondition, "JOIN_NUMBER", false},
		{recovery.ErrNotFound, connect.CodeNotFound, "RECOVERY_NOT_FOUND", false},
		{recovery.ErrTicket, connect.CodePermissionDenied, "RECOVERY_TICKET", false},
		{recovery.ErrSession, connect.CodeFailedPrecondition, "RECOVERY_SESSION", false},
		{recovery.ErrUnfinished, connect.CodeFailedPrecondition, "RECOVERY_UNFINISHED", false},
		{recovery.ErrStale, connect.CodeAborted, "RECOVERY_STALE", false},
		{recovery.ErrEpoch, connect.CodeAborted, "RECOVERY_EPOCH", false},
		{recovery.ErrAmnesia, connect.CodeUnavailable, "RECOVERY_AMNESIA", false},
		{recovery.ErrFuture, connect.CodeUnavailable, "RECOVERY_FUTURE", false},
		{recovery.ErrVaultUnavailable, connect.CodeUnavailable, "RECOVERY_VAULT_UNAVAILABLE", true},
		{recovery.ErrStoreUnavailable, connect.CodeUnavailable, "RECOVERY_STORE_UNAVAILABLE", false},
		{recovery.ErrRate, connect.CodeResourceExhausted, "RECOVERY_RATE", false},
		{recovery.ErrBlob, connect.CodeInvalidArgument, "RECOVERY_BLOB", true},
		{recovery.ErrMalformed, connect.CodeInvalidArgument, "RECOVERY_MALFORMED", true},
		{recovery.ErrProfile, connect.CodeInvalidArgument, "RECOVERY_PROFILE", true},
		{integrity.ErrApprovalOther, connect.CodePermissionDenied, "APPROVAL_OTHER", false},
		{integrity.ErrApprovalApart, connect.CodeInvalidArgument, "APPROVAL_APART", false},
		{integrity.ErrNoMoves, connect.CodeFailedPrecondition, "TRANSFER_OFF", false},
		{integrity.ErrNoRecovery, connect.CodeFailedPrecondition, "RECOVERY_OFF", false},
		{integrity.ErrNoBackup, connect.CodeNotFound, "RECOVERY_NOT_FOUND", false},
		{integrity.ErrNotProved, connect.CodeFailedPrecondition, "PIN_NOT_PROVED", false},
		{integrity.ErrRateLimited, connect.CodeResourceExhausted, "RATE_LIMITED", false},
		{integrity.ErrIntegrity, connect.CodeDataLoss, "INTEGRITY_FAILURE", false},

		{context.Canceled, connect.CodeCanceled, "CANCELED", false},
		{context.DeadlineExceeded, connect.CodeDeadlineExceeded, "DEADLINE_EXCEEDED", false},
	}
}

// lookup finds the row of err. Without one, known is false.
func (e *edge) lookup(err error) (r row, known bool) {
	if e.away(err) {
		err = errStoreAway
	}
	if r, ok := refusal(err); ok {
		return r, true
	}
	for _, r := range table() {
		if errors.Is(err, r.err) {
			return r, true
		}
	}
	return row{errors.New(internal), connect.CodeInternal, "INTERNAL", false}, false
}

// toClient turns err into what the client may see.
func (r row) toClient(err error) *connect.Error {
	text := r.err.Error()
	if r.detail {
		text = clip(err.Error())
	}
	ce := connect.NewError(r.code, errors.New(text))
	if d, bad := connect.NewErrorDetail(&errdetails.ErrorInfo{Reason: r.reason, Domain: domain, Metadata: metadata(err)}); bad == nil {
		ce.AddDetail(d)
	}
	return ce
}

// clip makes a text that may hold pieces of a request short and printable.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\u00a0' { // protojson writes one at random, so that nobody relies on its texts
			return ' '
		}
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}
