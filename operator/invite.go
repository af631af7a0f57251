package operator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// Invited is an invitation. Its secret is given out once.
type Invited struct {
	ID     ID
	Name   string
	Secret Secret
	Until  time.Time
}

// local reports whether c is somebody on the server's own machine: an operator
// without a session. One at the console has one.
func (s *Service) local(c account.Caller) bool {
	return c.Kind == account.Operator && c.In(s.app) && c.Session == ""
}

// Invite makes a link for an operator of this name, new or without a passkey yet.
// An earlier link of his ends.
func (s *Service) Invite(ctx context.Context, c account.Caller, name string) (*Invited, error) {
	if !s.local(c) {
		return nil, ErrNotAllowed
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	now, secret := s.clock(), newSecret()
	var out *Invited
	err := s.update(ctx, func(tx Tx) error {
		o, found, err := s.named(ctx, tx, name)
		if err != nil {
			return err
		}
		if found && len(o.Record) > 0 {
			return fmt.Errorf("%w: %q", ErrNameTaken, name)
		}
		if !found {
			o = Operator{ID: newID(), Name: name, AddedAt: now}
			rand.Read(o.UserHandle[:]) //nolint:errcheck // crypto/rand: never returns an error
		}
		hash := secret.hash()
		o.Invitation, o.InvitedUntil = hash[:], now.Add(InvitationLife)
		put := tx.PutOperator
		if !found {
			put = tx.AddOperator
		}
		if o, err = s.write(ctx, o, put); err != nil {
			return err
		}
		out = &Invited{ID: o.ID, Name: o.Name, Secret: secret, Until: o.InvitedUntil}
		return tx.AppendAudit(ctx, entry(c, "operator.invite", o, now))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Remove ends an operator: his sessions, his passkey and his link count no more.
// ErrTampered, with an ID: the row of that name was not as the record tells. It is
// removed, but somebody may hold back the operator's own, and put it there afterwards.
func (s *Service) Remove(ctx context.Context, c account.Caller, name string) (ID, error) {
	if !s.local(c) {
		return "", ErrNotAllowed
	}
	known, lost := s.known(ctx)
	if lost != nil && !errors.Is(lost, ErrTampered) {
		return "", lost
	}
	now := s.clock()
	var id ID
	var odd error
	// Neither a wrong MAC nor a row that was put back keeps anybody in: the row is
	// written anew, whatever it was.
	err := s.store(ctx, func(tx Tx) error {
		o, found, err := tx.OperatorNamed(ctx, name)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("%w: %.64q", ErrUnknown, name)
		}
		if odd = lost; odd == nil {
			if odd = s.asTold(ctx, tx, known, o, now); odd != nil && !errors.Is(odd, ErrTampered) {
				return odd
			}
		}
		o.RemovedAt, o.Invitation, o.InvitedUntil = now, nil, time.Time{}
		if o, err = s.write(ctx, o, tx.PutOperator); err != nil {
			return err
		}
		all, err := tx.OperatorSessions(ctx, o.ID)
		if err != nil {
			return err
		}
		for _, one := range all {
			if err := s.end(ctx, tx, one, now); err != nil {
				return err
			}
		}
		id = o.ID
		return tx.AppendAudit(ctx, entry(c, "operator.remove", o, now))
	})
	if err != nil {
		return "", err
	}
	return id, odd
}

// asTold reports an error unless a row has its MAC and is as the record tells.
func (s *Service) asTold(ctx context.Context, tx Tx, known *record, o Operator, now time.Time) error {
	r, err := known.on(ctx, tx, s.app, now)
	if err != nil {
		return err
	}
	if !o.Sound(s.key) || !r.operator(o) {
		return fmt.Errorf("%w: %s, which had the name %.64q, was not the operator as the record tells; it is removed, and his own row may come back: look who else is in the list", ErrTampered, o.ID, o.Name)
	}
	return nil
}

// List gives all operators, those that were removed too.
func (s *Service) List(ctx context.Context, c account.Caller) (all []Operator, err error) {
	if c.Kind != account.Operator || !c.In(s.app) {
		return nil, ErrNotAllowed
	}
	err = s.view(ctx, func(tx Tx) (err error) {
		if all, err = tx.Operators(ctx); err != nil {
			return err
		}
		for _, o := range all {
			if !o.Sound(s.key) {
				return fmt.Errorf("%w: operator %s", ErrTampered, o.ID)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// clock is now as times are stored.
func (s *Service) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// write stores o with its MAC.
func (s *Service) write(ctx context.Context, o Operator, put func(context.Context, Operator) error) (Operator, error) {
	o.MAC = o.Seal(s.key)
	return o, put(ctx, o)
}

func (s *Service) end(ctx context.Context, tx Tx, one Session, now time.Time) error {
	one.EndedAt = now
	one.MAC = one.Seal(s.key)
	return tx.PutOperatorSession(ctx, one)
}

// named finds the operator of a name, and refuses a row that somebody forged.
func (s *Service) named(ctx context.Context, tx Tx, name string) (Operator, bool, error) {
	return s.sound(tx.OperatorNamed(ctx, name))
}

func (s *Service) sound(o Operator, found bool, err error) (Operator, bool, error) {
	if err != nil || !found {
		return Operator{}, false, err
	}
	if !o.Sound(s.key) {
		return Operator{}, false, fmt.Errorf("%w: operator %.40s", ErrTampered, o.ID)
	}
	return o, true, nil
}

// actor is c in the audit record, with his session.
func actor(c account.Caller) audit.Actor {
	a := audit.ActorOf(c)
	a.Session = string(c.Session)
	return a
}

// entry is an entry of the app's chain about o as it is now.
func entry(c account.Caller, action string, o Operator, now time.Time) audit.Entry {
	digest := o.Digest()
	return audit.Entry{
		Time: now, Actor: actor(c),
		Action: action, Subject: string(o.ID), Object: digest[:],
	}
}
