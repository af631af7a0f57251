package web

import (
	"context"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
)

// Service is what the pages need of the flows of one app; *integrity.Service
// has it.
type Service interface {
	caller
	entrance
	keyring
	reader
	owner
	approver
	joiner
	mover
}

type caller interface {
	BrowserCaller(ctx context.Context, token integrity.Token, network, place string) (account.Caller, error)
	Network(addr string) string
}

type entrance interface {
	BeginEnrol(ctx context.Context, c account.Caller, b *integrity.Browser) (*integrity.Begun, error)
	FinishEnrol(ctx context.Context, c account.Caller, in *integrity.EnrolAnswer) (*integrity.Enrolled, error)
	BeginSignIn(ctx context.Context, c account.Caller, in *integrity.SignInStart) (*integrity.Begun, error)
	FinishSignIn(ctx context.Context, c account.Caller, in *integrity.SignInAnswer) (*integrity.SignInResult, error)
	BeginStepUp(ctx context.Context, c account.Caller, b *integrity.Browser) (*integrity.Begun, error)
	FinishStepUp(ctx context.Context, c account.Caller, in *integrity.StepUpAnswer) (*integrity.Signed, error)
	SignOut(ctx context.Context, c account.Caller) (*integrity.Ended, error)
	SignOutOthers(ctx context.Context, c account.Caller) (*integrity.Ended, error)
	EndSession(ctx context.Context, c account.Caller, id account.SessionID) (*integrity.Ended, error)
}

type keyring interface {
	BeginAdd(ctx context.Context, c account.Caller, in *integrity.AddStart) (*integrity.Begun, error)
	FinishAdd(ctx context.Context, c account.Caller, in *integrity.AddAnswer) (*integrity.Added, error)
	Passkeys(ctx context.Context, c account.Caller) ([]integrity.PasskeyView, *integrity.Signals, error)
	RenamePasskey(ctx context.Context, c account.Caller, ref account.CredentialRef, name string) (*integrity.Signals, error)
}

type reader interface {
	Status(ctx context.Context, c account.Caller) (*integrity.Status, error)
	Account(ctx context.Context, c account.Caller) (*integrity.AccountView, error)
	Devices(ctx context.Context, c account.Caller) ([]integrity.DeviceView, []account.Session, error)
	Alerts(ctx context.Context, c account.Caller, after uint64, limit int) ([]integrity.AlertRow, error)
	AckAlerts(ctx context.Context, c account.Caller, seq uint64) error
	AlertText(a integrity.AlertRow) string
}

type owner interface {
	RenameDevice(ctx context.Context, c account.Caller, id account.DeviceID, name string) error
	Freeze(ctx context.Context, c account.Caller) (*integrity.Frozen, error)
	FreezeByCode(ctx context.Context, c account.Caller, code string) error
	Veto(ctx context.Context, c account.Caller, device account.DeviceID, pending account.PendingID) (*integrity.Vetoed, error)
}

type approver interface {
	Propose(ctx context.Context, c account.Caller, in *integrity.Proposal, b *integrity.Browser) (*integrity.Proposed, error)
	OpenApproval(ctx context.Context, c account.Caller, id account.ApprovalID, b *integrity.Browser) (*integrity.Proposed, error)
	Confirm(ctx context.Context, c account.Caller, in *integrity.Confirmation) (*integrity.Confirmed, error)
	Deny(ctx context.Context, c account.Caller, id account.ApprovalID) error
	Approvals(ctx context.Context, c account.Caller) ([]integrity.ApprovalRow, error)
}

type joiner interface {
	RequestJoin(ctx context.Context, c account.Caller, in *integrity.JoinRequest) (*integrity.JoinOpened, error)
	JoinStatus(ctx context.Context, c account.Caller, in *integrity.JoinWait) (*integrity.JoinStatus, error)
	Join(ctx context.Context, c account.Caller, id account.JoinID, code string) (*integrity.JoinView, error)
	FinishJoin(ctx context.Context, c account.Caller, in *integrity.JoinAnswer) (*integrity.Signed, error)
}

type mover interface {
	Moves(ctx context.Context, c account.Caller) ([]*transfer.View, error)
	CancelMove(ctx context.Context, c account.Caller, id transfer.ID, token [32]byte, why transfer.Reason) (*transfer.View, error)
}
