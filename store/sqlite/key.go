package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

const keyColumns = `id, account, platform, spki, algorithm, app_id, tier, state, counter, counter_seen, model, os, device,
	policy_digest, evidence, registered_at, last_used, batch, provisioning`

// selectKeys gives what keyRow takes.
const selectKeys = `SELECT ` + keyColumns + `,
	(SELECT json_group_array(serial) FROM attest_serial WHERE key_id = attest_key.id) FROM attest_key`

// AttestedKey gives a key by its id, or registry.ErrKeyUnknown.
func (tx *Tx) AttestedKey(ctx context.Context, id string) (registry.Key, error) {
	var r keyRow
	found, err := tx.row(ctx, "key", selectKeys+` WHERE id = ?`, []any{id}, r.dest()...)
	if err != nil {
		return registry.Key{}, err
	}
	if !found {
		return registry.Key{}, registry.ErrKeyUnknown
	}
	k, err := r.key(tx)
	if err != nil {
		return registry.Key{}, tx.fail("key", err)
	}
	return k, nil
}

// keyRow is a row of attest_key on its way to a Key.
type keyRow struct {
	k                    registry.Key
	seen                 int64
	registered, lastUsed sql.NullInt64
	serials              []byte // a JSON array, for a serial may be any text once somebody has changed it
}

func (r *keyRow) dest() []any {
	return []any{&r.k.ID, &r.k.Account, &r.k.Platform, &r.k.SPKI, &r.k.Algorithm, &r.k.AppID, &r.k.Tier, &r.k.State,
		&r.k.Counter, &r.seen, &r.k.Model, &r.k.OS, &r.k.Device, &r.k.PolicyDigest, &r.k.Evidence, &r.registered, &r.lastUsed,
		&r.k.Batch, &r.k.Provisioning, &r.serials}
}

func (r *keyRow) key(tx *Tx) (registry.Key, error) {
	r.k.App, r.k.Window = tx.app, uint64(r.seen)
	r.k.RegisteredAt, r.k.LastUsed = fromMicros(r.registered), fromMicros(r.lastUsed)
	if err := json.Unmarshal(r.serials, &r.k.Serials); err != nil {
		return registry.Key{}, fmt.Errorf("serials: %w", err)
	}
	if len(r.k.Serials) == 0 {
		r.k.Serials = nil
	}
	slices.Sort(r.k.Serials)
	return r.k, nil
}

// PutAttestedKey stores k with its serials, whether or not its id is known.
func (tx *Tx) PutAttestedKey(ctx context.Context, k registry.Key) error {
	if err := tx.own("key", k.App); err != nil {
		return err
	}
	_, err := tx.exec(ctx, "key", `INSERT INTO attest_key (`+keyColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET account = excluded.account, platform = excluded.platform, spki = excluded.spki,
			algorithm = excluded.algorithm, app_id = excluded.app_id, tier = excluded.tier, state = excluded.state,
			counter = excluded.counter, counter_seen = excluded.counter_seen, model = excluded.model, os = excluded.os,
			device = excluded.device, policy_digest = excluded.policy_digest, evidence = excluded.evidence,
			registered_at = excluded.registered_at, last_used = excluded.last_used, batch = excluded.batch,
			provisioning = excluded.provisioning`,
		k.ID, string(k.Account), k.Platform, k.SPKI, k.Algorithm, k.AppID, string(k.Tier), string(k.State), int64(k.Counter),
		int64(k.Window), k.Model, k.OS, blob(k.Device), k.PolicyDigest, k.Evidence, micros(k.RegisteredAt), micros(k.LastUsed),
		blob(k.Batch), k.Provisioning)
	if err != nil {
		return err
	}
	return tx.putSerials(ctx, k.ID, k.Serials)
}

// putSerials stores the serials of a key in place of those it had.
func (tx *Tx) putSerials(ctx context.Context, id string, serials []string) error {
	if _, err := tx.exec(ctx, "serial", `DELETE FROM attest_serial WHERE key_id = ?`, id); err != nil {
		return err
	}
	for _, serial := range serials {
		if _, err := tx.exec(ctx, "serial", `INSERT INTO attest_serial (serial, key_id) VALUES (?, ?)`, serial, id); err != nil {
			return err
		}
	}
	return nil
}

// scanKeys calls yield for every key.
func (tx *Tx) scanKeys(ctx context.Context, yield func(registry.Key) error) error {
	return tx.rows(ctx, "key", selectKeys+` ORDER BY id`, func(rows *engine.Stmt) error {
		var r keyRow
		err := rows.Scan(r.dest()...)
		if err != nil {
			return unreadable(err)
		}
		k, err := r.key(tx)
		if err != nil {
			return unreadable(err)
		}
		return yield(k)
	})
}
