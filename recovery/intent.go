package recovery

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/staunchid/staunch/recovery/wire"
)

// When intents are repeated, and when they are given up: after that a phone that
// still wants it asks again.
const (
	intentEvery  = 10 * time.Second
	intentOften  = 60 // tries; then it is repeated less often
	intentSeldom = 5 * time.Minute
	intentLife   = 30 * 24 * time.Hour
	intentMost   = 100 // at a time
	intentsOfOne = 16  // of one account at one vault
)

// intend keeps a request that changes what is registered, before its vault gets
// it. If the record that it makes is lost, only this very request can make it
// again, and the phone may be gone. So a newcomer takes no other's place: which of
// them the vault has executed nobody can tell before it is repeated. While too many
// are on their way the newcomer waits.
func (s *Service) intend(ctx context.Context, tx Tx, j *job, now time.Time) error {
	waiting, err := tx.IntentsOf(ctx, j.pool.id, j.acct)
	if err != nil {
		return err
	}
	same := func(i IntentRow) bool { return i.Op == uint8(j.op) && bytes.Equal(i.Request, j.request) }
	if len(waiting) >= intentsOfOne && !slices.ContainsFunc(waiting, same) {
		return &RateError{RetryAt: now.Add(intentEvery)}
	}
	i := IntentRow{
		Vault: j.pool.id, Acct: j.acct, Account: j.account, Op: uint8(j.op), Epoch: j.epoch, Request: j.request, At: now, NextAt: now.Add(intentEvery),
	}
	i.MAC = i.Seal(s.rowKey)
	return tx.PutIntent(ctx, i)
}

// givenUp ends the intent of a job that the vault will not execute however often
// it is repeated, and gives err back.
func (s *Service) givenUp(ctx context.Context, j *job, err error) error {
	if !j.managed || !errors.Is(err, ErrEpoch) && !errors.Is(err, ErrMalformed) && !errors.Is(err, errRefused) {
		return err
	}
	ended := s.update(ctx, func(tx Tx) error { return s.endIntent(ctx, tx, j) })
	if ended != nil {
		s.log.Warn("recovery: an intent cannot be ended; it is repeated", "app", s.app, "vault", j.pool.id, "error", ended)
	}
	return err
}

func (s *Service) endIntent(ctx context.Context, tx Tx, j *job) error {
	return tx.EndIntent(ctx, j.pool.id, j.acct, uint8(j.op), sha256.Sum256(j.request))
}

// nothingWritten is settle for a call that made no record: the vault has none of
// this account, and the request has found nothing to change.
func (s *Service) nothingWritten(ctx context.Context, j *job) error {
	if !j.managed {
		return nil
	}
	return s.update(ctx, func(tx Tx) error {
		if err := s.endIntent(ctx, tx, j); err != nil {
			return err
		}
		if j.op != wire.OpDelete {
			return nil
		}
		return s.deletedEverywhere(ctx, tx, j.account)
	})
}

// repeatIntents repeats those that are due. All are at the start, when all is.
func (s *Service) repeatIntents(ctx context.Context, all bool) error {
	now := s.now()
	due := now
	if all {
		due = now.Add(intentSeldom) // no intent waits longer
	}
	var rows []IntentRow
	err := s.view(ctx, func(tx Tx) (err error) {
		rows, err = tx.Intents(ctx, due, intentMost)
		return err
	})
	if err != nil {
		return err
	}
	for _, i := range rows {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if one := s.repeatIntent(ctx, i); one != nil {
			s.log.Warn("recovery: a request that changes a registration is not executed yet; it is repeated",
				"app", s.app, "vault", i.Vault, "op", wire.Op(i.Op).String(), "tries", i.Tries+1, "error", one)
		}
	}
	return nil
}

// repeatIntent repeats one. It says beforehand when it is due again, so that one
// that takes the service down does not do so without end.
func (s *Service) repeatIntent(ctx context.Context, i IntentRow) error {
	p, err := s.pool(i.Vault)
	if err != nil { // the set lists it no more: nobody is there to execute it, ever
		s.log.Warn("recovery: a request that was on its way to a vault which is gone ends", "app", s.app, "vault", i.Vault, "op", wire.Op(i.Op).String())
		return s.update(ctx, func(tx Tx) error {
			if err := tx.EndIntent(ctx, i.Vault, i.Acct, i.Op, sha256.Sum256(i.Request)); err != nil {
				return err
			}
			at, found, err := s.pointerOf(ctx, tx, i.Account)
			if err != nil || !found || at.Stage != Deleting {
				return err
			}
			return s.deletedEverywhere(ctx, tx, i.Account) // at those that are left
		})
	}
	j := &job{
		pool: p, acct: i.Acct, account: i.Account, op: wire.Op(i.Op), epoch: i.Epoch, request: i.Request, managed: true,
	}
	now := s.now()
	i.Tries++
	i.NextAt = now.Add(intentEvery)
	bad := s.judge(i, "recovery_intent", i.Account) // before a voucher is made for it
	if bad != nil || i.Tries > intentOften {
		i.NextAt = now.Add(intentSeldom)
	}
	open := false
	err = s.update(ctx, func(tx Tx) (err error) {
		if now.Sub(i.At) > intentLife {
			return s.endIntent(ctx, tx, j)
		}
		open, err = tx.PostponeIntent(ctx, i)
		return err
	})
	if err = errors.Join(bad, err); err != nil || !open {
		return err
	}
	give, err := s.lanes.take(ctx, p.id, j.acct)
	if err != nil {
		return err
	}
	defer give()
	_, err = s.execute(context.WithoutCancel(ctx), j)
	return err
}
