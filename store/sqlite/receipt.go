package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

const receiptColumns = `key_id, account, team, environment, receipt, created_at, not_before, expires_at, metric, metric_at,
	state, next_at, lease_until, failures, result`

// receipt reads one row that query selects after receiptColumns.
func (tx *Tx) receipt(ctx context.Context, query string, args ...any) (r registry.Receipt, found bool, err error) {
	var created, notBefore, expires, metricAt, next, lease sql.NullInt64
	var metric sql.Null[uint32]
	found, err = tx.row(ctx, "receipt", `SELECT `+receiptColumns+` FROM attest_receipt `+query, args,
		&r.Key, &r.Account, &r.Team, &r.Environment, &r.CMS, &created, &notBefore, &expires, &metric, &metricAt,
		&r.State, &next, &lease, &r.Failures, &r.Result)
	r.CreatedAt, r.NotBefore, r.ExpiresAt = fromMicros(created), fromMicros(notBefore), fromMicros(expires)
	r.MetricAt, r.NextAt, r.LeaseUntil = fromMicros(metricAt), fromMicros(next), fromMicros(lease)
	if metric.Valid {
		r.Metric = &metric.V
	}
	return r, found, err
}

// AttestedReceipt gives the receipt of a key; found is false if it has none.
func (tx *Tx) AttestedReceipt(ctx context.Context, key string) (r registry.Receipt, found bool, err error) {
	return tx.receipt(ctx, `WHERE key_id = ?`, key)
}

// PutReceipt stores r, whether or not its key has one.
func (tx *Tx) PutReceipt(ctx context.Context, r registry.Receipt) error {
	var metric any
	if r.Metric != nil {
		metric = int64(*r.Metric)
	}
	_, err := tx.exec(ctx, "receipt", `INSERT INTO attest_receipt (`+receiptColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key_id) DO UPDATE SET account = excluded.account, team = excluded.team, environment = excluded.environment,
			receipt = excluded.receipt, created_at = excluded.created_at, not_before = excluded.not_before,
			expires_at = excluded.expires_at, metric = excluded.metric, metric_at = excluded.metric_at, state = excluded.state,
			next_at = excluded.next_at, lease_until = excluded.lease_until, failures = excluded.failures, result = excluded.result`,
		r.Key, string(r.Account), r.Team, r.Environment, r.CMS, micros(r.CreatedAt), micros(r.NotBefore), micros(r.ExpiresAt),
		metric, micros(r.MetricAt), string(r.State), micros(r.NextAt), micros(r.LeaseUntil), r.Failures, string(r.Result))
	return err
}

// ReceiptTeams gives the teams of which receipts are scheduled: one seek each.
func (tx *Tx) ReceiptTeams(ctx context.Context) (teams []string, err error) {
	err = tx.few(ctx, "receipt", `WITH RECURSIVE t (team) AS (
			SELECT min(team) FROM attest_receipt WHERE next_at IS NOT NULL
			UNION ALL
			SELECT (SELECT min(team) FROM attest_receipt WHERE team > t.team AND next_at IS NOT NULL) FROM t WHERE t.team IS NOT NULL)
		SELECT team FROM t WHERE team IS NOT NULL`, nil, func(rows *engine.Stmt) error {
		var team string
		err := rows.Scan(&team)
		teams = append(teams, team)
		return err
	})
	return teams, err
}

// DueReceipt gives the receipt of a team that has been due for longest at now,
// and that nobody is at; found is false if there is none.
func (tx *Tx) DueReceipt(ctx context.Context, team string, now time.Time) (r registry.Receipt, found bool, err error) {
	return tx.receipt(ctx, `WHERE team = ?1 AND next_at <= ?2 AND (lease_until IS NULL OR lease_until <= ?2) AND state = 'scheduled'
		ORDER BY next_at LIMIT 1`, team, micros(now))
}

// LeaseReceipt sets the lease of a scheduled receipt if it is still the one
// that was, and reports whether it did.
func (tx *Tx) LeaseReceipt(ctx context.Context, key string, was, until time.Time) (bool, error) {
	n, err := tx.exec(ctx, "receipt", `UPDATE attest_receipt SET lease_until = ? WHERE key_id = ? AND state = 'scheduled' AND lease_until IS ?`,
		micros(until), key, micros(was))
	return n == 1, err
}

// ReviveReceipts makes the scheduled receipts of an account of which Apple had
// no data due at t.
func (tx *Tx) ReviveReceipts(ctx context.Context, id account.ID, t time.Time) error {
	_, err := tx.exec(ctx, "receipt", `UPDATE attest_receipt SET next_at = ? WHERE account = ? AND state = 'scheduled' AND result = 'no_data'`,
		micros(t), string(id))
	return err
}

// WakeReceipts makes those of the keys' receipts that are parked due at t.
func (tx *Tx) WakeReceipts(ctx context.Context, keys []string, t time.Time) error {
	_, err := tx.exec(ctx, "receipt", `UPDATE attest_receipt SET state = 'scheduled', next_at = ?
		WHERE key_id IN (SELECT value FROM json_each(?)) AND state = 'parked'`, micros(t), array(keys))
	return err
}

// RiskMetrics gives the risk metrics of those of the keys that have one.
func (tx *Tx) RiskMetrics(ctx context.Context, keys []string) (map[string]uint32, error) {
	out := map[string]uint32{}
	err := tx.few(ctx, "receipt", `SELECT key_id, metric FROM attest_receipt
		WHERE key_id IN (SELECT value FROM json_each(?)) AND metric IS NOT NULL`, []any{array(keys)}, func(rows *engine.Stmt) error {
		var key string
		var metric uint32
		err := rows.Scan(&key, &metric)
		out[key] = metric
		return err
	})
	return out, err
}
