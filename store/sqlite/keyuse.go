package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// KeyStandings gives the standing of those of the keys that are there.
func (tx *Tx) KeyStandings(ctx context.Context, ids []string) ([]registry.KeyStanding, error) {
	out := make([]registry.KeyStanding, 0, len(ids))
	from, arg := `json_each(?) AS j CROSS JOIN attest_key AS k ON k.id = j.value`, array(ids)
	if len(ids) == 1 { // as nearly all
		from, arg = `attest_key AS k WHERE k.id = ?`, ids[0]
	}
	err := tx.few(ctx, "key", `SELECT k.id, k.account, k.app_id, k.tier, k.state, k.counter, k.counter_seen, k.registered_at, k.last_used,
			CASE k.platform WHEN 'apple' THEN (SELECT metric FROM attest_receipt WHERE key_id = k.id) END
		FROM `+from,
		[]any{arg}, func(rows *engine.Stmt) error {
			var k registry.KeyStanding
			var seen int64
			var registered, lastUsed sql.NullInt64
			err := rows.Scan(&k.ID, &k.Account, &k.AppID, &k.Tier, &k.State, &k.Counter, &seen, &registered, &lastUsed, &k.RiskMetric)
			if err != nil {
				return unreadable(err)
			}
			k.Window, k.RegisteredAt, k.LastUsed = uint64(seen), fromMicros(registered), fromMicros(lastUsed)
			out = append(out, k)
			return nil
		})
	return out, err
}

// MoveKeys stores what use has changed, counters by compare and set.
func (tx *Tx) MoveKeys(ctx context.Context, moves []registry.KeyMove) error {
	for _, m := range moves {
		n, err := tx.exec(ctx, "key", `UPDATE attest_key SET counter = ?, counter_seen = ?, last_used = ? WHERE id = ? AND counter = ?`,
			int64(m.Counter), int64(m.Window), micros(m.LastUsed), m.ID, int64(m.OldCounter))
		if err != nil {
			return err
		}
		if n != 1 {
			return tx.fail("key", fmt.Errorf("%w: the counter of key %s has moved within a transaction", store.ErrDamaged, m.ID))
		}
	}
	return nil
}

// AttestedKeys gives up to limit keys that f chooses, by id.
//
// Each way of choosing has a statement of its own, which walks an index in the
// order of ids and stops at limit. Only models have no index.
func (tx *Tx) AttestedKeys(ctx context.Context, f registry.KeyFilter, limit int) ([]registry.Key, error) {
	return tx.keys(ctx, selectKeys+` WHERE id IN (`+keyIDs(f)+`) ORDER BY id`,
		string(f.Account), string(f.State), f.Serial, f.Model, f.After, limit)
}

// keys gives what a query that begins with selectKeys finds, which are few.
func (tx *Tx) keys(ctx context.Context, query string, args ...any) ([]registry.Key, error) {
	var out []registry.Key
	err := tx.few(ctx, "key", query, args, func(rows *engine.Stmt) error {
		var r keyRow
		if err := rows.Scan(r.dest()...); err != nil {
			return unreadable(err)
		}
		k, err := r.key(tx)
		if err != nil {
			return unreadable(err)
		}
		out = append(out, k)
		return nil
	})
	return out, err
}

// keyIDs is the statement that gives the ids f chooses: of account ?1, in state
// ?2, with an issuer of serial ?3, of model ?4, after ?5, at most ?6.
func keyIDs(f registry.KeyFilter) string {
	const rest = ` AND (?1 = '' OR k.account = ?1) AND (?2 = '' OR k.state = ?2) AND (?4 = '' OR k.model = ?4)
		ORDER BY k.id LIMIT ?6`
	switch {
	case f.Serial != "":
		return `SELECT k.id FROM attest_serial AS s CROSS JOIN attest_key AS k ON k.id = s.key_id
			WHERE s.serial = ?3 AND s.key_id > ?5` + rest
	case f.Account != "":
		return `SELECT k.id FROM attest_key AS k INDEXED BY attest_key_account WHERE k.account = ?1 AND k.id > ?5` + rest
	case f.State != "" && f.State != registry.StateActive: // few keys; the active ones are nearly all
		return `SELECT k.id FROM attest_key AS k INDEXED BY attest_key_state WHERE k.state = ?2 AND k.id > ?5` + rest
	}
	return `SELECT k.id FROM attest_key AS k WHERE ?3 = '' AND k.id > ?5` + rest
}
