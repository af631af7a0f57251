package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/store/sqlite"
)

// errForeignTx: a transaction is not of the store that both sides are built over.
var errForeignTx = errors.New("server: this transaction is of another store")

// recoveryHooks is pillar recovery for the flows of an app: integrity.Recovery.
// The flows are made first; the service is set before anything is served.
type recoveryHooks struct{ service *recovery.Service }

// within gives the transaction that the flows are in to the service.
func (h *recoveryHooks) within(tx integrity.Tx, fn func(recovery.Tx) error) error {
	rtx, ok := tx.(recovery.Tx)
	if !ok || h.service == nil {
		return fmt.Errorf("%w: %T", errForeignTx, tx)
	}
	return fn(rtx)
}

func (h *recoveryHooks) SetUp(ctx context.Context, tx integrity.Tx, id account.ID, dev account.DeviceID, approval account.ApprovalID, reg [16]byte, _ time.Time) error {
	return h.within(tx, func(tx recovery.Tx) error { return h.service.SetUp(ctx, tx, id, dev, approval, reg) })
}

func (h *recoveryHooks) Has(ctx context.Context, tx integrity.Tx, id account.ID) (has bool, err error) {
	err = h.within(tx, func(tx recovery.Tx) (err error) {
		has, err = h.service.HasBackup(ctx, tx, id)
		return err
	})
	return has, err
}

func (h *recoveryHooks) Finished(ctx context.Context, tx integrity.Tx, id account.ID, ticket [32]byte) (done bool, err error) {
	err = h.within(tx, func(tx recovery.Tx) (err error) {
		done, err = h.service.Finished(ctx, tx, id, ticket)
		return err
	})
	return done, err
}

func (h *recoveryHooks) End(ctx context.Context, tx integrity.Tx, id account.ID, key string, now time.Time) error {
	return h.within(tx, func(tx recovery.Tx) error { return h.service.EndSessions(ctx, tx, id, key, now) })
}

// overStore makes the transactions of the flows, or of a pillar beside them: ended is
// told afterwards what has become of each, and of what it has told. as gives what
// they need of a transaction.
func overStore[T any](do func(context.Context, func(*sqlite.Tx) error) error, ended func(context.Context, error, *told), as func(*tellingTx) T) func(context.Context, func(T) error) error {
	return func(ctx context.Context, fn func(T) error) error {
		var all told
		err := do(ctx, func(tx *sqlite.Tx) error {
			telling := &tellingTx{Tx: tx} // anew: it may run twice
			err := fn(as(telling))
			all = telling.told
			return err
		})
		ended(ctx, err, &all)
		return err
	}
}

// told is what a transaction has told, and to whom.
type told struct {
	alerted  []account.ID
	events   []string // their types
	receipts [][]byte // of calls that vaults have executed
}

// tellingTx remembers it.
type tellingTx struct {
	*sqlite.Tx
	told
}

func (tx *tellingTx) AppendAlert(ctx context.Context, a integrity.AlertRow) (uint64, error) {
	tx.alerted = append(tx.alerted, a.Account)
	return tx.Tx.AppendAlert(ctx, a)
}

func (tx *tellingTx) AppendEvent(ctx context.Context, e event.Event) error {
	tx.events = append(tx.events, e.Type)
	return tx.Tx.AppendEvent(ctx, e)
}

func (tx *tellingTx) AddReceipt(ctx context.Context, r recovery.ReceiptRow) (uint64, error) {
	tx.receipts = append(tx.receipts, r.Signed)
	return tx.Tx.AddReceipt(ctx, r)
}

// accountHooks are the flows of an app for pillar recovery: recovery.Accounts.
type accountHooks struct{ flows *integrity.Service }

// within gives the transaction that the service is in to the flows.
func within(tx recovery.Tx, fn func(integrity.Tx) error) error {
	itx, ok := tx.(integrity.Tx)
	if !ok {
		return fmt.Errorf("%w: %T", errForeignTx, tx)
	}
	return fn(itx)
}

func (h accountHooks) Allow(ctx context.Context, tx recovery.Tx, c account.Caller, action account.Action) error {
	return within(tx, func(tx integrity.Tx) error { return h.flows.Allow(ctx, tx, c, action) })
}

func (h accountHooks) Ticket(ctx context.Context, tx recovery.Tx, c account.Caller, id account.ID, hash [32]byte) (out recovery.Ticket, err error) {
	err = within(tx, func(tx integrity.Tx) error {
		t, found, err := h.flows.Ticket(ctx, tx, c, id, hash)
		switch {
		case errors.Is(err, integrity.ErrAccountUnknown), err == nil && !found:
			return recovery.ErrTicket
		case err != nil:
			return err
		}
		out = recovery.Ticket{Account: t.Account, Key: t.Key, Device: t.Device, Until: t.Until}
		return nil
	})
	return out, err
}

func (h accountHooks) Charged(ctx context.Context, tx recovery.Tx, id account.ID, by account.DeviceID, remaining, limit int) error {
	return within(tx, func(tx integrity.Tx) error { return h.flows.Charged(ctx, tx, id, by, remaining, limit) })
}

func (h accountHooks) Registered(ctx context.Context, tx recovery.Tx, id account.ID, by account.DeviceID, what string) error {
	return within(tx, func(tx integrity.Tx) error { return h.flows.Registered(ctx, tx, id, by, what) })
}
