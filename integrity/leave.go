package integrity

import (
	"context"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
)

// How long the signals stand that removals leave (accounts, "Risk signals").
const (
	recentVeto = 30 * 24 * time.Hour
	sourceSelf = "staunch"
)

// LeaveDevice takes the caller's own device out of its account.
func (s *Service) LeaveDevice(ctx context.Context, c account.Caller) error {
	now := s.now()
	return s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.LeaveDevice); err != nil {
			return err
		}
		d := s.deed(a, "device.leave", string(a.Device))
		d.class, d.event, d.alert = s.class(a), "device.removed", string(account.LeaveDevice)
		if _, err := s.removeDevice(ctx, tx, d, *a.device, account.StepRemove); err != nil {
			return err
		}
		if err := s.wayInStays(ctx, tx, a.Account); err != nil {
			return err
		}
		if err := s.stayIfSuccessor(ctx, tx, d, a.account, a.Device); err != nil {
			return err
		}
		return s.record(ctx, tx, d)
	})
}

// removeDevice takes a device out of its account by a step that does so. Its
// sessions and what it began end, and the passkeys that only it used go with it.
// A synced one that others use too stays: whoever has the device may have it, so
// a signal says so until it is replaced. removeDevice gives those.
func (s *Service) removeDevice(ctx context.Context, tx Tx, d *deed, dev account.Device, step account.StepName) (shared []account.CredentialRef, err error) {
	return s.removeBy(ctx, tx, d, dev, account.Step{Name: step, AccountState: account.Active})
}

// removeBy is removeDevice for a step of which there is more to say. Who causes it
// the deed says.
func (s *Service) removeBy(ctx context.Context, tx Tx, d *deed, dev account.Device, step account.Step) (shared []account.CredentialRef, err error) {
	step.By = d.caller.Device
	d.device = dev.ID
	if d.data == nil {
		d.data = map[string]any{}
	}
	if dev.Name != "" {
		d.data["name"] = dev.Name
	}
	if _, err := s.revoke(ctx, tx, Scope{Account: dev.Account, Device: dev.ID, Gone: true}, "device removed", d.now); err != nil {
		return nil, err
	}
	if _, err := s.stepDevice(ctx, tx, d, dev, step); err != nil {
		return nil, err
	}
	passkeys, err := s.credentials(ctx, tx, dev.Account)
	if err != nil {
		return nil, err
	}
	for _, c := range passkeys {
		switch {
		case !slices.Contains(c.Devices, dev.ID):
		case len(c.Devices) == 1:
			if err := s.removeCredential(ctx, tx, d, c); err != nil {
				return nil, err
			}
		default:
			shared = append(shared, c.Ref)
			if err := s.sharedCredential(ctx, tx, dev.Account, c, dev.ID, d.now); err != nil {
				return nil, err
			}
		}
	}
	if len(shared) > 0 {
		d.data["advice"] = "replace_shared_passkey"
	}
	return shared, nil
}

// sharedCredential notes that a device which is gone has used a passkey that
// stays, and that the device counts for it no more. The signal stands until the
// passkey is removed.
func (s *Service) sharedCredential(ctx context.Context, tx Tx, id account.ID, c account.Credential, gone account.DeviceID, now time.Time) error {
	c.Devices = slices.DeleteFunc(slices.Clone(c.Devices), func(dev account.DeviceID) bool { return dev == gone })
	if err := s.putCredential(ctx, tx, c); err != nil {
		return err
	}
	return tx.PutSignal(ctx, id, account.Signal{
		Name: account.SignalSharedCredential, Source: sourceSelf + ":" + string(c.Ref), Value: string(c.Ref), FirstAt: now, LastAt: now,
	})
}

// removeCredential takes a passkey out of its account: it signs in nobody any
// more, what it has opened ends, and its signals with it.
func (s *Service) removeCredential(ctx context.Context, tx Tx, d *deed, c account.Credential) error {
	c.State = account.CredentialRemoved
	d.row(string(c.Ref), c.Digest())
	if err := s.putCredential(ctx, tx, c); err != nil {
		return err
	}
	if _, err := s.revoke(ctx, tx, Scope{Account: c.Account, Credential: c.Ref}, "passkey removed", d.now); err != nil {
		return err
	}
	signals, err := tx.Signals(ctx, c.Account, d.now)
	if err != nil {
		return err
	}
	for _, sig := range signals {
		if sig.Name == account.SignalSharedCredential && sig.Value == string(c.Ref) {
			sig.LastAt, sig.Until = d.now, d.now
			if err := tx.PutSignal(ctx, c.Account, sig); err != nil {
				return err
			}
		}
	}
	return nil
}

// wayInStays refuses a removal after which nobody could sign in.
func (s *Service) wayInStays(ctx context.Context, tx Tx, id account.ID) error {
	passkeys, err := s.credentials(ctx, tx, id)
	if err != nil {
		return err
	}
	for _, c := range passkeys {
		if c.State == account.CredentialActive {
			return nil
		}
	}
	return ErrLastWayIn
}
