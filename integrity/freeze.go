package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
)

// Freeze stops the account: one tap, and to do it again changes nothing. Browser
// and guest sessions end, and so does everything that was begun and is not done.
func (s *Service) Freeze(ctx context.Context, c account.Caller) (*Frozen, error) {
	now := s.now()
	var out *Frozen
	err := s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.FreezeAccount); err != nil {
			return err
		}
		if a.account.State == account.Frozen {
			out = &Frozen{State: account.Frozen}
			return nil
		}
		out = &Frozen{State: account.Frozen, Changed: true}
		d := s.deed(a, "account.freeze", string(a.Account))
		d.class = s.class(a)
		return s.freeze(ctx, tx, d, a.account)
	})
	return out, err
}

// freeze freezes an account for whoever may. The clocks of all holds in it stand
// until it is unfrozen.
func (s *Service) freeze(ctx context.Context, tx Tx, d *deed, a account.Account) error {
	if _, err := s.stepAccount(ctx, tx, d, a, account.Step{Name: account.StepFreeze, By: d.caller.Device}); err != nil {
		return err
	}
	if err := s.eachHold(ctx, tx, d, a.ID, paused); err != nil {
		return err
	}
	d.event, d.alert = "account.frozen", string(account.FreezeAccount)
	ended, err := s.revoke(ctx, tx, Scope{Account: a.ID, Web: true}, "frozen", d.now)
	if err != nil {
		return err
	}
	d.more = map[string]any{"ended": ended}
	return s.record(ctx, tx, d)
}

// eachHold changes the holds of the account's devices that are held, where f
// does. Those that are frozen themselves have a clock that stands already.
func (s *Service) eachHold(ctx context.Context, tx Tx, d *deed, id account.ID, f func(h account.Hold, now time.Time) (account.Hold, bool)) error {
	devices, err := s.devices(ctx, tx, id)
	if err != nil {
		return err
	}
	for _, dev := range devices {
		if dev.State != account.Held {
			continue
		}
		hold, changed := f(dev.Hold, d.now.Truncate(time.Microsecond)) // as times are stored
		if !changed {
			continue
		}
		dev.Hold = hold
		d.row(string(dev.ID), dev.Digest())
		if err := s.putDevice(ctx, tx, dev); err != nil {
			return err
		}
	}
	return nil
}

// paused stops the clock of a hold. Something is always left of it.
func paused(h account.Hold, now time.Time) (account.Hold, bool) {
	if h.Until.IsZero() {
		return h, false
	}
	h.Left, h.Until = max(time.Microsecond, h.Until.Sub(now)), time.Time{}
	return h, true
}

// resumed lets it go on with what was left.
func resumed(h account.Hold, now time.Time) (account.Hold, bool) {
	if h.Left <= 0 {
		return h, false
	}
	h.Left, h.Until = 0, now.Add(h.Left)
	return h, true
}
