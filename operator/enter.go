package operator

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/passkey"
)

// Browser is where a ceremony goes on: the page's origin, by the configuration,
// and the secret that binds it to the browser that began it.
type Browser struct {
	Origin string
	Cookie []byte // 32 bytes
	Label  string // what it says of itself: "Chromium on Linux"
}

// Begun is a ceremony that waits for its answer.
type Begun struct {
	Ceremony account.CeremonyID
	Options  json.RawMessage // for the browser
	Name     string          // of the operator who enrols
}

// Answer is what a browser answers.
type Answer struct {
	Ceremony account.CeremonyID
	Response []byte
	Browser  Browser
}

// Signed is a session that has begun.
type Signed struct {
	Operator ID
	Name     string
	Token    Secret
	Until    time.Time
}

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

// page is the Relying Party for a browser.
func (s *Service) page(b Browser) (*passkey.RelyingParty, error) {
	switch {
	case s.rp == nil:
		return nil, ErrNotAllowed
	case b.Origin == "" || len(b.Cookie) != secretSize:
		return nil, ErrCeremony
	}
	return s.rp.For(passkey.Dialog{Origin: b.Origin})
}

// open stores a ceremony that has begun.
func (s *Service) open(ctx context.Context, tx Tx, c passkey.Ceremony, row Ceremony, b Browser) (account.CeremonyID, error) {
	by := sha256.Sum256(b.Cookie)
	row.ID, row.Purpose, row.Binding = account.NewCeremonyID(), c.Purpose, by[:]
	row.Challenge, row.Origin, row.Extensions = c.Challenge, c.Origin, c.Extensions
	row.CreatedAt, row.ExpiresAt = c.CreatedAt, c.ExpiresAt
	row.MAC = row.Seal(s.key)
	return row.ID, tx.AddOperatorCeremony(ctx, row)
}

// ceremony finds the ceremony of an answer, if this browser has begun it.
func (s *Service) ceremony(ctx context.Context, in *Answer, p passkey.Purpose) (row Ceremony, c passkey.Ceremony, err error) {
	if s.rp == nil {
		return row, c, ErrNotAllowed
	}
	found := false
	err = s.view(ctx, func(tx Tx) (err error) {
		row, found, err = tx.OperatorCeremony(ctx, in.Ceremony)
		return err
	})
	by := sha256.Sum256(in.Browser.Cookie)
	switch {
	case err != nil:
	case !found || row.Purpose != p || len(in.Browser.Cookie) != secretSize || subtle.ConstantTimeCompare(by[:], row.Binding) != 1:
		err = ErrCeremony
	case !row.Sound(s.key):
		err = fmt.Errorf("%w: ceremony %s", ErrTampered, row.ID)
	case p == passkey.Enrol && len(row.Invitation) != sha256.Size:
		err = ErrCeremony
	}
	return row, passkey.Ceremony{
		Purpose: row.Purpose, RPID: s.rp.RPID(), Challenge: row.Challenge, Origin: row.Origin, Extensions: row.Extensions,
		CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt, UsedAt: row.UsedAt,
	}, err
}

// use marks the ceremony used, once.
func (s *Service) use(ctx context.Context, tx Tx, row Ceremony, now time.Time) error {
	switch ok, err := tx.UseOperatorCeremony(ctx, row.ID, now); {
	case err != nil:
		return err
	case !ok:
		return ErrCeremony
	}
	return nil
}
