package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/staunchid/staunch/account"
)

// Signals gives those that stand for an account at now, by device, name and
// source. One without an end stands for ever.
func (tx *Tx) Signals(ctx context.Context, id account.ID, now time.Time) ([]account.Signal, error) {
	return some(ctx, tx, "signal", func(s scan) (v account.Signal, err error) {
		var first, last, until sql.NullInt64
		err = s(&v.Name, &v.Device, &v.Source, &v.Value, &v.Level, &first, &last, &until)
		v.FirstAt, v.LastAt, v.Until = fromMicros(first), fromMicros(last), fromMicros(until)
		return v, err
	}, `SELECT signal, device, source, value, level, first_at, last_at, until FROM risk
		WHERE account = ? AND (until IS NULL OR until > ?) ORDER BY device, signal, source`, string(id), micros(now))
}

// PutSignal stores s, and keeps when one of the same account, device, name and
// source was first seen.
func (tx *Tx) PutSignal(ctx context.Context, id account.ID, s account.Signal) error {
	_, err := tx.exec(ctx, "signal", `INSERT INTO risk (account, device, signal, source, value, level, first_at, last_at, until)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, device, signal, source)
		DO UPDATE SET value = excluded.value, level = excluded.level, last_at = excluded.last_at, until = excluded.until`,
		string(id), string(s.Device), string(s.Name), s.Source, s.Value, string(s.Level), micros(s.FirstAt), micros(s.LastAt), micros(s.Until))
	return err
}

// DeleteSignals deletes up to limit that ended before t.
func (tx *Tx) DeleteSignals(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "signal", `DELETE FROM risk WHERE (account, device, signal, source) IN
		(SELECT account, device, signal, source FROM risk WHERE until < ? ORDER BY until LIMIT ?)`, micros(t), limit)
}
