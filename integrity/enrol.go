package integrity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/passkey"
)

// BeginEnrol opens a new account's ceremony, and reserves its ID. There is no
// account yet. A phone gets a challenge for the evidence of its new key as well.
func (s *Service) BeginEnrol(ctx context.Context, c account.Caller, b *Browser) (*Begun, error) {
	if !c.In(s.app) {
		return nil, ErrNotAllowed
	}
	if b != nil && !s.policy.AccountsWithoutDevice {
		return nil, fmt.Errorf("%w: this app's accounts begin on a phone", ErrNotAllowed)
	}
	by, err := binder(c, b, b == nil)
	if err != nil {
		return nil, err
	}
	if err := s.take(ctx, "begin_network", c.Network, s.policy.Limits.BeginNetwork); err != nil {
		return nil, err
	}
	rp, err := s.page(b, "")
	if err != nil {
		return nil, err
	}
	u := passkey.User{Account: account.NewID(), Handle: make([]byte, 64)}
	rand.Read(u.Handle) // never returns an error
	now := s.now()
	ceremony, options, err := rp.Create(passkey.Enrol, u, nil, now)
	if err != nil {
		return nil, err
	}
	row := ceremonyRow(ceremony)
	out := &Begun{Ceremony: row.ID, Options: options, Account: u.Account, ExpiresAt: row.ExpiresAt}
	row.Binding = by
	if b == nil {
		if out.Challenge, row.AttestChallenge, err = s.challenge(ctx, c); err != nil {
			return nil, err
		}
	}
	if err := s.update(ctx, func(tx Tx) error { return tx.AddCeremony(ctx, row) }); err != nil {
		return nil, err
	}
	return out, nil
}

// challenge asks the registry for a challenge of no account, for the evidence of
// a new key, and gives its SHA-256 as well.
func (s *Service) challenge(ctx context.Context, c account.Caller) (value, hash []byte, err error) {
	issued, err := s.attest.CreateChallenge(ctx, c, &registry.ChallengeRequest{App: s.app, Purpose: registry.PurposeRegister})
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(issued.Challenge)
	return issued.Challenge, sum[:], nil
}

// FinishEnrol makes the account: passkey, attested key and sealing key come in
// one request that the new key has signed, so they belong together.
func (s *Service) FinishEnrol(ctx context.Context, c account.Caller, in *EnrolAnswer) (*Enrolled, error) {
	if !c.In(s.app) || (in.Phone == nil) == (in.Browser == nil) {
		return nil, ErrNotAllowed
	}
	by, err := binder(c, in.Browser, in.Phone != nil)
	if err != nil {
		return nil, err
	}
	now := s.now()
	var row CeremonyRow
	err = s.look(ctx, func(tx Tx) (err error) {
		if row, err = s.answered(ctx, tx, in.Ceremony, passkey.Enrol, by, now); err != nil {
			return err
		}
		return s.mayFail(ctx, tx, c, "", now)
	})
	if err != nil {
		return nil, err
	}
	ceremony, err := s.ceremony(row)
	if err != nil {
		return nil, err
	}
	made, err := s.created(ceremony, in.Response, now)
	if err != nil {
		return nil, s.failed(ctx, c, "", err)
	}
	a := account.Account{ID: row.Account, CreatedAt: now}
	copy(a.UserHandle[:], ceremony.UserHandle)
	var attempt *newKey
	if in.Phone != nil {
		if attempt, err = s.verifyPhone(ctx, c, in.Phone, row, a.ID, now); err != nil {
			return nil, s.failed(ctx, c, "", err)
		}
	}
	var out *Enrolled
	err = s.actWithKey(ctx, attempt, registry.StateActive, func(tx Tx, keyID string) (err error) {
		out, err = s.enrol(ctx, tx, c, in, row, a, made, keyID, now)
		return err
	})
	return out, err
}

