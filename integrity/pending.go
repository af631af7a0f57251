package integrity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
)

// wait begins an action that waits and then runs by itself. If it waits already,
// that one goes on: to ask again never restarts a wait.
func (s *Service) wait(ctx context.Context, tx Tx, a *actor, d *deed, action account.Action, wait time.Duration) (PendingRow, error) {
	open, err := tx.Pendings(ctx, a.Account)
	if err != nil {
		return PendingRow{}, err
	}
	for _, p := range open {
		if p.Action == action {
			d.action = ""
			return p, nil
		}
	}
	p := PendingRow{
		ID: account.NewPendingID(), Account: a.Account, Action: action, Params: json.RawMessage(`{}`),
		By:        Creator{Kind: a.Kind, Device: a.Device, Session: a.Session},
		CreatedAt: a.now, OpensAt: a.now.Add(wait), State: StateOpen,
	}
	d.action, d.subject, d.event, d.alert = string(action)+".wait", string(p.ID), "account.waiting", string(action)+".wait"
	d.body = map[string]any{"action": action, "pending": p.ID, "opens_at": p.OpensAt.UTC()}
	d.data = map[string]any{"pending": p.ID, "opens_at": p.OpensAt.UTC()}
	return p, tx.AddPending(ctx, p)
}

// clockActions are what the clock runs when the wait is over. Of others that wait
// it is the owner who asks for what comes after it.
var clockActions = []account.Action{account.UnfreezeAccount, account.DeleteAccount}

// open runs an action whose wait is over. One that is not legal any more is
// cancelled. An action of a kind that the clock does not run is left alone.
func (s *Service) open(ctx context.Context, tx Tx, id account.PendingID, now time.Time) (done bool, err error) {
	p, found, err := tx.Pending(ctx, id) // as it is now, and not when it was listed
	if err != nil || !found || p.State != StateOpen || now.Before(p.OpensAt) || !slices.Contains(clockActions, p.Action) {
		return false, err
	}
	a, err := s.account(ctx, tx, p.Account)
	if errors.Is(err, ErrAccountUnknown) {
		return tx.EndPending(ctx, p.ended(StateCancelled, now))
	}
	if err != nil {
		return false, err
	}
	d := s.clockDeed(a.ID, string(p.Action), now)
	d.more = map[string]any{"pending": p.ID}
	if ok, err := tx.EndPending(ctx, p.ended(StateFinished, now)); err != nil || !ok {
		return false, err
	}
	switch {
	case p.Action == account.UnfreezeAccount && a.State == account.Frozen:
		err = s.unfreeze(ctx, tx, d, a)
	case p.Action == account.DeleteAccount && a.State == account.Active:
		err = s.deleteAccount(ctx, tx, d, a)
	default:
		d.action, d.subject, d.reason = string(p.Action)+".void", string(p.ID), "the account is "+a.State.String()
	}
	if err != nil {
		return false, err
	}
	return true, s.record(ctx, tx, d)
}

// unfreeze ends the freeze. Holds go on with the time that was left of them, and
// what still waits to unfreeze it is over.
func (s *Service) unfreeze(ctx context.Context, tx Tx, d *deed, a account.Account) error {
	d.subject, d.event, d.alert = string(a.ID), "account.unfrozen", string(account.UnfreezeAccount)
	if _, err := s.stepAccount(ctx, tx, d, a, account.Step{Name: account.StepUnfreeze, By: d.caller.Device}); err != nil {
		return err
	}
	open, err := tx.Pendings(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, p := range open {
		if p.Action != account.UnfreezeAccount {
			continue
		}
		if _, err := tx.EndPending(ctx, p.ended(StateCancelled, d.now)); err != nil {
			return err
		}
	}
	if err := s.eachHold(ctx, tx, d, a.ID, resumed); err != nil {
		return err
	}
	return s.thawMoves(ctx, tx, a.ID, d.now)
}

// deleteAccount makes tombstones of an account and all that is in it.
func (s *Service) deleteAccount(ctx context.Context, tx Tx, d *deed, a account.Account) error {
	d.subject, d.event, d.alert = string(a.ID), "account.deleted", string(account.DeleteAccount)
	if _, err := s.revoke(ctx, tx, Scope{Account: a.ID, Whole: true, Gone: true}, "account deleted", d.now); err != nil {
		return err
	}
	if _, err := s.stepAccount(ctx, tx, d, a, account.Step{Name: account.StepDelete}); err != nil {
		return err
	}
	devices, err := s.devices(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	for _, dev := range devices {
		if _, err := s.stepDevice(ctx, tx, d, dev, account.Step{Name: account.StepRemove}); err != nil {
			return err
		}
	}
	passkeys, err := s.credentials(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	for _, c := range passkeys {
		c.State, c.Name = account.CredentialRemoved, ""
		d.row(string(c.Ref), c.Digest())
		if err := s.putCredential(ctx, tx, c); err != nil {
			return err
		}
	}
	return nil
}

// span is a duration as people say it: "24 hours", "7 days", "30 seconds".
func span(d time.Duration) string {
	const day = 24 * time.Hour
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := d / u.of; d%u.of == 0 && n > 0 && (u.of != day || n > 2) {
			if n == 1 {
				return "1 " + u.name
			}
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return d.Round(time.Second).String()
}
