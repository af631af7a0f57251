package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
)

// Recovered does to an account what a recovery on a device does, which is a flow
// of another pillar: the device is new, the account cools off with it, and the
// other devices leave.
func (s *Service) Recovered(ctx context.Context, id account.ID, by account.DeviceID, hold time.Duration) error {
	now := s.now()
	return s.act(ctx, func(tx Tx) error {
		a, err := s.account(ctx, tx, id)
		if err != nil {
			return err
		}
		d := s.clockDeed(id, "account.recover", now)
		d.event, d.alert = "account.recovered", "account.recovered"
		if _, err = s.stepAccount(ctx, tx, d, a, account.Step{Name: account.StepRecover, By: by, Wait: hold}); err != nil {
			return err
		}
		devices, err := s.devices(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, dev := range devices {
			if dev.ID == by { // as long as the account
				dev.Hold.Until = now.Add(hold).Truncate(time.Microsecond)
				d.row(string(dev.ID), dev.Digest())
				if err := s.putDevice(ctx, tx, dev); err != nil {
					return err
				}
				continue
			}
			if _, err := s.stepDevice(ctx, tx, d, dev, account.Step{Name: account.StepLeaveStart, By: by, Wait: hold}); err != nil {
				return err
			}
		}
		return s.record(ctx, tx, d)
	})
}

// Open runs what waits, as the clock does with a row that it has read before.
func (s *Service) Open(ctx context.Context, p PendingRow) (done bool, err error) {
	err = s.act(ctx, func(tx Tx) (err error) {
		done, err = s.open(ctx, tx, p.ID, s.now())
		return err
	})
	return done, err
}

// RecoveryOver is what the clock does to a ticket that it has found to be over.
func (s *Service) RecoveryOver(ctx context.Context, id account.PendingID) (done bool, err error) {
	err = s.act(ctx, func(tx Tx) (err error) {
		done, err = s.recoveryOver(ctx, tx, id, s.now())
		return err
	})
	return done, err
}
