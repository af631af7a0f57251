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
// evidence at the end of its retention. The server calls it now and then; it
// may be stopped at any point.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	for name, step := range map[string]func(Tx) (int, error){
		"challenges": func(tx Tx) (int, error) {
			return tx.DeleteChallenges(ctx, now.Add(-challengeMemory), sweepLimit)
		},
		"evidence": func(tx Tx) (int, error) { return tx.DeleteEvidence(ctx, now, sweepLimit) },
	} {
		for done := false; !done; {
			err := s.update(ctx, func(tx Tx) error {
				n, err := step(tx)
				done = n < sweepLimit
				return err
			})
			if err != nil {
				return fmt.Errorf("registry: sweep %s: %w", name, err)
			}
		}
	}
	return nil
}
