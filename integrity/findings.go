package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// refusal is the error for an assertion that the app's policy refuses because of
// what was found. A device-bound passkey whose counter went back becomes
// suspect, in a transaction of its own, and the owner is told.
func (s *Service) refusal(ctx context.Context, c account.Caller, a *asserted, now time.Time) error {
	if a.effect == passkey.Note || a.effect == passkey.Raise {
		return nil
	}
	for _, f := range a.findings {
		switch {
		case f.Code == passkey.CounterRegress:
			if err := s.suspect(ctx, c, a.credential, now); err != nil {
				return err
			}
			return s.failed(ctx, c, a.credential.Account, ErrCounter)
		case f.Code == passkey.BackupEligibleChanged:
			return s.failed(ctx, c, a.credential.Account, ErrBackupFlagChanged)
		}
	}
	return s.failed(ctx, c, a.credential.Account, ErrModelRefused)
}

// suspect marks a passkey suspect, which lasts until it is removed.
func (s *Service) suspect(ctx context.Context, c account.Caller, cred account.Credential, now time.Time) error {
	return s.act(ctx, func(tx Tx) error {
		cred, err := s.credential(ctx, tx, cred.Account, cred.Ref)
		if err != nil || cred.State == account.CredentialSuspect {
			return err
		}
		cred.State = account.CredentialSuspect
		d := &deed{
			caller: c, account: cred.Account, action: "passkey.suspect", subject: string(cred.Ref), reason: string(passkey.CounterRegress), now: now,
			event: "passkey.finding", body: map[string]any{"findings": []passkey.Code{passkey.CounterRegress}},
			alert: "passkey.finding", data: map[string]any{"credential": cred.Ref, "name": cred.Name}, device: c.Device,
		}
		d.row(string(cred.Ref), cred.Digest())
		if err := s.putCredential(ctx, tx, cred); err != nil {
			return err
		}
		return s.record(ctx, tx, d)
	})
}
