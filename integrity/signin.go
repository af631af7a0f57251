package integrity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// BeginSignIn opens a ceremony that any passkey of the app may answer: no
// account is named, so there is nothing to find out about one.
func (s *Service) BeginSignIn(ctx context.Context, c account.Caller, in *SignInStart) (*Begun, error) {
	if !c.In(s.app) {
		return nil, ErrNotAllowed
	}
	if err := s.takeBegin(ctx, c); err != nil {
		return nil, err
	}
	rp, err := s.page(in.Browser, "")
	if err != nil {
		return nil, err
	}
	var allow []passkey.Record
	fake := false
	if in.Handle != "" {
		if allow, fake, err = s.allowedFor(ctx, in.Handle); err != nil {
			return nil, err
		}
	}
	ceremony, options, err := rp.Request(passkey.SignIn, allow, nil, s.now())
	if err != nil {
		return nil, err
	}
	row := ceremonyRow(ceremony)
	row.Fake, row.Binding = fake, bound(c, in.Browser)
	out := &Begun{Ceremony: row.ID, Options: options, ExpiresAt: row.ExpiresAt}
	if in.NewPhone {
		row.Binding = nil // the key is not there yet; the evidence is over the challenge
		if out.Challenge, row.AttestChallenge, err = s.challenge(ctx, c); err != nil {
			return nil, err
		}
	}
	if row.Binding == nil && row.AttestChallenge == nil {
		return nil, fmt.Errorf("%w: sign the call with the phone's key, or say that it is new", ErrMalformed)
	}
	if err := s.update(ctx, func(tx Tx) error { return tx.AddCeremony(ctx, row) }); err != nil {
		return nil, err
	}
	return out, nil
}

// takeBegin takes from the bucket for beginning things: that of a known device,
// so that strangers cannot use it up, else that of the network.
func (s *Service) takeBegin(ctx context.Context, c account.Caller) error {
	if c.Device != "" {
		return s.take(ctx, "begin_device", string(c.Device), s.policy.Limits.BeginDevice)
	}
	return s.take(ctx, "begin_network", c.Network, s.policy.Limits.BeginNetwork)
}

// asserted is an assertion that was verified against rows as they were; the
// transaction reads them again.
type asserted struct {
	ceremony   CeremonyRow
	credential account.Credential
	before     passkey.Stored
	assertion  *passkey.Assertion
	effect     passkey.Effect
	findings   []passkey.Finding
}

