package rpc_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// TestReasons: each error of the flows, as the client sees it.
func TestReasons(t *testing.T) {
	refused := func(why account.Why) error {
		return fmt.Errorf("outer: %w", &account.Refused{Action: "veto", Why: why, Need: account.Fresh, Have: account.Person, OpensAt: at})
	}
	type meta = map[string]string
	wait := meta{"action": "veto", "opens_at": "2026-11-22T12:00:00.000Z"}
	tests := []struct {
		err          error
		status       int
		code, reason string
		meta         meta
	}{
		{refused(account.WhyStepUp), 403, "permission_denied", "STEP_UP_REQUIRED", meta{"action": "veto", "need": "fresh", "have": "person", "opens_at": "2026-11-22T12:00:00.000Z"}},
		{refused(account.WhyUnset), 403, "permission_denied", "ACTION_REFUSED", wait},
		{refused(account.WhyUnknown), 403, "permission_denied", "ACTION_REFUSED", wait},
		{refused(account.WhyFrom), 403, "permission_denied", "ACTION_REFUSED", wait},
		{refused(account.WhyNotOlder), 403, "permission_denied", "NOT_OLDER_DEVICE", wait},
		{refused(account.WhyAccountHeld), 400, "failed_precondition", "ACCOUNT_HELD", wait},
		{refused(account.WhyAccountFrozen), 400, "failed_precondition", "ACCOUNT_FROZEN", wait},
		{refused(account.WhyAccountLocked), 400, "failed_precondition", "ACCOUNT_LOCKED", wait},
		{refused(account.WhyDeviceHeld), 400, "failed_precondition", "DEVICE_HELD", wait},
		{refused(account.WhyDeviceFrozen), 400, "failed_precondition", "DEVICE_FROZEN", wait},
		{refused(account.WhyDeviceLocked), 400, "failed_precondition", "DEVICE_LOCKED", wait},
		{refused(account.WhyStale), 400, "failed_precondition", "DEVICE_STALE", wait},
		{refused(account.WhyRisk), 400, "failed_precondition", "RISK_HOLD", wait},
		{refused(account.WhyGone), 404, "not_found", "ACCOUNT_NOT_FOUND", nil},
		{account.ErrHandle, 400, "invalid_argument", "HANDLE_INVALID", nil},
		{account.ErrStep, 409, "aborted", "STATE_CHANGED", nil},

		{passkey.ErrMalformed, 400, "invalid_argument", "PASSKEY_MALFORMED", nil},
		{passkey.ErrSecretSent, 400, "invalid_argument", "PASSKEY_SECRET_SENT", nil},
		{passkey.ErrRefused, 401, "unauthenticated", "PASSKEY_REFUSED", nil},
		{passkey.ErrUnknown, 401, "unauthenticated", "PASSKEY_UNKNOWN", nil},
		{passkey.ErrNotVerified, 403, "permission_denied", "PASSKEY_NOT_VERIFIED", nil},

		{integrity.ErrMalformed, 400, "invalid_argument", "REQUEST_MALFORMED", nil},
		{integrity.ErrSessionRequired, 401, "unauthenticated", "SESSION_REQUIRED", nil},
		{integrity.ErrSessionEnded, 401, "unauthenticated", "SESSION_ENDED", nil},
		{&integrity.ProofError{Reason: "common.request_clock", ServerTime: at.Add(time.Nanosecond)}, 401, "unauthenticated", "PROOF_INVALID", meta{"server_time": "2026-11-22T12:00:00.001Z"}},
		{&registry.ProofRefused{Code: "common.request_clock", At: at}, 401, "unauthenticated", "PROOF_INVALID", meta{"server_time": "2026-11-22T12:00:00.000Z"}},
		{integrity.ErrNotAllowed, 403, "permission_denied", "CALLER_REFUSED", nil},
		{&integrity.Untrusted{Advice: "NEW_KEY"}, 403, "permission_denied", "DEVICE_UNTRUSTED", meta{"advice": "NEW_KEY"}},
		{integrity.ErrSyncedRefused, 403, "permission_denied", "PASSKEY_SYNCED_REFUSED", nil},
		{integrity.ErrModelRefused, 403, "permission_denied", "PASSKEY_MODEL_REFUSED", nil},
		{integrity.ErrAccountUnknown, 404, "not_found", "ACCOUNT_NOT_FOUND", nil},
		{integrity.ErrDeviceUnknown, 404, "not_found", "DEVICE_NOT_FOUND", nil},
		{integrity.ErrCredentialUnknown, 404, "not_found", "PASSKEY_NOT_FOUND", nil},
		{integrity.ErrSessionUnknown, 404, "not_found", "SESSION_NOT_FOUND", nil},
		{integrity.ErrApprovalUnknown, 404, "not_found", "APPROVAL_NOT_FOUND", nil},
		{integrity.ErrJoinUnknown, 404, "not_found", "JOIN_NOT_FOUND", nil},
		{integrity.ErrPendingUnknown, 404, "not_found", "PENDING_NOT_FOUND", nil},
		{integrity.ErrDeviceKeyKnown, 409, "already_exists", "DEVICE_KEY_KNOWN", nil},
		{integrity.ErrPasskeyKnown, 409, "already_exists", "PASSKEY_ALREADY_REGISTERED", nil},
		{integrity.ErrHandleTaken, 409, "already_exists", "HANDLE_TAKEN", nil},
		{integrity.ErrLastWayIn, 400, "failed_precondition", "LAST_WAY_IN", nil},
		{integrity.ErrTooManyPasskeys, 400, "failed_precondition", "PASSKEY_TOO_MANY", nil},
		{&integrity.TooEarly{OpensAt: at}, 400, "failed_precondition", "TOO_EARLY", meta{"opens_at": "2026-11-22T12:00:00.000Z"}},
		{integrity.ErrTooLate, 400, "failed_precondition", "TOO_LATE", nil},
		{integrity.ErrCeremonyExpired, 400, "failed_precondition", "PASSKEY_CEREMONY_EXPIRED", nil},
		{integrity.ErrCeremonyUsed, 400, "failed_precondition", "PASSKEY_CEREMONY_USED", nil},
		{integrity.ErrBackupFlagChanged, 400, "failed_precondition", "PASSKEY_BACKUP_FLAG_CHANGED", nil},
		{integrity.ErrCounter, 400, "failed_precondition", "PASSKEY_COUNTER", nil},
		{integrity.ErrApprovalExpired, 400, "failed_precondition", "APPROVAL_EXPIRED", nil},
		{integrity.ErrApprovalUsed, 400, "failed_precondition", "APPROVAL_USED", nil},
		{integrity.ErrJoinExpired, 400, "failed_precondition", "JOIN_EXPIRED", nil},
		{integrity.ErrJoinNumber, 400, "failed_precondition", "JOIN_NUMBER", nil},
		{integrity.ErrNoRecovery, 400, "failed_precondition", "RECOVERY_OFF", nil},
		{integrity.ErrNoBackup, 404, "not_found", "RECOVERY_NOT_FOUND", nil},
		{integrity.ErrNotProved, 400, "failed_precondition", "PIN_NOT_PROVED", nil},
		{&integrity.RateLimited{RetryAt: at}, 429, "resource_exhausted", "RATE_LIMITED", meta{"retry_at": "2026-11-22T12:00:00.000Z"}},
		{integrity.ErrIntegrity, 500, "data_loss", "INTEGRITY_FAILURE", nil},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			b := newBench(t, false, nil)
			b.accounts.err = fmt.Errorf("%w: %s", tt.err, "inside")
			a := b.call(t, accountPath+"GetStatus", "{}", byPhone)
			if a.status != tt.status || a.Code != tt.code || a.reason() != tt.reason || leaks(a.body) {
				t.Errorf("%d %s", a.status, a.body)
			}
			if d := cmp.Diff(tt.meta, a.Details[0].Debug.Metadata); d != "" {
				t.Error(d)
			}
			if tt.reason != "REQUEST_MALFORMED" && strings.Contains(a.body, "inside") {
				t.Errorf("the client reads what is for the log: %s", a.body)
			}
			if n := len(b.calls); n != 1 || b.calls[0].Reason != tt.reason || b.calls[0].Code != tt.code {
				t.Errorf("observed %+v", b.calls)
			}
		})
	}
}

// TestIntegrityFailureIsLogged: an operator must look, and so must find it.
func TestIntegrityFailureIsLogged(t *testing.T) {
	b := newBench(t, false, nil)
	b.accounts.err = fmt.Errorf("%w: row of %s", integrity.ErrIntegrity, "c_1")
	if a := b.call(t, accountPath+"GetStatus", "{}", byPhone); a.status != http.StatusInternalServerError || strings.Contains(a.body, "c_1") {
		t.Errorf("%s", a.body)
	}
	if log := b.log.String(); !strings.Contains(log, "row of c_1") || strings.Count(log, "level=ERROR") != 2 {
		t.Errorf("log: %s", log)
	}
}
