package integrity

import (
	"context"

	"github.com/staunchid/staunch/account"
)

// beneath is the transaction of the store, beneath those of the flows: what pillar
// recovery gets, which has rows of its own there.
func beneath(tx Tx) Tx {
	for {
		switch t := tx.(type) {
		case *noting:
			tx = t.Tx
		case *sealed:
			tx = t.Tx
		default:
			return tx
		}
	}
}

// Beside is for a transaction of another pillar over the same store, in which it
// has called the flows: it is told how that has ended, and for which accounts
// alerts were appended. Those who wait for these are woken; and an account of which
// a row was tampered with is locked, as in a transaction of the flows.
func (s *Service) Beside(ctx context.Context, err error, alerted []account.ID) {
	if s.lockIf(ctx, err) == nil {
		s.alerts.wake(alerted)
	}
}
