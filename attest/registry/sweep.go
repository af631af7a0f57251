package registry

import (
	"context"
	"fmt"
	"time"
)

// sweepLimit bounds one transaction of Sweep, so that nobody waits for it long.
const sweepLimit = 500

// challengeMemory is how long a challenge is remembered after its end: a late
// phone is told that it is late (or that it was here before), and not that it
// was never given a challenge.
const challengeMemory = 24 * time.Hour

// Sweep deletes what is kept no longer: challenges a day after they expired,
// evidence at the end of its retention, nonces of requests that would be too
// old by now, uses of exceptions and statistics after their time. The server
// calls it now and then; it may be stopped at any point.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	upTo := func(n int, err error) (bool, error) { return n == sweepLimit, err }
	for _, sweep := range []struct {
		name string
		step func(Tx) (more bool, err error)
	}{
		{"challenges", func(tx Tx) (bool, error) {
			return upTo(tx.DeleteChallenges(ctx, now.Add(-challengeMemory), sweepLimit))
		}},
		{"evidence", func(tx Tx) (bool, error) { return upTo(tx.DeleteEvidence(ctx, now, sweepLimit)) }},
		{"exception uses", func(tx Tx) (bool, error) {
			return upTo(tx.DeleteExceptionUses(ctx, dayOf(now)-useMemory, sweepLimit))
		}},
		{"nonces", func(tx Tx) (bool, error) { return upTo(s.deleteNonces(ctx, tx, now)) }},
		{"statistics", func(tx Tx) (bool, error) { return s.deleteStats(ctx, tx, now) }},
	} {
		for more := true; more; {
			err := s.update(ctx, func(tx Tx) (err error) {
				more, err = sweep.step(tx)
				return err
			})
			if err != nil {
				return fmt.Errorf("registry: sweep %s: %w", sweep.name, err)
			}
		}
	}
	return nil
}

// deleteNonces deletes those of requests that the policy in force finds too old.
// One that finds them young enough later does not bring them back: the store
// remembers up to where it has forgotten.
func (s *Service) deleteNonces(ctx context.Context, tx Tx, now time.Time) (int, error) {
	p := s.policy()
	if p == nil {
		return 0, nil
	}
	r := p.Request()
	return tx.DeleteNonces(ctx, now.Add(-r.MaxAge-r.FutureSkew), sweepLimit)
}
