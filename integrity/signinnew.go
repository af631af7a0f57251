package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
)

// signInNewPhone follows synced_new_device.
func (s *Service) signInNewPhone(ctx context.Context, c account.Caller, in *SignInAnswer, as *asserted, now time.Time) (*SignInResult, error) {
	if s.policy.SyncedNewDevice == "refuse" {
		return nil, s.failed(ctx, c, as.credential.Account, ErrSyncedRefused)
	}
	k, err := s.verifyPhone(ctx, c, in.Phone, as.ceremony, as.credential.Account, now)
	if err != nil {
		return nil, s.failed(ctx, c, as.credential.Account, err)
	}
	if s.policy.SyncedNewDevice == "approve" {
		j, err := s.joinFromSignIn(ctx, c, in.Phone, k, as, now)
		return &SignInResult{Join: j}, err
	}
	var out *Signed
	err = s.actWithKey(ctx, k, registry.StateActive, func(tx Tx, keyID string) (err error) {
		out, err = s.signInHeld(ctx, tx, c, in.Phone, keyID, as, now)
		return err
	})
	return &SignInResult{Signed: out}, err
}

// signInHeld is the transaction of a sign-in on a phone that nobody knows: the
// phone becomes a device of the account, held, and all others are told.
func (s *Service) signInHeld(ctx context.Context, tx Tx, c account.Caller, p *NewPhone, keyID string, as *asserted, now time.Time) (*Signed, error) {
	c.Kind, c.Account, c.Key, c.Session = account.Phone, as.credential.Account, keyID, ""
	c.Proofs = []account.Proof{as.proof(now)}
	a, err := s.load(ctx, tx, c, now)
	if err != nil {
		return nil, err
	}
	if err := s.use(ctx, tx, as.ceremony, a.account, now); err != nil {
		return nil, err
	}
	if err := s.require(a, account.SignInNewPhone); err != nil {
		return nil, err
	}
	if err := s.weigh(ctx, tx, c, as, now); err != nil {
		return nil, err
	}
	d := s.deed(a, "device.add", "")
	dev, err := s.enrolDevice(ctx, tx, d, c.Account, keyID, p, account.Step{Name: account.StepAdd, Wait: s.policy.Holds.Add})
	if err != nil {
		return nil, err
	}
	d.subject, d.caller.Device = string(dev.ID), dev.ID
	d.alert = string(account.AddDevice)
	d.data = map[string]any{"name": p.Name, "platform": p.Platform, "credential": as.credential.Ref}
	if err := s.used(ctx, tx, as, dev.ID, now); err != nil {
		return nil, err
	}
	a.Device, a.device = dev.ID, &dev
	a.Proofs = append(a.Proofs, account.Proof{Method: account.ByDeviceKey, At: now, Device: dev.ID})
	out, err := s.openSession(ctx, tx, d, a, account.Session{Account: c.Account, Device: dev.ID, Kind: account.PhoneSession}, as, now)
	if err != nil {
		return nil, err
	}
	d.event = "device.added"
	return out, s.record(ctx, tx, d)
}
