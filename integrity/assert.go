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

// assert verifies an answer outside the transaction that acts on it: the
// ceremony, the credential and its account, the MACs, the signature, the
// findings. of is the account whose passkey it must be; empty: any.
//
// A right answer is never refused because others have failed: a signature is not
// found by trying, and behind one address there may be thousands. A wrong one is
// counted, and says so when there were too many.
func (s *Service) assert(ctx context.Context, c account.Caller, p passkey.Purpose, id account.CeremonyID, response, by []byte, of account.ID, now time.Time) (*asserted, error) {
	return (&attempt{Service: s}).assert(ctx, c, p, id, response, by, of, now)
}

func (s *attempt) assert(ctx context.Context, c account.Caller, p passkey.Purpose, id account.CeremonyID, response, by []byte, of account.ID, now time.Time) (*asserted, error) {
	credentialID, err := passkey.UnverifiedCredentialID(response)
	if err != nil {
		return nil, s.failed(ctx, c, of, err)
	}
	a := &asserted{}
	nobody, madeUp := s.nobody(credentialID)
	var owner account.Account
	found := false
	err = s.look(ctx, func(tx Tx) (err error) {
		found = false
		if a.ceremony, err = s.answered(ctx, tx, id, p, by, now); err != nil {
			return err
		}
		if a.credential, found, err = tx.CredentialByID(ctx, s.rp.RPID(), credentialID); err != nil {
			return err
		}
		if found { // before its state is believed: the browser deletes a passkey that we call unknown
			if err := s.soundCredential(a.credential); err != nil {
				return err
			}
		}
		if found = found && a.credential.State != account.CredentialRemoved; !found {
			return nil
		}
		if a.before, err = stored(a.credential); err != nil {
			return &tampered{a.credential.Account, string(a.credential.Ref)}
		}
		owner, err = s.account(ctx, tx, a.credential.Account)
		return err
	})
	if errors.Is(err, ErrAccountUnknown) { // it was deleted
		return nil, s.failed(ctx, c, of, passkey.ErrRefused)
	}
	if err != nil {
		return nil, err
	}
	ceremony, err := s.ceremony(a.ceremony)
	if err != nil {
		return nil, err
	}
	switch {
	case !found && madeUp && of != "": // as somebody else's
		return nil, s.failed(ctx, c, of, passkey.ErrRefused)
	case !found && madeUp:
		return nil, s.failed(ctx, c, nobody, s.refuseMadeUp(ceremony, credentialID, response, now))
	case !found:
		return nil, s.failed(ctx, c, of, passkey.ErrUnknown)
	case of != "" && a.credential.Account != of:
		return nil, s.failed(ctx, c, of, passkey.ErrRefused)
	}
	if a.assertion, err = s.rp.VerifyAssertion(ceremony, user(owner), a.before, response, now); err != nil {
		return nil, s.failed(ctx, c, a.credential.Account, err)
	}
	if a.ceremony.Fake {
		return nil, s.failed(ctx, c, of, passkey.ErrRefused)
	}
	a.effect, a.findings = s.rp.Policy().Appraise(a.assertion)
	return a, s.refusal(ctx, c, a, now)
}

// proof is what the server has seen by an assertion.
func (as *asserted) proof(now time.Time) account.Proof {
	return account.Proof{
		Method: account.ByAssertion, At: now, Credential: as.credential.Ref, Synced: as.assertion.BackupEligible, Suspect: as.assertion.Suspect,
	}
}

// young reports whether a passkey was added so lately that the owner may not
// have seen the alert: as long as a new device cools off. One that was made with
// the account is not, and neither is one that came with the device that uses it:
// that was let in by another, and cools off itself.
func (s *Service) young(c account.Credential, a *actor) bool {
	came := a.device != nil && a.device.AddedAt.Equal(c.AddedAt)
	return !came && c.AddedAt.After(a.account.CreatedAt) && a.now.Before(c.AddedAt.Add(s.policy.Holds.Add))
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
	before, err := as.again(cred)
	if err != nil {
		return &tampered{cred.Account, string(cred.Ref)}
	}
	if count := as.assertion.Count; before.Count != as.before.Count && count <= before.Count {
		// Another use came first. Judged again, this one is one whose counter went back.
		return fmt.Errorf("%w: passkey %s was used meanwhile, and its counter is %d", account.ErrStep, cred.Ref, before.Count)
	}
	next := as.assertion.Next(before)
	cred.SignCount, cred.Flags, cred.LastUsedAt = next.Count, next.Flags, now
	if dev != "" && !slices.Contains(cred.Devices, dev) {
		cred.Devices = append(slices.Clone(cred.Devices), dev)
		slices.Sort(cred.Devices)
	}
	return s.putCredential(ctx, tx, cred)
}
