package client

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/request"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
)

// RenewingHardware is Hardware that can make a key beside the one that is in use.
// Reattest needs it.
type RenewingHardware interface {
	Hardware
	// RenewKey is NewKey, and leaves the phone's own key as it is. Keep writes down which
	// of both are needed: those that PhoneState.Key and PhoneState.NextKey name.
	RenewKey(ctx context.Context, challenge []byte) (*NewKey, error)
}

// nextKeyLife is how long a call that got lost may still arrive: the server takes none
// that was signed longer ago. Until then its key may become this phone's.
const nextKeyLife = 10 * time.Minute

// Reattest gives this device a new attested key: when its evidence has grown old
// (Status, advice "reattest"), and when its key was revoked, so that it is locked. Then
// its owner approves that with his passkey: show is told the text, and the device cools
// off like a new one. A device whose key is good approves by itself.
//
// Both keys are kept until the server has answered. A phone that dies in between, or is
// cut off, calls Reattest again; with ErrUnfinished it waits some minutes first.
func (p *Phone) Reattest(ctx context.Context, show func(text string) error) error {
	s := p.State()
	hw, can := p.hardware.(RenewingHardware)
	switch {
	case s.Account == "":
		return ErrNotEnrolled
	case s.Began != nil:
		return ErrUnfinished
	case !can:
		return fmt.Errorf("client: options: Hardware: %T makes no key beside the one in use, which a device that is attested anew needs: see RenewingHardware", p.hardware)
	}
	if s.NextKey != "" {
		taken, err := p.nextTaken(ctx)
		switch {
		case err != nil:
			return err
		case taken:
			return p.adoptNext(ctx)
		case p.serverNow().Before(s.NextUntil):
			return fmt.Errorf("%w: a new key, of which the server may still hear: call again after %s", ErrUnfinished, s.NextUntil.UTC().Format(time.RFC3339))
		}
	}
	st, err := p.accounts.GetStatus(ctx, connect.NewRequest(&accountv1.GetStatusRequest{}))
	if err != nil {
		return err
	}
	phone, next, err := p.renewKey(ctx, hw)
	if err != nil {
		return err
	}
	err = p.reattest(ctx, phone, next, st.Msg.GetDeviceState() == accountv1.State_STATE_LOCKED, show)
	for end, pause := p.now().Add(p.patience), firstPause; uncertain(err) && p.now().Before(end); pause = min(2*pause, mostPause) {
		taken, why := p.nextTaken(ctx)
		if taken || why != nil {
			err = why
			break
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
	}
	switch {
	case err == nil:
		return p.adoptNext(ctx)
	case uncertain(err), ctx.Err() != nil:
		return err // and the key stays: the server may have it
	}
	return errors.Join(err, p.dropNext(ctx))
}

// renewKey has the hardware make a key over a challenge. It is kept before the server
// hears of it.
func (p *Phone) renewKey(ctx context.Context, hw RenewingHardware) (*accountv1.NewPhone, MovingKey, error) {
	b, err := p.accounts.BeginDevice(unsigned(ctx), connect.NewRequest(&accountv1.BeginDeviceRequest{}))
	if err != nil {
		return nil, nil, err
	}
	if own := p.State().App; string(own) != b.Msg.GetApp() {
		return nil, nil, fmt.Errorf("%w: asked for app %q, and the server answers for app %q", ErrMismatch, own, b.Msg.GetApp())
	}
	k, err := hw.RenewKey(ctx, b.Msg.GetChallenge())
	if err != nil {
		return nil, nil, err
	}
	next, ok := k.Key.(MovingKey)
	if !ok {
		return nil, nil, fmt.Errorf("client: options: Hardware: %T does not give its public key, which the old key signs: see MovingKey", k.Key)
	}
	p.mu.Lock()
	p.next = next
	p.mu.Unlock()
	until := p.serverNow().Add(nextKeyLife)
	return k.proto(b.Msg.GetChallenge()), next, p.change(ctx, func(s *PhoneState) { s.NextKey, s.NextUntil = next.ID(), until })
}

// proto is the evidence of a key, as a flow that brings it sends it.
func (k *NewKey) proto(challenge []byte) *accountv1.NewPhone {
	m := &accountv1.NewPhone{Challenge: challenge, KeyId: k.AppleKeyID, Platform: accountv1.Platform_PLATFORM_ANDROID}
	if k.Platform == "ios" {
		m.Platform = accountv1.Platform_PLATFORM_IOS
		m.Evidence = &accountv1.NewPhone_AttestationObject{AttestationObject: k.AttestationObject}
		return m
	}
	m.Evidence = &accountv1.NewPhone_CertificateChain{CertificateChain: &attestv1.CertificateChain{Certificates: k.CertificateChain}}
	return m
}

// reattest makes the call, signed by the new key. What says that it may is a proof by
// the old key; of a device that is locked, an approval by its owner.
func (p *Phone) reattest(ctx context.Context, phone *accountv1.NewPhone, next MovingKey, locked bool, show func(string) error) error {
	call := func(proof []byte) error {
		_, err := p.accounts.Reattest(signedBy(ctx, next), connect.NewRequest(&accountv1.ReattestRequest{Phone: phone, OldProof: proof}))
		return err
	}
	if locked {
		approval, err := p.approveReattest(ctx, next, show)
		if err != nil {
			return err
		}
		return call([]byte(approval))
	}
	p.mu.Lock()
	old := p.key
	p.mu.Unlock()
	proof, err := old.Sign(request.DeviceProof(reattestValue(next.Public())))
	if err != nil {
		return fmt.Errorf("client: the proof by the old key: %w", err)
	}
	return p.asNeeded(ctx, func() error { return call(proof) })
}

// approveReattest has the person of a locked device approve its new key.
func (p *Phone) approveReattest(ctx context.Context, next Key, show func(string) error) (account.ApprovalID, error) {
	if err := p.dropSession(ctx); err != nil { // it has ended
		return "", err
	}
	a, err := p.Propose(ctx, account.Reattest, map[string]string{"key": next.ID()})
	if err != nil {
		return "", err
	}
	if err := show(a.Text); err != nil {
		return "", err
	}
	response, err := p.get(ctx, a.options)
	if err != nil {
		return "", err
	}
	_, err = p.accounts.ConfirmAction(ctx, connect.NewRequest(&accountv1.ConfirmActionRequest{Approval: string(a.ID), Response: response, Locked: true}))
	return a.ID, err
}

// reattestValue is what the old key of a device signs for its new one
// (docs/accounts.md, "A new key for a device").
func reattestValue(spki []byte) [32]byte {
	b := append([]byte("staunch/reattest/v1"), 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(spki))) //nolint:gosec // of a key
	return sha256.Sum256(append(b, spki...))
}

