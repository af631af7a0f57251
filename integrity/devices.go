package integrity

import (
	"context"

	"github.com/staunchid/staunch/account"
)

// Account gives all that the owner may read of his account. What is secret of it
// is left out.
func (s *Service) Account(ctx context.Context, c account.Caller) (*AccountView, error) {
	now := s.now()
	var out *AccountView
	err := s.look(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.AccountRead); err != nil {
			return err
		}
		out = &AccountView{Account: a.account}
		out.Account.FreezeCode, out.Account.MAC = nil, nil
		if out.Devices, err = s.devices(ctx, tx, a.Account); err != nil {
			return err
		}
		passkeys, err := s.credentials(ctx, tx, a.Account)
		if err != nil {
			return err
		}
		for _, p := range passkeys {
			view, err := passkeyView(p)
			if err != nil {
				return err
			}
			out.Passkeys = append(out.Passkeys, view)
		}
		out.Sessions, err = s.living(ctx, tx, a)
		return err
	})
	return out, err
}

// Devices gives the devices of the account, by time added, and its sessions.
func (s *Service) Devices(ctx context.Context, c account.Caller) ([]DeviceView, []account.Session, error) {
	now := s.now()
	var views []DeviceView
	var sessions []account.Session
	err := s.look(ctx, func(tx Tx) error {
		views = nil
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.AccountRead); err != nil {
			return err
		}
		devices, err := s.devices(ctx, tx, a.Account)
		if err != nil {
			return err
		}
		if sessions, err = s.living(ctx, tx, a); err != nil {
			return err
		}
		open := map[account.DeviceID]int{}
		for _, sess := range sessions {
			open[sess.Device]++
		}
		for _, d := range devices {
			view := DeviceView{Device: d, This: d.ID == a.Device, Sessions: open[d.ID]}
			for _, held := range devices {
				view.Older = view.Older || vetoable(held) && older(&d, held)
			}
			views = append(views, view)
		}
		return nil
	})
	return views, sessions, err
}

// living are the sessions of the account that count now.
func (s *Service) living(ctx context.Context, tx Tx, a *actor) ([]account.Session, error) {
	all, err := tx.Sessions(ctx, a.Account)
	if err != nil {
		return nil, err
	}
	out := all[:0]
	for _, sess := range all {
		if live(sess, a.now) {
			out = append(out, sess)
		}
	}
	return out, nil
}

// vetoable reports whether a device has a hold that an older one may veto: it
// cools off, or would if it were not frozen or locked.
func vetoable(d account.Device) bool {
	return d.State != account.Active && d.State != account.Deleted && d.Hold.Reason == account.HoldNew
}
