package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

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
		query = `INSERT INTO attest_stat (count, ` + statColumns + `, accounts)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
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

// SumStats calls yield for every group, most attempts first.
func (tx *Tx) SumStats(ctx context.Context, q *registry.StatQuery, yield func(registry.StatSum) error) error {
	by, from, args, err := statQuery(q, ``)
	if err != nil {
		return tx.fail("statistics", err)
	}
	limit := -1
	if q.Limit > 0 {
		limit = q.Limit
	}
	query := `SELECT ` + by + `sum(count) AS attempts, sum(count) FILTER (WHERE verdict = 'accept'), sum(count) FILTER (WHERE verdict = 'reject'),
		sum(count) FILTER (WHERE verdict = 'would_deny'), max(accounts) ` + from + groupBy(q) + ` ORDER BY attempts DESC` + ordered(q) + ` LIMIT ?`
	return tx.statRows(ctx, query, append(args, limit), func(rows *engine.Stmt) error {
		s := registry.StatSum{By: make([]string, len(q.By))}
		var n [5]sql.NullInt64
		if err := rows.Scan(append(texts(s.By), &n[0], &n[1], &n[2], &n[3], &n[4])...); err != nil {
			return unreadable(err)
		}
		if !n[0].Valid {
			return nil // the sum of nothing
		}
		s.Attempts, s.Accepted, s.Rejected, s.WouldDeny, s.Accounts = n[0].Int64, n[1].Int64, n[2].Int64, n[3].Int64, int(n[4].Int64)
		return yield(s)
	})
}

// CountStatAccounts calls yield with the number of distinct hashes in every
// group and period of so many hours.
func (tx *Tx) CountStatAccounts(ctx context.Context, q *registry.StatQuery, hours int64, yield func([]string, int64, int64) error) error {
	by, from, args, err := statQuery(q, `JOIN attest_stat_account a ON a.stat = attest_stat.id`)
	if err != nil {
		return tx.fail("statistics", err)
	}
	query := `SELECT ` + by + `hour / ? AS period, count(DISTINCT a.account) ` + from + ` GROUP BY ` + columns(q) + `period`
	return tx.statRows(ctx, query, append([]any{hours}, args...), func(rows *engine.Stmt) error {
		group := make([]string, len(q.By))
		var period, n int64
		if err := rows.Scan(append(texts(group), &period, &n)...); err != nil {
			return unreadable(err)
		}
		return yield(group, period, n)
	})
}

// StatAccounts calls yield for every hash in every group, each once.
func (tx *Tx) StatAccounts(ctx context.Context, q *registry.StatQuery, yield func([]string, []byte) error) error {
	by, from, args, err := statQuery(q, `JOIN attest_stat_account a ON a.stat = attest_stat.id`)
	if err != nil {
		return tx.fail("statistics", err)
	}
	return tx.statRows(ctx, `SELECT DISTINCT `+by+`a.account `+from, args, func(rows *engine.Stmt) error {
		group := make([]string, len(q.By))
		var hash []byte
		if err := rows.Scan(append(texts(group), &hash)...); err != nil {
			return unreadable(err)
		}
		return yield(group, hash)
	})
}

// statQuery gives the columns of the groups, with a comma after each, and what
// comes after them.
func statQuery(q *registry.StatQuery, join string) (by, from string, args []any, err error) {
	having := "="
	if q.Findings {
		having = "<>"
	}
	from = `FROM attest_stat ` + join + ` WHERE hour >= ? AND hour < ? AND code ` + having + ` ''`
	args = []any{q.From, q.To}
	for d, value := range q.Equal {
		arg := any(value)
		if d == registry.DimHour || d == registry.DimDay || d == registry.DimPosition {
			if arg, err = strconv.ParseInt(value, 10, 64); err != nil {
				return "", "", nil, fmt.Errorf("%s: %w", d, err)
			}
		}
		from += ` AND ` + statColumn(d) + ` = ?`
		args = append(args, arg)
	}
	for _, d := range append(slices.Collect(maps.Keys(q.Equal)), q.By...) {
		if statColumn(d) == "" {
			return "", "", nil, fmt.Errorf("no column %q", d)
		}
	}
	return columns(q), from, args, nil
}

// statRows runs a query whose text depends on what is asked for, so that it is
// not among the statements that are kept prepared.
func (tx *Tx) statRows(ctx context.Context, query string, args []any, scan func(*engine.Stmt) error) error {
	if tx.failed != nil {
		return tx.failed
	}
	if err := tx.conn.each(ctx, query, args, scan); err != nil {
		return tx.fail("statistics", err)
	}
	return nil
}

// statColumn is the column, or the term, of a dim; empty: there is none.
func statColumn(d registry.Dim) string {
	switch {
	case d == registry.DimDay:
		return "hour / 24"
	case slices.Contains(registry.Dims(), d):
		return string(d)
	}
	return ""
}

func columns(q *registry.StatQuery) string {
	var b strings.Builder
	for _, d := range q.By {
		b.WriteString(statColumn(d) + ", ")
	}
	return b.String()
}

func groupBy(q *registry.StatQuery) string {
	if len(q.By) == 0 {
		return ""
	}
	return ` GROUP BY ` + strings.TrimSuffix(columns(q), ", ")
}

// ordered settles the order of groups with as many attempts.
func ordered(q *registry.StatQuery) string {
	if len(q.By) == 0 {
		return ""
	}
	return `, ` + strings.TrimSuffix(columns(q), ", ")
}

func texts(s []string) (dest []any) {
	for i := range s {
		dest = append(dest, &s[i])
	}
	return dest
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
