package integrity

import (
	"context"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// Passkeys lists those of the caller's account, by time added.
func (s *Service) Passkeys(ctx context.Context, c account.Caller) ([]PasskeyView, *Signals, error) {
	now := s.now()
	var views []PasskeyView
	var signals *Signals
	err := s.look(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.AccountRead); err != nil {
			return err
		}
		all, err := s.credentials(ctx, tx, a.Account)
		if err != nil {
			return err
		}
		views = make([]PasskeyView, len(all))
		for i, cred := range all {
			if views[i], err = passkeyView(cred); err != nil {
				return err
			}
		}
		signals, err = s.signals(ctx, tx, a.account)
		return err
	})
	return views, signals, err
}

// passkeyView is a passkey as its owner reads it.
func passkeyView(c account.Credential) (PasskeyView, error) {
	r, err := passkey.ParseRecord(c.Record)
	if err != nil {
		return PasskeyView{}, err
	}
	return PasskeyView{
		Ref: c.Ref, Name: c.Name, Provider: passkey.Provider(r.AAGUID, false), Synced: r.BackupEligible(), State: c.State,
		Devices: c.Devices, AddedAt: c.AddedAt, LastUsedAt: c.LastUsedAt,
	}, nil
}

// passkeyName is what a passkey is called whose owner has not named it.
func passkeyName(r passkey.Record) string {
	if name := passkey.Provider(r.AAGUID, false); name != "" {
		return name
	}
	return "Passkey"
}

// RenamePasskey gives a passkey another name.
func (s *Service) RenamePasskey(ctx context.Context, c account.Caller, ref account.CredentialRef, name string) (*Signals, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if ref.Validate() != nil {
		return nil, ErrCredentialUnknown
	}
	if err := s.takeChange(ctx, c, "rename"); err != nil {
		return nil, err
	}
	now := s.now()
	var signals *Signals
	err := s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.RenameCredential); err != nil {
			return err
		}
		cred, err := s.credential(ctx, tx, a.Account, ref)
		if err != nil {
			return err
		}
		cred.Name = name
		if err := s.putCredential(ctx, tx, cred); err != nil {
			return err
		}
		if signals, err = s.signals(ctx, tx, a.account); err != nil {
			return err
		}
		d := s.deed(a, "passkey.renamed", string(ref))
		d.class = account.Person
		d.row(string(ref), cred.Digest())
		return s.record(ctx, tx, d)
	})
	return signals, err
}
