package storetest

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer"
)

func (tx *faultyTx) Transfer(ctx context.Context, id transfer.ID) (transfer.Transfer, bool, error) {
	return around2(tx, "Transfer", func() (transfer.Transfer, bool, error) { return tx.Tx.Transfer(ctx, id) })
}

func (tx *faultyTx) AddTransfer(ctx context.Context, t transfer.Transfer) error {
	return around0(tx, "AddTransfer", func() error { return tx.Tx.AddTransfer(ctx, t) })
}

func (tx *faultyTx) PutTransfer(ctx context.Context, t transfer.Transfer, was uint64) (bool, error) {
	return around(tx, "PutTransfer", func() (bool, error) { return tx.Tx.PutTransfer(ctx, t, was) })
}

func (tx *faultyTx) TransfersOf(ctx context.Context, id account.ID) ([]transfer.Transfer, error) {
	return around(tx, "TransfersOf", func() ([]transfer.Transfer, error) { return tx.Tx.TransfersOf(ctx, id) })
}

func (tx *faultyTx) TransfersOfDevice(ctx context.Context, id account.DeviceID) ([]transfer.Transfer, error) {
	return around(tx, "TransfersOfDevice", func() ([]transfer.Transfer, error) { return tx.Tx.TransfersOfDevice(ctx, id) })
}

func (tx *faultyTx) Transfers(ctx context.Context, after transfer.ID, limit int) ([]transfer.Transfer, error) {
	return around(tx, "Transfers", func() ([]transfer.Transfer, error) { return tx.Tx.Transfers(ctx, after, limit) })
}

func (tx *faultyTx) TransfersDue(ctx context.Context, now time.Time, after transfer.ID, limit int) ([]transfer.ID, error) {
	return around(tx, "TransfersDue", func() ([]transfer.ID, error) { return tx.Tx.TransfersDue(ctx, now, after, limit) })
}

func (tx *faultyTx) DeleteUnclaimed(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteUnclaimed", func() (int, error) { return tx.Tx.DeleteUnclaimed(ctx, t, limit) })
}

func (tx *faultyTx) DeleteTransfers(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteTransfers", func() (int, error) { return tx.Tx.DeleteTransfers(ctx, t, limit) })
}

func (tx *faultyTx) ForgetPlaces(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "ForgetPlaces", func() (int, error) { return tx.Tx.ForgetPlaces(ctx, t, limit) })
}

func (tx *faultyTx) TransferToken(ctx context.Context, hash [32]byte) (transfer.Token, bool, error) {
	return around2(tx, "TransferToken", func() (transfer.Token, bool, error) { return tx.Tx.TransferToken(ctx, hash) })
}

func (tx *faultyTx) PutTransferToken(ctx context.Context, k transfer.Token) error {
	return around0(tx, "PutTransferToken", func() error { return tx.Tx.PutTransferToken(ctx, k) })
}

func (tx *faultyTx) AddSegment(ctx context.Context, s transfer.Segment) error {
	return around0(tx, "AddSegment", func() error { return tx.Tx.AddSegment(ctx, s) })
}

func (tx *faultyTx) Segment(ctx context.Context, id transfer.ID, revision uint32, first uint64) (transfer.Segment, bool, error) {
	return around2(tx, "Segment", func() (transfer.Segment, bool, error) { return tx.Tx.Segment(ctx, id, revision, first) })
}

func (tx *faultyTx) Segments(ctx context.Context, id transfer.ID, revision uint32, from uint64, limit int) ([]transfer.Segment, error) {
	return around(tx, "Segments", func() ([]transfer.Segment, error) { return tx.Tx.Segments(ctx, id, revision, from, limit) })
}

func (tx *faultyTx) SyncSegments(ctx context.Context, id transfer.ID, revision uint32, below uint64) error {
	return around0(tx, "SyncSegments", func() error { return tx.Tx.SyncSegments(ctx, id, revision, below) })
}

func (tx *faultyTx) AckSegments(ctx context.Context, id transfer.ID, revision uint32, below uint64) ([]uint64, error) {
	return around(tx, "AckSegments", func() ([]uint64, error) { return tx.Tx.AckSegments(ctx, id, revision, below) })
}

func (tx *faultyTx) DropSegment(ctx context.Context, id transfer.ID, revision uint32, first uint64) error {
	return around0(tx, "DropSegment", func() error { return tx.Tx.DropSegment(ctx, id, revision, first) })
}

func (tx *faultyTx) DropSegments(ctx context.Context, id transfer.ID) error {
	return around0(tx, "DropSegments", func() error { return tx.Tx.DropSegments(ctx, id) })
}

func (tx *faultyTx) SegmentBytes(ctx context.Context, id transfer.ID) (own, all int64, err error) {
	err = around0(tx, "SegmentBytes", func() (err error) {
		own, all, err = tx.Tx.SegmentBytes(ctx, id)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	return own, all, nil
}

func (tx *faultyTx) UnsyncedSegments(ctx context.Context, after transfer.Segment, limit int) ([]transfer.Segment, error) {
	return around(tx, "UnsyncedSegments", func() ([]transfer.Segment, error) { return tx.Tx.UnsyncedSegments(ctx, after, limit) })
}
