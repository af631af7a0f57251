package storetest

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

func (tx *faultyTx) Account(ctx context.Context, id account.ID) (account.Account, bool, error) {
	return around2(tx, "Account", func() (account.Account, bool, error) { return tx.Tx.Account(ctx, id) })
}

func (tx *faultyTx) AccountByHandle(ctx context.Context, key string) (account.Account, bool, error) {
	return around2(tx, "AccountByHandle", func() (account.Account, bool, error) { return tx.Tx.AccountByHandle(ctx, key) })
}

func (tx *faultyTx) AccountByFreezeCode(ctx context.Context, hash [32]byte) (account.Account, bool, error) {
	return around2(tx, "AccountByFreezeCode", func() (account.Account, bool, error) { return tx.Tx.AccountByFreezeCode(ctx, hash) })
}

func (tx *faultyTx) PutAccount(ctx context.Context, a account.Account, handleKey string) error {
	return around0(tx, "PutAccount", func() error { return tx.Tx.PutAccount(ctx, a, handleKey) })
}

func (tx *faultyTx) AccountsDue(ctx context.Context, now time.Time, after integrity.Due, limit int) ([]integrity.Due, error) {
	return around(tx, "AccountsDue", func() ([]integrity.Due, error) { return tx.Tx.AccountsDue(ctx, now, after, limit) })
}

func (tx *faultyTx) Device(ctx context.Context, id account.DeviceID) (account.Device, bool, error) {
	return around2(tx, "Device", func() (account.Device, bool, error) { return tx.Tx.Device(ctx, id) })
}

func (tx *faultyTx) DeviceByKey(ctx context.Context, keyID string) (account.Device, bool, error) {
	return around2(tx, "DeviceByKey", func() (account.Device, bool, error) { return tx.Tx.DeviceByKey(ctx, keyID) })
}

func (tx *faultyTx) Devices(ctx context.Context, id account.ID) ([]account.Device, error) {
	return around(tx, "Devices", func() ([]account.Device, error) { return tx.Tx.Devices(ctx, id) })
}

func (tx *faultyTx) PutDevice(ctx context.Context, d account.Device) error {
	return around0(tx, "PutDevice", func() error { return tx.Tx.PutDevice(ctx, d) })
}

func (tx *faultyTx) SeenDevice(ctx context.Context, id account.DeviceID, at time.Time) error {
	return around0(tx, "SeenDevice", func() error { return tx.Tx.SeenDevice(ctx, id, at) })
}

func (tx *faultyTx) DevicesDue(ctx context.Context, now time.Time, after integrity.Due, limit int) ([]integrity.Due, error) {
	return around(tx, "DevicesDue", func() ([]integrity.Due, error) { return tx.Tx.DevicesDue(ctx, now, after, limit) })
}
