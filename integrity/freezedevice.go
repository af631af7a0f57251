package integrity

import (
	"context"

	"github.com/staunchid/staunch/account"
)

// FreezeDevice stops one device of the account: the caller's own at once, another
// one after a sign-in that is fresh. Its sessions end. To do it again changes
// nothing.
func (s *Service) FreezeDevice(ctx context.Context, c account.Caller, id account.DeviceID) (*Frozen, error) {
	now := s.now()
	var out *Frozen
	err := s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		action := account.FreezeOtherDevice
		if id == a.Device {
			action = account.FreezeOwnDevice
		}
		if err := s.require(a, action); err != nil {
			return err
		}
		dev, err := s.device(ctx, tx, a.Account, id)
		if err != nil {
			return err
		}
		if dev.State == account.Frozen {
			out = &Frozen{State: account.Frozen}
			return nil
		}
		if err := s.watcherStays(ctx, tx, a, action, s.class(a), dev); err != nil {
			return err
		}
		if err := s.recallStays(a, action, dev); err != nil {
			return err
		}
		out = &Frozen{State: account.Frozen, Changed: true}
		d := s.deed(a, "device.freeze", string(id))
		d.class, d.device, d.event, d.alert = s.class(a), id, "device.frozen", string(action)
		d.data = map[string]any{"name": dev.Name}
		if _, err := s.stepDevice(ctx, tx, d, dev, account.Step{Name: account.StepFreeze, By: a.Device}); err != nil {
			return err
		}
		if _, err := s.revoke(ctx, tx, Scope{Account: a.Account, Device: id}, "device frozen", now); err != nil {
			return err
		}
		return s.record(ctx, tx, d)
	})
	return out, err
}
