package integrity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
)

// committing is what CommitMove does in its transaction.
type committing struct {
	c     account.Caller // the new phone, which has proved the receipt
	turn  transfer.Turn
	w     *transfer.Wanted
	now   time.Time
	view  *transfer.View
	out   *Signed
	ended error // the transfer is over, and that is committed
}

// CommitMove brings the receipt of the new phone over all that was granted, and
// gives it the account, in one transaction: the old device leaves, its sessions
// end, the new one is enrolled, held like every new device, with its passkey and a
// session. Before it the account is the old phone's, after it the new one's, and
// there is no moment between.
//
// Sent again, the same receipt gets the same answer, but no token: the phone signs
// in. What can never succeed any more, because the old device is not active now or
// the new one's key is refused, ends the transfer.
func (s *Service) CommitMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*transfer.View, *Signed, error) {
	turn.Step = handover.StepReceipt
	now := s.now()
	w, err := s.expected(ctx, c, turn, now)
	if err != nil {
		return nil, nil, err
	}
	turn.Value = w.Value
	m := &committing{c: c, turn: turn, now: now}
	err = s.actMove(ctx, turn.ID, func(tx Tx, moves transfer.Tx) (err error) {
		m.view, m.out, m.ended = nil, nil, nil // may run twice
		if m.w, err = s.moves.Expect(ctx, moves, turn, now); err != nil {
			return err
		}
		if m.w.Repeat {
			return s.committedBefore(ctx, tx, moves, m)
		}
		return s.commitMove(ctx, tx, moves, m)
	})
	if err = firstError(err, m.ended); err != nil {
		return nil, nil, err
	}
	return m.view, m.out, nil
}

// committedBefore is the answer to a receipt that was taken already.
func (s *Service) committedBefore(ctx context.Context, tx Tx, moves transfer.Tx, m *committing) (err error) {
	if m.view, err = s.moves.CommitTx(ctx, moves, m.turn, m.w.Transfer.NewDevice, m.now); err != nil {
		return err
	}
	t := m.w.Transfer
	a, err := s.account(ctx, tx, t.Account)
	if err != nil {
		return err
	}
	dev, err := s.device(ctx, tx, t.Account, t.NewDevice)
	if errors.Is(err, ErrDeviceUnknown) { // recalled
		m.out = &Signed{Account: a.ID, AccountState: a.State, Device: t.NewDevice, DeviceState: account.Deleted}
		return nil
	}
	if err != nil {
		return err
	}
	c := m.phone(s, t)
	c.Device = dev.ID
	m.out = s.signed(&actor{Caller: c, account: a, device: &dev, now: m.now}, account.Session{})
	return nil
}

// phone is the new phone as a caller: it has proved its key by the envelope.
func (m *committing) phone(s *Service, t transfer.Transfer) account.Caller {
	return account.Caller{
		Kind: account.Phone, App: s.app, Account: t.Account, Key: t.ReceiverKey, Network: m.c.Network, Place: m.c.Place,
	}
}

// over ends the transfer in this transaction, for a reason that will not go away.
func (s *Service) over(ctx context.Context, moves transfer.Tx, m *committing, why transfer.Reason, err error) error {
	if _, failed := s.moves.AbortTx(ctx, moves, m.w.Transfer.ID, why, m.now); failed != nil {
		return failed
	}
	if m.ended = err; err == nil {
		m.ended = &transfer.EndedError{State: transfer.Aborted, Reason: why}
	}
	return nil
}

// commitMove is the transaction of CommitMove (spec/transfer.md, "Commit").
func (s *Service) commitMove(ctx context.Context, tx Tx, moves transfer.Tx, m *committing) error {
	t := m.w.Transfer
	acct, old, err := s.leaver(ctx, tx, t)
	if errors.Is(err, account.ErrStep) || errors.Is(err, ErrAccountUnknown) || errors.Is(err, ErrDeviceUnknown) {
		return s.over(ctx, moves, m, transfer.AccountChanged, nil)
	}
	if err != nil {
		return err
	}
	a := &actor{Caller: m.phone(s, t), account: acct, now: m.now}
	r, err := s.attest.Adopt(ctx, tx, a.Caller, acct.ID, t.ReceiverKey, m.now)
	switch {
	case errors.Is(err, registry.ErrKeyUnknown): // another flow, with the same key, was faster
		return s.over(ctx, moves, m, transfer.DeviceRejected, ErrDeviceKeyKnown)
	case err != nil:
		return err
	case r.Decision != registry.Allow || r.KeyID == "":
		return s.over(ctx, moves, m, transfer.DeviceRejected, untrustedMove(string(r.Advice)))
	}
	d := s.deed(a, "device.move", "")
	dev, err := s.arrive(ctx, tx, d, a, t, old)
	if err != nil {
		return err
	}
	if m.view, err = s.moves.CommitTx(ctx, moves, m.turn, dev.ID, m.now); err != nil {
		return err
	}
	if _, err := s.stepDevice(ctx, tx, d, old, account.Step{Name: account.StepLeaveStart, By: dev.ID}); err != nil {
		return err
	}
	if err := s.signOutDevice(ctx, tx, old, m.now); err != nil {
		return err
	}
	if m.out, err = s.enterMoved(ctx, tx, d, a, t); err != nil {
		return err
	}
	d.data = map[string]any{"transfer": t.ID, "name": t.Peer(), "left": old.ID}
	if t.Place != "" {
		d.data["near"] = t.Place
	}
	if old.Name != "" {
		d.data["old"] = old.Name
	}
	return s.record(ctx, tx, d)
}

