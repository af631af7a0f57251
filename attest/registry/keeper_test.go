package registry_test

import (
	"context"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

// keeper lays the last stored bundle aside.
type keeper struct {
	storetest.Store
	bundle *[]byte
}

func (k keeper) Update(ctx context.Context, fn func(storetest.Tx) error) error {
	return k.Store.Update(ctx, func(tx storetest.Tx) error { return fn(keeperTx{tx, k.bundle}) })
}

type keeperTx struct {
	storetest.Tx
	bundle *[]byte
}

func (tx keeperTx) AddEvidence(ctx context.Context, e registry.Evidence) error {
	*tx.bundle = e.Bundle
	return tx.Tx.AddEvidence(ctx, e)
}
