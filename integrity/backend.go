package integrity

import (
	"context"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
)

// asBackend refuses everybody but the app's backend.
func (s *Service) asBackend(c account.Caller) error {
	if !c.In(s.app) || c.Kind != account.Backend {
		return ErrNotAllowed
	}
	return nil
}

// CheckSession says what a token is worth now: whose it is, what has been seen,
// and how account and device stand. Nothing of it may be kept: the next call may
// find that it has ended. The class is the session's own. For what a phone does
// it is not enough to see its token: have the call itself verified, too.
func (s *Service) CheckSession(ctx context.Context, c account.Caller, t Token) (*SessionCheck, error) {
	if err := s.asBackend(c); err != nil {
		return nil, err
	}
	now := s.now()
	var out *SessionCheck
	err := s.look(ctx, func(tx Tx) error {
		sess, found, err := tx.SessionByToken(ctx, t.hash())
		if err != nil {
			return err
		}
		if !found || !live(sess, now) {
			return ErrSessionEnded
		}
		a, err := s.account(ctx, tx, sess.Account)
		if errors.Is(err, ErrAccountUnknown) {
			return ErrSessionEnded
		}
		if err != nil {
			return err
		}
		signals, err := tx.Signals(ctx, a.ID, now)
		if err != nil {
			return err
		}
		out = &SessionCheck{
			Session: sess.ID, Kind: sess.Kind, Account: a.ID, AccountState: a.State, Class: s.worth(sess, signals), Proofs: sess.Proofs, Until: sess.Until,
		}
		if h := a.Hold; h.Reason != "" {
			out.Hold = &h
		}
		if sess.Device == "" {
			return nil
		}
		d, err := s.device(ctx, tx, a.ID, sess.Device)
		if errors.Is(err, ErrDeviceUnknown) {
			return ErrSessionEnded
		}
		if err != nil {
			return err
		}
		out.Device, out.DeviceState = d.ID, d.State
		if h := d.Hold; h.Reason != "" {
			out.Hold = &h
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// FreezeAccount stops an account, as its owner could. To do it again changes
// nothing, and only the owner can undo it.
func (s *Service) FreezeAccount(ctx context.Context, c account.Caller, id account.ID) (*Frozen, error) {
	if err := s.asBackend(c); err != nil {
		return nil, err
	}
	if id.Validate() != nil {
		return nil, ErrAccountUnknown
	}
	now := s.now()
	var out *Frozen
	err := s.act(ctx, func(tx Tx) error {
		a, err := s.account(ctx, tx, id)
		if err != nil {
			return err
		}
		out = &Frozen{State: account.Frozen}
		switch a.State {
		case account.Frozen:
			return nil
		case account.Locked:
			return &account.Refused{Action: account.FreezeAccount, Why: account.WhyAccountLocked}
		}
		out.Changed = true
		return s.freeze(ctx, tx, &deed{caller: c, account: id, action: "account.freeze", subject: string(id), reason: "backend", now: now}, a)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// takes refuses unless an account takes what an action that begins elsewhere is
// for: it is in a state for it, and no risk stands in the way.
func (s *Service) takes(ctx context.Context, tx Tx, r account.Requirement, a account.Account, now time.Time) error {
	signals, err := tx.Signals(ctx, a.ID, now)
	if err != nil {
		return err
	}
	r = r.Raise(signals)
	refused := &account.Refused{Action: r.Action}
	switch state := a.State; {
	case state == account.Frozen && !r.WhileFrozen:
		refused.Why = account.WhyAccountFrozen
	case state == account.Held && !r.WhileHeld:
		refused.Why, refused.OpensAt = account.WhyAccountHeld, a.Hold.Until
	case state != account.Active && state != account.Held && state != account.Frozen:
		refused.Why = account.WhyAccountLocked
	case r.Refuse != account.WhyUnset:
		refused.Why, refused.OpensAt = r.Refuse, r.RefuseUntil
	default:
		return nil
	}
	return refused
}
