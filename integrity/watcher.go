package integrity

import (
	"context"

	"github.com/staunchid/staunch/account"
)

// watcherStays keeps a browser from taking away the last active device of an
// account with less than Bound. That a new device cools off helps only while an
// older one is there to hear of it and to object; and a synced passkey, of which
// a thief may have a copy, is enough for a browser's Exact. Whose last phone is
// lost freezes the account, or brings in another phone first.
func (s *Service) watcherStays(ctx context.Context, tx Tx, a *actor, action account.Action, class account.Class, going account.Device) error {
	if a.device != nil || class == account.Bound || going.State != account.Active {
		return nil
	}
	all, err := s.devices(ctx, tx, a.Account)
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.ID != going.ID && d.State == account.Active {
			return nil
		}
	}
	return &account.Refused{Action: action, Why: account.WhyStepUp, Need: account.Bound, Have: class}
}
