package storetest

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
)

func (tx *faultyTx) CountBatchKeys(ctx context.Context, batch []byte, t time.Time, but string, limit int) (int, error) {
	return around(tx, "CountBatchKeys", func() (int, error) { return tx.Tx.CountBatchKeys(ctx, batch, t, but, limit) })
}

func (tx *faultyTx) CountAccountKeys(ctx context.Context, id account.ID, t time.Time, but string, limit int) (int, error) {
	return around(tx, "CountAccountKeys", func() (int, error) { return tx.Tx.CountAccountKeys(ctx, id, t, but, limit) })
}

func (tx *faultyTx) ExceptionUses(ctx context.Context, exceptions []string, day int64) (map[string]int, error) {
	return around(tx, "ExceptionUses", func() (map[string]int, error) { return tx.Tx.ExceptionUses(ctx, exceptions, day) })
}

func (tx *faultyTx) AddExceptionUse(ctx context.Context, u registry.ExceptionUse) error {
	return around0(tx, "AddExceptionUse", func() error { return tx.Tx.AddExceptionUse(ctx, u) })
}

func (tx *faultyTx) DeleteExceptionUses(ctx context.Context, day int64, limit int) (int, error) {
	return around(tx, "DeleteExceptionUses", func() (int, error) { return tx.Tx.DeleteExceptionUses(ctx, day, limit) })
}

func (tx *faultyTx) DocumentInForce(ctx context.Context, kind string) (string, error) {
	return around(tx, "DocumentInForce", func() (string, error) { return tx.Tx.DocumentInForce(ctx, kind) })
}

func (tx *faultyTx) PutDocumentInForce(ctx context.Context, d registry.Document) error {
	return around0(tx, "PutDocumentInForce", func() error { return tx.Tx.PutDocumentInForce(ctx, d) })
}

func (tx *faultyTx) ExceptionDays(ctx context.Context, exceptions []string, day int64) ([]registry.ExceptionDay, error) {
	return around(tx, "ExceptionDays", func() ([]registry.ExceptionDay, error) { return tx.Tx.ExceptionDays(ctx, exceptions, day) })
}
