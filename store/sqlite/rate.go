package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/staunchid/staunch/integrity"
)

// Rate gives a bucket.
func (tx *Tx) Rate(ctx context.Context, key [32]byte) (r integrity.RateRow, found bool, err error) {
	return one(ctx, tx, "rate", func(s scan) (integrity.RateRow, error) {
		r := integrity.RateRow{Key: key}
		var at sql.NullInt64
		err := s(&r.Tokens, &at)
		r.At = fromMicros(at)
		return r, err
	}, `SELECT tokens, at FROM rate WHERE key = ?`, key[:])
}

// hourOf gives the hour of a time in microseconds, as the column of that name
// has it.
func hourOf(t time.Time) int64 { return t.UnixMicro() / time.Hour.Microseconds() }

// PutRate stores a bucket. One that is taken from again within the hour, as
// nearly all are, costs no change of an index.
func (tx *Tx) PutRate(ctx context.Context, r integrity.RateRow) error {
	if r.At.IsZero() {
		return tx.fail("rate", fmt.Errorf("a bucket without a time"))
	}
	hour := hourOf(r.At)
	n, err := tx.exec(ctx, "rate", `UPDATE rate SET tokens = ?, at = ? WHERE key = ? AND hour = ?`, r.Tokens, micros(r.At), r.Key[:], hour)
	if err != nil || n == 1 {
		return err
	}
	_, err = tx.exec(ctx, "rate", `INSERT INTO rate (key, tokens, at, hour) VALUES (?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET tokens = excluded.tokens, at = excluded.at, hour = excluded.hour`, r.Key[:], r.Tokens, micros(r.At), hour)
	return err
}

// DeleteRates deletes up to limit that were last touched before t.
func (tx *Tx) DeleteRates(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "rate", `DELETE FROM rate WHERE key IN
		(SELECT key FROM rate WHERE hour <= ? AND at < ? ORDER BY hour LIMIT ?)`, hourOf(t), micros(t), limit)
}
