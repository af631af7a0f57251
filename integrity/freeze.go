package integrity

import (
	"context"

	"github.com/staunchid/staunch/account"
)

// Freeze stops the account: one tap, and to do it again changes nothing. Browser
// and guest sessions end, and so does everything that was begun and is not done.
func (s *Service) Freeze(ctx context.Context, c account.Caller) (*Frozen, error) {
	now := s.now()
	var out *Frozen
	err := s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if a.account.State == account.Frozen {
			out = &Frozen{State: account.Frozen}
			return nil
		}
		if err := s.require(a, account.FreezeAccount); err != nil {
			return err
		}
		out = &Frozen{State: account.Frozen, Changed: true}
		d := s.deed(a, "account.freeze", string(a.Account))
		d.class = account.ClassOf(a.Caller, a.account, a.device, s.policy.Windows, now)
		return s.freeze(ctx, tx, d, a.account)
	})
	return out, err
}

// freeze freezes an account for whoever may.
func (s *Service) freeze(ctx context.Context, tx Tx, d *deed, a account.Account) error {
	if _, err := s.stepAccount(ctx, tx, d, a, account.Step{Name: account.StepFreeze, By: d.caller.Device}); err != nil {
		return err
	}
	d.event, d.alert = "account.frozen", string(account.FreezeAccount)
	ended, err := s.revoke(ctx, tx, Scope{Account: a.ID, Web: true}, "frozen", d.now)
	if err != nil {
		return err
	}
	d.more = map[string]any{"ended": ended}
	return s.record(ctx, tx, d)
}
