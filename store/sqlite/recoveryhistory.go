package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"time"

	"github.com/staunchid/staunch/recovery"
)

const historyColumns = `vault, acct, gen, ver, digest, used, session, at, mac`

func readHistory(s scan) (recovery.HistoryRow, error) {
	var h recovery.HistoryRow
	var acct, digest, session []byte
	var at sql.NullInt64
	if err := s(&h.Vault, &acct, &h.Gen, &h.Ver, &digest, &h.Used, &session, &at, &h.MAC); err != nil {
		return h, err
	}
	h.At = fromMicros(at)
	if session != nil {
		if err := fixed(h.Session[:], session, "session"); err != nil {
			return h, err
		}
	}
	return h, firstError(
		func() error { return fixed(h.Acct[:], acct, "acct") },
		func() error { return fixed(h.Digest[:], digest, "digest") },
	)
}

// AddHistory notes a version of a record, and reports whether it was not noted before.
func (tx *Tx) AddHistory(ctx context.Context, h recovery.HistoryRow) (added bool, err error) {
	n, err := tx.exec(ctx, "recovery history", `INSERT INTO recovery_history (`+historyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		h.Vault, h.Acct[:], int64(h.Gen), int64(h.Ver), h.Digest[:], int64(h.Used), hashOrNull(h.Session), micros(h.At), h.MAC)
	return n == 1, err
}

// HistoryAt gives the digests that were noted for one version.
func (tx *Tx) HistoryAt(ctx context.Context, vault string, acct [16]byte, gen uint32, ver uint64) ([][32]byte, error) {
	return some(ctx, tx, "recovery history", func(s scan) (digest [32]byte, err error) {
		var b []byte
		if err := s(&b); err != nil {
			return digest, err
		}
		return digest, fixed(digest[:], b, "digest")
	}, `SELECT digest FROM recovery_history WHERE vault = ? AND acct = ? AND gen = ? AND ver = ? ORDER BY digest`, vault, acct[:], int64(gen), int64(ver))
}

// HistoryBefore gives the newest version before one.
func (tx *Tx) HistoryBefore(ctx context.Context, vault string, acct [16]byte, gen uint32, ver uint64) (h recovery.HistoryRow, found bool, err error) {
	return one(ctx, tx, "recovery history", readHistory, `SELECT `+historyColumns+` FROM recovery_history
		WHERE vault = ? AND acct = ? AND (gen, ver) < (?, ?) ORDER BY gen DESC, ver DESC, digest LIMIT 1`, vault, acct[:], int64(gen), int64(ver))
}

// History gives up to limit versions of a record, the newest first.
func (tx *Tx) History(ctx context.Context, vault string, acct [16]byte, limit int) ([]recovery.HistoryRow, error) {
	return some(ctx, tx, "recovery history", readHistory, `SELECT `+historyColumns+` FROM recovery_history
		WHERE vault = ? AND acct = ? ORDER BY gen DESC, ver DESC, digest LIMIT ?`, vault, acct[:], limit)
}

// DeleteHistory deletes up to limit that were noted before t.
func (tx *Tx) DeleteHistory(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "recovery history", `DELETE FROM recovery_history WHERE (vault, acct, gen, ver, digest) IN
		(SELECT vault, acct, gen, ver, digest FROM recovery_history WHERE at < ? ORDER BY at LIMIT ?)`, micros(t), limit)
}

const intentColumns = `vault, acct, op, account, epoch, request, at, next_at, tries, mac`

func readIntent(s scan) (recovery.IntentRow, error) {
	var i recovery.IntentRow
	var acct []byte
	var at, next sql.NullInt64
	if err := s(&i.Vault, &acct, &i.Op, &i.Account, &i.Epoch, &i.Request, &at, &next, &i.Tries, &i.MAC); err != nil {
		return i, err
	}
	i.At, i.NextAt = fromMicros(at), fromMicros(next)
	return i, fixed(i.Acct[:], acct, "acct")
}

// PutIntent keeps a request that changes what is registered, beside those that are
// on their way already.
func (tx *Tx) PutIntent(ctx context.Context, i recovery.IntentRow) error {
	hash := sha256.Sum256(i.Request)
	_, err := tx.exec(ctx, "recovery intent", `INSERT INTO recovery_intent (`+intentColumns+`, request_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (vault, acct, op, request_hash) DO UPDATE SET account = excluded.account, epoch = excluded.epoch,
			at = excluded.at, next_at = excluded.next_at, tries = excluded.tries, mac = excluded.mac`,
		i.Vault, i.Acct[:], int64(i.Op), string(i.Account), int64(i.Epoch), i.Request, micros(i.At), micros(i.NextAt), i.Tries, i.MAC, hash[:])
	return err
}

// PostponeIntent stores when one is due again and how often it was tried, if it is
// still that request.
func (tx *Tx) PostponeIntent(ctx context.Context, i recovery.IntentRow) (bool, error) {
	hash := sha256.Sum256(i.Request)
	n, err := tx.exec(ctx, "recovery intent", `UPDATE recovery_intent SET next_at = ?, tries = ? WHERE vault = ? AND acct = ? AND op = ? AND request_hash = ?`,
		micros(i.NextAt), i.Tries, i.Vault, i.Acct[:], int64(i.Op), hash[:])
	return n == 1, err
}

// EndIntent removes one, if it is still the request with this SHA-256.
func (tx *Tx) EndIntent(ctx context.Context, vault string, acct [16]byte, op uint8, requestHash [32]byte) error {
	_, err := tx.exec(ctx, "recovery intent", `DELETE FROM recovery_intent WHERE vault = ? AND acct = ? AND op = ? AND request_hash = ?`,
		vault, acct[:], int64(op), requestHash[:])
	return err
}

// Intents gives up to limit that are due at now, by time; of those due at once the
// oldest first.
func (tx *Tx) Intents(ctx context.Context, now time.Time, limit int) ([]recovery.IntentRow, error) {
	return some(ctx, tx, "recovery intent", readIntent, `SELECT `+intentColumns+` FROM recovery_intent
		WHERE next_at <= ? ORDER BY next_at, at, vault, acct, op, request_hash LIMIT ?`, micros(now), limit)
}

// IntentsOf gives those for an account at a vault, by time.
func (tx *Tx) IntentsOf(ctx context.Context, vault string, acct [16]byte) ([]recovery.IntentRow, error) {
	return some(ctx, tx, "recovery intent", readIntent, `SELECT `+intentColumns+` FROM recovery_intent
		WHERE vault = ? AND acct = ? ORDER BY at, request_hash`, vault, acct[:])
}

// CountIntents counts all.
func (tx *Tx) CountIntents(ctx context.Context) (int, error) {
	n, _, err := one(ctx, tx, "recovery intent", number[int], `SELECT count(*) FROM recovery_intent`)
	return n, err
}