// leaver reads the account and the old phone's device, which must both be active,
// by the key that has granted the move. ErrStep: they are not.
func (s *Service) leaver(ctx context.Context, tx Tx, t transfer.Transfer) (account.Account, account.Device, error) {
	a, err := s.account(ctx, tx, t.Account)
	if err != nil {
		return a, account.Device{}, err
	}
	dev, err := s.device(ctx, tx, t.Account, t.SenderDevice)
	if err != nil {
		return a, dev, err
	}
	if a.State != account.Active || dev.State != account.Active || dev.KeyID != t.SenderKey {
		return a, dev, fmt.Errorf("%w: account %s, device %s", account.ErrStep, a.State, dev.State)
	}
	return a, dev, nil
}

// arrive enrols the new phone's device, with the sealing key that has moved along.
func (s *Service) arrive(ctx context.Context, tx Tx, d *deed, a *actor, t transfer.Transfer, old account.Device) (account.Device, error) {
	platform := "android"
	if key, err := tx.AttestedKey(ctx, t.ReceiverKey); err != nil {
		return account.Device{}, err
	} else if key.Platform == "apple" {
		platform = "ios"
	}
	p := &NewPhone{Name: t.Peer(), Platform: platform, SealingAlg: old.SealingAlg, SealingKey: old.SealingKey}
	step := account.Step{Name: account.StepAdd, By: old.ID, Wait: s.policy.Holds.Add}
	dev, err := s.enrolDevice(ctx, tx, d, a.Account, t.ReceiverKey, p, step)
	if err != nil {
		return dev, err
	}
	a.Device, a.device = dev.ID, &dev
	d.subject, d.caller = string(dev.ID), a.Caller
	d.event, d.alert = "device.added", "transfer.committed"
	d.more = map[string]any{"transfer": t.ID, "left": old.ID}
	return dev, nil
}

// signOutDevice ends the sessions of a device and what they began. Those of others
// stay.
func (s *Service) signOutDevice(ctx context.Context, tx Tx, dev account.Device, now time.Time) error {
	all, err := tx.Sessions(ctx, dev.Account)
	if err != nil {
		return err
	}
	var own []account.SessionID
	for _, sess := range all {
		if sess.Device == dev.ID {
			own = append(own, sess.ID)
		}
	}
	if len(own) == 0 {
		return nil
	}
	_, err = s.revoke(ctx, tx, Scope{Account: dev.Account, Sessions: own}, "account moved", now)
	return err
}

// enterMoved stores the passkey that was made when the number was typed, and opens
// the new phone's session, by that and by its device key.
func (s *Service) enterMoved(ctx context.Context, tx Tx, d *deed, a *actor, t transfer.Transfer) (*Signed, error) {
	made, at, err := keptPasskey(t)
	if err != nil {
		return nil, err
	}
	cred, err := s.addCredential(ctx, tx, d, a.Account, a.Device, made, "", a.now)
	if err != nil {
		return nil, err
	}
	proof := account.Proof{Method: account.ByCreation, At: at, Credential: cred.Ref, Synced: made.BackupEligible}
	a.Proofs = []account.Proof{{Method: account.ByDeviceKey, At: a.now, Device: a.Device}, proof}
	sess, token, err := s.startSession(ctx, tx, account.Session{
		Account: a.Account, Kind: account.PhoneSession, Device: a.Device, Network: a.Network, Place: a.Place, Proofs: []account.Proof{proof},
	}, a.now)
	if err != nil {
		return nil, err
	}
	a.Session = sess.ID
	d.caller = a.Caller
	out := s.signed(a, sess)
	out.Token, out.Credential = token, cred.Ref
	d.class, d.body = out.Class, map[string]any{"method": account.ByCreation, "transfer": t.ID}
	out.Signals, err = s.signals(ctx, tx, a.account)
	return out, err
}
