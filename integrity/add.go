package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// BeginAdd begins the making of another passkey for the caller's account.
func (s *Service) BeginAdd(ctx context.Context, c account.Caller, in *AddStart) (*Begun, error) {
	if err := s.takeBegin(ctx, c); err != nil {
		return nil, err
	}
	by, err := binder(c, in.Browser, false)
	if err != nil {
		return nil, err
	}
	rp, err := s.page(in.Browser, in.Hint)
	if err != nil {
		return nil, err
	}
	now := s.now()
	var out *Begun
	err = s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.AddCredential); err != nil {
			return err
		}
		passkeys, err := s.credentials(ctx, tx, a.Account)
		if err != nil {
			return err
		}
		if len(passkeys) >= passkeysMost { // before one is made that leads nowhere
			return ErrTooManyPasskeys
		}
		exclude, err := records(passkeys)
		if err != nil {
			return err
		}
		ceremony, options, err := rp.Create(passkey.Add, user(a.account), exclude, now)
		if err != nil {
			return err
		}
		row := ceremonyRow(ceremony)
		row.Session, row.Binding = a.Session, by
		out = &Begun{Ceremony: row.ID, Options: options, ExpiresAt: row.ExpiresAt}
		return tx.AddCeremony(ctx, row)
	})
	return out, err
}

// FinishAdd verifies the new passkey and stores it. The caller still needs to be
// fresh, and all other devices are told.
func (s *Service) FinishAdd(ctx context.Context, c account.Caller, in *AddAnswer) (*Added, error) {
	if c.Session == "" {
		return nil, ErrSessionRequired
	}
	by, err := binder(c, in.Browser, false)
	if err != nil {
		return nil, err
	}
	if in.Name != "" {
		if err := checkName(in.Name); err != nil {
			return nil, err
		}
	}
	now := s.now()
	var row CeremonyRow
	err = s.look(ctx, func(tx Tx) (err error) {
		row, err = s.answered(ctx, tx, in.Ceremony, passkey.Add, by, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	if row.Account != c.Account || row.Session != c.Session {
		return nil, ErrCeremonyExpired
	}
	ceremony, err := s.ceremony(row)
	if err != nil {
		return nil, err
	}
	made, err := s.created(ceremony, in.Response, now)
	if err != nil {
		return nil, s.failed(ctx, c, c.Account, err)
	}
	var out *Added
	err = s.act(ctx, func(tx Tx) (err error) {
		out, err = s.add(ctx, tx, c, row, made, in.Name, now)
		return err
	})
	return out, err
}

// add is the transaction of FinishAdd.
func (s *Service) add(ctx context.Context, tx Tx, c account.Caller, row CeremonyRow, made *passkey.Registration, name string, now time.Time) (*Added, error) {
	a, err := s.load(ctx, tx, c, now)
	if err != nil {
		return nil, err
	}
	if err := s.use(ctx, tx, row, a.account, now); err != nil {
		return nil, err
	}
	if err := s.require(a, account.AddCredential); err != nil {
		return nil, err
	}
	d := s.deed(a, "passkey.added", "")
	d.class, d.event, d.alert = account.Fresh, "passkey.added", string(account.AddCredential)
	cred, err := s.addCredential(ctx, tx, d, a.Account, c.Device, made, name, now)
	if err != nil {
		return nil, err
	}
	d.subject = string(cred.Ref)
	d.data = map[string]any{"credential": cred.Ref, "name": cred.Name}
	view, err := passkeyView(cred)
	if err != nil {
		return nil, err
	}
	signals, err := s.signals(ctx, tx, a.account)
	if err != nil {
		return nil, err
	}
	return &Added{Passkey: view, Signals: signals}, s.record(ctx, tx, d)
}
