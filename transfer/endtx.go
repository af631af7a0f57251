package transfer

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
)

// Scope is what happened to whom: an account, or one device of it.
type Scope struct {
	Account account.ID
	Device  account.DeviceID // empty: the whole account
}

// EndTx is called where an account is frozen or locked (Frozen), held by a recovery
// or deleted (AccountChanged), and where a device is frozen, locked or removed. What
// is live of it ends with that reason; when the account is frozen, the clock of a
// recall window stands. Where the device is the new one of a move, that move is
// recalled: row 12 by another device. It gives what it has changed, for alerts.
func (s *Service) EndTx(ctx context.Context, tx Tx, of Scope, why Reason, now time.Time) (changed []*View, err error) {
	rows, err := s.touched(ctx, tx, of)
	if err != nil {
		return nil, err
	}
	for _, t := range rows {
		r, err := s.settled(t, now)
		if err != nil {
			return nil, err
		}
		switch {
		case of.Device == "":
			if !r.stop(why, now) {
				continue
			}
		case r.SenderDevice == of.Device && r.live():
			r.abort(why, now)
		case !r.lost(of.Device, now):
			continue
		}
		if err := s.save(ctx, tx, r, r.actor(""), now); err != nil {
			return nil, err
		}
		changed = append(changed, r.view("", 0, now))
	}
	return changed, nil
}

func (s *Service) touched(ctx context.Context, tx Tx, of Scope) ([]Transfer, error) {
	if of.Device != "" {
		return tx.TransfersOfDevice(ctx, of.Device)
	}
	return tx.TransfersOf(ctx, of.Account)
}

// ThawTx lets the clocks of an account's recall windows go on.
func (s *Service) ThawTx(ctx context.Context, tx Tx, id account.ID, now time.Time) error {
	rows, err := tx.TransfersOf(ctx, id)
	if err != nil {
		return err
	}
	for _, t := range rows {
		r, err := s.settled(t, now)
		if err != nil {
			return err
		}
		if !r.thaw(now) {
			continue
		}
		if err := s.save(ctx, tx, r, r.actor(""), now); err != nil {
			return err
		}
	}
	return nil
}

// Of gives the transfers, in any state, that a device has sent or that have brought
// it, by time, with their clocks run up to now: whether a leaving device's move is
// final, and which device is its successor.
func (s *Service) Of(ctx context.Context, tx Tx, device account.DeviceID, now time.Time) (all []Transfer, err error) {
	rows, err := tx.TransfersOfDevice(ctx, device)
	if err != nil {
		return nil, err
	}
	for _, t := range rows {
		r, err := s.settled(t, now)
		if err != nil {
			return nil, err
		}
		all = append(all, r.Transfer)
	}
	return all, nil
}
