package recovery

import (
	"context"
	"time"
)

// How often the service does what nobody asks for.
const (
	sweepEvery  = time.Hour
	resealEvery = time.Minute
	sweepMost   = 500

	keepHistory  = 30 * 24 * time.Hour
	keepReceipts = 400 * 24 * time.Hour // beyond a year, for who checks a year later
	keepSession  = 48 * time.Hour       // after its end: a ticket is good for 24 h
)

// Run repeats intents, at once and then every ten seconds, has the audit record
// cover receipts, fetches evidence, seals records anew when a vault's keys have
// changed, and clears away what is old, until ctx ends. What fails is logged and tried again.
func (s *Service) Run(ctx context.Context) error {
	do := func(what string, fn func(context.Context) error) {
		if err := fn(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("recovery: "+what+" failed; it is tried again", "app", s.app, "error", err)
		}
	}
	intents, batch, reseal, sweep := time.NewTicker(intentEvery), time.NewTicker(batchEvery), time.NewTicker(resealEvery), time.NewTicker(sweepEvery)
	defer batch.Stop()
	defer intents.Stop()
	defer reseal.Stop()
	defer sweep.Stop()
	do("repeating requests", func(ctx context.Context) error { return s.repeatIntents(ctx, true) })
	do("recording receipts", s.recordReceipts)
	do("clearing away", s.Sweep)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-intents.C:
			do("repeating requests", func(ctx context.Context) error { return s.repeatIntents(ctx, false) })
		case <-batch.C:
			do("recording receipts", s.recordReceipts)
		case <-reseal.C:
			do("sealing records anew", s.reseal)
		case <-sweep.C:
			do("clearing away", s.Sweep)
		}
	}
}

// Sweep deletes what is old: versions after 30 days, sessions after two, receipts
// after 400, and tombstones two epochs after they were made, when nobody can open
// them any more. Of those the marks stay, in the vaults.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	sweeps := []func(Tx) (int, error){
		func(tx Tx) (int, error) { return tx.DeleteHistory(ctx, now.Add(-keepHistory), sweepMost) },
		func(tx Tx) (int, error) { return tx.DeleteReceipts(ctx, now.Add(-keepReceipts), sweepMost) },
		func(tx Tx) (int, error) { return tx.DeleteRecoverySessions(ctx, now.Add(-keepSession), sweepMost) },
	}
	for _, p := range s.pools {
		epoch, err := s.epoch(ctx, p, now)
		if err != nil {
			// It is away, and the next sweep comes within the hour.
			s.log.Debug("recovery: the epoch of a vault is not known; its tombstones stay for now", "app", s.app, "vault", p.id, "error", err)
			continue
		}
		if epoch < 2 {
			continue
		}
		sweeps = append(sweeps, func(tx Tx) (int, error) { return tx.DropTombstones(ctx, p.id, epoch-1, sweepMost) })
	}
	for _, sweep := range sweeps {
		for n := sweepMost; n == sweepMost; {
			err := s.update(ctx, func(tx Tx) (err error) {
				n, err = sweep(tx)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
