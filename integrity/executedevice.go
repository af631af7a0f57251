package integrity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/staunchid/staunch/account"
)

type deviceParams struct {
	Device account.DeviceID `json:"device"`
}

// other reads the device that the parameters name, which is not the caller's.
func (s *Service) other(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (account.Device, error) {
	p, err := parameters[deviceParams](params)
	if err != nil {
		return account.Device{}, err
	}
	if err := p.Device.Validate(); err != nil {
		return account.Device{}, fmt.Errorf("%w: params: device: %w", ErrMalformed, err)
	}
	if p.Device == a.Device {
		return account.Device{}, fmt.Errorf("%w: that is the device which asks; it can leave, and another one can unfreeze it", ErrMalformed)
	}
	return s.device(ctx, tx, a.Account, p.Device)
}

func (s *Service) textRemoveDevice(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (string, error) {
	dev, err := s.other(ctx, tx, a, params)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Remove %s from your account? It will not open your chats any more.", inQuotes(dev.Name)), nil
}

func (s *Service) runRemoveDevice(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
	dev, err := s.other(ctx, tx, a, params)
	if err != nil {
		return nil, err
	}
	if err := s.watcherStays(ctx, tx, a, account.RemoveDevice, d.class, dev); err != nil {
		return nil, err
	}
	if err := s.recallStays(a, account.RemoveDevice, dev); err != nil {
		return nil, err
	}
	d.subject, d.event, d.alert = string(dev.ID), "device.removed", string(account.RemoveDevice)
	shared, err := s.removeDevice(ctx, tx, d, dev, account.StepRemove)
	if err != nil {
		return nil, err
	}
	if err := s.wayInStays(ctx, tx, a.Account); err != nil {
		return nil, err
	}
	result := map[string]any{"removed": dev.ID}
	if len(shared) > 0 {
		result["advice"] = []string{"replace_shared_passkey"}
	}
	return result, s.stayIfSuccessor(ctx, tx, d, a.account, dev.ID)
}

func (s *Service) textUnfreezeDevice(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (string, error) {
	dev, err := s.other(ctx, tx, a, params)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Unfreeze %s? It can use your account again.", inQuotes(dev.Name)), nil
}

func (s *Service) runUnfreezeDevice(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
	dev, err := s.other(ctx, tx, a, params)
	if err != nil {
		return nil, err
	}
	if dev.State == account.Active || dev.State == account.Held {
		d.action = ""
		return Thawed{State: dev.State}.result(), nil
	}
	d.subject, d.device, d.event, d.alert = string(dev.ID), dev.ID, "device.unfrozen", string(account.UnfreezeDevice)
	d.data = map[string]any{"name": dev.Name}
	if dev, err = s.stepDevice(ctx, tx, d, dev, account.Step{Name: account.StepUnfreeze, By: a.Device}); err != nil {
		return nil, err
	}
	if err := s.thawMoves(ctx, tx, a.Account, a.now); err != nil {
		return nil, err
	}
	return Thawed{State: dev.State, Changed: true}.result(), nil
}

type sealingParams struct {
	Alg string `json:"alg"`
	Key []byte `json:"key"`
}

// newSealing reads a new sealing key for the caller's own device.
func newSealing(a *actor, params json.RawMessage) (sealingParams, error) {
	p, err := parameters[sealingParams](params)
	switch {
	case err != nil:
		return p, err
	case a.device == nil:
		return p, &account.Refused{Action: account.RotateSealing, Why: account.WhyFrom}
	case p.Alg == "" || len(p.Alg) > 64 || len(p.Key) == 0 || len(p.Key) > maxSealingKey:
		return p, fmt.Errorf("%w: params: alg names the algorithm and key has 1 to %d bytes in base64", ErrMalformed, maxSealingKey)
	case p.Alg == a.device.SealingAlg && slices.Equal(p.Key, a.device.SealingKey):
		return p, fmt.Errorf("%w: params: that is the sealing key which the device has; make a new one", ErrMalformed)
	}
	return p, checkName(p.Alg)
}

func (s *Service) textRotateSealing(_ context.Context, _ Tx, a *actor, params json.RawMessage) (string, error) {
	p, err := newSealing(a, params)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(p.Key)
	f := hex.EncodeToString(sum[:8])
	return fmt.Sprintf("Give %s a new key for sealed chats, %s %s %s %s? What is sent to it from now on opens with that key only.",
		inQuotes(a.device.Name), f[0:4], f[4:8], f[8:12], f[12:16]), nil
}

func (s *Service) runRotateSealing(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
	p, err := newSealing(a, params)
	if err != nil {
		return nil, err
	}
	dev := *a.device
	dev.SealingAlg, dev.SealingKey = p.Alg, p.Key
	d.subject, d.event, d.alert = string(dev.ID), "device.sealing_rotated", string(account.RotateSealing)
	d.data = map[string]any{"name": dev.Name}
	d.row(string(dev.ID), dev.Digest())
	return nil, s.putDevice(ctx, tx, dev)
}

// result is what the client reads of an unfreeze.
func (t Thawed) result() any {
	r := map[string]any{"state": t.State.String(), "changed": t.Changed}
	if !t.OpensAt.IsZero() {
		r["opens_at"] = t.OpensAt.UTC()
	}
	return r
}
