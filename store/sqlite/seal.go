package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

const sealColumns = `number, count, time, digest, prev, signature`

// LastAuditSeal is the seal with the highest number, the zero Seal if there is none.
func (tx *Tx) LastAuditSeal(ctx context.Context) (audit.Seal, error) {
	var seal audit.Seal
	err := tx.rows(ctx, "audit seal", `SELECT `+sealColumns+` FROM audit_seal ORDER BY number DESC LIMIT 1`, func(rows *engine.Stmt) (err error) {
		seal, err = scanSeal(rows)
		return err
	})
	return seal, err
}

// AuditSeals calls yield for all seals by number.
func (tx *Tx) AuditSeals(ctx context.Context, yield func(audit.Seal) error) error {
	return tx.rows(ctx, "audit seal", `SELECT `+sealColumns+` FROM audit_seal ORDER BY number`, func(rows *engine.Stmt) error {
		seal, err := scanSeal(rows)
		if err != nil {
			return err
		}
		return yield(seal)
	})
}

func scanSeal(rows *engine.Stmt) (s audit.Seal, err error) {
	var at sql.NullInt64
	var digest, prev []byte
	if err := rows.Scan(&s.Number, &s.Count, &at, &digest, &prev, &s.Signature); err != nil {
		return s, unreadable(err)
	}
	if len(digest) != 32 || len(prev) != 32 {
		return s, unreadable(fmt.Errorf("hashes of %d and %d bytes", len(digest), len(prev)))
	}
	s.Time, s.Digest, s.Prev = fromMicros(at), [32]byte(digest), [32]byte(prev)
	return s, nil
}

// UnsealedAuditEntries calls yield with the hashes of the first limit entries
// that no seal covers, by account, then number.
func (tx *Tx) UnsealedAuditEntries(ctx context.Context, limit int, yield func(hash [32]byte) error) error {
	return tx.few(ctx, "audit entry", `SELECT hash FROM audit_entry WHERE seal IS NULL ORDER BY account, n LIMIT ?`, []any{limit}, func(s *engine.Stmt) error {
		var hash []byte
		if err := s.Scan(&hash); err != nil {
			return unreadable(err)
		}
		if len(hash) != 32 {
			return unreadable(fmt.Errorf("hash of %d bytes", len(hash)))
		}
		return yield([32]byte(hash))
	})
}

// SealAuditEntries marks the first limit entries that no seal covers, and says
// how many it marked.
func (tx *Tx) SealAuditEntries(ctx context.Context, number uint64, limit int) (int, error) {
	return tx.exec(ctx, "audit entry", `UPDATE audit_entry SET seal = ? WHERE (account, n) IN
		(SELECT account, n FROM audit_entry WHERE seal IS NULL ORDER BY account, n LIMIT ?)`, int64(number), limit)
}

// AppendAuditSeal stores a seal.
func (tx *Tx) AppendAuditSeal(ctx context.Context, s audit.Seal) error {
	_, err := tx.exec(ctx, "audit seal", `INSERT INTO audit_seal (`+sealColumns+`) VALUES (?, ?, ?, ?, ?, ?)`,
		int64(s.Number), int64(s.Count), micros(s.Time), s.Digest[:], s.Prev[:], s.Signature)
	return err
}