// enrol is the transaction of FinishEnrol.
func (s *Service) enrol(ctx context.Context, tx Tx, c account.Caller, in *EnrolAnswer, row CeremonyRow, a account.Account,
	made *passkey.Registration, keyID string, now time.Time,
) (*Enrolled, error) {
	if err := s.use(ctx, tx, row, a, now); err != nil {
		return nil, err
	}
	d := &deed{
		caller: c, class: account.Person, account: a.ID, action: "account.enrol", subject: string(a.ID), now: now,
		event: "account.enrolled", body: map[string]any{"method": account.ByCreation},
	}
	code := account.NewFreezeCode()
	sum := code.Hash()
	a.FreezeCode = sum[:]
	a, err := s.stepAccount(ctx, tx, d, a, account.Step{Name: account.StepEnrol})
	if err != nil {
		return nil, err
	}
	out := &Enrolled{FreezeCode: code, At: now}
	out.Account, out.AccountState, out.Class = a.ID, a.State, account.Person
	sess := account.Session{Account: a.ID, Kind: account.BrowserSession, Network: c.Network, Place: c.Place}
	if in.Phone != nil {
		dev, err := s.enrolDevice(ctx, tx, d, a.ID, keyID, in.Phone, account.Step{Name: account.StepEnrolFirst})
		if err != nil {
			return nil, err
		}
		sess.Kind, sess.Device = account.PhoneSession, dev.ID
		out.Device, out.DeviceState, out.Name, out.Platform = dev.ID, dev.State, dev.Name, dev.Platform
	} else {
		sess.Origin, sess.Label = in.Browser.Origin, in.Browser.Label
	}
	cred, err := s.addCredential(ctx, tx, d, a.ID, sess.Device, made, "", now)
	if err != nil {
		return nil, err
	}
	sess.Proofs = []account.Proof{{Method: account.ByCreation, At: now, Credential: cred.Ref, Synced: made.BackupEligible}}
	if sess, out.Token, err = s.startSession(ctx, tx, sess, now); err != nil {
		return nil, err
	}
	d.caller.Session, d.device = sess.ID, sess.Device
	out.Credential, out.Session, out.Until = cred.Ref, sess.ID, sess.Until
	if out.Signals, err = s.signals(ctx, tx, a); err != nil {
		return nil, err
	}
	return out, s.record(ctx, tx, d)
}

// created verifies a new passkey and appraises it.
func (s *Service) created(c passkey.Ceremony, response []byte, now time.Time) (*passkey.Registration, error) {
	made, err := s.rp.VerifyCreation(c, response, now)
	if err != nil {
		return nil, err
	}
	if made.BackupEligible && !account.SyncedAllowed(s.policy.SyncedOK, "register") {
		return nil, ErrSyncedRefused
	}
	if effect, _ := s.rp.Policy().AppraiseRegistration(made); effect != passkey.Note && effect != passkey.Raise {
		return nil, ErrModelRefused
	}
	return made, nil
}

// passkeysMost is how many passkeys an account has, removed ones not counted.
// Each sign-in in a browser answers with all of them, and so does one that is
// begun with a handle.
const passkeysMost = 32

// addCredential stores a new passkey in the transaction of its flow.
func (s *Service) addCredential(ctx context.Context, tx Tx, d *deed, id account.ID, dev account.DeviceID, made *passkey.Registration, name string, now time.Time) (account.Credential, error) {
	record, err := made.Record.Encode()
	if err != nil {
		return account.Credential{}, err
	}
	c := account.Credential{
		Ref: account.NewCredentialRef(), Account: id, RPID: made.Record.RPID, CredentialID: made.Record.ID, Record: record,
		State: account.CredentialActive, Name: name, SignCount: made.Record.Count, Flags: made.Record.Flags, AddedAt: now,
	}
	if name == "" {
		c.Name = passkeyName(made.Record)
	}
	if dev != "" {
		c.Devices = []account.DeviceID{dev}
	}
	if _, madeUp := s.nobody(c.CredentialID); madeUp { // as it would be if it were somebody's
		return account.Credential{}, ErrPasskeyKnown
	}
	others, err := s.credentials(ctx, tx, id)
	if err != nil {
		return account.Credential{}, err
	}
	if len(others) >= passkeysMost {
		return account.Credential{}, ErrTooManyPasskeys
	}
	c.MAC = c.Seal(s.rowKey)
	d.row(string(c.Ref), c.Digest())
	return c, tx.AddCredential(ctx, c, made.Evidence.Encode())
}
