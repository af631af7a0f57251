package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"

	"github.com/staunchid/staunch/recovery"
)

const recordColumns = `vault, acct, account, profile, gen, ver, used, state, record, updated_at, mac`

func readRecord(s scan) (recovery.RecordRow, error) {
	var r recovery.RecordRow
	var acct []byte
	var at sql.NullInt64
	err := s(&r.Vault, &acct, &r.Account, &r.Profile, &r.Gen, &r.Ver, &r.Used, &r.State, &r.Sealed, &at, &r.MAC)
	if err != nil {
		return r, err
	}
	r.UpdatedAt = fromMicros(at)
	return r, fixed(r.Acct[:], acct, "acct")
}

// fixed puts a column of fixed length into its array.
func fixed(to, column []byte, name string) error {
	if len(column) != len(to) {
		return fmt.Errorf("%s of %d bytes", name, len(column))
	}
	copy(to, column)
	return nil
}

// Recovery gives what a vault knows of an account.
func (tx *Tx) Recovery(ctx context.Context, vault string, acct [16]byte) (r recovery.RecordRow, found bool, err error) {
	return one(ctx, tx, "recovery record", readRecord, `SELECT `+recordColumns+` FROM recovery_record WHERE vault = ? AND acct = ?`, vault, acct[:])
}

// CreateRecovery stores the first record of an account at a vault; if there is
// one, it is AdvanceRecovery.
func (tx *Tx) CreateRecovery(ctx context.Context, r recovery.RecordRow) error {
	done, err := tx.AdvanceRecovery(ctx, r)
	if err != nil || done {
		return err
	}
	epoch, err := recordEpoch(r)
	if err != nil {
		return tx.fail("recovery record", err)
	}
	_, err = tx.exec(ctx, "recovery record", `INSERT INTO recovery_record (`+recordColumns+`, epoch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.Vault, r.Acct[:], string(r.Account), r.Profile, int64(r.Gen), int64(r.Ver), int64(r.Used), int64(r.State), r.Sealed, micros(r.UpdatedAt), r.MAC, epoch)
	return err
}

// AdvanceRecovery stores r over an older one. One as new or newer that is there
// already is done too; done is false if there is none.
func (tx *Tx) AdvanceRecovery(ctx context.Context, r recovery.RecordRow) (done bool, err error) {
	epoch, err := recordEpoch(r)
	if err != nil {
		return false, tx.fail("recovery record", err)
	}
	n, err := tx.exec(ctx, "recovery record", `UPDATE recovery_record SET account = ?, profile = ?, gen = ?3, ver = ?4, used = ?, state = ?, record = ?, updated_at = ?, mac = ?, epoch = ?
		WHERE vault = ? AND acct = ? AND (gen, ver) < (?3, ?4)`,
		string(r.Account), r.Profile, int64(r.Gen), int64(r.Ver), int64(r.Used), int64(r.State), r.Sealed, micros(r.UpdatedAt), r.MAC, epoch, r.Vault, r.Acct[:])
	if err != nil || n == 1 {
		return n == 1, err
	}
	_, found, err := one(ctx, tx, "recovery record", number[uint64], `SELECT ver FROM recovery_record WHERE vault = ? AND acct = ?`, r.Vault, r.Acct[:])
	return found, err
}

// recordEpoch is the epoch under which a record says it was sealed.
func recordEpoch(r recovery.RecordRow) (int64, error) {
	if len(r.Sealed) < 4 {
		return 0, fmt.Errorf("a record of %d bytes", len(r.Sealed))
	}
	return int64(binary.BigEndian.Uint32(r.Sealed)), nil
}

// RecoveryEpochs gives the epochs under which a vault has sealed records that are
// not deleted, the oldest first: one seek each.
func (tx *Tx) RecoveryEpochs(ctx context.Context, vault string) ([]uint32, error) {
	return some(ctx, tx, "recovery record", func(s scan) (n uint32, err error) {
		err = s(&n)
		return n, err
	}, `WITH RECURSIVE e (epoch) AS (
			SELECT min(epoch) FROM recovery_record WHERE vault = ?1 AND state <> 2
			UNION ALL
			SELECT (SELECT min(epoch) FROM recovery_record WHERE vault = ?1 AND state <> 2 AND epoch > e.epoch) FROM e WHERE e.epoch IS NOT NULL)
		SELECT epoch FROM e WHERE epoch IS NOT NULL`, vault)
}

// RecoveriesIn gives up to limit records that are not deleted and of one epoch,
// after an acct, by acct.
func (tx *Tx) RecoveriesIn(ctx context.Context, vault string, epoch uint32, after [16]byte, limit int) ([]recovery.RecordRow, error) {
	return some(ctx, tx, "recovery record", readRecord, `SELECT `+recordColumns+` FROM recovery_record
		WHERE vault = ? AND epoch = ? AND state <> 2 AND acct > ? ORDER BY acct LIMIT ?`, vault, int64(epoch), after[:], limit)
}

// DropTombstones deletes up to limit records of state deleted that a vault has
// sealed under an epoch before epoch.
func (tx *Tx) DropTombstones(ctx context.Context, vault string, epoch uint32, limit int) (int, error) {
	return tx.exec(ctx, "recovery record", `DELETE FROM recovery_record WHERE (vault, acct) IN
		(SELECT vault, acct FROM recovery_record WHERE vault = ? AND state = 2 AND epoch < ? LIMIT ?)`, vault, int64(epoch), limit)
}

// AnyRecovery reports whether there is a record at all, and of which profile.
func (tx *Tx) AnyRecovery(ctx context.Context) (profile string, found bool, err error) {
	return one(ctx, tx, "recovery record", text[string], `SELECT profile FROM recovery_record LIMIT 1`)
}
