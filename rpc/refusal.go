package rpc

import (
	"errors"
	"strconv"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/transfer"
)

// refusal is the row of what a rule of package account refuses. Each Why has a
// reason of its own; one that is new here counts as ACTION_REFUSED.
func refusal(err error) (row, bool) {
	var r *account.Refused
	if !errors.As(err, &r) {
		return row{}, false
	}
	code, reason := connect.CodePermissionDenied, "ACTION_REFUSED"
	switch r.Why {
	case account.WhyStepUp:
		code, reason = connect.CodePermissionDenied, "STEP_UP_REQUIRED"
	case account.WhyNotOlder:
		code, reason = connect.CodePermissionDenied, "NOT_OLDER_DEVICE"
	case account.WhyAccountHeld:
		code, reason = connect.CodeFailedPrecondition, "ACCOUNT_HELD"
	case account.WhyAccountFrozen:
		code, reason = connect.CodeFailedPrecondition, "ACCOUNT_FROZEN"
	case account.WhyAccountLocked:
		code, reason = connect.CodeFailedPrecondition, "ACCOUNT_LOCKED"
	case account.WhyDeviceHeld:
		code, reason = connect.CodeFailedPrecondition, "DEVICE_HELD"
	case account.WhyDeviceFrozen:
		code, reason = connect.CodeFailedPrecondition, "DEVICE_FROZEN"
	case account.WhyDeviceLocked:
		code, reason = connect.CodeFailedPrecondition, "DEVICE_LOCKED"
	case account.WhyRisk:
		code, reason = connect.CodeFailedPrecondition, "RISK_HOLD"
	case account.WhyStale:
		code, reason = connect.CodeFailedPrecondition, "DEVICE_STALE"
	case account.WhyGone:
		return row{integrity.ErrAccountUnknown, connect.CodeNotFound, "ACCOUNT_NOT_FOUND", false}, true
	}
	return row{err: r, code: code, reason: reason}, true
}

// metadata is what a client is told beside the reason, so that it need not read
// the message: a class that is missing, or a time to wait for.
func metadata(err error) map[string]string {
	m := map[string]string{}
	if r := (*account.Refused)(nil); errors.As(err, &r) && r.Why != account.WhyGone {
		m["action"] = string(r.Action)
		if r.Why == account.WhyStepUp {
			m["need"], m["have"] = r.Need.String(), r.Have.String()
		}
		setTime(m, "opens_at", r.OpensAt)
	}
	if e := (*integrity.TooEarly)(nil); errors.As(err, &e) {
		setTime(m, "opens_at", e.OpensAt)
	}
	if e := (*integrity.RateLimited)(nil); errors.As(err, &e) {
		setTime(m, "retry_at", e.RetryAt)
	}
	if e := (*recovery.RateError)(nil); errors.As(err, &e) {
		setTime(m, "retry_at", e.RetryAt)
	}
	if e := (*transfer.EarlyError)(nil); errors.As(err, &e) {
		setTime(m, "opens_at", e.OpensAt)
	}
	if e := (*transfer.StateError)(nil); errors.As(err, &e) {
		m["state"] = string(e.State)
	}
	if e := (*transfer.EndedError)(nil); errors.As(err, &e) {
		m["state"] = string(e.State)
		if e.Reason != "" {
			m["reason"] = string(e.Reason)
		}
	}
	if e := (*transfer.IncompleteError)(nil); errors.As(err, &e) {
		m["first_gap"] = strconv.FormatUint(e.FirstGap, 10)
	}
	if e := (*transfer.WaitError)(nil); errors.As(err, &e) {
		setTime(m, "retry_at", e.RetryAt)
	}
	if e := (*integrity.ProofError)(nil); errors.As(err, &e) {
		setTime(m, "server_time", e.ServerTime)
	}
	if e := (*registry.ProofRefused)(nil); errors.As(err, &e) {
		setTime(m, "server_time", e.At)
	}
	if e := (*integrity.Untrusted)(nil); errors.As(err, &e) {
		m["advice"] = e.Advice
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// setTime writes a time as the terminal's phone prints it, in milliseconds.
// Times to wait for are rounded up: who waits so long is not too early.
func setTime(m map[string]string, key string, t time.Time) {
	if t.IsZero() {
		return
	}
	t = t.Add(time.Millisecond - time.Nanosecond).Truncate(time.Millisecond)
	m[key] = t.UTC().Format("2006-01-02T15:04:05.000Z")
}
