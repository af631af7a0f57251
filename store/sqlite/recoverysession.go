package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/recovery"
)

const recoverySessionColumns = `hash, account, key, device, ticket, created_at, until, releases, finished, ended_at, mac`

func readRecoverySession(s scan) (recovery.SessionRow, error) {
	var v recovery.SessionRow
	var hash, ticket, releases []byte
	var created, until, finished, ended sql.NullInt64
	err := s(&hash, &v.Account, &v.Key, &v.Device, &ticket, &created, &until, &releases, &finished, &ended, &v.MAC)
	if err != nil {
		return v, err
	}
	v.CreatedAt, v.Until, v.Finished, v.EndedAt = fromMicros(created), fromMicros(until), fromMicros(finished), fromMicros(ended)
	if err := json.Unmarshal(releases, &v.Releases); err != nil {
		return v, fmt.Errorf("releases: %w", err)
	}
	if len(v.Releases) == 0 {
		v.Releases = nil
	}
	return v, firstError(
		func() error { return fixed(v.Hash[:], hash, "hash") },
		func() error { return fixed(v.Ticket[:], ticket, "ticket") },
	)
}

// AddRecoverySession stores a new session.
func (tx *Tx) AddRecoverySession(ctx context.Context, v recovery.SessionRow) error {
	_, err := tx.exec(ctx, "recovery session", `INSERT INTO recovery_session (`+recoverySessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		v.Hash[:], string(v.Account), v.Key, string(v.Device), v.Ticket[:], micros(v.CreatedAt), micros(v.Until), array(v.Releases),
		micros(v.Finished), micros(v.EndedAt), blob(v.MAC))
	return err
}

// RecoverySession finds one by the SHA-256 of its secret.
func (tx *Tx) RecoverySession(ctx context.Context, hash [32]byte) (v recovery.SessionRow, found bool, err error) {
	return one(ctx, tx, "recovery session", readRecoverySession, `SELECT `+recoverySessionColumns+` FROM recovery_session WHERE hash = ?`, hash[:])
}

// PutRecoverySession stores what may change: which vaults have released, when it
// was finished, when it ended, and the MAC.
func (tx *Tx) PutRecoverySession(ctx context.Context, v recovery.SessionRow) error {
	return tx.change(ctx, "recovery session", fmt.Sprintf("%x", v.Hash[:8]), `UPDATE recovery_session SET releases = ?, finished = ?, ended_at = ?, mac = ? WHERE hash = ?`,
		array(v.Releases), micros(v.Finished), micros(v.EndedAt), blob(v.MAC), v.Hash[:])
}

// RecoverySessions gives those of a ticket, by time.
func (tx *Tx) RecoverySessions(ctx context.Context, ticket [32]byte) ([]recovery.SessionRow, error) {
	return some(ctx, tx, "recovery session", readRecoverySession, `SELECT `+recoverySessionColumns+` FROM recovery_session
		WHERE ticket = ? ORDER BY created_at, hash`, ticket[:])
}

// OpenRecoverySessions gives those of an account that have not ended, by time.
func (tx *Tx) OpenRecoverySessions(ctx context.Context, id account.ID) ([]recovery.SessionRow, error) {
	return some(ctx, tx, "recovery session", readRecoverySession, `SELECT `+recoverySessionColumns+` FROM recovery_session
		WHERE account = ? AND ended_at IS NULL ORDER BY created_at, hash`, string(id))
}

// DeleteRecoverySessions deletes up to limit that ran out before t.
func (tx *Tx) DeleteRecoverySessions(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "recovery session", `DELETE FROM recovery_session WHERE hash IN
		(SELECT hash FROM recovery_session WHERE until < ? ORDER BY until LIMIT ?)`, micros(t), limit)
}

// AddReceipt appends one with the next number, which it gives.
func (tx *Tx) AddReceipt(ctx context.Context, r recovery.ReceiptRow) (uint64, error) {
	seq, _, err := one(ctx, tx, "recovery receipt", number[uint64], `INSERT INTO recovery_receipt (vault, session, receipt, at) VALUES (?, ?, ?, ?) RETURNING seq`,
		r.Vault, hashOrNull(r.Session), r.Signed, micros(r.At))
	return seq, err
}

// hashOrNull is NULL for the hash of nothing.
func hashOrNull(h [32]byte) any {
	if h == [32]byte{} {
		return nil
	}
	return h[:]
}

// Receipts gives up to limit after a number, in order.
func (tx *Tx) Receipts(ctx context.Context, after uint64, limit int) ([]recovery.ReceiptRow, error) {
	return some(ctx, tx, "recovery receipt", readVaultReceipt, `SELECT seq, vault, session, receipt, at FROM recovery_receipt WHERE seq > ? ORDER BY seq LIMIT ?`,
		int64(after), limit)
}

func readVaultReceipt(s scan) (recovery.ReceiptRow, error) {
	var r recovery.ReceiptRow
	var session []byte
	var at sql.NullInt64
	if err := s(&r.Seq, &r.Vault, &session, &r.Signed, &at); err != nil {
		return r, err
	}
	r.At = fromMicros(at)
	if session == nil {
		return r, nil
	}
	return r, fixed(r.Session[:], session, "session")
}

// DeleteReceipts deletes up to limit that were stored before t.
func (tx *Tx) DeleteReceipts(ctx context.Context, t time.Time, limit int) (int, error) {
	return tx.exec(ctx, "recovery receipt", `DELETE FROM recovery_receipt WHERE seq IN
		(SELECT seq FROM recovery_receipt WHERE at < ? ORDER BY at LIMIT ?)`, micros(t), limit)
}

// RecoveryRate gives a bucket, of the table that the flows' are in.
func (tx *Tx) RecoveryRate(ctx context.Context, key [32]byte) (r recovery.RateRow, found bool, err error) {
	v, found, err := tx.Rate(ctx, key)
	return recovery.RateRow(v), found, err
}

// PutRecoveryRate stores it.
func (tx *Tx) PutRecoveryRate(ctx context.Context, r recovery.RateRow) error {
	return tx.PutRate(ctx, integrity.RateRow(r))
}
