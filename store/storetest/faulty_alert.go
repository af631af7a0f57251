package storetest

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
)

func (tx *faultyTx) AppendAlert(ctx context.Context, a integrity.AlertRow) (uint64, error) {
	return around(tx, "AppendAlert", func() (uint64, error) { return tx.Tx.AppendAlert(ctx, a) })
}

func (tx *faultyTx) Alerts(ctx context.Context, id account.ID, after uint64, limit int) ([]integrity.AlertRow, error) {
	return around(tx, "Alerts", func() ([]integrity.AlertRow, error) { return tx.Tx.Alerts(ctx, id, after, limit) })
}

func (tx *faultyTx) AlertSeen(ctx context.Context, id account.ID, reader string) (uint64, error) {
	return around(tx, "AlertSeen", func() (uint64, error) { return tx.Tx.AlertSeen(ctx, id, reader) })
}

func (tx *faultyTx) NewestAlerts(ctx context.Context, id account.ID, limit int) ([]integrity.AlertRow, error) {
	return around(tx, "NewestAlerts", func() ([]integrity.AlertRow, error) { return tx.Tx.NewestAlerts(ctx, id, limit) })
}

func (tx *faultyTx) SeeAlerts(ctx context.Context, id account.ID, reader string, seq uint64) error {
	return around0(tx, "SeeAlerts", func() error { return tx.Tx.SeeAlerts(ctx, id, reader, seq) })
}

func (tx *faultyTx) CountAlerts(ctx context.Context, id account.ID, after uint64, device account.DeviceID) (int, error) {
	return around(tx, "CountAlerts", func() (int, error) { return tx.Tx.CountAlerts(ctx, id, after, device) })
}

func (tx *faultyTx) DeleteAlerts(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteAlerts", func() (int, error) { return tx.Tx.DeleteAlerts(ctx, t, limit) })
}

func (tx *faultyTx) Events(ctx context.Context, after uint64, limit int) ([]event.Event, error) {
	return around(tx, "Events", func() ([]event.Event, error) { return tx.Tx.Events(ctx, after, limit) })
}

func (tx *faultyTx) Cursor(ctx context.Context, name string) (uint64, error) {
	return around(tx, "Cursor", func() (uint64, error) { return tx.Tx.Cursor(ctx, name) })
}

func (tx *faultyTx) PutCursor(ctx context.Context, name string, at uint64) error {
	return around0(tx, "PutCursor", func() error { return tx.Tx.PutCursor(ctx, name, at) })
}

func (tx *faultyTx) DeleteEvents(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteEvents", func() (int, error) { return tx.Tx.DeleteEvents(ctx, t, limit) })
}

func (tx *faultyTx) TakeLease(ctx context.Context, name, holder string, now, until time.Time) (bool, error) {
	return around(tx, "TakeLease", func() (bool, error) { return tx.Tx.TakeLease(ctx, name, holder, now, until) })
}

func (tx *faultyTx) Signals(ctx context.Context, id account.ID, now time.Time) ([]account.Signal, error) {
	return around(tx, "Signals", func() ([]account.Signal, error) { return tx.Tx.Signals(ctx, id, now) })
}

func (tx *faultyTx) PutSignal(ctx context.Context, id account.ID, s account.Signal) error {
	return around0(tx, "PutSignal", func() error { return tx.Tx.PutSignal(ctx, id, s) })
}

func (tx *faultyTx) DeleteSignals(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteSignals", func() (int, error) { return tx.Tx.DeleteSignals(ctx, t, limit) })
}

func (tx *faultyTx) Rate(ctx context.Context, key [32]byte) (integrity.RateRow, bool, error) {
	return around2(tx, "Rate", func() (integrity.RateRow, bool, error) { return tx.Tx.Rate(ctx, key) })
}

func (tx *faultyTx) PutRate(ctx context.Context, r integrity.RateRow) error {
	return around0(tx, "PutRate", func() error { return tx.Tx.PutRate(ctx, r) })
}

func (tx *faultyTx) DeleteRates(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteRates", func() (int, error) { return tx.Tx.DeleteRates(ctx, t, limit) })
}
