package transfer

import (
	"context"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
)

// What happens to accounts and devices meanwhile. The flows that freeze, lock, hold
// and remove call these within their transactions.

// EndTx is for an account that is frozen, locked or held, and, if device is not
// empty, for one device of it that is. What is live of it, or is sent by that device,
// ends with that reason; where it is committed, the clock of the recall window
// stands. It gives what it has changed.
func (s *Service) EndTx(ctx context.Context, tx Tx, id account.ID, device account.DeviceID, why Reason, now time.Time) ([]Transfer, error) {
	rows, err := tx.TransfersOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.each(ctx, tx, rows, now, func(r *row) bool {
		return (device == "" || r.SenderDevice == device) && r.stop(why, now)
	})
}

// ThawTx is for an account, and the old phones of its moves, that nothing stops any
// more: the clocks of its recall windows go on.
func (s *Service) ThawTx(ctx context.Context, tx Tx, id account.ID, now time.Time) ([]Transfer, error) {
	rows, err := tx.TransfersOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.each(ctx, tx, rows, now, func(r *row) bool { return r.thaw(now) })
}

// GoneTx is for a device that is deleted. A move that brought it is recalled: row 12
// by another device. What it was sending ends, and where it is the old phone of a
// move, nothing is left that a stopped clock would wait for.
func (s *Service) GoneTx(ctx context.Context, tx Tx, device account.DeviceID, now time.Time) (recalled []Transfer, err error) {
	rows, err := tx.TransfersOfDevice(ctx, device)
	if err != nil {
		return nil, err
	}
	changed, err := s.each(ctx, tx, rows, now, func(r *row) bool {
		switch {
		case r.SenderDevice == device && r.live():
			r.abort(AccountChanged, now)
			return true
		case r.SenderDevice == device:
			return r.thaw(now)
		}
		return r.lost(device, now)
	})
	for _, t := range changed {
		if t.State == Recalled {
			recalled = append(recalled, t)
		}
	}
	return recalled, err
}

// each applies a rule to rows, and saves and gives those that it changes. With one
// whose mark is wrong nothing is done by anybody, so that it must not keep an
// account from being frozen or locked.
func (s *Service) each(ctx context.Context, tx Tx, rows []Transfer, now time.Time, rule func(r *row) bool) (changed []Transfer, err error) {
	for _, t := range rows {
		r, err := s.settled(t, now)
		if wrong := (*Tampered)(nil); errors.As(err, &wrong) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !rule(r) {
			continue
		}
		if err := s.save(ctx, tx, r, r.actor(""), now); err != nil {
			return nil, err
		}
		changed = append(changed, r.Transfer)
	}
	return changed, nil
}

// SettleTx stores what time has done to a transfer, and reports whether it has done
// anything. That a recall window is over is stored by nobody else: who calls it
// deletes the old phone's device in the same transaction.
func (s *Service) SettleTx(ctx context.Context, tx Tx, id ID, now time.Time) (Transfer, bool, error) {
	r, err := s.load(ctx, tx, id, now)
	if err != nil {
		return Transfer{}, false, err
	}
	if r.State == r.was.State {
		return r.Transfer, false, nil
	}
	if r.State == Final { // a phone that came by another move goes when that is final, too
		if first, err := s.arrival(ctx, tx, r, now); err != nil || first != nil {
			return r.was, false, err
		}
	}
	return r.Transfer, true, s.save(ctx, tx, r, r.actor(""), now)
}

// Standing gives a transfer with its clock run up to now, whoever asks: the flow
// decides whose it is.
func (s *Service) Standing(ctx context.Context, tx Tx, id ID, now time.Time) (Transfer, error) {
	r, err := s.load(ctx, tx, id, now)
	if err != nil {
		return Transfer{}, err
	}
	return r.Transfer, nil
}

// Live reports whether the transfer can still be cancelled.
func (t Transfer) Live() bool { return t.live() }

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
