package integrity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
)

// BeginDevice gives a challenge over which a phone's hardware makes a new key:
// for a join, or to attest a device anew.
func (s *Service) BeginDevice(ctx context.Context, c account.Caller) (*Begun, error) {
	if !c.In(s.app) {
		return nil, ErrNotAllowed
	}
	if err := s.takeBegin(ctx, c); err != nil {
		return nil, err
	}
	issued, err := s.attest.CreateChallenge(ctx, account.Caller{Kind: account.Anonymous, App: s.app},
		&registry.ChallengeRequest{App: s.app, Purpose: registry.PurposeRegister})
	if err != nil {
		return nil, err
	}
	return &Begun{Challenge: issued.Challenge, ExpiresAt: issued.ExpiresAt}, nil
}

// Reattest gives a device a new attested key in place of its old one. The call is
// signed by the new key, and whose it is comes with it:
//
//   - of an active device, its session, which must be fresh, and oldProof: the
//     device proof of the old key over ReattestValue;
//   - of a device that is locked, oldProof is the id of the approval
//     device.reattest that it has confirmed, which names the new key.
//
// A locked device is held then, like a new one. The old key stays known, and
// enrols nowhere.
func (s *Service) Reattest(ctx context.Context, c account.Caller, in *NewPhone, oldProof []byte) error {
	if !c.In(s.app) {
		return ErrNotAllowed
	}
	if in.Message == nil {
		return fmt.Errorf("%w: the call is not signed by the new key", ErrMalformed)
	}
	if err := s.take(ctx, "begin_network", c.Network, s.policy.Limits.BeginNetwork); err != nil {
		return err
	}
	now := s.now()
	var was *actor
	err := s.look(ctx, func(tx Tx) (err error) {
		was, err = s.reattester(ctx, tx, c, in.Message, oldProof, "", now)
		return err
	})
	if err != nil {
		return s.failed(ctx, c, "", err)
	}
	phone := *in
	phone.Name, phone.Platform, phone.SealingAlg, phone.SealingKey = was.device.Name, was.device.Platform, "", nil
	k, err := s.verifyKey(ctx, c, &phone, was.Account, now)
	if err != nil {
		return s.failed(ctx, c, was.Account, err)
	}
	if was.device.State != account.Locked {
		_, spki := k.attempt.Key()
		if err := s.attest.VerifyProof(ctx, was.device.KeyID, ReattestValue(spki), oldProof); err != nil {
			return s.failed(ctx, c, was.Account, s.proofError(err))
		}
	}
	return s.actWithKey(ctx, k, registry.StateActive, func(tx Tx, keyID string) error {
		key, err := tx.AttestedKey(ctx, keyID)
		if err != nil {
			return err
		}
		a, err := s.reattester(ctx, tx, c, in.Message, oldProof, keyID, now)
		if err != nil {
			return err
		}
		if a.device.ID != was.device.ID || a.device.KeyID != was.device.KeyID || a.device.State != was.device.State {
			return account.ErrStep // what was verified above is not so any more
		}
		return s.reattest(ctx, tx, a, key)
	})
}

// reattest is the transaction of Reattest. The new key is committed.
func (s *Service) reattest(ctx context.Context, tx Tx, a *actor, key registry.Key) error {
	if _, found, err := tx.DeviceByKey(ctx, key.ID); err != nil || found { // also a tombstone's
		return firstError(err, ErrDeviceKeyKnown)
	}
	dev := *a.device
	d := s.deed(a, "device.reattest", string(dev.ID))
	d.class, d.event, d.alert, d.data = s.class(a), "device.reattested", string(account.Reattest), map[string]any{"name": dev.Name}
	dev.KeyID, dev.Tier, dev.AttestedAt = key.ID, string(key.Tier), a.now
	if _, err := s.stepDevice(ctx, tx, d, dev, account.Step{Name: account.StepReattest, Wait: s.policy.Holds.Add}); err != nil {
		return err
	}
	if a.device.State == account.Locked {
		if _, err := s.revoke(ctx, tx, Scope{Account: a.Account, Device: dev.ID}, "device attested anew", a.now); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, d)
}

// ReattestValue is what the old key of a device signs for its new one, as a
// device proof.
//
//	SHA-256("staunch/reattest/v1" ‖ 0x00 ‖ L(new SubjectPublicKeyInfo))
func ReattestValue(spki []byte) [32]byte {
	b := append([]byte("staunch/reattest/v1"), 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(spki))) //nolint:gosec // far below 4 GiB
	return sha256.Sum256(append(b, spki...))
}

