package sqlite

import (
	"context"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
)

func readNamed(s scan) (recovery.NamedRow, error) {
	var n recovery.NamedRow
	var reg, hash []byte
	if err := s(&n.Account, &reg, &n.Vault, &n.Gen, &hash); err != nil {
		return n, err
	}
	return n, firstError(
		func() error { return fixed(n.Reg[:], reg, "registration") },
		func() error { return fixed(n.Hash[:], hash, "hash") },
	)
}

// NameBlob notes which blob a vault names for a registration, unless one of a larger
// gen is noted: receipts may come late.
func (tx *Tx) NameBlob(ctx context.Context, n recovery.NamedRow) error {
	_, err := tx.exec(ctx, "recovery named", `INSERT INTO recovery_named (account, reg, vault, gen, hash) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, reg, vault) DO UPDATE SET gen = excluded.gen, hash = excluded.hash WHERE excluded.gen >= gen`,
		string(n.Account), n.Reg[:], n.Vault, int64(n.Gen), n.Hash[:])
	return err
}

// NamedBlobs gives what the vaults name, of all registrations of an account.
func (tx *Tx) NamedBlobs(ctx context.Context, id account.ID) ([]recovery.NamedRow, error) {
	return some(ctx, tx, "recovery named", readNamed, `SELECT account, reg, vault, gen, hash FROM recovery_named WHERE account = ? ORDER BY reg, vault`, string(id))
}

// DropNamed forgets what was named of an account's registrations but keep.
func (tx *Tx) DropNamed(ctx context.Context, id account.ID, keep [16]byte) error {
	_, err := tx.exec(ctx, "recovery named", `DELETE FROM recovery_named WHERE account = ? AND reg <> ?`, string(id), keep[:])
	return err
}
