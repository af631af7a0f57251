package integrity

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/account"
)

// Veto is "this wasn't me": it removes a device that cools off, or cancels an
// action that waits, and exactly one of them is named. It is for a device that
// was there before; who began a pending action may cancel it too. A veto of the
// device that has recovered an account undoes the recovery.
func (s *Service) Veto(ctx context.Context, c account.Caller, device account.DeviceID, pending account.PendingID) (*Vetoed, error) {
	if (device == "") == (pending == "") {
		return nil, fmt.Errorf("%w: a veto names a device that cools off, or an action that waits, and not both", ErrMalformed)
	}
	now := s.now()
	var out *Vetoed
	err := s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if pending != "" {
			out, err = s.vetoPending(ctx, tx, a, pending)
		} else {
			out, err = s.vetoDevice(ctx, tx, a, device)
		}
		return err
	})
	return out, err
}

func (s *Service) vetoPending(ctx context.Context, tx Tx, a *actor, id account.PendingID) (*Vetoed, error) {
	p, found, err := tx.Pending(ctx, id)
	if err != nil {
		return nil, err
	}
	if !found || p.Account != a.Account {
		return nil, ErrPendingUnknown
	}
	err = s.require(a, account.VetoAction, func(r account.Requirement) account.Requirement {
		return r.AboutPending(p.CreatedAt, p.By.Device)
	})
	if err != nil {
		return nil, err
	}
	if ok, err := tx.EndPending(ctx, p.ended(StateDenied, a.now)); err != nil {
		return nil, err
	} else if !ok {
		return nil, ErrTooLate
	}
	if err := s.endStart(ctx, tx, p, a.now); err != nil {
		return nil, err
	}
	d := s.deed(a, string(p.Action)+".cancel", string(id))
	d.class, d.event, d.alert = s.class(a), "account.vetoed", string(account.VetoAction)
	d.body = map[string]any{"action": p.Action, "pending": id}
	d.data = map[string]any{"action": p.Action, "pending": id}
	return &Vetoed{State: a.account.State}, s.record(ctx, tx, d)
}

func (s *Service) vetoDevice(ctx context.Context, tx Tx, a *actor, id account.DeviceID) (*Vetoed, error) {
	target, err := s.device(ctx, tx, a.Account, id)
	if err != nil {
		return nil, err
	}
	err = s.require(a, account.VetoAction, func(r account.Requirement) account.Requirement { return r.About(target) })
	if err != nil {
		return nil, err
	}
	if target.Hold.Reason != account.HoldNew { // held, or frozen or locked while it was
		return nil, fmt.Errorf("%w: %s does not cool off; remove it", ErrTooLate, id)
	}
	d := s.deed(a, "device.veto", string(id))
	d.class, d.event, d.alert = s.class(a), "device.removed", string(account.VetoAction)
	d.reason, d.data = "veto", map[string]any{"platform": target.Platform}
	state := a.account.State
	if a.account.Hold.Reason == account.HoldRecovered && a.account.Hold.By == id {
		next, err := s.stepAccount(ctx, tx, d, a.account, account.Step{Name: account.StepVeto, By: a.Device})
		if err != nil {
			return nil, err
		}
		state, d.action, d.subject, d.event, d.reason = next.State, "account.veto", string(a.Account), "account.vetoed", "recovery"
		d.data["recovery"] = true
	}
	if err := s.removeWithAdded(ctx, tx, d, target, account.StepVeto); err != nil {
		return nil, err
	}
	if err := s.stayIfSuccessor(ctx, tx, d, a.account, id); err != nil {
		return nil, err
	}
	d.device = id
	err = tx.PutSignal(ctx, a.Account, account.Signal{
		Name: account.SignalRecentVeto, Source: sourceSelf, FirstAt: a.now, LastAt: a.now, Until: a.now.Add(recentVeto),
	})
	if err != nil {
		return nil, err
	}
	return &Vetoed{State: state, Removed: id}, s.record(ctx, tx, d)
}

// removeWithAdded removes a device that is vetoed or recalled, by that step, and
// the devices that it has let in, and so on. That no passkey may be left is no
// reason against it.
func (s *Service) removeWithAdded(ctx context.Context, tx Tx, d *deed, target account.Device, by account.StepName) error {
	devices, err := s.devices(ctx, tx, target.Account)
	if err != nil {
		return err
	}
	going := map[account.DeviceID]bool{target.ID: true}
	for _, dev := range devices { // by time added: who lets in comes first
		if going[dev.AddedBy] {
			going[dev.ID] = true
		}
	}
	data := d.data
	for _, dev := range devices {
		if !going[dev.ID] {
			continue
		}
		step := account.StepRemove
		if dev.ID == target.ID {
			step = by
		} else {
			d.data = map[string]any{} // what the alert says is of the target
		}
		if _, err := s.removeDevice(ctx, tx, d, dev, step); err != nil {
			return err
		}
		d.data = data
	}
	return nil
}

// stayIfSuccessor lets devices stay that were leaving for one that is gone. While
// the account cools off after a recovery on another, they leave for that one.
func (s *Service) stayIfSuccessor(ctx context.Context, tx Tx, d *deed, a account.Account, gone account.DeviceID) error {
	devices, err := s.devices(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	for _, dev := range devices {
		if dev.State != account.Held || dev.Hold.Reason != account.HoldLeaving || dev.Hold.By != gone {
			continue
		}
		dev, err := s.stepDevice(ctx, tx, d, dev, account.Step{Name: account.StepStay, By: d.caller.Device})
		if err != nil {
			return err
		}
		if h := a.Hold; a.State == account.Held && h.Reason == account.HoldRecovered && h.By != gone {
			step := account.Step{Name: account.StepLeaveStart, By: h.By, Wait: h.Until.Sub(d.now)}
			if _, err := s.stepDevice(ctx, tx, d, dev, step); err != nil {
				return err
			}
		}
	}
	return nil
}
