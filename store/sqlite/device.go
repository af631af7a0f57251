package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

const deviceColumns = `id, account, name, platform, state, prior, hold_reason, hold_since, hold_until, hold_left, hold_by,
	key_id, sealing_alg, sealing_key, tier, attested_at, added_by, added_at, last_seen_at, mac`

func readDevice(s scan) (account.Device, error) {
	var d account.Device
	var now states
	var hold hold
	var attested, added, seen sql.NullInt64
	err := s(&d.ID, &d.Account, &d.Name, &d.Platform, &now.state, &now.prior, &hold.Reason, &hold.since, &hold.until, &hold.Left, &hold.By,
		&d.KeyID, &d.SealingAlg, &d.SealingKey, &d.Tier, &attested, &d.AddedBy, &added, &seen, &d.MAC)
	if err != nil {
		return d, err
	}
	if d.State, d.Prior, err = now.parse(); err != nil {
		return d, err
	}
	d.Hold, d.AttestedAt, d.AddedAt, d.LastSeenAt = hold.value(), fromMicros(attested), fromMicros(added), fromMicros(seen)
	return d, nil
}

// Device gives a device by its id, a tombstone too.
func (tx *Tx) Device(ctx context.Context, id account.DeviceID) (d account.Device, found bool, err error) {
	return one(ctx, tx, "device", readDevice, `SELECT `+deviceColumns+` FROM device WHERE id = ?`, string(id))
}

// DeviceByKey finds a device by the id of its attested key, a tombstone too.
func (tx *Tx) DeviceByKey(ctx context.Context, keyID string) (d account.Device, found bool, err error) {
	return one(ctx, tx, "device", readDevice, `SELECT `+deviceColumns+` FROM device WHERE key_id = ?`, keyID)
}

// Devices gives the account's devices by time added, tombstones too.
func (tx *Tx) Devices(ctx context.Context, id account.ID) ([]account.Device, error) {
	return some(ctx, tx, "device", readDevice, `SELECT `+deviceColumns+` FROM device WHERE account = ? ORDER BY added_at, id`, string(id))
}

// PutDevice stores d, whether or not it is known. A key id that another device
// has is integrity.ErrDeviceKeyKnown.
func (tx *Tx) PutDevice(ctx context.Context, d account.Device) error {
	if d.State.String() == "" {
		return tx.fail("device", errors.New("without a state"))
	}
	return tx.execUnique(ctx, "device", "device.key_id", integrity.ErrDeviceKeyKnown, `INSERT INTO device (`+deviceColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET account = excluded.account, name = excluded.name, platform = excluded.platform, state = excluded.state,
			prior = excluded.prior, hold_reason = excluded.hold_reason, hold_since = excluded.hold_since, hold_until = excluded.hold_until,
			hold_left = excluded.hold_left, hold_by = excluded.hold_by, key_id = excluded.key_id, sealing_alg = excluded.sealing_alg,
			sealing_key = excluded.sealing_key, tier = excluded.tier, attested_at = excluded.attested_at, added_by = excluded.added_by,
			added_at = excluded.added_at, last_seen_at = excluded.last_seen_at, mac = excluded.mac`,
		string(d.ID), string(d.Account), d.Name, d.Platform, d.State.String(), d.Prior.String(),
		string(d.Hold.Reason), micros(d.Hold.Since), micros(d.Hold.Until), int64(d.Hold.Left), string(d.Hold.By),
		d.KeyID, d.SealingAlg, blob(d.SealingKey), d.Tier, micros(d.AttestedAt), string(d.AddedBy), micros(d.AddedAt), micros(d.LastSeenAt), blob(d.MAC))
}

// SeenDevice sets when a device was last seen.
func (tx *Tx) SeenDevice(ctx context.Context, id account.DeviceID, at time.Time) error {
	return tx.change(ctx, "device", string(id), `UPDATE device SET last_seen_at = ?1 WHERE id = ?2`, micros(at), string(id))
}

// DevicesDue gives up to limit devices whose hold ends at or before now, those
// first that have been due for longest, from behind after on.
func (tx *Tx) DevicesDue(ctx context.Context, now time.Time, after integrity.Due, limit int) ([]integrity.Due, error) {
	return some(ctx, tx, "device", readDue, `SELECT hold_until, id FROM device
		WHERE hold_until <= ? AND (hold_until, id) > (?, ?) ORDER BY hold_until, id LIMIT ?`, micros(now), behind(after), after.ID, limit)
}
