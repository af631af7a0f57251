package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// CountBatchKeys counts keys under a batch key that were registered after t.
func (tx *Tx) CountBatchKeys(ctx context.Context, batch []byte, t time.Time, but string, limit int) (n int, err error) {
	_, err = tx.row(ctx, "key", `SELECT count(*) FROM (SELECT 1 FROM attest_key INDEXED BY attest_key_batch
		WHERE batch = ? AND batch IS NOT NULL AND registered_at > ? AND id <> ? LIMIT ?)`, []any{batch, micros(t), but, limit}, &n)
	return n, err
}

// CountAccountKeys counts keys of an account that were registered after t.
func (tx *Tx) CountAccountKeys(ctx context.Context, id account.ID, t time.Time, but string, limit int) (n int, err error) {
	_, err = tx.row(ctx, "key", `SELECT count(*) FROM (SELECT 1 FROM attest_key INDEXED BY attest_key_account
		WHERE account = ? AND registered_at > ? AND id <> ? LIMIT ?)`, []any{string(id), micros(t), but, limit}, &n)
	return n, err
}

// ExceptionUses gives how often each of the exceptions was used on a day: the
// row with an empty account is the sum of all.
func (tx *Tx) ExceptionUses(ctx context.Context, exceptions []string, day int64) (map[string]int, error) {
	ids, err := json.Marshal(exceptions)
	if err != nil {
		return nil, tx.fail("exception use", err)
	}
	uses := make(map[string]int, len(exceptions))
	err = tx.few(ctx, "exception use", `SELECT u.exception, u.uses FROM json_each(?) AS j
		CROSS JOIN attest_exception_use AS u ON u.exception = j.value AND u.day = ? AND u.account = x''`,
		[]any{string(ids), day}, func(rows *engine.Stmt) error {
			var id string
			var n int
			if err := rows.Scan(&id, &n); err != nil {
				return unreadable(err)
			}
			uses[id] = n
			return nil
		})
	return uses, err
}

// ExceptionDays gives the days from day on, on which the exceptions were used: of
// the rows of a day the one with an empty account is the sum.
func (tx *Tx) ExceptionDays(ctx context.Context, exceptions []string, day int64) ([]registry.ExceptionDay, error) {
	ids, err := json.Marshal(exceptions)
	if err != nil {
		return nil, tx.fail("exception use", err)
	}
	return some(ctx, tx, "exception use", func(s scan) (d registry.ExceptionDay, err error) {
		err = s(&d.Exception, &d.Day, &d.Uses, &d.Accounts)
		return d, err
	}, `SELECT u.exception, u.day, coalesce(sum(u.uses) FILTER (WHERE u.account = x''), 0), count(*) FILTER (WHERE u.account <> x'')
		FROM json_each(?) AS j CROSS JOIN attest_exception_use AS u ON u.exception = j.value AND u.day >= ?
		GROUP BY u.exception, u.day ORDER BY u.exception, u.day`, string(ids), day)
}

// AddExceptionUse counts one use, for the account and in all.
func (tx *Tx) AddExceptionUse(ctx context.Context, u registry.ExceptionUse) error {
	if len(u.Account) == 0 { // that row is the sum
		return tx.fail("exception use", fmt.Errorf("of exception %q by nobody", u.Exception))
	}
	_, err := tx.exec(ctx, "exception use", `INSERT INTO attest_exception_use (exception, day, account, uses) VALUES (?1, ?2, ?3, 1), (?1, ?2, x'', 1)
		ON CONFLICT (exception, day, account) DO UPDATE SET uses = uses + 1`, u.Exception, u.Day, u.Account)
	return err
}

// DeleteExceptionUses deletes up to limit rows of days before day.
func (tx *Tx) DeleteExceptionUses(ctx context.Context, day int64, limit int) (int, error) {
	return tx.exec(ctx, "exception use", `DELETE FROM attest_exception_use WHERE (exception, day, account) IN
		(SELECT exception, day, account FROM attest_exception_use INDEXED BY attest_exception_use_day WHERE day < ? ORDER BY day LIMIT ?)`, day, limit)
}
