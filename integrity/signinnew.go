package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
)

// joinFromSignIn is what "approve" does: the phone becomes a join that another
// device must approve.
func (s *Service) joinFromSignIn(context.Context, account.Caller, *NewPhone, *newKey, *asserted, time.Time) (*Joined, error) {
	return nil, ErrSyncedRefused
}

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
	c.Kind, c.Account, c.Key = account.Phone, as.credential.Account, keyID
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
	d := s.deed(a, "device.add", "")
	d.class, d.event, d.alert = account.Fresh, "device.added", string(account.AddDevice)
	d.body = map[string]any{"method": account.ByAssertion}
	d.data = map[string]any{"name": p.Name, "platform": p.Platform, "credential": as.credential.Ref}
	dev, err := s.enrolDevice(ctx, tx, d, c.Account, keyID, p, account.Step{Name: account.StepAdd, Wait: s.policy.Holds.Add})
	if err != nil {
		return nil, err
	}
	d.subject, d.caller.Device = string(dev.ID), dev.ID
	if err := s.used(ctx, tx, as, dev.ID, now); err != nil {
		return nil, err
	}
	sess, token, err := s.startSession(ctx, tx, account.Session{
		Account: c.Account, Device: dev.ID, Kind: account.PhoneSession, Network: c.Network, Place: c.Place, Proofs: c.Proofs,
	}, now)
	if err != nil {
		return nil, err
	}
	d.caller.Session = sess.ID
	return &Signed{
		Account: a.account.ID, AccountState: a.account.State, Device: dev.ID, DeviceState: dev.State, Hold: dev.Hold,
		Credential: as.credential.Ref, Session: sess.ID, Token: token, Until: sess.Until, Class: account.Fresh,
	}, s.record(ctx, tx, d)
}
