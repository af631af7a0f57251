package sqlite

import (
	"context"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// StatSize tells how much is stored of an hour.
func (tx *Tx) StatSize(ctx context.Context, hour int64) (n registry.StatSize, err error) {
	_, err = tx.row(ctx, "statistics", `SELECT count(*), count(*) FILTER (WHERE model_source = 'claimed'), coalesce(sum(accounts), 0)
		FROM attest_stat WHERE hour = ?`, []any{hour}, &n.Rows, &n.Claimed, &n.Hashes)
	return n, err
}

const statColumns = `hour, platform, operation, model, model_source, os, app_version, country, stage, verdict,
	code, class, effect, position, batch, manufacturer`

func statValues(k registry.StatKey) []any {
	return []any{
		k.Hour, k.Platform, k.Operation, k.Model, k.ModelSource, k.OS, k.AppVersion, k.Country, k.Stage, k.Verdict,
		k.Code, k.Class, k.Effect, k.Position, k.Batch, k.Manufacturer,
	}
}

// AddStat adds n to a row, and makes the row if it may.
func (tx *Tx) AddStat(ctx context.Context, k registry.StatKey, n int64, create bool) (registry.StatCount, error) {
	query := `UPDATE attest_stat SET count = count + ? WHERE (` + statColumns + `) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		RETURNING id, count, accounts`
	if create {
		query = `INSERT INTO attest_stat (id, count, ` + statColumns + `, accounts)
			VALUES ((SELECT coalesce(max(id), 0) + 1 FROM attest_stat), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
			ON CONFLICT (` + statColumns + `) DO UPDATE SET count = count + excluded.count
			RETURNING id, count, accounts`
	}
	var c registry.StatCount
	_, err := tx.row(ctx, "statistics", query, append([]any{n}, statValues(k)...), &c.Row, &c.Count, &c.Accounts)
	return c, err
}

// AddStatAccounts adds hashes to those of a row until it has limit of them.
func (tx *Tx) AddStatAccounts(ctx context.Context, row int64, hashes [][]byte, limit int) (int, error) {
	var n int
	if _, err := tx.row(ctx, "statistics", `SELECT count(*) FROM attest_stat_account WHERE stat = ?`, []any{row}, &n); err != nil {
		return 0, err
	}
	for _, hash := range hashes {
		if n >= limit {
			break
		}
		added, err := tx.exec(ctx, "statistics", `INSERT INTO attest_stat_account (stat, account) VALUES (?, ?) ON CONFLICT DO NOTHING`, row, hash)
		if err != nil {
			return 0, err
		}
		n += added
	}
	return n, tx.SetStatAccounts(ctx, row, n)
}

// SetStatAccounts says how many accounts a row has.
func (tx *Tx) SetStatAccounts(ctx context.Context, row int64, n int) error {
	_, err := tx.exec(ctx, "statistics", `UPDATE attest_stat SET accounts = ? WHERE id = ?`, n, row)
	return err
}

// DeleteStats deletes up to limit rows of hours before hour, with their hashes.
func (tx *Tx) DeleteStats(ctx context.Context, hour int64, limit int) (int, error) {
	return tx.exec(ctx, "statistics",
		`DELETE FROM attest_stat WHERE id IN (SELECT id FROM attest_stat WHERE hour < ? ORDER BY hour LIMIT ?)`, hour, limit)
}

// KeyCount is how many keys of a platform are in a state.
type KeyCount struct {
	Platform string
	State    registry.State
	Keys     int64
}

// CountKeys counts the registered keys.
func (tx *Tx) CountKeys(ctx context.Context) (all []KeyCount, err error) {
	err = tx.statRows(ctx, `SELECT platform, state, count(*) FROM attest_key GROUP BY state, platform`, nil, func(rows *engine.Stmt) error {
		var c KeyCount
		if err := rows.Scan(&c.Platform, &c.State, &c.Keys); err != nil {
			return unreadable(err)
		}
		all = append(all, c)
		return nil
	})
	return all, err
}
