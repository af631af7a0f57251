package storetest

import (
	"context"

	"github.com/staunchid/staunch/account"
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

func (tx *faultyTx) AuditSeal(ctx context.Context, number uint64) (audit.Seal, bool, error) {
	return around2(tx, "AuditSeal", func() (audit.Seal, bool, error) { return tx.Tx.AuditSeal(ctx, number) })
}

func (tx *faultyTx) AuditEntry(ctx context.Context, id account.ID, n uint64) (audit.Entry, bool, error) {
	return around2(tx, "AuditEntry", func() (audit.Entry, bool, error) { return tx.Tx.AuditEntry(ctx, id, n) })
}

func (tx *faultyTx) AuditBatch(ctx context.Context, q *audit.Query, limit int) ([]audit.Entry, error) {
	return around(tx, "AuditBatch", func() ([]audit.Entry, error) { return tx.Tx.AuditBatch(ctx, q, limit) })
}