// FinishSignIn verifies the answer and opens a session. A phone that is not
// known brings evidence for its key, and what becomes of it synced_new_device
// says.
func (s *Service) FinishSignIn(ctx context.Context, c account.Caller, in *SignInAnswer) (*SignInResult, error) {
	if !c.In(s.app) {
		return nil, ErrNotAllowed
	}
	now := s.now()
	a, err := s.assert(ctx, c, passkey.SignIn, in.Ceremony, in.Response, bound(c, in.Browser), "", now)
	if err != nil {
		return nil, err
	}
	if in.Phone != nil {
		return s.signInNewPhone(ctx, c, in, a, now)
	}
	if c.Kind == account.Phone && c.Account != a.credential.Account {
		return nil, s.failed(ctx, c, "", passkey.ErrRefused) // this device is of another account
	}
	var out *Signed
	err = s.act(ctx, func(tx Tx) (err error) {
		out, err = s.signIn(ctx, tx, c, in.Browser, a, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &SignInResult{Signed: out}, nil
}

// assert verifies an answer outside the transaction that acts on it: the
// ceremony, the credential and its account, the MACs, the signature, the
// findings. of is the account whose passkey it must be; empty: any.
func (s *Service) assert(ctx context.Context, c account.Caller, p passkey.Purpose, id account.CeremonyID, response, by []byte, of account.ID, now time.Time) (*asserted, error) {
	credentialID, err := passkey.UnverifiedCredentialID(response)
	if err != nil {
		return nil, s.failed(ctx, c, "", err)
	}
	a := &asserted{}
	var owner account.Account
	var unknown bool
	err = s.look(ctx, func(tx Tx) (err error) {
		if a.ceremony, err = s.answered(ctx, tx, id, p, by, now); err != nil {
			return err
		}
		cred, found, err := tx.CredentialByID(ctx, s.rp.RPID(), credentialID)
		if err != nil {
			return err
		}
		if unknown = !found || cred.State == account.CredentialRemoved; unknown {
			return nil
		}
		if err := s.soundCredential(cred); err != nil {
			return err
		}
		a.credential = cred
		owner, err = s.account(ctx, tx, cred.Account)
		if errors.Is(err, ErrAccountUnknown) {
			unknown, err = true, nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if unknown {
		return nil, s.failed(ctx, c, "", passkey.ErrUnknown)
	}
	if of != "" && a.credential.Account != of {
		return nil, s.failed(ctx, c, of, passkey.ErrRefused)
	}
	if a.before, err = stored(a.credential); err != nil {
		return nil, &tampered{a.credential.Account, string(a.credential.Ref)}
	}
	ceremony, err := s.ceremony(a.ceremony)
	if err != nil {
		return nil, err
	}
	if a.ceremony.Fake {
		return nil, s.failed(ctx, c, "", passkey.ErrRefused)
	}
	if a.assertion, err = s.rp.VerifyAssertion(ceremony, user(owner), a.before, response, now); err != nil {
		return nil, s.failed(ctx, c, a.credential.Account, err)
	}
	a.effect, a.findings = s.rp.Policy().Appraise(a.assertion)
	return a, s.refusal(ctx, c, a, now)
}

// signIn is the transaction of FinishSignIn for a known phone or a browser.
func (s *Service) signIn(ctx context.Context, tx Tx, c account.Caller, b *Browser, as *asserted, now time.Time) (*Signed, error) {
	c.Account = as.credential.Account
	c.Proofs = append(slices.Clone(c.Proofs), as.proof(now))
	c.Session = "" // a new one begins; what the old one was worth does not count
	a, err := s.load(ctx, tx, c, now)
	if err != nil {
		return nil, err
	}
	if err := s.use(ctx, tx, as.ceremony, a.account, now); err != nil {
		return nil, err
	}
	if err := s.require(a, account.SignIn); err != nil {
		return nil, err
	}
	d := s.deed(a, "session.started", "")
	d.class, d.event, d.body = account.Fresh, "session.started", map[string]any{"method": account.ByAssertion}
	if err := s.used(ctx, tx, as, c.Device, now); err != nil {
		return nil, err
	}
	sess := account.Session{Account: c.Account, Device: c.Device, Kind: account.PhoneSession, Network: c.Network, Place: c.Place,
		Proofs: []account.Proof{as.proof(now)}}
	if b != nil {
		sess.Kind, sess.Origin, sess.Label = account.BrowserSession, b.Origin, b.Label
	}
	out := &Signed{
		Account: a.account.ID, AccountState: a.account.State, Credential: as.credential.Ref, Class: account.Fresh, Hold: a.account.Hold,
	}
	if a.device != nil {
		out.Device, out.DeviceState = a.device.ID, a.device.State
		if a.device.Hold.Reason != "" {
			out.Hold = a.device.Hold
		}
		if err := tx.SeenDevice(ctx, a.device.ID, now.Truncate(time.Minute)); err != nil {
			return nil, err
		}
	}
	if sess, out.Token, err = s.startSession(ctx, tx, sess, now); err != nil {
		return nil, err
	}
	out.Session, out.Until = sess.ID, sess.Until
	d.subject, d.caller.Session = string(sess.ID), sess.ID
	if b != nil {
		if out.Signals, err = s.signals(ctx, tx, a.account); err != nil {
			return nil, err
		}
	}
	return out, s.record(ctx, tx, d)
}

// proof is what the server has seen by an assertion.
func (as *asserted) proof(now time.Time) account.Proof {
	return account.Proof{
		Method: account.ByAssertion, At: now, Credential: as.credential.Ref, Synced: as.assertion.BackupEligible, Suspect: as.assertion.Suspect,
	}
}

// used stores what the use of a passkey changes: counter, flags, time, and the
// device that used it. The row is read again, so that two uses at once do not
// undo each other.
func (s *Service) used(ctx context.Context, tx Tx, as *asserted, dev account.DeviceID, now time.Time) error {
	cred, err := s.credential(ctx, tx, as.credential.Account, as.credential.Ref)
	if errors.Is(err, ErrCredentialUnknown) {
		return passkey.ErrUnknown
	}
	if err != nil {
		return err
	}
	before, err := stored(cred)
	if err != nil {
		return &tampered{cred.Account, string(cred.Ref)}
	}
	next := as.assertion.Next(before)
	cred.SignCount, cred.Flags, cred.LastUsedAt = next.Count, next.Flags, now
	if dev != "" && !slices.Contains(cred.Devices, dev) {
		cred.Devices = append(slices.Clone(cred.Devices), dev)
		slices.Sort(cred.Devices)
	}
	return s.putCredential(ctx, tx, cred)
}
