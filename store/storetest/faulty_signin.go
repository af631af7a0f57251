package storetest

import (
	"context"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

func (tx *faultyTx) AccountNear(ctx context.Context, id account.ID) (account.Account, bool, error) {
	return around2(tx, "AccountNear", func() (account.Account, bool, error) { return tx.Tx.AccountNear(ctx, id) })
}

func (tx *faultyTx) OpenSessions(ctx context.Context, id account.ID) ([]integrity.OpenSession, error) {
	return around(tx, "OpenSessions", func() ([]integrity.OpenSession, error) { return tx.Tx.OpenSessions(ctx, id) })
}
