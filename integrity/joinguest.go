package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
)

// enterGuest opens the session of a guest whom another device has let in. It is
// worth Guest and no more, and its token is given out this once.
func (s *Service) enterGuest(ctx context.Context, c account.Caller, id account.JoinID, h *holder, now time.Time) (*JoinStatus, error) {
	var out *JoinStatus
	err := s.act(ctx, func(tx Tx) error {
		j, err := s.held(ctx, tx, id, h, now)
		if err != nil {
			return err
		}
		out = &JoinStatus{Join: j.ID, State: j.State}
		if j.State != StateConfirmed {
			return nil
		}
		acct, err := s.joined(ctx, tx, account.ApproveGuest, j, now)
		if err != nil {
			return err
		}
		j.State = StateFinished
		if ok, err := tx.PutJoin(ctx, j, StateConfirmed); err != nil || !ok {
			return firstError(err, ErrTooLate)
		}
		sess := account.Session{
			Account: acct.ID, Kind: account.GuestSession, Origin: j.Origin, Label: j.Name, Network: c.Network, Place: c.Place,
			Proofs: []account.Proof{{Method: account.ByApproval, At: now, Device: j.By, Action: account.ApproveGuest}},
		}
		sess, token, err := s.startSession(ctx, tx, sess, now)
		if err != nil {
			return err
		}
		c.Kind, c.Account, c.Session = account.Browser, acct.ID, sess.ID
		a := &actor{Caller: c, account: acct, now: now}
		d := s.deed(a, "session.started", string(sess.ID))
		d.class, d.event, d.body = account.GuestClass, "session.started", map[string]any{"method": account.ByApproval}
		d.more = map[string]any{"join": j.ID, "approved_by": j.By}
		a.Proofs = sess.Proofs
		out.State, out.Account, out.Guest = j.State, acct.ID, s.signed(a, sess)
		out.Guest.Token = token
		return s.record(ctx, tx, d)
	})
	return out, err
}

// joined reads the account into which a join was let, and refuses unless it
// still takes new devices: it is active, and no risk stands in the way.
func (s *Service) joined(ctx context.Context, tx Tx, action account.Action, j JoinRow, now time.Time) (account.Account, error) {
	a, err := s.account(ctx, tx, j.Account)
	if err != nil {
		return a, err
	}
	return a, s.takes(ctx, tx, account.Required(action), a, now)
}
