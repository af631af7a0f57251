package integrity

import (
	"context"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/passkey"
)

// recentRecovery is how long the signal of that name stands.
const recentRecovery = 30 * 24 * time.Hour

// RecoveryAnswer finishes a recovery with the new passkey.
type RecoveryAnswer struct {
	Pending  account.PendingID
	Ceremony account.CeremonyID
	Response []byte
	Message  *request.Message // signed by the key of the start
}

// beginRecovered opens the ceremony of the passkey of a recovered account.
func (s *Service) beginRecovered(ctx context.Context, tx Tx, p PendingRow, h *holder, now time.Time) (account.CeremonyID, []byte, error) {
	a, err := s.account(ctx, tx, p.Account)
	if err != nil {
		return "", nil, err
	}
	passkeys, err := s.credentials(ctx, tx, a.ID)
	if err != nil {
		return "", nil, err
	}
	known, err := records(passkeys)
	if err != nil {
		return "", nil, err
	}
	ceremony, options, err := s.rp.Create(passkey.Recover, user(a), known, now)
	if err != nil {
		return "", nil, err
	}
	row := ceremonyRow(ceremony)
	row.Binding = h.recovering(p.ID)
	return row.ID, options, tx.AddCeremony(ctx, row)
}

// recovering binds a ceremony to the start of a recovery and its key.
func (h *holder) recovering(id account.PendingID) []byte {
	return binding("recover", []byte(string(id)+"\x00"+h.key))
}

// FinishRecovery makes the new phone the account's, and held: the step recover of
// the tables. All sessions end; devices that were there before leave when the
// hold is over, and until then any of them can take the account back.
func (s *Service) FinishRecovery(ctx context.Context, c account.Caller, in *RecoveryAnswer) (*Signed, error) {
	switch {
	case !c.In(s.app) || c.Kind != account.Anonymous:
		return nil, ErrNotAllowed
	case s.recovery == nil:
		return nil, ErrNoRecovery
	case in.Pending.Validate() != nil:
		return nil, ErrPendingUnknown
	}
	h, err := s.holder(ctx, in.Message, nil)
	if err != nil {
		return nil, err
	}
	now := s.now()
	f := &finish{holder: h, c: c, now: now}
	err = s.look(ctx, func(tx Tx) (err error) {
		p, _, err := s.startToFinish(ctx, tx, in.Pending, h, now)
		if err != nil {
			return err
		}
		if f.row, err = s.answered(ctx, tx, in.Ceremony, passkey.Recover, h.recovering(p.ID), now); err != nil {
			return err
		}
		return s.mayFail(ctx, tx, c, p.Account, now)
	})
	if err != nil {
		return nil, err
	}
	ceremony, err := s.ceremony(f.row)
	if err != nil {
		return nil, err
	}
	if f.made, err = s.created(ceremony, in.Response, now); err != nil {
		return nil, s.failed(ctx, c, f.row.Account, err)
	}
	var out *Signed
	var untrusted *Untrusted
	err = s.act(ctx, func(tx Tx) (err error) {
		out, untrusted, err = s.finishRecovery(ctx, tx, in.Pending, f)
		return err
	})
	if err == nil && untrusted != nil {
		return nil, untrusted
	}
	return out, err
}

// startToFinish reads a holder's start that may be finished now: its wait is
// over, its ticket still good, and with it the PIN was proved.
func (s *Service) startToFinish(ctx context.Context, tx Tx, id account.PendingID, h *holder, now time.Time) (PendingRow, starting, error) {
	row, found, err := tx.Pending(ctx, id)
	if err != nil {
		return row, starting{}, err
	}
	if !found || row.Action != account.StartRecovery {
		return row, starting{}, ErrPendingUnknown
	}
	p, st, err := s.startOf(ctx, tx, row.Account, h.key, now)
	switch {
	case err != nil:
		return p, st, err
	case p.ID != id:
		return p, st, ErrPendingUnknown
	case p.State == StateFinished:
		return p, st, ErrTooLate
	case now.Before(p.OpensAt):
		return p, st, &TooEarly{OpensAt: p.OpensAt}
	}
	done, err := s.recovery.Finished(ctx, beneath(tx), p.Account, [32]byte(st.Ticket))
	if err == nil && !done {
		err = ErrNotProved
	}
	return p, st, err
}

// finishRecovery is the transaction of FinishRecovery.
func (s *Service) finishRecovery(ctx context.Context, tx Tx, id account.PendingID, f *finish) (*Signed, *Untrusted, error) {
	if err := s.settle(ctx, tx, f.holder); err != nil {
		return nil, nil, err
	}
	p, st, err := s.startToFinish(ctx, tx, id, f.holder, f.now)
	if err != nil {
		return nil, nil, err
	}
	acct, err := s.account(ctx, tx, p.Account)
	if err != nil {
		return nil, nil, err
	}
	c := f.c
	c.Kind, c.Account, c.Key = account.Phone, acct.ID, st.Key
	a := &actor{Caller: c, account: acct, now: f.now}
	a.Account = "" // it is none of the account's yet
	if a.signals, err = tx.Signals(ctx, acct.ID, f.now); err != nil {
		return nil, nil, err
	}
	if err := s.require(a, account.StartRecovery); err != nil { // as it is now: held, or locked meanwhile
		return nil, nil, err
	}
	a.Account = acct.ID
	r, err := s.attest.Adopt(ctx, tx, c, acct.ID, st.Key, f.now)
	if errors.Is(err, registry.ErrKeyUnknown) {
		return nil, nil, ErrDeviceKeyKnown
	}
	if err != nil {
		return nil, nil, err
	}
	if r.Decision != registry.Allow || r.KeyID == "" {
		return nil, &Untrusted{Advice: string(r.Advice)}, nil
	}
	if err := s.use(ctx, tx, f.row, acct, f.now); err != nil {
		return nil, nil, err
	}
	if ok, err := tx.EndPending(ctx, p.ended(StateFinished, f.now)); err != nil || !ok {
		return nil, nil, firstError(err, ErrTooLate)
	}
	out, err := s.recovered(ctx, tx, f, a, p, st)
	return out, nil, err
}