// nextTaken reports whether the server knows this device by its new key.
func (p *Phone) nextTaken(ctx context.Context) (bool, error) {
	p.mu.Lock()
	next := p.next
	p.mu.Unlock()
	st, err := p.accounts.GetStatus(signedBy(ctx, next), connect.NewRequest(&accountv1.GetStatusRequest{}))
	switch {
	case stranger(err):
		return false, nil
	case err != nil:
		return false, err
	case st.Msg.GetDevice() != string(p.State().Device):
		return false, fmt.Errorf("%w: the new key is device %q to the server, and this is %s", ErrMismatch, st.Msg.GetDevice(), p.State().Device)
	}
	return true, nil
}

// adoptNext makes the new key the phone's.
func (p *Phone) adoptNext(ctx context.Context) error {
	p.mu.Lock()
	p.key, p.next = p.next, nil
	id := p.key.ID()
	p.mu.Unlock()
	return p.change(ctx, func(s *PhoneState) { s.Key, s.NextKey, s.NextUntil = id, "", time.Time{} })
}

// dropNext gives the new key up: the server has refused it.
func (p *Phone) dropNext(ctx context.Context) error {
	p.mu.Lock()
	p.next = nil
	p.mu.Unlock()
	return p.change(context.WithoutCancel(ctx), func(s *PhoneState) { s.NextKey, s.NextUntil = "", time.Time{} })
}
