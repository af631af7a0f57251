package integrity

import (
	"context"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
)

// tickMost is how much of each kind one Tick does.
const tickMost = 100

// Tick does what is due by the clock: holds that are over, actions whose wait is,
// recoveries that nobody has gone on with, transfers whose limit or recall window is
// over, and the locks of devices whose keys were revoked. It is called every few
// seconds; several processes may, for each thing is done in a transaction of its own that
// reads it again. more: call it again at once. What fails is tried again at the
// next call, and does not keep the rest from being done.
func (s *Service) Tick(ctx context.Context) (more bool, err error) {
	now := s.now()
	for _, kind := range []struct {
		list func(tx Tx, after Due) ([]Due, error)
		do   func(tx Tx, id string) (bool, error)
	}{
		{ // first: the holds of its devices wait for that of the account
			func(tx Tx, after Due) ([]Due, error) { return tx.AccountsDue(ctx, now, after, tickMost) },
			func(tx Tx, id string) (bool, error) { return s.accountHoldOver(ctx, tx, account.ID(id), now) },
		},
		{
			func(tx Tx, after Due) ([]Due, error) { return tx.DevicesDue(ctx, now, after, tickMost) },
			func(tx Tx, id string) (bool, error) { return s.deviceHoldOver(ctx, tx, account.DeviceID(id), now) },
		},
		{
			func(tx Tx, after Due) ([]Due, error) { return tx.PendingDue(ctx, now, clockActions, after, tickMost) },
			func(tx Tx, id string) (bool, error) { return s.open(ctx, tx, account.PendingID(id), now) },
		},
		{
			func(tx Tx, after Due) ([]Due, error) {
				return tx.PendingDue(ctx, now.Add(-ticketLife), ticketActions, after, tickMost)
			},
			func(tx Tx, id string) (bool, error) { return s.recoveryOver(ctx, tx, account.PendingID(id), now) },
		},
		{
			func(tx Tx, after Due) ([]Due, error) { return s.movesDue(ctx, tx, now, after) },
			func(tx Tx, id string) (bool, error) { return s.moveDue(ctx, tx, account.TransferID(id), now) },
		},
	} {
		full, one := s.tick(ctx, kind.list, kind.do)
		more, err = more || full, errors.Join(err, one)
	}
	one := s.act(ctx, func(tx Tx) error {
		unread, err := s.lockRevoked(ctx, tx, now)
		more = more || unread
		return err
	})
	return more, errors.Join(err, one, ctx.Err())
}

// tick does some of what is due of one kind, and reports whether there may be
// more. It goes on until it has done something: rows that nothing can be done
// with, because they were tampered with, stay where they are in the list, and
// would else keep from their turn all that come after them.
func (s *Service) tick(ctx context.Context, list func(Tx, Due) ([]Due, error), do func(Tx, string) (bool, error)) (more bool, err error) {
	done, page := 0, make([]Due, tickMost)
	for after := (Due{}); done == 0 && len(page) == tickMost && ctx.Err() == nil; after = page[len(page)-1] {
		one := s.look(ctx, func(tx Tx) (err error) {
			page, err = list(tx, after)
			return err
		})
		if one != nil || len(page) == 0 {
			return false, errors.Join(err, one)
		}
		for _, due := range page {
			if ctx.Err() != nil {
				break
			}
			ok := false
			one := s.act(ctx, func(tx Tx) (err error) {
				ok, err = do(tx, due.ID)
				return err
			})
			if one == nil && ok {
				done++
			}
			err = errors.Join(err, one)
		}
	}
	return done > 0 && len(page) == tickMost, err
}

// clockDeed is what the clock does to an account.
func (s *Service) clockDeed(id account.ID, action string, now time.Time) *deed {
	return &deed{
		caller: account.Caller{Kind: account.System, App: s.app, Name: "clock"}, account: id, action: action, subject: string(id), now: now,
	}
}

// accountHoldOver ends the hold of an account that was recovered. With it end
// those of its devices that are over: the new one is active, the old ones go.
func (s *Service) accountHoldOver(ctx context.Context, tx Tx, id account.ID, now time.Time) (bool, error) {
	a, err := s.account(ctx, tx, id)
	if errors.Is(err, ErrAccountUnknown) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if a.State != account.Held || !due(a.Hold, now) {
		return false, nil
	}
	d := s.clockDeed(id, "account.hold_over", now)
	d.event, d.alert = "account.hold_over", "account.hold_over"
	if a, err = s.stepAccount(ctx, tx, d, a, account.Step{Name: account.StepHoldOver}); err != nil {
		return false, err
	}
	devices, err := s.devices(ctx, tx, id)
	if err != nil {
		return false, err
	}
	for _, dev := range devices {
		if dev.State == account.Held && due(dev.Hold, now) {
			if err := s.endHold(ctx, tx, d, a, dev); err != nil {
				return false, err
			}
		}
	}
	if err := s.thawMoves(ctx, tx, id, now); err != nil {
		return false, err
	}
	d.device = ""
	return true, s.record(ctx, tx, d)
}

// deviceHoldOver ends the hold of a device. In an account that cools off itself
// it lasts as long as that; in one that is locked its clock stands.
func (s *Service) deviceHoldOver(ctx context.Context, tx Tx, id account.DeviceID, now time.Time) (bool, error) {
	dev, found, err := tx.Device(ctx, id)
	if err != nil || !found {
		return false, err
	}
	if err := s.soundDevice(dev); err != nil {
		return false, err
	}
	a, err := s.account(ctx, tx, dev.Account)
	if errors.Is(err, ErrAccountUnknown) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if dev.State != account.Held || !due(dev.Hold, now) {
		return false, nil
	}
	d := s.clockDeed(a.ID, "device.hold_over", now)
	d.subject, d.device = string(id), id
	switch {
	case a.State == account.Active:
		d.event, d.alert, d.data = "device.hold_over", "device.hold_over", map[string]any{"name": dev.Name}
		err = s.endHold(ctx, tx, d, a, dev)
	case a.State == account.Held && a.Hold.Until.After(now):
		d.action, dev.Hold.Until = "device.hold_longer", a.Hold.Until
		d.row(string(id), dev.Digest())
		err = s.putDevice(ctx, tx, dev)
	default:
		d.action = "device.hold_stopped"
		dev.Hold, _ = paused(dev.Hold, now.Truncate(time.Microsecond))
		d.row(string(id), dev.Digest())
		err = s.putDevice(ctx, tx, dev)
	}
	if err != nil {
		return false, err
	}
	return true, s.record(ctx, tx, d)
}

// endHold ends the hold of a device: a new one is active, one that was leaving
// is gone, with its sessions and the passkeys that only it used.
func (s *Service) endHold(ctx context.Context, tx Tx, d *deed, a account.Account, dev account.Device) error {
	if dev.Hold.Reason == account.HoldLeaving {
		d.event = "device.removed"
		_, err := s.removeDevice(ctx, tx, d, dev, account.StepHoldOver)
		return err
	}
	_, err := s.stepDevice(ctx, tx, d, dev, account.Step{Name: account.StepHoldOver, AccountState: a.State})
	return err
}

// due reports whether a hold has a clock, and it is over.
func due(h account.Hold, now time.Time) bool { return !h.Until.IsZero() && !now.Before(h.Until) }
