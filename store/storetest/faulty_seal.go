package storetest

import (
	"context"

	"github.com/staunchid/staunch/audit"
)

func (tx *faultyTx) LastAuditSeal(ctx context.Context) (audit.Seal, error) {
	return around(tx, "LastAuditSeal", func() (audit.Seal, error) { return tx.Tx.LastAuditSeal(ctx) })
}

func (tx *faultyTx) UnsealedAuditEntries(ctx context.Context, limit int, yield func([32]byte) error) error {
	return around0(tx, "UnsealedAuditEntries", func() error { return tx.Tx.UnsealedAuditEntries(ctx, limit, yield) })
}

func (tx *faultyTx) SealAuditEntries(ctx context.Context, number uint64, limit int) (int, error) {
	return around(tx, "SealAuditEntries", func() (int, error) { return tx.Tx.SealAuditEntries(ctx, number, limit) })
}

func (tx *faultyTx) AppendAuditSeal(ctx context.Context, s audit.Seal) error {
	return around0(tx, "AppendAuditSeal", func() error { return tx.Tx.AppendAuditSeal(ctx, s) })
}
