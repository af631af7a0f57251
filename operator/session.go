package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// start begins a session of o.
func (s *Service) start(ctx context.Context, tx Tx, o Operator, b Browser, now time.Time) (Session, Secret, error) {
	token := newSecret()
	sess := Session{
		ID: account.NewSessionID(), TokenHash: token.hash(), Operator: o.ID, Label: b.Label, CreatedAt: now, Until: now.Add(SessionLife),
	}
	sess.MAC = sess.Seal(s.key)
	return sess, token, tx.AddOperatorSession(ctx, sess)
}

func (s *Service) caller(o Operator, sess Session) account.Caller {
	return account.Caller{Kind: account.Operator, App: s.app, Session: sess.ID, Name: o.Name}
}

// Check is who is signed in by a token, now. It is asked at each request.
func (s *Service) Check(ctx context.Context, token Secret) (c account.Caller, err error) {
	err = s.view(ctx, func(tx Tx) error {
		o, sess, err := s.signed(ctx, tx, token, s.clock())
		c = s.caller(o, sess)
		return err
	})
	if err != nil {
		return account.Caller{}, err
	}
	return c, nil
}

// signed is whose session a token is of.
func (s *Service) signed(ctx context.Context, tx Tx, token Secret, now time.Time) (Operator, Session, error) {
	sess, found, err := tx.OperatorSession(ctx, token.hash())
	switch {
	case err != nil:
		return Operator{}, sess, err
	case !found || len(token) != secretSize:
		return Operator{}, sess, ErrSession
	case !sess.Sound(s.key):
		return Operator{}, sess, fmt.Errorf("%w: session %s", ErrTampered, sess.ID)
	case !sess.EndedAt.IsZero() || !now.Before(sess.Until):
		return Operator{}, sess, ErrSession
	}
	o, found, err := s.sound(tx.Operator(ctx, sess.Operator))
	switch {
	case err != nil:
		return Operator{}, sess, err
	case !found: // who was removed has no session that lasts: the record says so
		return Operator{}, sess, ErrSession
	}
	return o, sess, nil
}

// SignOut ends the session of a token.
func (s *Service) SignOut(ctx context.Context, token Secret) error {
	now := s.clock()
	return s.update(ctx, func(tx Tx) error {
		o, sess, err := s.signed(ctx, tx, token, now)
		if err != nil {
			return err
		}
		if err := s.end(ctx, tx, sess, now); err != nil {
			return err
		}
		e := entry(s.caller(o, sess), "operator.sign_out", o, now)
		e.Object = nil
		return tx.AppendAudit(ctx, e)
	})
}

// Look records that an operator looks at an account, in the account's own chain,
// once an hour. Nothing of the account may be shown to him before.
func (s *Service) Look(ctx context.Context, token Secret, of account.ID) error {
	if err := of.Validate(); err != nil {
		return err
	}
	now := s.clock()
	return s.update(ctx, func(tx Tx) error {
		o, sess, err := s.signed(ctx, tx, token, now)
		if err != nil {
			return err
		}
		first, err := tx.AddOperatorLook(ctx, o.ID, of, now.Truncate(lookEvery))
		if err != nil || !first {
			return err
		}
		detail, err := json.Marshal(struct {
			Operator ID `json:"operator"`
		}{o.ID})
		if err != nil {
			return err
		}
		return tx.AppendAudit(ctx, audit.Entry{
			Account: of, Time: now, Actor: actor(s.caller(o, sess)), Action: "operator.view", Subject: string(of), Detail: detail,
		})
	})
}

// sweepMost is how many rows of a kind Sweep deletes in one transaction.
const sweepMost = 1000

// Sweep deletes what nobody needs any more: ceremonies and looks of yesterday,
// sessions a month after they ran out.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.clock()
	for _, one := range []struct {
		before time.Time
		remove func(Tx) func(context.Context, time.Time, int) (int, error)
	}{
		{now.Add(-24 * time.Hour), func(tx Tx) func(context.Context, time.Time, int) (int, error) { return tx.DeleteOperatorCeremonies }},
		{now.Add(-24 * time.Hour), func(tx Tx) func(context.Context, time.Time, int) (int, error) { return tx.DeleteOperatorLooks }},
		{now.AddDate(0, -1, 0), func(tx Tx) func(context.Context, time.Time, int) (int, error) { return tx.DeleteOperatorSessions }},
	} {
		for n := sweepMost; n == sweepMost; {
			err := s.update(ctx, func(tx Tx) (err error) {
				n, err = one.remove(tx)(ctx, one.before, sweepMost)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
