package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/passkey"
)

// BeginSignIn opens a ceremony that any operator's passkey may answer.
func (s *Service) BeginSignIn(ctx context.Context, b Browser) (*Begun, error) {
	rp, err := s.page(b)
	if err != nil {
		return nil, err
	}
	c, options, err := rp.Request(passkey.SignIn, nil, nil, s.clock())
	if err != nil {
		return nil, err
	}
	out := &Begun{Options: options}
	err = s.update(ctx, func(tx Tx) (err error) {
		out.Ceremony, err = s.open(ctx, tx, c, Ceremony{}, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// FinishSignIn begins a session. A passkey of an operator that is refused is
// recorded, with the reason.
func (s *Service) FinishSignIn(ctx context.Context, in *Answer) (*Signed, error) {
	now := s.clock()
	row, c, err := s.ceremony(ctx, in, passkey.SignIn)
	if err != nil {
		return nil, err
	}
	id, err := passkey.UnverifiedCredentialID(in.Response)
	if err != nil {
		return nil, err
	}
	var out *Signed
	var why error // a refusal that is recorded
	err = s.update(ctx, func(tx Tx) error {
		out, why = nil, nil
		o, found, err := s.sound(tx.OperatorByCredential(ctx, id))
		if err != nil {
			return err
		}
		if !found {
			return ErrRefused
		}
		if err := s.use(ctx, tx, row, now); err != nil {
			return err
		}
		a, err := s.verify(c, o, in.Response, now)
		if err != nil {
			why = err
			return tx.AppendAudit(ctx, refusal(o, err, now))
		}
		o.SignCount, o.Flags, o.LastUsedAt = a.Count, a.Flags, now
		if o, err = s.write(ctx, o, tx.PutOperator); err != nil {
			return err
		}
		sess, token, err := s.start(ctx, tx, o, in.Browser, now)
		if err != nil {
			return err
		}
		out = &Signed{o.ID, o.Name, token, sess.Until}
		e := entry(s.caller(o, sess), "operator.sign_in", o, now)
		e.Object = nil // nothing that it tells of has changed
		return tx.AppendAudit(ctx, e)
	})
	if err = errors.Join(err, why); err != nil {
		return nil, err
	}
	return out, nil
}

// verify is whether the answer is that of an operator who may come in.
func (s *Service) verify(c passkey.Ceremony, o Operator, response []byte, now time.Time) (passkey.Stored, error) {
	if !o.RemovedAt.IsZero() || len(o.Record) == 0 {
		return passkey.Stored{}, ErrRefused
	}
	stored, err := o.stored()
	if err != nil {
		return passkey.Stored{}, err
	}
	a, err := s.rp.VerifyAssertion(c, o.user(), stored, response, now)
	if err != nil {
		return passkey.Stored{}, err
	}
	if a.BackupEligible && !s.synced { // it was taken when that was allowed
		return passkey.Stored{}, ErrSynced
	}
	if effect, found := s.rp.Policy().Appraise(a); effect == passkey.Refuse {
		return passkey.Stored{}, fmt.Errorf("%w: %v", passkey.ErrRefused, found)
	}
	return a.Next(stored), nil
}

// refusal is the entry of a passkey that was not taken.
func refusal(o Operator, why error, now time.Time) audit.Entry {
	reason := "refused"
	switch {
	case errors.Is(why, ErrSynced):
		reason = "synced"
	case !o.RemovedAt.IsZero():
		reason = "removed"
	case errors.Is(why, passkey.ErrNotVerified):
		reason = "not_verified"
	}
	return audit.Entry{
		Time: now, Actor: audit.Actor{Kind: account.Anonymous}, Action: "operator.refused", Subject: string(o.ID), Reason: reason,
	}
}
