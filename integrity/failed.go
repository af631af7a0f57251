package integrity

import (
	"context"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/transfer"
)

// bucket is a token bucket by what it counts.
type bucket struct {
	kind, value string
	limit       Limit
}

// failures are the buckets that a failed answer is taken from: that of the
// device, if a known one has signed the call, so that strangers cannot use it
// up; else that of the network, and that of account and network if it is known
// whose passkey it was.
func (s *Service) failures(c account.Caller, id account.ID) []bucket {
	if c.Device != "" {
		return []bucket{{"failed_device", string(c.Device), s.policy.Limits.FailedDevice}}
	}
	all := []bucket{{"failed_network", c.Network, s.policy.Limits.FailedNetwork}}
	if id != "" {
		all = append(all, bucket{"failed_account", string(id) + " " + c.Network, s.policy.Limits.FailedAccount})
	}
	return all
}

// mayFail refuses whoever has failed too often, before the evidence of a new key
// is looked at, which costs more than all else. What an owner has, a passkey or a
// freeze code, is not asked for it: there nobody finds a right one by trying.
func (s *Service) mayFail(ctx context.Context, tx Tx, c account.Caller, id account.ID, now time.Time) error {
	for _, b := range s.failures(c, id) {
		r, found, err := tx.Rate(ctx, s.rateOf(b.kind, b.value))
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		if r, ok := b.limit.refill(r, now); !ok {
			return &RateLimited{RetryAt: b.limit.next(r)}
		}
	}
	return nil
}

// failed counts an answer that does not verify, and gives the error back; if a
// bucket is empty, that instead. Failures never lock an account; many of them
// raise what is needed. It is written down for the account that it was about.
func (s *Service) failed(ctx context.Context, c account.Caller, id account.ID, cause error) error {
	if errors.Is(cause, ErrIntegrity) || errors.Is(cause, ErrRateLimited) {
		return cause
	}
	if id == "" {
		id = c.Account
	}
	now := s.now()
	var limited *RateLimited
	var empty bucket
	err := s.act(ctx, func(tx Tx) error {
		limited = nil
		for _, b := range s.failures(c, id) {
			err := s.takeIn(ctx, tx, b.kind, b.value, b.limit, now)
			if errors.As(err, &limited) {
				empty = b
			} else if err != nil {
				return err
			}
		}
		known := id.Validate() == nil // else there is nobody in whose record it would stand
		if limited != nil || !known {
			return nil //nolint:nilerr // an id that is none is nobody's
		}
		if err := s.countFailure(ctx, tx, id, now); err != nil {
			return err
		}
		return s.recordRefusal(ctx, tx, c, id, "session.refused", refusalCode(cause), now)
	})
	switch {
	case err != nil:
		return err
	case limited != nil:
		return s.tellLimited(ctx, empty, limited, now)
	}
	return cause
}

// manyFailures is what raises the signal of that name, and how long it stands
// (accounts, "Risk signals").
var manyFailures = Limit{N: 10, Per: 24 * time.Hour}

// countFailure counts a failure of an account, and raises the signal when there
// were many.
func (s *Service) countFailure(ctx context.Context, tx Tx, id account.ID, now time.Time) error {
	err := s.takeIn(ctx, tx, "failures", string(id), Limit{N: manyFailures.N, Per: manyFailures.Per, Burst: manyFailures.N - 1}, now)
	if !errors.Is(err, ErrRateLimited) {
		return err
	}
	return s.notice(ctx, tx, id, account.Signal{Name: account.SignalManyFailures}, now)
}

// recordRefusal writes an entry and an event of something that was refused, as
// often as the bucket allows.
func (s *Service) recordRefusal(ctx context.Context, tx Tx, c account.Caller, id account.ID, action, reason string, now time.Time) error {
	err := s.takeIn(ctx, tx, "audit_refusal", string(id), s.policy.Limits.AuditRefusal, now)
	if errors.Is(err, ErrRateLimited) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.record(ctx, tx, &deed{
		caller: c, account: id, action: action, subject: string(id), reason: reason, event: action, device: c.Device, now: now,
	})
}

// refusalCode is the reason of a refusal in the record: never a library's text.
func refusalCode(err error) string {
	var refused *account.Refused
	if errors.As(err, &refused) {
		return string(refused.Action)
	}
	for _, c := range []struct {
		err  error
		code string
	}{
		{passkey.ErrMalformed, "passkey_malformed"},
		{passkey.ErrSecretSent, "passkey_secret_sent"},
		{passkey.ErrNotVerified, "passkey_not_verified"},
		{passkey.ErrUnknown, "passkey_unknown"},
		{passkey.ErrRefused, "passkey_refused"},
		{ErrSyncedRefused, "passkey_synced_refused"},
		{ErrModelRefused, "passkey_model_refused"},
		{ErrCounter, "passkey_counter"},
		{ErrBackupFlagChanged, "passkey_backup_flag_changed"},
		{ErrPasskeyKnown, "passkey_known"},
		{ErrDeviceKeyKnown, "device_key_known"},
		{ErrDeviceUntrusted, "device_untrusted"},
		{ErrProofInvalid, "proof_invalid"},
		{ErrCeremonyExpired, "ceremony_expired"},
		{transfer.ErrProof, "transfer_bad_proof"},
	} {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return "refused"
}
