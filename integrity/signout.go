package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
)

// SignOut ends the caller's session, with what it has begun.
func (s *Service) SignOut(ctx context.Context, c account.Caller) (*Ended, error) {
	return s.ending(ctx, c, account.EndOwnSession, func(ctx context.Context, tx Tx, a *actor, d *deed) (Ended, error) {
		d.subject = string(a.Session)
		return s.revoke(ctx, tx, Scope{Account: a.Account, Session: a.Session}, "signed_out", a.now)
	})
}

// EndSession ends a session of the caller's account: his own, or another one.
// One that has ended is ended.
func (s *Service) EndSession(ctx context.Context, c account.Caller, id account.SessionID) (*Ended, error) {
	if id.Validate() != nil {
		return nil, ErrSessionUnknown
	}
	if id == c.Session {
		return s.SignOut(ctx, c)
	}
	return s.ending(ctx, c, account.EndOneSession, func(ctx context.Context, tx Tx, a *actor, d *deed) (Ended, error) {
		sess, found, err := tx.Session(ctx, id)
		if err != nil {
			return Ended{}, err
		}
		if !found || sess.Account != a.Account {
			return Ended{}, ErrSessionUnknown
		}
		if !live(sess, a.now) {
			d.action = ""
			return Ended{}, nil
		}
		d.subject, d.alert = string(id), string(account.EndOneSession)
		d.data = map[string]any{"session": id, "label": sess.Label}
		return s.revoke(ctx, tx, Scope{Account: a.Account, Session: id}, "ended_elsewhere", a.now)
	})
}

// SignOutOthers ends all sessions of the account but the caller's, and every
// sign-in that is half done. Devices stay enrolled.
func (s *Service) SignOutOthers(ctx context.Context, c account.Caller) (*Ended, error) {
	return s.ending(ctx, c, account.EndOtherSessions, func(ctx context.Context, tx Tx, a *actor, d *deed) (Ended, error) {
		d.subject, d.alert = string(a.Account), string(account.EndOtherSessions)
		a.account.NotBefore = a.now.Truncate(time.Microsecond)
		d.row(string(a.Account), a.account.Digest())
		if err := s.putAccount(ctx, tx, a.account); err != nil {
			return Ended{}, err
		}
		return s.revoke(ctx, tx, Scope{Account: a.Account, But: a.Session}, "signed_out_elsewhere", a.now)
	})
}

// ending is what the three have in common. If anything of it fails, the call
// does, and nothing has ended.
func (s *Service) ending(ctx context.Context, c account.Caller, action account.Action, end func(context.Context, Tx, *actor, *deed) (Ended, error)) (*Ended, error) {
	if c.Session == "" {
		return nil, ErrSessionRequired
	}
	now := s.now()
	var out Ended
	err := s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, action); err != nil {
			return err
		}
		d := s.deed(a, "session.ended", "")
		d.class = account.ClassOf(a.Caller, a.account, a.device, s.policy.Windows, now)
		if out, err = end(ctx, tx, a, d); err != nil {
			return err
		}
		if d.action == "" { // nothing has changed, and nobody is told again
			return nil
		}
		d.event, d.body = "session.ended", map[string]any{"sessions": out.Sessions}
		d.more = map[string]any{"ended": out}
		return s.record(ctx, tx, d)
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}
