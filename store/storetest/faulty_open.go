package storetest

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

func (tx *faultyTx) AddCeremony(ctx context.Context, c integrity.CeremonyRow) error {
	return around0(tx, "AddCeremony", func() error { return tx.Tx.AddCeremony(ctx, c) })
}

func (tx *faultyTx) Ceremony(ctx context.Context, id account.CeremonyID) (integrity.CeremonyRow, bool, error) {
	return around2(tx, "Ceremony", func() (integrity.CeremonyRow, bool, error) { return tx.Tx.Ceremony(ctx, id) })
}

func (tx *faultyTx) UseCeremony(ctx context.Context, id account.CeremonyID, now time.Time) (bool, error) {
	return around(tx, "UseCeremony", func() (bool, error) { return tx.Tx.UseCeremony(ctx, id, now) })
}

func (tx *faultyTx) EndCeremonies(ctx context.Context, id account.ID, session account.SessionID, now time.Time) (int, error) {
	return around(tx, "EndCeremonies", func() (int, error) { return tx.Tx.EndCeremonies(ctx, id, session, now) })
}

func (tx *faultyTx) DeleteCeremonies(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteCeremonies", func() (int, error) { return tx.Tx.DeleteCeremonies(ctx, t, limit) })
}

func (tx *faultyTx) AddApproval(ctx context.Context, a integrity.ApprovalRow) error {
	return around0(tx, "AddApproval", func() error { return tx.Tx.AddApproval(ctx, a) })
}

func (tx *faultyTx) Approval(ctx context.Context, id account.ApprovalID) (integrity.ApprovalRow, bool, error) {
	return around2(tx, "Approval", func() (integrity.ApprovalRow, bool, error) { return tx.Tx.Approval(ctx, id) })
}

func (tx *faultyTx) Approvals(ctx context.Context, id account.ID) ([]integrity.ApprovalRow, error) {
	return around(tx, "Approvals", func() ([]integrity.ApprovalRow, error) { return tx.Tx.Approvals(ctx, id) })
}

func (tx *faultyTx) EndApproval(ctx context.Context, a integrity.ApprovalRow) (bool, error) {
	return around(tx, "EndApproval", func() (bool, error) { return tx.Tx.EndApproval(ctx, a) })
}

func (tx *faultyTx) DeleteApprovals(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteApprovals", func() (int, error) { return tx.Tx.DeleteApprovals(ctx, t, limit) })
}

func (tx *faultyTx) AddJoin(ctx context.Context, j integrity.JoinRow) error {
	return around0(tx, "AddJoin", func() error { return tx.Tx.AddJoin(ctx, j) })
}

func (tx *faultyTx) Join(ctx context.Context, id account.JoinID) (integrity.JoinRow, bool, error) {
	return around2(tx, "Join", func() (integrity.JoinRow, bool, error) { return tx.Tx.Join(ctx, id) })
}

func (tx *faultyTx) Joins(ctx context.Context, id account.ID) ([]integrity.JoinRow, error) {
	return around(tx, "Joins", func() ([]integrity.JoinRow, error) { return tx.Tx.Joins(ctx, id) })
}

func (tx *faultyTx) PutJoin(ctx context.Context, j integrity.JoinRow, was string) (bool, error) {
	return around(tx, "PutJoin", func() (bool, error) { return tx.Tx.PutJoin(ctx, j, was) })
}

func (tx *faultyTx) DeleteJoins(ctx context.Context, t time.Time, limit int) (int, error) {
	return around(tx, "DeleteJoins", func() (int, error) { return tx.Tx.DeleteJoins(ctx, t, limit) })
}

func (tx *faultyTx) AddPending(ctx context.Context, p integrity.PendingRow) error {
	return around0(tx, "AddPending", func() error { return tx.Tx.AddPending(ctx, p) })
}

func (tx *faultyTx) Pending(ctx context.Context, id account.PendingID) (integrity.PendingRow, bool, error) {
	return around2(tx, "Pending", func() (integrity.PendingRow, bool, error) { return tx.Tx.Pending(ctx, id) })
}

func (tx *faultyTx) PendingsSince(ctx context.Context, id account.ID, action account.Action, t time.Time) ([]integrity.PendingRow, error) {
	return around(tx, "PendingsSince", func() ([]integrity.PendingRow, error) { return tx.Tx.PendingsSince(ctx, id, action, t) })
}

func (tx *faultyTx) Pendings(ctx context.Context, id account.ID) ([]integrity.PendingRow, error) {
	return around(tx, "Pendings", func() ([]integrity.PendingRow, error) { return tx.Tx.Pendings(ctx, id) })
}

func (tx *faultyTx) EndPending(ctx context.Context, p integrity.PendingRow) (bool, error) {
	return around(tx, "EndPending", func() (bool, error) { return tx.Tx.EndPending(ctx, p) })
}

func (tx *faultyTx) PendingDue(ctx context.Context, now time.Time, actions []account.Action, after integrity.Due, limit int) ([]integrity.Due, error) {
	return around(tx, "PendingDue", func() ([]integrity.Due, error) { return tx.Tx.PendingDue(ctx, now, actions, after, limit) })
}
