package storetest

import (
	"context"
	"time"

	"github.com/staunchid/staunch/attest/registry"
)

func (tx *faultyTx) KeyStandings(ctx context.Context, ids []string) ([]registry.KeyStanding, error) {
	return around(tx, "KeyStandings", func() ([]registry.KeyStanding, error) { return tx.Tx.KeyStandings(ctx, ids) })
}

func (tx *faultyTx) MoveKeys(ctx context.Context, moves []registry.KeyMove) error {
	return around0(tx, "MoveKeys", func() error { return tx.Tx.MoveKeys(ctx, moves) })
}

func (tx *faultyTx) NonceFloor(ctx context.Context) (time.Time, error) {
	return around(tx, "NonceFloor", func() (time.Time, error) { return tx.Tx.NonceFloor(ctx) })
}

func (tx *faultyTx) AddNonces(ctx context.Context, hashes [][32]byte, created time.Time) ([]bool, error) {
	return around(tx, "AddNonces", func() ([]bool, error) { return tx.Tx.AddNonces(ctx, hashes, created) })
}

func (tx *faultyTx) DeleteNonces(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteNonces", func() (int, error) { return tx.Tx.DeleteNonces(ctx, t, limit) })
}

func (tx *faultyTx) AttestedKeys(ctx context.Context, f registry.KeyFilter, limit int) ([]registry.Key, error) {
	return around(tx, "AttestedKeys", func() ([]registry.Key, error) { return tx.Tx.AttestedKeys(ctx, f, limit) })
}