// reattester finds the device that gets a new key, and whether it may: by the
// session in the call, which the new key has signed, or by a confirmed approval.
// keyID is empty before the new key is verified.
func (s *Service) reattester(ctx context.Context, tx Tx, c account.Caller, m *request.Message, oldProof []byte, keyID string, now time.Time) (*actor, error) {
	if id := account.ApprovalID(oldProof); id.Validate() == nil {
		return s.reattestApproved(ctx, tx, c, id, keyID, now)
	}
	token, err := bearer(m)
	if err != nil {
		return nil, err
	}
	sess, found, err := tx.SessionByToken(ctx, token.hash())
	switch {
	case err != nil:
		return nil, err
	case !found || !live(sess, now) || sess.Device == "":
		return nil, ErrSessionEnded
	}
	c.Kind, c.Account, c.Device, c.Session = account.Phone, sess.Account, sess.Device, sess.ID
	c.Proofs = append([]account.Proof{{Method: account.ByDeviceKey, At: now, Device: sess.Device}}, sess.Proofs...) // by oldProof
	a, err := s.load(ctx, tx, c, now)
	if err != nil {
		return nil, err
	}
	return a, s.require(a, account.Reattest, func(r account.Requirement) account.Requirement { return r.About(*a.device) })
}

// bearer is the session token of a call that a new key signs.
func bearer(m *request.Message) (Token, error) {
	scheme, text, _ := strings.Cut(m.Fields["authorization"], " ")
	token, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !strings.EqualFold(scheme, "Staunch") || err != nil || len(token) != 32 {
		return nil, ErrSessionRequired
	}
	return token, nil
}

type reattestParams struct {
	Key string `json:"key"`
}

// textReattest is what a locked device approves. Its old key, which counts for
// nothing else, says which device it is; the parameters name the new one.
func (s *Service) textReattest(_ context.Context, _ Tx, a *actor, params json.RawMessage) (string, error) {
	p, err := parameters[reattestParams](params)
	switch {
	case err != nil:
		return "", err
	case a.device == nil || a.device.State != account.Locked:
		return "", fmt.Errorf("%w: only a device that is locked needs an approval; call Reattest", ErrMalformed)
	}
	if sum, err := base64.RawURLEncoding.Strict().DecodeString(p.Key); err != nil || len(sum) != sha256.Size {
		return "", fmt.Errorf("%w: params: key is the id of the new key, base64url of 32 bytes", ErrMalformed)
	}
	return fmt.Sprintf("Unlock %s with a new device key, %s? It can do little for %s after that.", inQuotes(a.device.Name), p.Key[:8], span(s.policy.Holds.Add)), nil
}

// runReattest does nothing yet: the new key comes in a call of its own, which
// names the approval.
func (s *Service) runReattest(_ context.Context, _ Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
	d.action = ""
	p, err := parameters[reattestParams](params)
	return map[string]any{"key": p.Key, "until": a.now.Add(s.policy.Windows.Fresh).UTC()}, err
}

// reattestApproved finds the locked device that has confirmed the approval, which
// is as good as an approval is old: for minutes, and for that key.
func (s *Service) reattestApproved(ctx context.Context, tx Tx, c account.Caller, id account.ApprovalID, keyID string, now time.Time) (*actor, error) {
	row, found, err := tx.Approval(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !found || row.Action != account.Reattest || row.State != StateConfirmed || row.By.Device == "":
		return nil, ErrApprovalUnknown
	}
	p, err := parameters[reattestParams](row.Params)
	if err != nil {
		return nil, err
	}
	if keyID != "" && p.Key != keyID {
		return nil, ErrApprovalUnknown
	}
	proof, err := s.proved(ctx, tx, row)
	if err != nil {
		return nil, err
	}
	c.Kind, c.Account, c.Device, c.Proofs = account.Phone, row.Account, row.By.Device, []account.Proof{proof}
	a, err := s.load(ctx, tx, c, now)
	if err != nil {
		return nil, err
	}
	if a.device.State != account.Locked {
		return nil, ErrApprovalUsed
	}
	return a, s.require(a, account.ReattestLocked, func(r account.Requirement) account.Requirement { return r.About(*a.device) })
}
