package storetest

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// found2 joins the two results of a lookup, for around.
type found2[T any] struct {
	value T
	found bool
}

func around2[T any](tx *faultyTx, name string, call func() (T, bool, error)) (T, bool, error) {
	r, err := around(tx, name, func() (found2[T], error) {
		v, found, err := call()
		return found2[T]{v, found}, err
	})
	return r.value, r.found, err
}

func (tx *faultyTx) Job(ctx context.Context, name string) (registry.Job, bool, error) {
	return around2(tx, "Job", func() (registry.Job, bool, error) { return tx.Tx.Job(ctx, name) })
}

func (tx *faultyTx) PutJob(ctx context.Context, j registry.Job) error {
	return around0(tx, "PutJob", func() error { return tx.Tx.PutJob(ctx, j) })
}

func (tx *faultyTx) KeysUnder(ctx context.Context, serials []string, after registry.SerialKey, limit int) ([]registry.SerialKey, error) {
	return around(tx, "KeysUnder", func() ([]registry.SerialKey, error) { return tx.Tx.KeysUnder(ctx, serials, after, limit) })
}

func (tx *faultyTx) AttestedKeysByID(ctx context.Context, ids []string) ([]registry.Key, error) {
	return around(tx, "AttestedKeysByID", func() ([]registry.Key, error) { return tx.Tx.AttestedKeysByID(ctx, ids) })
}

func (tx *faultyTx) RevokeAttestedKeys(ctx context.Context, ids []string) (int, error) {
	return around(tx, "RevokeAttestedKeys", func() (int, error) { return tx.Tx.RevokeAttestedKeys(ctx, ids) })
}

func (tx *faultyTx) AppendAudits(ctx context.Context, all []audit.Entry) error {
	return around0(tx, "AppendAudits", func() error { return tx.Tx.AppendAudits(ctx, all) })
}

func (tx *faultyTx) AppendEvents(ctx context.Context, all []event.Event) error {
	return around0(tx, "AppendEvents", func() error { return tx.Tx.AppendEvents(ctx, all) })
}

func (tx *faultyTx) AttestedReceipt(ctx context.Context, key string) (registry.Receipt, bool, error) {
	return around2(tx, "AttestedReceipt", func() (registry.Receipt, bool, error) { return tx.Tx.AttestedReceipt(ctx, key) })
}

func (tx *faultyTx) PutReceipt(ctx context.Context, r registry.Receipt) error {
	return around0(tx, "PutReceipt", func() error { return tx.Tx.PutReceipt(ctx, r) })
}

func (tx *faultyTx) ReceiptTeams(ctx context.Context) ([]string, error) {
	return around(tx, "ReceiptTeams", func() ([]string, error) { return tx.Tx.ReceiptTeams(ctx) })
}

func (tx *faultyTx) DueReceipt(ctx context.Context, team string, now time.Time) (registry.Receipt, bool, error) {
	return around2(tx, "DueReceipt", func() (registry.Receipt, bool, error) { return tx.Tx.DueReceipt(ctx, team, now) })
}

func (tx *faultyTx) LeaseReceipt(ctx context.Context, key string, was, until time.Time) (bool, error) {
	return around(tx, "LeaseReceipt", func() (bool, error) { return tx.Tx.LeaseReceipt(ctx, key, was, until) })
}

func (tx *faultyTx) ReviveReceipts(ctx context.Context, id account.ID, t time.Time) error {
	return around0(tx, "ReviveReceipts", func() error { return tx.Tx.ReviveReceipts(ctx, id, t) })
}

func (tx *faultyTx) WakeReceipts(ctx context.Context, keys []string, t time.Time) error {
	return around0(tx, "WakeReceipts", func() error { return tx.Tx.WakeReceipts(ctx, keys, t) })
}

func (tx *faultyTx) RiskMetrics(ctx context.Context, keys []string) (map[string]uint32, error) {
	return around(tx, "RiskMetrics", func() (map[string]uint32, error) { return tx.Tx.RiskMetrics(ctx, keys) })
}
