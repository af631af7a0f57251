package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// NonceFloor gives the newest time before which nonces were deleted.
func (tx *Tx) NonceFloor(ctx context.Context) (time.Time, error) {
	var floor sql.NullInt64
	_, err := tx.row(ctx, "nonce floor", `SELECT created FROM attest_nonce_floor`, nil, &floor)
	return fromMicros(floor), err
}

// AddNonces stores nonces and reports of each whether it is new.
//
// The hashes come as one value, which the statement cuts up: that costs less
// than a parameter, or a statement, for each.
func (tx *Tx) AddNonces(ctx context.Context, hashes [][32]byte, created time.Time) ([]bool, error) {
	all := make([]byte, 0, 32*len(hashes))
	place := make(map[[32]byte]int, len(hashes))
	for i, hash := range hashes {
		all = append(all, hash[:]...)
		place[hash] = i
	}
	fresh := make([]bool, len(hashes))
	err := tx.few(ctx, "nonce", `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)
		INSERT INTO attest_nonce (hash, created) SELECT substr(?1, 32 * i + 1, 32), ?3 FROM n WHERE true
		ON CONFLICT DO NOTHING RETURNING hash`,
		[]any{all, len(hashes), micros(created)}, func(rows *sql.Rows) error {
			var hash sql.RawBytes
			if err := rows.Scan(&hash); err != nil {
				return unreadable(err)
			}
			if i, ok := place[[32]byte(hash)]; ok {
				fresh[i] = true
			}
			return nil
		})
	return fresh, err
}

// DeleteNonces deletes up to limit nonces of requests that were made before t,
// and raises the floor to t.
func (tx *Tx) DeleteNonces(ctx context.Context, t time.Time, limit int) (int, error) {
	_, err := tx.exec(ctx, "nonce floor", `INSERT INTO attest_nonce_floor (one, created) VALUES (1, ?)
		ON CONFLICT (one) DO UPDATE SET created = max(created, excluded.created)`, micros(t))
	if err != nil {
		return 0, err
	}
	return tx.exec(ctx, "nonce",
		`DELETE FROM attest_nonce WHERE hash IN (SELECT hash FROM attest_nonce WHERE created < ? ORDER BY created LIMIT ?)`,
		micros(t), limit)
}
