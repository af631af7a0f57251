package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// refusal is the error for an assertion that the app's policy refuses because of
// what was found. Its signature was good, so the ceremony is used up. A
// device-bound passkey whose counter went back becomes suspect, in a transaction
// of its own, and the owner is told.
func (s *Service) refusal(ctx context.Context, c account.Caller, a *asserted, now time.Time) error {
	if a.effect == passkey.Note || a.effect == passkey.Raise {
		return nil
	}
	err := s.update(ctx, func(tx Tx) error {
		_, err := tx.UseCeremony(ctx, a.ceremony.ID, now)
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range a.findings {
		switch {
		case f.Effect == passkey.Note || f.Effect == passkey.Raise:
		case f.Code == passkey.CounterRegress:
			if err := s.suspect(ctx, c, a.credential, now); err != nil {
				return err
			}
			return s.failed(ctx, c, a.credential.Account, ErrCounter)
		case f.Code == passkey.BackupEligibleChanged:
			return s.failed(ctx, c, a.credential.Account, ErrBackupFlagChanged)
		}
	}
	return s.failed(ctx, c, a.credential.Account, passkey.ErrRefused)
}

// suspect marks a passkey suspect, which lasts until it is removed. Sessions
// that it has opened reach Person at most from now on.
func (s *Service) suspect(ctx context.Context, c account.Caller, cred account.Credential, now time.Time) error {
	return s.act(ctx, func(tx Tx) error {
		cred, err := s.credential(ctx, tx, cred.Account, cred.Ref)
		if err != nil || cred.State == account.CredentialSuspect {
			return err
		}
		cred.State = account.CredentialSuspect
		d := found(c, cred, now, passkey.CounterRegress)
		d.action = "passkey.suspect"
		d.row(string(cred.Ref), cred.Digest())
		if err := s.putCredential(ctx, tx, cred); err != nil {
			return err
		}
		sig := account.Signal{Name: account.SignalCounterRegress, Source: string(cred.Ref), Value: string(cred.Ref)}
		if err := s.notice(ctx, tx, cred.Account, sig, now); err != nil {
			return err
		}
		return s.record(ctx, tx, d)
	})
}

// weigh raises the signals of findings that the policy lets through, in the
// transaction of what the answer was for. The owner is told of those that raise.
func (s *Service) weigh(ctx context.Context, tx Tx, c account.Caller, as *asserted, now time.Time) error {
	for _, f := range as.findings {
		if f.Effect != passkey.Raise {
			continue
		}
		sig := account.Signal{Source: string(as.credential.Ref), Until: now.Add(stands(account.SignalBackupState))}
		switch f.Code {
		case passkey.CounterRegress: // of a synced one: no copy is proved, so what matters asks for more
			sig.Name = account.SignalCounterRegress
		case passkey.BackupStateChanged:
			sig.Name = account.SignalBackupState
		default:
			sig.Name = account.SignalMDSStatus
			sig.Value = string(as.credential.Ref)
		}
		if err := s.notice(ctx, tx, as.credential.Account, sig, now); err != nil {
			return err
		}
		if err := s.record(ctx, tx, found(c, as.credential, now, f.Code)); err != nil {
			return err
		}
	}
	return nil
}

// found is the deed of a finding.
func found(c account.Caller, cred account.Credential, now time.Time, code passkey.Code) *deed {
	return &deed{
		caller: c, account: cred.Account, action: "passkey.finding", subject: string(cred.Ref), reason: string(code), now: now,
		event: "passkey.finding", body: map[string]any{"findings": []passkey.Code{code}},
		alert: "passkey.finding", data: map[string]any{"credential": cred.Ref, "name": cred.Name, "finding": code}, device: c.Device,
	}
}
