package integrity

import (
	"context"
	"errors"
	"slices"

	"github.com/staunchid/staunch/account"
)

// Status says how the caller's account and device stand. It is answered in every
// state but deleted; what needs account.read is left out where that is refused.
func (s *Service) Status(ctx context.Context, c account.Caller) (*Status, error) {
	now := s.now()
	var out *Status
	err := s.look(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if a.device != nil {
			if err := s.require(a, account.SelfStatus); err != nil {
				return err
			}
		}
		out = &Status{
			Account: a.Account, AccountState: a.account.State, At: now,
			Class: s.class(a),
		}
		if h := a.account.Hold; h.Reason != "" {
			out.Hold = &h
		}
		if d := a.device; d != nil {
			out.Device, out.DeviceName, out.Platform, out.DeviceState = d.ID, d.Name, d.Platform, d.State
			if h := d.Hold; h.Reason != "" {
				out.Hold = &h
			}
		}
		switch err := s.require(a, account.AccountRead); {
		case errors.Is(err, account.ErrRefused):
			return nil // it learns how it stands itself, and no more
		case err != nil:
			return err
		}
		out.Rest, err = s.statusRest(ctx, tx, a)
		return err
	})
	return out, err
}

func (s *Service) statusRest(ctx context.Context, tx Tx, a *actor) (*StatusRest, error) {
	devices, err := s.devices(ctx, tx, a.Account)
	if err != nil {
		return nil, err
	}
	passkeys, err := s.credentials(ctx, tx, a.Account)
	if err != nil {
		return nil, err
	}
	r := &StatusRest{Passkeys: len(passkeys), Devices: len(devices)}
	for _, d := range devices {
		if d.ID == a.Device || d.State != account.Held && !vetoable(d) {
			continue
		}
		r.OthersHeld = append(r.OthersHeld, HeldDevice{
			Device: d.ID, Name: d.Name, Hold: d.Hold, MayVeto: vetoable(d) && older(a.device, d),
		})
	}
	open, err := tx.Pendings(ctx, a.Account)
	if err != nil {
		return nil, err
	}
	r.Pending = stillWaiting(open, a.now)
	seen, err := tx.AlertSeen(ctx, a.Account, reader(a.Caller))
	if err != nil {
		return nil, err
	}
	if r.AlertsUnread, err = tx.CountAlerts(ctx, a.Account, seen, a.Device); err != nil {
		return nil, err
	}
	r.Advice = advice(a, passkeys)
	if s.recovery == nil {
		return r, nil
	}
	if has, err := s.recovery.Has(ctx, beneath(tx), a.Account); err != nil {
		return nil, err
	} else if !has {
		r.Advice = append(r.Advice, "set_recovery_pin")
	}
	return r, nil
}

// older reports whether a device was there before another, held one, and counts:
// it is active, or leaving.
func older(d *account.Device, held account.Device) bool {
	return d != nil && d.AddedAt.Before(held.Hold.Since) &&
		(d.State == account.Active || d.State == account.Held && d.Hold.Reason == account.HoldLeaving)
}

// reader names who reads alerts: a device, or else a session.
func reader(c account.Caller) string {
	if c.Device != "" {
		return string(c.Device)
	}
	return string(c.Session)
}

// advice is what the owner should do for his own safety, most urgent first.
func advice(a *actor, passkeys []account.Credential) []string {
	var out []string
	stands := func(name account.SignalName) bool {
		return slices.ContainsFunc(a.signals, func(s account.Signal) bool { return s.Name == name })
	}
	if stands(account.SignalRecentVeto) {
		out = append(out, "change_pin")
	}
	if stands(account.SignalSharedCredential) {
		out = append(out, "replace_shared_passkey")
	}
	if stands(account.SignalAttestStale) {
		out = append(out, "reattest")
	}
	if len(passkeys) < 2 {
		out = append(out, "add_second_passkey")
	}
	return out
}
