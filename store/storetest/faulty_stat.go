package storetest

import (
	"context"

	"github.com/staunchid/staunch/attest/registry"
)

func (tx *faultyTx) StatSize(ctx context.Context, hour int64) (registry.StatSize, error) {
	return around(tx, "StatSize", func() (registry.StatSize, error) { return tx.Tx.StatSize(ctx, hour) })
}

func (tx *faultyTx) AddStat(ctx context.Context, k registry.StatKey, n int64, create bool) (registry.StatCount, error) {
	return around(tx, "AddStat", func() (registry.StatCount, error) { return tx.Tx.AddStat(ctx, k, n, create) })
}

func (tx *faultyTx) AddStatAccounts(ctx context.Context, row int64, hashes [][]byte, limit int) (int, error) {
	return around(tx, "AddStatAccounts", func() (int, error) { return tx.Tx.AddStatAccounts(ctx, row, hashes, limit) })
}

func (tx *faultyTx) SetStatAccounts(ctx context.Context, row int64, n int) error {
	return around0(tx, "SetStatAccounts", func() error { return tx.Tx.SetStatAccounts(ctx, row, n) })
}

func (tx *faultyTx) DeleteStats(ctx context.Context, hour int64, limit int) (int, error) {
	return around(tx, "DeleteStats", func() (int, error) { return tx.Tx.DeleteStats(ctx, hour, limit) })
}
