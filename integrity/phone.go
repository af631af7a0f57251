package integrity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
)

// newKey is a phone's new key whose evidence was verified, and which has signed
// the call that brings it. Nothing of it is stored yet.
type newKey struct{ attempt *registry.Attempt }

const (
	maxName       = 64 // characters of a device's or passkey's name
	maxSealingKey = 4096
)

// verifyPhone judges the evidence of a new key, and that the key has signed the
// call. The evidence is over the challenge of this very ceremony.
func (s *Service) verifyPhone(ctx context.Context, c account.Caller, p *NewPhone, row CeremonyRow, id account.ID, now time.Time) (*newKey, error) {
	sum := sha256.Sum256(p.Evidence.Challenge)
	if len(row.AttestChallenge) == 0 || !bytes.Equal(sum[:], row.AttestChallenge) {
		return nil, ErrCeremonyExpired
	}
	return s.verifyKey(ctx, c, p, id, now)
}

// verifyKey is verifyPhone where no ceremony names the challenge.
func (s *Service) verifyKey(ctx context.Context, c account.Caller, p *NewPhone, id account.ID, now time.Time) (*newKey, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	in := p.Evidence
	in.App, in.Account, in.BeforeSignUp = s.app, id, true
	attempt, err := s.attest.Verify(ctx, account.Caller{Kind: account.Anonymous, App: s.app}, &in)
	if err != nil {
		return nil, err
	}
	if err := attempt.Proves(p.Message, s.policy.AppHosts, s.policy.LoopbackToo, now); err != nil {
		return nil, s.proofError(err)
	}
	if err := s.neverEnrolled(ctx, p.Message); err != nil {
		return nil, err
	}
	return &newKey{attempt}, nil
}

// neverEnrolled reports whether the key that has signed m is no device's, and
// never was one's: a device key enrols once.
func (s *Service) neverEnrolled(ctx context.Context, m *request.Message) error {
	parsed, err := request.Parse(m)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return s.look(ctx, func(tx Tx) error {
		_, found, err := tx.DeviceByKey(ctx, parsed.KeyID)
		if err != nil || !found {
			return err
		}
		return ErrDeviceKeyKnown
	})
}

func (p *NewPhone) check() error {
	switch {
	case p.Platform != "android" && p.Platform != "ios":
		return fmt.Errorf(`%w: platform is "android" or "ios"`, ErrMalformed)
	case p.Message == nil:
		return fmt.Errorf("%w: the call is not signed by the new key", ErrMalformed)
	case len(p.SealingKey) > maxSealingKey || (len(p.SealingKey) == 0) != (p.SealingAlg == ""):
		return fmt.Errorf("%w: a sealing key of 1 to %d bytes comes with its algorithm", ErrMalformed, maxSealingKey)
	}
	return checkName(p.Name)
}

// commit is the registry's part of the transaction: it uses the challenge up
// and keeps the key, or records why not. It comes first, for a denial is
// committed too, and alone: then untrusted is not nil, and the flow ends there.
// A nil newKey is a browser's, and commits nothing.
func (k *newKey) commit(ctx context.Context, tx Tx, state registry.State) (keyID string, untrusted *Untrusted, err error) {
	if k == nil {
		return "", nil, nil
	}
	r, err := k.attempt.Commit(ctx, tx, state)
	if err != nil {
		return "", nil, err
	}
	if r.Decision != registry.Allow || r.KeyID == "" {
		return "", &Untrusted{Advice: string(r.Advice)}, nil
	}
	return r.KeyID, nil, nil
}

// actWithKey is act for a flow that brings a new key: fn runs after the key is
// committed, and not at all when it is denied.
func (s *Service) actWithKey(ctx context.Context, k *newKey, state registry.State, fn func(tx Tx, keyID string) error) error {
	var untrusted *Untrusted
	err := s.act(ctx, func(tx Tx) error {
		var keyID string
		var err error
		if keyID, untrusted, err = k.commit(ctx, tx, state); err != nil || untrusted != nil {
			return err
		}
		return fn(tx, keyID)
	})
	if err == nil && untrusted != nil {
		return untrusted
	}
	return err
}

// enrolDevice stores a new device in the transaction of its flow, by a step that
// brings one. Its key is committed.
func (s *Service) enrolDevice(ctx context.Context, tx Tx, d *deed, id account.ID, keyID string, p *NewPhone, step account.Step) (account.Device, error) {
	if _, found, err := tx.DeviceByKey(ctx, keyID); err != nil || found { // also a tombstone's
		return account.Device{}, firstError(err, ErrDeviceKeyKnown)
	}
	key, err := tx.AttestedKey(ctx, keyID)
	if err != nil {
		return account.Device{}, err
	}
	dev := account.Device{
		ID: account.NewDeviceID(), Account: id, Name: p.Name, Platform: p.Platform, KeyID: keyID,
		SealingAlg: p.SealingAlg, SealingKey: p.SealingKey, Tier: string(key.Tier), AttestedAt: d.now, AddedBy: step.By,
		AddedAt: d.now, LastSeenAt: d.now.Truncate(time.Minute),
	}
	d.device = dev.ID
	dev, err = s.stepDevice(ctx, tx, d, dev, step)
	if err != nil || step.Name == account.StepEnrolFirst {
		return dev, err
	}
	return dev, s.notice(ctx, tx, id, account.Signal{Name: account.SignalNewDevice, Device: dev.ID}, d.now)
}
