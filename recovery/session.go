package recovery

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
)

// sessionLife is how long a session is open. The attempt that was begun in it
// goes on in the next.
const sessionLife = 15 * time.Minute

// OpenSession begins to recover with a ticket, in a request that the key signed
// which the ticket names. Those that were opened with it before end.
func (s *Service) OpenSession(ctx context.Context, c account.Caller, id account.ID, ticket TicketSecret) (*SessionView, error) {
	if c.Kind != account.Phone || c.Key == "" || len(ticket) == 0 {
		return nil, ErrTicket
	}
	now := s.now()
	secret := make(SessionSecret, 32)
	rand.Read(secret) //nolint:errcheck // crypto/rand: never returns an error
	var out *SessionView
	err := s.update(ctx, func(tx Tx) error {
		t, err := s.accounts.Ticket(ctx, tx, c, id, sha256.Sum256(ticket))
		if err != nil {
			return err
		}
		if t.Account != id || t.Key != c.Key || !now.Before(t.Until) {
			return ErrTicket
		}
		if err := s.take(ctx, tx, sessionsAccount, now, "session", string(id)); err != nil {
			return err
		}
		v := SessionRow{
			Hash: sha256.Sum256(secret), Account: id, Key: c.Key, Device: t.Device, Ticket: sha256.Sum256(ticket),
			CreatedAt: now, Until: earlier(now.Add(sessionLife), t.Until),
		}
		if err := s.endSessions(ctx, tx, id, now, func(old SessionRow) bool { return old.Ticket == v.Ticket }); err != nil {
			return err
		}
		v.MAC = v.Seal(s.rowKey)
		if err := tx.AddRecoverySession(ctx, v); err != nil {
			return err
		}
		if out, err = s.opened(ctx, tx, v); err != nil {
			return err
		}
		out.Secret = secret
		return tx.AppendAudit(ctx, s.entry(c, id, t.Device, "recovery.session_opened", now))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// opened is what a phone needs in a session.
func (s *Service) opened(ctx context.Context, tx Tx, v SessionRow) (*SessionView, error) {
	p, found, err := s.pointerOf(ctx, tx, v.Account)
	if err != nil {
		return nil, err
	}
	if !found || p.Stage == Deleting {
		return nil, ErrNotFound
	}
	out := &SessionView{Account: v.Account, Until: v.Until, Accts: s.accts(v.Account), Reg: p.Reg}
	out.Blobs, err = blobsOf(ctx, tx, v.Account)
	return out, err
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// entry is an audit entry about the backup of an account.
func (s *Service) entry(c account.Caller, id account.ID, device account.DeviceID, action string, now time.Time) audit.Entry {
	actor := audit.Actor{Kind: c.Kind, ID: string(device), Session: string(c.Session)}
	if device == "" {
		actor.ID = c.Key
	}
	return audit.Entry{Account: id, Time: now, Actor: actor, Action: action, Subject: string(id)}
}

// FinishSession says that the PIN was right. It succeeds when t vaults have
// released their shares to phones with this ticket, as their receipts show.
func (s *Service) FinishSession(ctx context.Context, c account.Caller, secret SessionSecret) error {
	ok, id, err := s.finish(ctx, c, secret)
	if err != nil || ok {
		return err
	}
	for _, p := range s.pools { // a receipt may be in the retry stream
		if err := s.retry.Nudge(ctx, s.app, p.id, p.acct(id)); err != nil {
			s.log.Warn("recovery: what the retry stream holds for a session cannot be applied", "app", s.app, "vault", p.id, "error", err)
		}
	}
	if ok, _, err = s.finish(ctx, c, secret); err == nil && !ok {
		return ErrUnfinished
	}
	return err
}

func (s *Service) finish(ctx context.Context, c account.Caller, secret SessionSecret) (ok bool, id account.ID, err error) {
	now := s.now()
	err = s.update(ctx, func(tx Tx) error {
		v, err := s.session(ctx, tx, c, secret, now)
		if err != nil {
			return err
		}
		id = v.Account
		if ok = !v.Finished.IsZero(); ok {
			return nil
		}
		n, err := s.releases(ctx, tx, v)
		if err != nil {
			return err
		}
		if ok = n >= int(s.set.T); !ok {
			return nil
		}
		v.Finished = now
		if err := s.putSession(ctx, tx, v); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, s.entry(c, v.Account, v.Device, "recovery.proved", now))
	})
	return ok, id, err
}

// releases counts the vaults that have released in the sessions of a ticket. One
// attempt may go on over several of them, and a vault shows once that the PIN was
// right: that the same release is repeated cannot be told from one that is refused.
func (s *Service) releases(ctx context.Context, tx Tx, v SessionRow) (int, error) {
	all, err := tx.RecoverySessions(ctx, v.Ticket)
	if err != nil {
		return 0, err
	}
	var seen []string
	for _, o := range all {
		if err := s.judge(o, "recovery_session", o.Account); err != nil {
			return 0, err
		}
		if o.Account == v.Account && o.Key == v.Key {
			seen = append(seen, o.Releases...)
		}
	}
	slices.Sort(seen)
	return len(slices.Compact(seen)), nil
}

// released notes that a vault has released in a session.
func (s *Service) released(ctx context.Context, tx Tx, hash [32]byte, id account.ID, vault string) error {
	v, found, err := s.sessionOf(ctx, tx, hash)
	if err != nil || !found || v.Account != id || slices.Contains(v.Releases, vault) {
		return err
	}
	v.Releases = append(v.Releases, vault)
	return s.putSession(ctx, tx, v)
}

// Finished reports whether the PIN was proved with the ticket of that SHA-256. It
// is for the flows of the accounts, in their transaction.
func (s *Service) Finished(ctx context.Context, tx Tx, id account.ID, ticket [32]byte) (bool, error) {
	all, err := tx.RecoverySessions(ctx, ticket)
	if err != nil {
		return false, err
	}
	for _, v := range all {
		if err := s.judge(v, "recovery_session", v.Account); err != nil {
			return false, err
		}
		if v.Account == id && !v.Finished.IsZero() {
			return true, nil
		}
	}
	return false, nil
}

// EndSessions ends the open sessions of an account, or those of one key if key is
// not empty. It is for the flows of the accounts, in their transaction.
func (s *Service) EndSessions(ctx context.Context, tx Tx, id account.ID, key string, now time.Time) error {
	return s.endSessions(ctx, tx, id, now, func(v SessionRow) bool { return key == "" || v.Key == key })
}

func (s *Service) endSessions(ctx context.Context, tx Tx, id account.ID, now time.Time, which func(SessionRow) bool) error {
	all, err := tx.OpenRecoverySessions(ctx, id)
	if err != nil {
		return err
	}
	for _, v := range all {
		if !which(v) {
			continue
		}
		if !v.Sound(s.rowKey) { // it ends all the same, and does not get a good mark by that
			v.EndedAt = now
			if err := tx.PutRecoverySession(ctx, v); err != nil {
				return err
			}
			continue
		}
		v.EndedAt = now
		if err := s.putSession(ctx, tx, v); err != nil {
			return err
		}
	}
	return nil
}
