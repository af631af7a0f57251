package integrity

import (
	"context"
	"time"
)

const (
	sweepLimit    = 500                 // rows a transaction
	keepSessions  = 30 * 24 * time.Hour // after their end
	keepAlerts    = 90 * 24 * time.Hour
	keepSignals   = 30 * 24 * time.Hour // after their end
	keepEvents    = 7 * 24 * time.Hour  // that every reader is done with
	keepApprovals = 30 * 24 * time.Hour // the audit record has them for ever
)

// Sweep deletes what is of no use any more, a few rows a transaction. It may run
// at any time, on several servers at once.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	for _, sweep := range []struct {
		before time.Time
		delete func(Tx, time.Time) (int, error)
	}{
		{now, func(tx Tx, t time.Time) (int, error) { return tx.DeleteCeremonies(ctx, t, sweepLimit) }},
		{now.Add(-keepApprovals), func(tx Tx, t time.Time) (int, error) { return tx.DeleteApprovals(ctx, t, sweepLimit) }},
		{now, func(tx Tx, t time.Time) (int, error) { return tx.DeleteJoins(ctx, t, sweepLimit) }},
		{now.Add(-keepSessions), func(tx Tx, t time.Time) (int, error) { return tx.DeleteSessions(ctx, t, sweepLimit) }},
		{now.Add(-keepAlerts), func(tx Tx, t time.Time) (int, error) { return tx.DeleteAlerts(ctx, t, sweepLimit) }},
		{now.Add(-keepEvents), func(tx Tx, t time.Time) (int, error) { return tx.DeleteEvents(ctx, t, sweepLimit) }},
		{now.Add(-keepSignals), func(tx Tx, t time.Time) (int, error) { return tx.DeleteSignals(ctx, t, sweepLimit) }},
		{now.Add(-s.fullAfter()), func(tx Tx, t time.Time) (int, error) { return tx.DeleteRates(ctx, t, sweepLimit) }},
	} {
		for n := sweepLimit; n == sweepLimit; {
			err := s.update(ctx, func(tx Tx) (err error) {
				n, err = sweep.delete(tx, sweep.before)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// fullAfter is when every bucket is full that nobody has taken from.
func (s *Service) fullAfter() time.Duration {
	longest := manyFailures.Per
	for _, l := range s.policy.Limits.all() {
		longest = max(longest, time.Duration(l.burst()*float64(l.Per)/float64(l.N)))
	}
	return longest + time.Minute
}
