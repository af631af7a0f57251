package integrity

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
)

// lockReader names how far the clock has read of the outbox.
const lockReader = "integrity.lock"

// lockRevoked locks the devices whose keys the attest registry has revoked since
// it last looked: by a revocation list, for a copied key, or by hand. Their calls
// are refused from the revocation on; the lock ends their sessions, tells the
// owner, and lets them be attested anew. An event that cannot be read is logged and
// left behind: it would keep all that come after it from being looked at.
func (s *Service) lockRevoked(ctx context.Context, tx Tx, now time.Time) (more bool, err error) {
	at, err := tx.Cursor(ctx, lockReader)
	if err != nil {
		return false, err
	}
	events, err := tx.Events(ctx, at, tickMost)
	if err != nil || len(events) == 0 {
		return false, err
	}
	for _, e := range events {
		if e.Type != "attest.key_revoked" {
			continue
		}
		var body struct {
			Key string `json:"key"`
		}
		if err := json.Unmarshal(e.Body, &body); err != nil {
			s.log.ErrorContext(ctx, "integrity: an event of a revoked key cannot be read; its device is not locked", "event", e.ID, "error", err)
			continue
		}
		if err := s.lockDevice(ctx, tx, body.Key, now); err != nil {
			return false, err
		}
	}
	return len(events) == tickMost, tx.PutCursor(ctx, lockReader, events[len(events)-1].ID)
}

// lockDevice locks the device that has the key, if one has and is not locked.
func (s *Service) lockDevice(ctx context.Context, tx Tx, keyID string, now time.Time) error {
	dev, found, err := tx.DeviceByKey(ctx, keyID)
	if err != nil || !found {
		return err
	}
	if !dev.Sound(s.rowKey) { // its next use locks the account; the others go on
		s.log.ErrorContext(ctx, "integrity: the row of a device whose key was revoked was tampered with", "account", dev.Account, "device", dev.ID)
		return nil
	}
	d := s.clockDeed(dev.Account, "device.lock", now)
	d.subject, d.device, d.reason, d.event, d.alert = string(dev.ID), dev.ID, "the key was revoked", "device.locked", "device.locked"
	d.data = map[string]any{"name": dev.Name}
	_, err = s.stepDevice(ctx, tx, d, dev, account.Step{Name: account.StepLock})
	if errors.Is(err, account.ErrStep) {
		return nil // it is locked, or gone
	}
	if err != nil {
		return err
	}
	if _, err := s.revoke(ctx, tx, Scope{Account: dev.Account, Device: dev.ID}, "device locked", now); err != nil {
		return err
	}
	return s.record(ctx, tx, d)
}
