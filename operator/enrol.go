package operator

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/staunchid/staunch/passkey"
)

// BeginEnrol opens the ceremony by which the invited makes his passkey.
func (s *Service) BeginEnrol(ctx context.Context, link Secret, b Browser) (*Begun, error) {
	now := s.clock()
	var out *Begun
	err := s.update(ctx, func(tx Tx) error {
		o, err := s.invited(ctx, tx, link.hash(), now)
		if err != nil {
			return err
		}
		rp, err := s.page(b)
		if err != nil {
			return err
		}
		c, options, err := rp.Create(passkey.Enrol, o.user(), nil, now)
		if err != nil {
			return err
		}
		out = &Begun{Options: options, Name: o.Name}
		hash := link.hash()
		out.Ceremony, err = s.open(ctx, tx, c, Ceremony{Operator: o.ID, Invitation: hash[:]}, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// invited is whom a link invites, now.
func (s *Service) invited(ctx context.Context, tx Tx, hash [32]byte, now time.Time) (Operator, error) {
	o, found, err := s.sound(tx.OperatorInvited(ctx, hash))
	switch {
	case err != nil:
		return Operator{}, err
	case !found || subtle.ConstantTimeCompare(o.Invitation, hash[:]) != 1:
		return Operator{}, ErrInvitation
	case !o.RemovedAt.IsZero() || len(o.Record) > 0:
		return Operator{}, ErrInvitation
	case !now.Before(o.InvitedUntil):
		return Operator{}, fmt.Errorf("%w: it ran out at %s", ErrInvitation, o.InvitedUntil.Format(time.RFC3339))
	}
	return o, nil
}

// FinishEnrol takes the passkey and signs its operator in. The link is used then.
func (s *Service) FinishEnrol(ctx context.Context, in *Answer) (*Signed, error) {
	now := s.clock()
	row, c, err := s.ceremony(ctx, in, passkey.Enrol)
	if err != nil {
		return nil, err
	}
	var out *Signed
	err = s.update(ctx, func(tx Tx) error {
		o, err := s.invited(ctx, tx, [32]byte(row.Invitation), now)
		if err != nil {
			return err
		}
		if o.ID != row.Operator {
			return ErrInvitation
		}
		c.Account, c.UserHandle = o.ID.person(), o.UserHandle[:]
		r, err := s.rp.VerifyCreation(c, in.Response, now)
		if err != nil {
			return err
		}
		if r.BackupEligible && !s.synced { // WebAuthn L3 §6.1.3
			return ErrSynced
		}
		if effect, found := s.rp.Policy().AppraiseRegistration(r); effect == passkey.Refuse {
			return fmt.Errorf("%w: %v", passkey.ErrRefused, found)
		}
		if err := s.use(ctx, tx, row, now); err != nil {
			return err
		}
		if o.Record, err = r.Record.Encode(); err != nil {
			return err
		}
		o.Invitation, o.InvitedUntil = nil, time.Time{}
		o.CredentialID, o.EnrolledAt, o.LastUsedAt = r.Record.ID, now, now
		o.SignCount, o.Flags = r.Record.Count, r.Record.Flags
		if o, err = s.write(ctx, o, tx.PutOperator); err != nil {
			return err
		}
		sess, token, err := s.start(ctx, tx, o, in.Browser, now)
		if err != nil {
			return err
		}
		out = &Signed{o.ID, o.Name, token, sess.Until}
		return tx.AppendAudit(ctx, entry(s.caller(o, sess), "operator.enrol", o, now))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