// recovered is the step recover: of the account, of the new phone, and of those
// that leave.
func (s *Service) recovered(ctx context.Context, tx Tx, f *finish, a *actor, p PendingRow, st starting) (*Signed, error) {
	acct := a.account
	d := s.deed(a, "account.recover", string(acct.ID))
	d.class, d.event, d.alert = account.Person, "account.recovered", "account.recovered"
	d.body, d.more = map[string]any{"method": account.ByPIN}, map[string]any{"pending": p.ID}
	before, err := s.devices(ctx, tx, acct.ID)
	if err != nil {
		return nil, err
	}
	if _, err := s.revoke(ctx, tx, Scope{Account: acct.ID, Whole: true}, "account recovered", f.now); err != nil {
		return nil, err
	}
	newcomer := st.phone()
	wait := s.policy.Holds.Recovery
	dev, err := s.enrolDevice(ctx, tx, d, acct.ID, st.Key, newcomer, account.Step{Name: account.StepRecover, Wait: wait})
	if err != nil {
		return nil, err
	}
	acct, err = s.stepAccount(ctx, tx, d, acct, account.Step{Name: account.StepRecover, By: dev.ID, Wait: wait})
	if err != nil {
		return nil, err
	}
	if dev.Hold.Until != acct.Hold.Until { // what was left of a hold before lasts longer, and the phone is held as long
		dev.Hold.Until = acct.Hold.Until
		d.row(string(dev.ID), dev.Digest())
		if err := s.putDevice(ctx, tx, dev); err != nil {
			return nil, err
		}
	}
	if err := s.leaveFor(ctx, tx, d, before, dev); err != nil {
		return nil, err
	}
	d.device, d.data = dev.ID, map[string]any{"name": st.Name, "platform": st.Platform, "until": acct.Hold.Until.UTC()}
	a.account, a.Device, a.device = acct, dev.ID, &dev
	cred, err := s.addCredential(ctx, tx, d, acct.ID, dev.ID, f.made, "", f.now)
	if err != nil {
		return nil, err
	}
	proof := account.Proof{Method: account.ByCreation, At: f.now, Credential: cred.Ref, Synced: f.made.BackupEligible}
	a.Proofs = []account.Proof{{Method: account.ByDeviceKey, At: f.now, Device: dev.ID}, proof}
	sess, token, err := s.startSession(ctx, tx, account.Session{
		Account: acct.ID, Kind: account.PhoneSession, Device: dev.ID, Network: f.c.Network, Place: f.c.Place, Proofs: []account.Proof{proof},
	}, f.now)
	if err != nil {
		return nil, err
	}
	a.Session = sess.ID
	d.caller = a.Caller
	err = s.notice(ctx, tx, acct.ID, account.Signal{Name: account.SignalRecentRecovery, Until: f.now.Add(recentRecovery)}, f.now)
	if err != nil {
		return nil, err
	}
	out := s.signed(a, sess)
	out.Token, out.Credential = token, cred.Ref
	if out.Signals, err = s.signals(ctx, tx, acct); err != nil {
		return nil, err
	}
	return out, s.record(ctx, tx, d)
}

// leaveFor lets the devices that were there before leave for the one that has
// recovered the account, when the hold of that is over. One that was cooling off
// itself is gone at once: nothing vouches for it but a device that leaves. One
// that is frozen or locked stays so.
func (s *Service) leaveFor(ctx context.Context, tx Tx, d *deed, before []account.Device, to account.Device) error {
	for _, dev := range before {
		var err error
		switch {
		case dev.Hold.Reason == account.HoldNew:
			if _, err = s.removeDevice(ctx, tx, d, dev, account.StepRemove); err == nil {
				err = s.leaveInstead(ctx, tx, d, dev, to)
			}
		case dev.State == account.Active:
			_, err = s.stepDevice(ctx, tx, d, dev, account.Step{Name: account.StepLeaveStart, By: to.ID, Wait: to.Hold.Until.Sub(d.now)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leaveInstead lets the old phone of a move, whose new one is removed, leave for the
// device that has recovered the account.
func (s *Service) leaveInstead(ctx context.Context, tx Tx, d *deed, gone, to account.Device) error {
	a := account.Account{ID: to.Account, State: account.Held, Hold: account.Hold{Reason: account.HoldRecovered, By: to.ID, Until: to.Hold.Until}}
	return s.stayIfSuccessor(ctx, tx, d, a, gone.ID)
}
