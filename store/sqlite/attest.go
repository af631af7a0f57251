package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/staunchid/staunch/attest/registry"
)

// Challenge gives the challenge with that hash, or registry.ErrChallengeUnknown.
func (tx *Tx) Challenge(ctx context.Context, hash [32]byte) (registry.Challenge, error) {
	c := registry.Challenge{Hash: hash, App: tx.app}
	var issued, expires, used sql.NullInt64
	found, err := tx.row(ctx, "challenge",
		`SELECT account, purpose, issued_at, expires_at, used_at FROM attest_challenge WHERE hash = ?`,
		[]any{hash[:]}, &c.Account, &c.Purpose, &issued, &expires, &used)
	if err != nil {
		return registry.Challenge{}, err
	}
	if !found {
		return registry.Challenge{}, registry.ErrChallengeUnknown
	}
	c.Issued, c.Expires, c.Used = fromMicros(issued), fromMicros(expires), fromMicros(used)
	return c, nil
}

// AddChallenge stores a new challenge.
func (tx *Tx) AddChallenge(ctx context.Context, c registry.Challenge) error {
	if err := tx.own("challenge", c.App); err != nil {
		return err
	}
	_, err := tx.exec(ctx, "challenge",
		`INSERT INTO attest_challenge (hash, account, purpose, issued_at, expires_at, used_at) VALUES (?, ?, ?, ?, ?, ?)`,
		c.Hash[:], string(c.Account), string(c.Purpose), micros(c.Issued), micros(c.Expires), micros(c.Used))
	return err
}

// UseChallenge marks a challenge used if it is there and unused.
func (tx *Tx) UseChallenge(ctx context.Context, hash [32]byte, now time.Time) (bool, error) {
	n, err := tx.exec(ctx, "challenge", `UPDATE attest_challenge SET used_at = ? WHERE hash = ? AND used_at IS NULL`, micros(now), hash[:])
	return n == 1, err
}

// DeleteChallenges deletes up to limit challenges that expired before t.
func (tx *Tx) DeleteChallenges(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "challenge",
		`DELETE FROM attest_challenge WHERE hash IN (SELECT hash FROM attest_challenge WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`,
		micros(t), limit)
}

const keyColumns = `id, account, platform, spki, algorithm, app_id, tier, state, counter, counter_seen, model, os, device,
	policy_digest, evidence, registered_at, last_used`

// AttestedKey gives a key by its id, or registry.ErrKeyUnknown.
func (tx *Tx) AttestedKey(ctx context.Context, id string) (registry.Key, error) {
	var r keyRow
	found, err := tx.row(ctx, "key", `SELECT `+keyColumns+` FROM attest_key WHERE id = ?`, []any{id}, r.dest()...)
	if err != nil {
		return registry.Key{}, err
	}
	if !found {
		return registry.Key{}, registry.ErrKeyUnknown
	}
	return r.key(tx), nil
}

// keyRow is a row of attest_key on its way to a Key.
type keyRow struct {
	k                    registry.Key
	seen                 int64
	registered, lastUsed sql.NullInt64
}

func (r *keyRow) dest() []any {
	return []any{&r.k.ID, &r.k.Account, &r.k.Platform, &r.k.SPKI, &r.k.Algorithm, &r.k.AppID, &r.k.Tier, &r.k.State,
		&r.k.Counter, &r.seen, &r.k.Model, &r.k.OS, &r.k.Device, &r.k.PolicyDigest, &r.k.Evidence, &r.registered, &r.lastUsed}
}

func (r *keyRow) key(tx *Tx) registry.Key {
	r.k.App, r.k.Window = tx.app, uint64(r.seen)
	r.k.RegisteredAt, r.k.LastUsed = fromMicros(r.registered), fromMicros(r.lastUsed)
	return r.k
}

// PutAttestedKey stores k, whether or not its id is known.
func (tx *Tx) PutAttestedKey(ctx context.Context, k registry.Key) error {
	if err := tx.own("key", k.App); err != nil {
		return err
	}
	_, err := tx.exec(ctx, "key", `INSERT INTO attest_key (`+keyColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET account = excluded.account, platform = excluded.platform, spki = excluded.spki,
			algorithm = excluded.algorithm, app_id = excluded.app_id, tier = excluded.tier, state = excluded.state,
			counter = excluded.counter, counter_seen = excluded.counter_seen, model = excluded.model, os = excluded.os,
			device = excluded.device, policy_digest = excluded.policy_digest, evidence = excluded.evidence,
			registered_at = excluded.registered_at, last_used = excluded.last_used`,
		k.ID, string(k.Account), k.Platform, k.SPKI, k.Algorithm, k.AppID, string(k.Tier), string(k.State), int64(k.Counter),
		int64(k.Window), k.Model, k.OS, blob(k.Device), k.PolicyDigest, k.Evidence, micros(k.RegisteredAt), micros(k.LastUsed))
	return err
}

// PutAttestedSerials stores the serials of a key in place of those it had.
func (tx *Tx) PutAttestedSerials(ctx context.Context, id string, serials []string) error {
	if _, err := tx.exec(ctx, "serial", `DELETE FROM attest_serial WHERE key_id = ?`, id); err != nil {
		return err
	}
	for _, serial := range serials {
		_, err := tx.exec(ctx, "serial", `INSERT INTO attest_serial (serial, key_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, serial, id)
		if err != nil {
			return err
		}
	}
	return nil
}

// AddEvidence stores what a decision was based on.
func (tx *Tx) AddEvidence(ctx context.Context, e registry.Evidence) error {
	_, err := tx.exec(ctx, "evidence",
		`INSERT INTO attest_evidence (id, account, key_id, at, until, verdict, bundle) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		e.ID, string(e.Account), e.Key, micros(e.At), micros(e.Until), e.Verdict, blob(e.Bundle))
	return err
}

// DeleteEvidence deletes up to limit pieces of evidence that are kept no longer than t.
func (tx *Tx) DeleteEvidence(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "evidence",
		`DELETE FROM attest_evidence WHERE id IN (SELECT id FROM attest_evidence WHERE until < ? ORDER BY until LIMIT ?)`, micros(t), limit)
}

// scanKeys calls yield for every key.
func (tx *Tx) scanKeys(ctx context.Context, yield func(registry.Key) error) error {
	return tx.rows(ctx, "key", `SELECT `+keyColumns+` FROM attest_key ORDER BY id`, func(rows *sql.Rows) error {
		var r keyRow
		if err := rows.Scan(r.dest()...); err != nil {
			return fmt.Errorf("scan: %w", err)
		}
		return yield(r.key(tx))
	})
}
