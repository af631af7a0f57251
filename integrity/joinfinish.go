package integrity

import (
	"context"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/passkey"
)

// finish is what FinishJoin has verified outside its transaction.
type finish struct {
	*holder
	in    *JoinAnswer
	c     account.Caller
	row   CeremonyRow
	made  *passkey.Registration // the new passkey; nil: the phone had signed in
	again *asserted             // the passkey with which it had
	now   time.Time
}

// FinishJoin brings the new device into the account that has let it in. Only who
// has opened the join can do it: the call is signed by the same key, or comes
// with the same cookie. A phone becomes a device, held; a browser gets a passkey
// and a session; all others are told.
func (s *Service) FinishJoin(ctx context.Context, c account.Caller, in *JoinAnswer) (*Signed, error) {
	if !c.In(s.app) {
		return nil, ErrNotAllowed
	}
	h, err := s.holder(ctx, in.Message, in.Browser)
	if err != nil {
		return nil, err
	}
	f := &finish{holder: h, in: in, c: c, now: s.now()}
	if err := s.verifyFinish(ctx, f); err != nil {
		return nil, err
	}
	var out *Signed
	var untrusted *Untrusted
	err = s.act(ctx, func(tx Tx) (err error) {
		out, untrusted, err = s.finishJoin(ctx, tx, f)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case untrusted != nil:
		return nil, untrusted
	}
	return out, nil
}

// verifyFinish verifies the answer to the ceremony of JoinStatus.
func (s *Service) verifyFinish(ctx context.Context, f *finish) error {
	by, signedIn := f.binding(f.in.Join), false
	var j JoinRow
	err := s.look(ctx, func(tx Tx) (err error) {
		if j, err = s.held(ctx, tx, f.in.Join, f.holder, f.now); err != nil {
			return err
		}
		if j.State != StateConfirmed {
			return errNotConfirmed(j.State)
		}
		if signedIn, err = j.signedIn(ctx, tx); err != nil || signedIn {
			return err
		}
		if f.row, err = s.answered(ctx, tx, f.in.Ceremony, passkey.Join, by, f.now); err != nil {
			return err
		}
		return s.mayFail(ctx, tx, f.c, j.Account, f.now)
	})
	if err != nil {
		return err
	}
	if signedIn {
		f.again, err = s.assert(ctx, f.c, passkey.SignIn, f.in.Ceremony, f.in.Response, by, j.Account, f.now)
		if err != nil {
			return err
		}
		f.row = f.again.ceremony
		return nil
	}
	if f.row.Account != j.Account {
		return ErrCeremonyExpired
	}
	ceremony, err := s.ceremony(f.row)
	if err != nil {
		return err
	}
	if f.made, err = s.created(ceremony, f.in.Response, f.now); err != nil {
		return s.failed(ctx, f.c, j.Account, err)
	}
	return nil
}

// finishJoin is the transaction of FinishJoin. A key that is denied ends it, and
// what the registry has to say of that is committed, and nothing else.
func (s *Service) finishJoin(ctx context.Context, tx Tx, f *finish) (*Signed, *Untrusted, error) {
	if err := s.settle(ctx, tx, f.holder); err != nil {
		return nil, nil, err
	}
	j, err := s.held(ctx, tx, f.in.Join, f.holder, f.now)
	if err != nil {
		return nil, nil, err
	}
	if j.State != StateConfirmed {
		return nil, nil, errNotConfirmed(j.State)
	}
	acct, err := s.joined(ctx, tx, account.AddDevice, j, f.now)
	if err != nil {
		return nil, nil, err
	}
	if untrusted, err := s.adopt(ctx, tx, j, f.now); err != nil || untrusted != nil {
		return nil, untrusted, err
	}
	if err := s.use(ctx, tx, f.row, acct, f.now); err != nil {
		return nil, nil, err
	}
	j.State = StateFinished
	if ok, err := tx.PutJoin(ctx, j, StateConfirmed); err != nil || !ok {
		return nil, nil, firstError(err, ErrTooLate)
	}
	out, err := s.letIn(ctx, tx, f, j, acct)
	return out, nil, err
}

// adopt makes the pending key of a phone the account's own, and active.
func (s *Service) adopt(ctx context.Context, tx Tx, j JoinRow, now time.Time) (*Untrusted, error) {
	if j.Kind != JoinPhone {
		return nil, nil
	}
	signedIn, err := j.signedIn(ctx, tx)
	if err != nil {
		return nil, err
	}
	give := s.attest.Adopt
	if signedIn {
		give = s.attest.Activate
	}
	r, err := give(ctx, tx, account.Caller{Kind: account.Phone, App: s.app, Account: j.Account, Key: j.KeyID}, j.Account, j.KeyID, now)
	if errors.Is(err, registry.ErrKeyUnknown) { // another join, with the same key, was faster
		return nil, ErrDeviceKeyKnown
	}
	if err != nil {
		return nil, err
	}
	if r.Decision != registry.Allow || r.KeyID == "" {
		return &Untrusted{Advice: string(r.Advice)}, nil
	}
	return nil, nil
}

// letIn stores device, passkey and session of a join, and tells all others.
func (s *Service) letIn(ctx context.Context, tx Tx, f *finish, j JoinRow, acct account.Account) (*Signed, error) {
	c := f.c
	c.Kind, c.Account, c.Key, c.Session = account.Browser, acct.ID, f.key, ""
	a := &actor{Caller: c, account: acct, now: f.now}
	sess := account.Session{Account: acct.ID, Kind: account.BrowserSession, Network: c.Network, Place: c.Place, Origin: j.Origin, Label: j.Name}
	d := s.deed(a, "passkey.added", "")
	d.class, d.event, d.alert = account.Person, "passkey.added", string(account.AddDevice)
	d.body, d.more = map[string]any{"method": account.ByCreation}, map[string]any{"join": j.ID, "approved_by": j.By}
	d.data = map[string]any{"name": j.Name, "kind": j.Kind, "approved_by": j.By}
	if j.Kind == JoinPhone {
		step := account.Step{Name: account.StepAdd, By: j.By, Wait: s.policy.Holds.Add}
		p := &NewPhone{Name: j.Name, Platform: j.Platform, SealingAlg: j.SealingAlg, SealingKey: j.SealingKey}
		dev, err := s.enrolDevice(ctx, tx, d, acct.ID, j.KeyID, p, step)
		if err != nil {
			return nil, err
		}
		a.Kind, a.Device, a.device = account.Phone, dev.ID, &dev
		a.Proofs = []account.Proof{{Method: account.ByDeviceKey, At: f.now, Device: dev.ID}}
		d.action, d.event, d.subject, d.caller = "device.add", "device.added", string(dev.ID), a.Caller
		d.data["platform"] = j.Platform
		sess = account.Session{Account: acct.ID, Kind: account.PhoneSession, Device: dev.ID, Network: c.Network, Place: c.Place}
	}
	proof, err := s.joinProof(ctx, tx, d, f, a)
	if err != nil {
		return nil, err
	}
	if d.subject == "" {
		d.subject = string(proof.Credential)
	}
	sess.Proofs = []account.Proof{proof}
	a.Proofs = append(a.Proofs, proof)
	sess, token, err := s.startSession(ctx, tx, sess, f.now)
	if err != nil {
		return nil, err
	}
	a.Session, d.caller.Session = sess.ID, sess.ID
	out := s.signed(a, sess)
	out.Token, out.Credential, d.class = token, proof.Credential, out.Class
	if out.Signals, err = s.signals(ctx, tx, acct); err != nil {
		return nil, err
	}
	return out, s.record(ctx, tx, d)
}

// joinProof stores the new passkey, or the use of the one that has signed in,
// and gives the proof that it is of.
func (s *Service) joinProof(ctx context.Context, tx Tx, d *deed, f *finish, a *actor) (account.Proof, error) {
	if f.again != nil {
		d.body["method"] = account.ByAssertion
		if err := s.weigh(ctx, tx, a.Caller, f.again, f.now); err != nil {
			return account.Proof{}, err
		}
		return f.again.proof(f.now), s.used(ctx, tx, f.again, a.Device, f.now)
	}
	cred, err := s.addCredential(ctx, tx, d, a.Account, a.Device, f.made, "", f.now)
	if err != nil {
		return account.Proof{}, err
	}
	d.data["credential"] = cred.Ref
	return account.Proof{Method: account.ByCreation, At: f.now, Credential: cred.Ref, Synced: f.made.BackupEligible}, nil
}
