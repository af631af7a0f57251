package integrity

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// BeginStepUp asks whoever has a session for one of his passkeys again. A guest
// cannot step up: he signs in.
func (s *Service) BeginStepUp(ctx context.Context, c account.Caller, b *Browser) (*Begun, error) {
	if err := s.takeBegin(ctx, c); err != nil {
		return nil, err
	}
	by, err := binder(c, b, false)
	if err != nil {
		return nil, err
	}
	now := s.now()
	var out *Begun
	err = s.act(ctx, func(tx Tx) error {
		a, _, err := s.stepping(ctx, tx, c, now)
		if err != nil {
			return err
		}
		passkeys, err := s.credentials(ctx, tx, a.Account)
		if err != nil {
			return err
		}
		allow, err := records(passkeys)
		if err != nil {
			return err
		}
		if len(allow) == 0 {
			return passkey.ErrUnknown
		}
		rp, err := s.page(b, "")
		if err != nil {
			return err
		}
		ceremony, options, err := rp.Request(passkey.StepUp, allow, nil, now)
		if err != nil {
			return err
		}
		ceremony.Account = a.Account
		row := ceremonyRow(ceremony)
		row.Session, row.Binding = a.Session, by
		out = &Begun{Ceremony: row.ID, Options: options, ExpiresAt: row.ExpiresAt}
		return tx.AddCeremony(ctx, row)
	})
	return out, err
}

// stepping loads a caller who may step up: from where he may sign in, with a
// session that a passkey has opened.
func (s *Service) stepping(ctx context.Context, tx Tx, c account.Caller, now time.Time) (*actor, account.Session, error) {
	if c.Session == "" {
		return nil, account.Session{}, ErrSessionRequired
	}
	a, err := s.load(ctx, tx, c, now)
	if err != nil {
		return nil, account.Session{}, err
	}
	sess, _, err := tx.Session(ctx, c.Session)
	switch {
	case err != nil:
		return nil, sess, err
	case sess.Kind == account.GuestSession:
		return nil, sess, fmt.Errorf("%w: a guest cannot step up, but sign in", ErrNotAllowed)
	}
	return a, sess, s.require(a, account.SignIn)
}

// FinishStepUp verifies the answer and adds it to the session. A browser gets a
// new token, and the old one is worth nothing from then on.
func (s *Service) FinishStepUp(ctx context.Context, c account.Caller, in *StepUpAnswer) (*Signed, error) {
	if c.Session == "" {
		return nil, ErrSessionRequired
	}
	by, err := binder(c, in.Browser, false)
	if err != nil {
		return nil, err
	}
	now := s.now()
	as, err := s.assert(ctx, c, passkey.StepUp, in.Ceremony, in.Response, by, c.Account, now)
	if err != nil {
		return nil, err
	}
	switch {
	case as.ceremony.Session != c.Session:
		return nil, ErrCeremonyExpired
	case as.assertion.BackupEligible && !account.SyncedAllowed(s.policy.SyncedOK, "step_up"):
		return nil, s.failed(ctx, c, c.Account, ErrSyncedRefused)
	}
	var out *Signed
	err = s.act(ctx, func(tx Tx) (err error) {
		out, err = s.stepUp(ctx, tx, c, in.Browser, as, now)
		return err
	})
	return out, err
}

// stepUp is the transaction of FinishStepUp.
func (s *Service) stepUp(ctx context.Context, tx Tx, c account.Caller, b *Browser, as *asserted, now time.Time) (*Signed, error) {
	a, sess, err := s.stepping(ctx, tx, c, now)
	if err != nil {
		return nil, err
	}
	if err := s.use(ctx, tx, as.ceremony, a.account, now); err != nil {
		return nil, err
	}
	if err := s.weigh(ctx, tx, c, as, now); err != nil {
		return nil, err
	}
	if err := s.used(ctx, tx, as, c.Device, now); err != nil {
		return nil, err
	}
	sess.Proofs = append(lastProofs(sess.Proofs), as.proof(now))
	a.Proofs = append(a.Proofs, as.proof(now))
	out := s.signed(a, sess)
	out.Credential = as.credential.Ref
	var hash *[32]byte
	if b != nil {
		out.Token = make(Token, 32)
		rand.Read(out.Token) // never returns an error
		sum := out.Token.hash()
		hash = &sum
		if out.Signals, err = s.signals(ctx, tx, a.account); err != nil {
			return nil, err
		}
	}
	if err := tx.PutSession(ctx, sess, hash); err != nil {
		return nil, err
	}
	d := s.deed(a, "session.stepped_up", string(sess.ID))
	d.class, d.more = out.Class, map[string]any{"credential": as.credential.Ref}
	return out, s.record(ctx, tx, d)
}

// lastProofs keeps how the session began, and the newest few of what came then,
// so that a session which is stepped up for years does not grow.
func lastProofs(all []account.Proof) []account.Proof {
	const most = 4
	if len(all) <= most {
		return all
	}
	return append(all[:1:1], all[len(all)-most+1:]...)
}
