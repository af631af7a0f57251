package storetest

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
)

func (tx *faultyTx) Recovery(ctx context.Context, vault string, acct [16]byte) (recovery.RecordRow, bool, error) {
	return around2(tx, "Recovery", func() (recovery.RecordRow, bool, error) { return tx.Tx.Recovery(ctx, vault, acct) })
}

func (tx *faultyTx) CreateRecovery(ctx context.Context, r recovery.RecordRow) error {
	return around0(tx, "CreateRecovery", func() error { return tx.Tx.CreateRecovery(ctx, r) })
}

func (tx *faultyTx) AdvanceRecovery(ctx context.Context, r recovery.RecordRow) (bool, error) {
	return around(tx, "AdvanceRecovery", func() (bool, error) { return tx.Tx.AdvanceRecovery(ctx, r) })
}

func (tx *faultyTx) RecoveryEpochs(ctx context.Context, vault string) ([]uint32, error) {
	return around(tx, "RecoveryEpochs", func() ([]uint32, error) { return tx.Tx.RecoveryEpochs(ctx, vault) })
}

func (tx *faultyTx) RecoveriesIn(ctx context.Context, vault string, epoch uint32, after [16]byte, limit int) ([]recovery.RecordRow, error) {
	return around(tx, "RecoveriesIn", func() ([]recovery.RecordRow, error) { return tx.Tx.RecoveriesIn(ctx, vault, epoch, after, limit) })
}

func (tx *faultyTx) DropTombstones(ctx context.Context, vault string, epoch uint32, limit int) (int, error) {
	return around(tx, "DropTombstones", func() (int, error) { return tx.Tx.DropTombstones(ctx, vault, epoch, limit) })
}

func (tx *faultyTx) AnyRecovery(ctx context.Context) (string, bool, error) {
	return around2(tx, "AnyRecovery", func() (string, bool, error) { return tx.Tx.AnyRecovery(ctx) })
}

func (tx *faultyTx) AddHistory(ctx context.Context, h recovery.HistoryRow) (bool, error) {
	return around(tx, "AddHistory", func() (bool, error) { return tx.Tx.AddHistory(ctx, h) })
}

func (tx *faultyTx) HistoryAt(ctx context.Context, vault string, acct [16]byte, gen uint32, ver uint64) ([][32]byte, error) {
	return around(tx, "HistoryAt", func() ([][32]byte, error) { return tx.Tx.HistoryAt(ctx, vault, acct, gen, ver) })
}

func (tx *faultyTx) HistoryBefore(ctx context.Context, vault string, acct [16]byte, gen uint32, ver uint64) (recovery.HistoryRow, bool, error) {
	return around2(tx, "HistoryBefore", func() (recovery.HistoryRow, bool, error) { return tx.Tx.HistoryBefore(ctx, vault, acct, gen, ver) })
}

func (tx *faultyTx) History(ctx context.Context, vault string, acct [16]byte, limit int) ([]recovery.HistoryRow, error) {
	return around(tx, "History", func() ([]recovery.HistoryRow, error) { return tx.Tx.History(ctx, vault, acct, limit) })
}

func (tx *faultyTx) DeleteHistory(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteHistory", func() (int, error) { return tx.Tx.DeleteHistory(ctx, t, limit) })
}

func (tx *faultyTx) PutIntent(ctx context.Context, i recovery.IntentRow) error {
	return around0(tx, "PutIntent", func() error { return tx.Tx.PutIntent(ctx, i) })
}

func (tx *faultyTx) PostponeIntent(ctx context.Context, i recovery.IntentRow) (bool, error) {
	return around(tx, "PostponeIntent", func() (bool, error) { return tx.Tx.PostponeIntent(ctx, i) })
}

func (tx *faultyTx) EndIntent(ctx context.Context, vault string, acct [16]byte, op uint8, requestHash [32]byte) error {
	return around0(tx, "EndIntent", func() error { return tx.Tx.EndIntent(ctx, vault, acct, op, requestHash) })
}

func (tx *faultyTx) Intents(ctx context.Context, now time.Time, limit int) ([]recovery.IntentRow, error) {
	return around(tx, "Intents", func() ([]recovery.IntentRow, error) { return tx.Tx.Intents(ctx, now, limit) })
}

func (tx *faultyTx) IntentsOf(ctx context.Context, vault string, acct [16]byte) ([]recovery.IntentRow, error) {
	return around(tx, "IntentsOf", func() ([]recovery.IntentRow, error) { return tx.Tx.IntentsOf(ctx, vault, acct) })
}

func (tx *faultyTx) CountIntents(ctx context.Context) (int, error) {
	return around(tx, "CountIntents", func() (int, error) { return tx.Tx.CountIntents(ctx) })
}

func (tx *faultyTx) Blob(ctx context.Context, id account.ID, reg [16]byte, hash [32]byte) (recovery.BlobRow, bool, error) {
	return around2(tx, "Blob", func() (recovery.BlobRow, bool, error) { return tx.Tx.Blob(ctx, id, reg, hash) })
}

func (tx *faultyTx) Blobs(ctx context.Context, id account.ID) ([]recovery.BlobRow, error) {
	return around(tx, "Blobs", func() ([]recovery.BlobRow, error) { return tx.Tx.Blobs(ctx, id) })
}

