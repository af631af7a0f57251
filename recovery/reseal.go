package recovery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// resealMost is how many records of a vault are sealed anew at a time.
const resealMost = 500

// epoch is the newest key epoch of a vault, by its evidence.
func (s *Service) epoch(ctx context.Context, p *pool, now time.Time) (uint32, error) {
	_, b, err := s.newest(ctx, p, now)
	return b.Epoch, err
}

// newest finds the replica whose evidence has the newest epoch.
func (s *Service) newest(ctx context.Context, p *pool, now time.Time) (r *replica, b wire.Binding, err error) {
	for _, o := range p.replicas {
		one, cancel := context.WithTimeout(ctx, s.timeout)
		_, have, bad := o.proof(one, p.id, now, evidenceAge)
		cancel()
		switch {
		case bad != nil:
			err = errors.Join(err, bad)
		case r == nil || have.Epoch > b.Epoch:
			r, b = o, have
		}
	}
	if r == nil {
		return nil, b, fmt.Errorf("%w: %s: %w", ErrVaultUnavailable, p.id, err)
	}
	return r, b, nil
}

// reseal asks the vaults for the status of accounts whose records are sealed with
// keys of an older epoch. Each call seals its record anew; when none is left, the
// old keys can be destroyed. Tombstones are left as they are.
func (s *Service) reseal(ctx context.Context) error {
	if s.seed() {
		return nil // it has no call that changes nothing
	}
	var errs error
	for _, p := range s.pools {
		errs = errors.Join(errs, s.resealPool(ctx, p))
	}
	return errs
}

// resealPool does some of the records of one vault, from where it stopped. One that
// cannot be sealed anew is left for the next round.
func (s *Service) resealPool(ctx context.Context, p *pool) error {
	_, b, err := s.newest(ctx, p, s.now())
	if err != nil {
		return err
	}
	var epochs []uint32
	var rows []RecordRow
	err = s.view(ctx, func(tx Tx) (err error) {
		if epochs, err = tx.RecoveryEpochs(ctx, p.id); err != nil || len(epochs) == 0 || epochs[0] >= b.Epoch {
			return err
		}
		rows, err = tx.RecoveriesIn(ctx, p.id, epochs[0], p.resealed, resealMost)
		return err
	})
	if err != nil {
		return err
	}
	for _, row := range rows {
		p.resealed = row.Acct
		err := s.resealOne(ctx, p, b, row)
		if err != nil && (ctx.Err() != nil || errors.Is(err, errAway)) {
			return err
		}
		if err != nil {
			s.log.Warn("recovery: a record is not sealed anew yet", "app", s.app, "vault", p.id, "error", err)
		}
	}
	if len(rows) < resealMost {
		p.resealed = [16]byte{}
	}
	return nil
}

// resealOne asks for the status of one account. The answer is thrown away.
func (s *Service) resealOne(ctx context.Context, p *pool, b wire.Binding, row RecordRow) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	body, err := wire.Encode(&wire.Status{})
	if err != nil {
		return err
	}
	e := &wire.Envelope{Suite: s.set.Suite, Vault: p.id, Epoch: b.Epoch, Config: b.ConfigHash, Op: wire.OpStatus, Acct: row.Acct}
	sealed, _, err := e.SealRequest(b.HPKE, body)
	if err != nil {
		return err
	}
	give, err := s.lanes.take(ctx, p.id, row.Acct)
	if err != nil {
		return err
	}
	defer give()
	_, err = s.execute(context.WithoutCancel(ctx), &job{pool: p, acct: row.Acct, account: row.Account, op: wire.OpStatus, epoch: b.Epoch, request: sealed})
	return err
}
