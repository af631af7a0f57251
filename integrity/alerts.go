package integrity

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/account"
)

// alertsMost is how many alerts one call gives.
const alertsMost = 200

// Alerts gives up to limit alerts after a number, in order. A device is not told
// what it has done itself.
func (s *Service) Alerts(ctx context.Context, c account.Caller, after uint64, limit int) ([]AlertRow, error) {
	now := s.now()
	if limit <= 0 || limit > alertsMost {
		limit = alertsMost
	}
	var out []AlertRow
	err := s.look(ctx, func(tx Tx) error {
		out = nil
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.AccountRead); err != nil {
			return err
		}
		for len(out) < limit {
			page, err := tx.Alerts(ctx, a.Account, after, alertsMost)
			if err != nil {
				return err
			}
			for _, row := range page {
				if after = row.Seq; a.Device != "" && row.Cause == a.Device {
					continue
				}
				if out = append(out, row); len(out) == limit {
					break
				}
			}
			if len(page) < alertsMost {
				break
			}
		}
		return nil
	})
	return out, err
}

// AckAlerts notes up to which alert this device, or browser, has shown them.
func (s *Service) AckAlerts(ctx context.Context, c account.Caller, seq uint64) error {
	now := s.now()
	return s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.AccountRead); err != nil {
			return err
		}
		if seq == 0 {
			return nil
		}
		there, err := tx.Alerts(ctx, a.Account, seq-1, 1)
		if err != nil {
			return err
		}
		if len(there) == 0 || there[0].Seq < seq { // what is yet to come must not count as read
			return fmt.Errorf("%w: there is no alert %d; acknowledge the last one that was shown", ErrMalformed, seq)
		}
		return tx.SeeAlerts(ctx, a.Account, reader(a.Caller), seq)
	})
}