func (tx *faultyTx) NameBlob(ctx context.Context, n recovery.NamedRow) error {
	return around0(tx, "NameBlob", func() error { return tx.Tx.NameBlob(ctx, n) })
}

func (tx *faultyTx) NamedBlobs(ctx context.Context, id account.ID) ([]recovery.NamedRow, error) {
	return around(tx, "NamedBlobs", func() ([]recovery.NamedRow, error) { return tx.Tx.NamedBlobs(ctx, id) })
}

func (tx *faultyTx) DropNamed(ctx context.Context, id account.ID, keep [16]byte) error {
	return around0(tx, "DropNamed", func() error { return tx.Tx.DropNamed(ctx, id, keep) })
}

func (tx *faultyTx) PutBlob(ctx context.Context, b recovery.BlobRow) error {
	return around0(tx, "PutBlob", func() error { return tx.Tx.PutBlob(ctx, b) })
}

func (tx *faultyTx) DropBlobs(ctx context.Context, id account.ID, keep [][32]byte) error {
	return around0(tx, "DropBlobs", func() error { return tx.Tx.DropBlobs(ctx, id, keep) })
}

func (tx *faultyTx) Pointer(ctx context.Context, id account.ID) (recovery.PointerRow, bool, error) {
	return around2(tx, "Pointer", func() (recovery.PointerRow, bool, error) { return tx.Tx.Pointer(ctx, id) })
}

func (tx *faultyTx) Pointers(ctx context.Context, after account.ID, limit int) ([]recovery.PointerRow, error) {
	return around(tx, "Pointers", func() ([]recovery.PointerRow, error) { return tx.Tx.Pointers(ctx, after, limit) })
}

func (tx *faultyTx) PutPointer(ctx context.Context, p recovery.PointerRow) error {
	return around0(tx, "PutPointer", func() error { return tx.Tx.PutPointer(ctx, p) })
}

func (tx *faultyTx) DropPointer(ctx context.Context, id account.ID) error {
	return around0(tx, "DropPointer", func() error { return tx.Tx.DropPointer(ctx, id) })
}

func (tx *faultyTx) Setup(ctx context.Context, id account.ID) (recovery.SetupRow, bool, error) {
	return around2(tx, "Setup", func() (recovery.SetupRow, bool, error) { return tx.Tx.Setup(ctx, id) })
}

func (tx *faultyTx) PutSetup(ctx context.Context, s recovery.SetupRow) error {
	return around0(tx, "PutSetup", func() error { return tx.Tx.PutSetup(ctx, s) })
}

func (tx *faultyTx) EndSetup(ctx context.Context, id account.ID) error {
	return around0(tx, "EndSetup", func() error { return tx.Tx.EndSetup(ctx, id) })
}

func (tx *faultyTx) AddRecoverySession(ctx context.Context, s recovery.SessionRow) error {
	return around0(tx, "AddRecoverySession", func() error { return tx.Tx.AddRecoverySession(ctx, s) })
}

func (tx *faultyTx) RecoverySession(ctx context.Context, hash [32]byte) (recovery.SessionRow, bool, error) {
	return around2(tx, "RecoverySession", func() (recovery.SessionRow, bool, error) { return tx.Tx.RecoverySession(ctx, hash) })
}

func (tx *faultyTx) PutRecoverySession(ctx context.Context, s recovery.SessionRow) error {
	return around0(tx, "PutRecoverySession", func() error { return tx.Tx.PutRecoverySession(ctx, s) })
}

func (tx *faultyTx) RecoverySessions(ctx context.Context, ticket [32]byte) ([]recovery.SessionRow, error) {
	return around(tx, "RecoverySessions", func() ([]recovery.SessionRow, error) { return tx.Tx.RecoverySessions(ctx, ticket) })
}

func (tx *faultyTx) OpenRecoverySessions(ctx context.Context, id account.ID) ([]recovery.SessionRow, error) {
	return around(tx, "OpenRecoverySessions", func() ([]recovery.SessionRow, error) { return tx.Tx.OpenRecoverySessions(ctx, id) })
}

func (tx *faultyTx) DeleteRecoverySessions(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteRecoverySessions", func() (int, error) { return tx.Tx.DeleteRecoverySessions(ctx, t, limit) })
}

func (tx *faultyTx) AddReceipt(ctx context.Context, r recovery.ReceiptRow) (uint64, error) {
	return around(tx, "AddReceipt", func() (uint64, error) { return tx.Tx.AddReceipt(ctx, r) })
}

func (tx *faultyTx) Receipts(ctx context.Context, after uint64, limit int) ([]recovery.ReceiptRow, error) {
	return around(tx, "Receipts", func() ([]recovery.ReceiptRow, error) { return tx.Tx.Receipts(ctx, after, limit) })
}

func (tx *faultyTx) DeleteReceipts(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteReceipts", func() (int, error) { return tx.Tx.DeleteReceipts(ctx, t, limit) })
}

func (tx *faultyTx) RecoveryRate(ctx context.Context, key [32]byte) (recovery.RateRow, bool, error) {
	return around2(tx, "RecoveryRate", func() (recovery.RateRow, bool, error) { return tx.Tx.RecoveryRate(ctx, key) })
}

func (tx *faultyTx) PutRecoveryRate(ctx context.Context, r recovery.RateRow) error {
	return around0(tx, "PutRecoveryRate", func() error { return tx.Tx.PutRecoveryRate(ctx, r) })
}
