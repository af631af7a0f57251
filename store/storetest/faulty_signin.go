package storetest

import (
	"context"

	"github.com/staunchid/staunch/account"
)

func (tx *faultyTx) AccountNear(ctx context.Context, id account.ID) (account.Account, bool, error) {
	return around2(tx, "AccountNear", func() (account.Account, bool, error) { return tx.Tx.AccountNear(ctx, id) })
}

func (tx *faultyTx) Networks(ctx context.Context, id account.ID, limit int) ([]string, error) {
	return around(tx, "Networks", func() ([]string, error) { return tx.Tx.Networks(ctx, id, limit) })
}
