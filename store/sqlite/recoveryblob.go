package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
)

const blobColumns = `account, reg, hash, blob, at`

func readBlob(s scan) (recovery.BlobRow, error) {
	var b recovery.BlobRow
	var reg, hash []byte
	var at sql.NullInt64
	if err := s(&b.Account, &reg, &hash, &b.Blob, &at); err != nil {
		return b, err
	}
	b.At = fromMicros(at)
	return b, firstError(
		func() error { return fixed(b.Reg[:], reg, "registration") },
		func() error { return fixed(b.Hash[:], hash, "hash") },
	)
}

// Blob gives what a phone has encrypted.
func (tx *Tx) Blob(ctx context.Context, id account.ID, reg [16]byte, hash [32]byte) (b recovery.BlobRow, found bool, err error) {
	return one(ctx, tx, "recovery blob", readBlob, `SELECT `+blobColumns+` FROM recovery_blob WHERE account = ? AND reg = ? AND hash = ?`, string(id), reg[:], hash[:])
}

// Blobs gives all of an account, the newest first.
func (tx *Tx) Blobs(ctx context.Context, id account.ID) ([]recovery.BlobRow, error) {
	return some(ctx, tx, "recovery blob", readBlob, `SELECT `+blobColumns+` FROM recovery_blob WHERE account = ? ORDER BY at DESC, hash`, string(id))
}

// PutBlob stores one, whether or not it is there.
func (tx *Tx) PutBlob(ctx context.Context, b recovery.BlobRow) error {
	_, err := tx.exec(ctx, "recovery blob", `INSERT INTO recovery_blob (`+blobColumns+`) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, reg, hash) DO UPDATE SET blob = excluded.blob, at = excluded.at`,
		string(b.Account), b.Reg[:], b.Hash[:], b.Blob, micros(b.At))
	return err
}

// DropBlobs deletes the account's blobs but those with a hash in keep.
func (tx *Tx) DropBlobs(ctx context.Context, id account.ID, keep [][32]byte) error {
	names := make([]string, len(keep))
	for i, h := range keep {
		names[i] = hex.EncodeToString(h[:])
	}
	_, err := tx.exec(ctx, "recovery blob", `DELETE FROM recovery_blob WHERE account = ? AND lower(hex(hash)) NOT IN (SELECT value FROM json_each(?))`,
		string(id), array(names))
	return err
}

const pointerColumns = `account, reg, blob, header, stage, set_version, profile, at, mac`

func readPointer(s scan) (recovery.PointerRow, error) {
	var p recovery.PointerRow
	var reg, hash []byte
	var at sql.NullInt64
	if err := s(&p.Account, &reg, &hash, &p.Header, &p.Stage, &p.SetVersion, &p.Profile, &at, &p.MAC); err != nil {
		return p, err
	}
	p.At = fromMicros(at)
	return p, firstError(
		func() error { return fixed(p.Reg[:], reg, "registration") },
		func() error { return fixed(p.Blob[:], hash, "hash") },
	)
}

// Pointer gives the registration of an account whose PIN works.
func (tx *Tx) Pointer(ctx context.Context, id account.ID) (p recovery.PointerRow, found bool, err error) {
	return one(ctx, tx, "recovery pointer", readPointer, `SELECT `+pointerColumns+` FROM recovery_pointer WHERE account = ?`, string(id))
}

// Pointers gives up to limit of them, after an account, by account.
func (tx *Tx) Pointers(ctx context.Context, after account.ID, limit int) ([]recovery.PointerRow, error) {
	return some(ctx, tx, "recovery pointer", readPointer, `SELECT `+pointerColumns+` FROM recovery_pointer WHERE account > ? ORDER BY account LIMIT ?`,
		string(after), limit)
}

// PutPointer stores it, whether or not there is one.
func (tx *Tx) PutPointer(ctx context.Context, p recovery.PointerRow) error {
	_, err := tx.exec(ctx, "recovery pointer", `INSERT INTO recovery_pointer (`+pointerColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (account) DO UPDATE SET reg = excluded.reg, blob = excluded.blob, header = excluded.header, stage = excluded.stage,
			set_version = excluded.set_version, profile = excluded.profile, at = excluded.at, mac = excluded.mac`,
		string(p.Account), p.Reg[:], p.Blob[:], blob(p.Header), string(p.Stage), int64(p.SetVersion), p.Profile, micros(p.At), blob(p.MAC))
	return err
}

// DropPointer deletes it.
func (tx *Tx) DropPointer(ctx context.Context, id account.ID) error {
	_, err := tx.exec(ctx, "recovery pointer", `DELETE FROM recovery_pointer WHERE account = ?`, string(id))
	return err
}

const setupColumns = `account, reg, device, approval, at, mac`

func readSetup(s scan) (recovery.SetupRow, error) {
	var v recovery.SetupRow
	var reg []byte
	var at sql.NullInt64
	if err := s(&v.Account, &reg, &v.Device, &v.Approval, &at, &v.MAC); err != nil {
		return v, err
	}
	v.At = fromMicros(at)
	return v, fixed(v.Reg[:], reg, "registration")
}

// Setup gives which device may register what for an account.
func (tx *Tx) Setup(ctx context.Context, id account.ID) (v recovery.SetupRow, found bool, err error) {
	return one(ctx, tx, "recovery setup", readSetup, `SELECT `+setupColumns+` FROM recovery_setup WHERE account = ?`, string(id))
}

// PutSetup stores it in place of the one before.
func (tx *Tx) PutSetup(ctx context.Context, v recovery.SetupRow) error {
	_, err := tx.exec(ctx, "recovery setup", `INSERT INTO recovery_setup (`+setupColumns+`) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (account) DO UPDATE SET reg = excluded.reg, device = excluded.device, approval = excluded.approval, at = excluded.at, mac = excluded.mac`,
		string(v.Account), v.Reg[:], string(v.Device), string(v.Approval), micros(v.At), blob(v.MAC))
	return err
}

// EndSetup deletes it.
func (tx *Tx) EndSetup(ctx context.Context, id account.ID) error {
	_, err := tx.exec(ctx, "recovery setup", `DELETE FROM recovery_setup WHERE account = ?`, string(id))
	return err
}
