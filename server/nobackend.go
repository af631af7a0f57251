package server

import (
	"context"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
)

// withoutBackend are an app's flows, with the calls of its backend refused: no
// flow answers them yet.
type withoutBackend struct{ *integrity.Service }

func (withoutBackend) CheckSession(context.Context, account.Caller, integrity.Token) (*integrity.SessionCheck, error) {
	return nil, integrity.ErrNotAllowed
}

func (withoutBackend) CreateApproval(context.Context, account.Caller, *integrity.AppApproval) (*integrity.ApprovalRow, error) {
	return nil, integrity.ErrNotAllowed
}

func (withoutBackend) BackendApproval(context.Context, account.Caller, account.ApprovalID) (*integrity.ApprovalRow, error) {
	return nil, integrity.ErrNotAllowed
}

func (withoutBackend) CancelApproval(context.Context, account.Caller, account.ApprovalID) error {
	return integrity.ErrNotAllowed
}

func (withoutBackend) FreezeAccount(context.Context, account.Caller, account.ID) (*integrity.Frozen, error) {
	return nil, integrity.ErrNotAllowed
}

func (withoutBackend) ReportRisk(context.Context, account.Caller, *integrity.RiskReport) error {
	return integrity.ErrNotAllowed
}

func (withoutBackend) PollEvents(context.Context, account.Caller, uint64, int) ([]event.Event, error) {
	return nil, integrity.ErrNotAllowed
}
