package integrity

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
)

// Scope is what a revocation ends. Exactly one of Session, Sessions, Credential,
// Device, Whole and Web is set, or Account alone with But: all but one session.
type Scope struct {
	Account    account.ID
	Session    account.SessionID
	Sessions   []account.SessionID
	Credential account.CredentialRef
	Device     account.DeviceID
	Whole      bool              // the account
	Web        bool              // the account, but for the sessions of phones: a freeze
	But        account.SessionID // all sessions but this one; those begun before die too

	Gone bool // beside Device or Whole: it is deleted, and not stopped for a time
}

// revoke ends everything of a scope: sessions, ceremonies, joins and approvals,
// and, for a device or an account, pending actions, recoveries and moves. It is the only code that ends anything.
func (s *Service) revoke(ctx context.Context, tx Tx, scope Scope, why string, now time.Time) (Ended, error) {
	var n Ended
	sessions, err := tx.Sessions(ctx, scope.Account)
	if err != nil {
		return n, err
	}
	gone := map[account.SessionID]account.SessionKind{}
	for _, sess := range sessions {
		if !scope.covers(sess) {
			continue
		}
		gone[sess.ID] = sess.Kind
		sess.EndedAt, sess.EndedWhy = now, why
		if err := tx.PutSession(ctx, sess, nil); err != nil {
			return n, err
		}
		n.Sessions++
		if scope.wide() {
			continue
		}
		ended, err := tx.EndCeremonies(ctx, scope.Account, sess.ID, now)
		if err != nil {
			return n, err
		}
		n.Ceremonies += ended
	}
	if scope.wide() {
		if n.Ceremonies, err = tx.EndCeremonies(ctx, scope.Account, "", now); err != nil {
			return n, err
		}
	}
	if err := s.revokeOpen(ctx, tx, scope, gone, now, &n); err != nil {
		return n, err
	}
	if err := s.endRecoveries(ctx, tx, scope, now); err != nil {
		return n, err
	}
	if err := s.endMoves(ctx, tx, scope, now); err != nil {
		return n, err
	}
	for _, hook := range s.revoked {
		if err := hook(ctx, tx, scope, now); err != nil {
			return n, err
		}
	}
	return n, nil
}

// wide reports whether the scope reaches beyond single sessions of an account,
// so that all ceremonies of it end.
func (sc Scope) wide() bool {
	return sc.all() || sc.But != "" || sc.Credential != "" || sc.Device != ""
}

// all reports whether everything that was begun ends.
func (sc Scope) all() bool { return sc.Whole || sc.Web }

// covers reports whether a session ends with the scope.
func (sc Scope) covers(sess account.Session) bool {
	switch {
	case sc.Whole:
		return true
	case sc.Web:
		return sess.Kind != account.PhoneSession
	case sc.But != "":
		return sess.ID != sc.But
	case sc.Device != "":
		return sess.Device == sc.Device || slices.ContainsFunc(sess.Proofs, func(p account.Proof) bool {
			return p.Method == account.ByApproval && p.Device == sc.Device // a guest whom it has let in
		})
	case sc.Credential != "":
		for _, p := range sess.Proofs {
			if p.Credential == sc.Credential {
				return true
			}
		}
		return false
	}
	return sc.Session != "" && sess.ID == sc.Session || slices.Contains(sc.Sessions, sess.ID)
}

// begun reports whether a row of that creator ends with the scope.
func (sc Scope) begun(by Creator) bool {
	switch {
	case sc.all():
		return true
	case sc.But != "":
		return by.Session != sc.But
	case sc.Device != "":
		return by.Device == sc.Device
	}
	return sc.Session != "" && by.Session == sc.Session
}

// lets reports whether a join ends with the scope, or with the sessions that did.
// Of a browser that has approved one, the join says no more than that it was one.
func (sc Scope) lets(j JoinRow, gone map[account.SessionID]account.SessionKind) bool {
	switch {
	case sc.all(), sc.But != "", sc.Credential != "":
		return true
	case sc.Device != "":
		return j.By == sc.Device
	}
	return j.State == StateConfirmed && j.By == "" && slices.Contains(slices.Collect(maps.Values(gone)), account.BrowserSession)
}

// revokeOpen ends approvals, joins and pending actions. gone are the sessions
// that have ended.
func (s *Service) revokeOpen(ctx context.Context, tx Tx, scope Scope, gone map[account.SessionID]account.SessionKind, now time.Time, n *Ended) error {
	approvals, err := tx.Approvals(ctx, scope.Account)
	if err != nil {
		return err
	}
	for _, a := range approvals {
		if _, ended := gone[a.By.Session]; !ended && !scope.begun(a.By) {
			continue
		}
		if ok, err := tx.EndApproval(ctx, a.ended(StateCancelled, now)); err != nil {
			return err
		} else if ok {
			n.Approvals++
		}
	}
	joins, err := tx.Joins(ctx, scope.Account)
	if err != nil {
		return err
	}
	for _, j := range joins {
		if !scope.lets(j, gone) {
			continue
		}
		was := j.State
		j.State = StateCancelled
		if ok, err := tx.PutJoin(ctx, j, was); err != nil {
			return err
		} else if ok {
			n.Joins++
		}
	}
	if !scope.all() && scope.Device == "" {
		return nil
	}
	pending, err := tx.Pendings(ctx, scope.Account)
	if err != nil {
		return err
	}
	for _, p := range pending {
		if !scope.begun(p.By) {
			continue
		}
		if ok, err := tx.EndPending(ctx, p.ended(StateCancelled, now)); err != nil {
			return err
		} else if ok {
			n.Pending++
		}
	}
	return nil
}
