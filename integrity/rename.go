package integrity

import (
	"context"

	"github.com/staunchid/staunch/account"
)

// RenameDevice gives a device of the account another name. One that cools off
// renames itself alone: with the name of the owner's phone it would have the owner
// veto that.
func (s *Service) RenameDevice(ctx context.Context, c account.Caller, id account.DeviceID, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := s.takeChange(ctx, c, "rename"); err != nil {
		return err
	}
	now := s.now()
	return s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		dev, err := s.device(ctx, tx, a.Account, id)
		if err != nil {
			return err
		}
		if err := s.require(a, account.RenameDevice, func(r account.Requirement) account.Requirement { return r.About(dev) }); err != nil {
			return err
		}
		if dev.Name == name {
			return nil
		}
		dev.Name = name
		d := s.deed(a, "device.renamed", string(id))
		d.class, d.device = s.class(a), id
		d.row(string(id), dev.Digest())
		if err := s.putDevice(ctx, tx, dev); err != nil {
			return err
		}
		return s.record(ctx, tx, d)
	})
}
