package rpc

import (
	"context"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
)

// Accounts are the flows of one app; *integrity.Service has them.
type Accounts interface {
	callers
	enroller
	signer
	keyring
	reader
	owner
	approver
	joiner
	recoverer
	mover
	backer
}

// callers finds out who makes a call.
type callers interface {
	Prove(ctx context.Context, m *request.Message, token integrity.Token, allowRevoked bool) (account.Caller, error)
	ProveBackend(ctx context.Context, m *request.Message) (account.Caller, error)
	Network(addr string) string
}

type enroller interface {
	BeginEnrol(ctx context.Context, c account.Caller, b *integrity.Browser) (*integrity.Begun, error)
	FinishEnrol(ctx context.Context, c account.Caller, in *integrity.EnrolAnswer) (*integrity.Enrolled, error)
	BeginDevice(ctx context.Context, c account.Caller) (*integrity.Begun, error)
	Reattest(ctx context.Context, c account.Caller, in *integrity.NewPhone, oldProof []byte) error
}

type signer interface {
	BeginSignIn(ctx context.Context, c account.Caller, in *integrity.SignInStart) (*integrity.Begun, error)
	FinishSignIn(ctx context.Context, c account.Caller, in *integrity.SignInAnswer) (*integrity.SignInResult, error)
	SignInOnPhone(ctx context.Context, m *request.Message, token integrity.Token, network string, in *integrity.SignInAnswer) (account.Caller, *integrity.SignInResult, error)
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
	Worth(sess account.Session) account.Class
	Alerts(ctx context.Context, c account.Caller, after uint64, limit int) ([]integrity.AlertRow, error)
	AckAlerts(ctx context.Context, c account.Caller, seq uint64) error
	AlertText(a integrity.AlertRow) string
	Watch(id account.ID) (<-chan struct{}, func())
}

type owner interface {
	RenameDevice(ctx context.Context, c account.Caller, id account.DeviceID, name string) error
	Freeze(ctx context.Context, c account.Caller) (*integrity.Frozen, error)
	FreezeDevice(ctx context.Context, c account.Caller, id account.DeviceID) (*integrity.Frozen, error)
	FreezeByCode(ctx context.Context, c account.Caller, code string) error
	Veto(ctx context.Context, c account.Caller, device account.DeviceID, pending account.PendingID) (*integrity.Vetoed, error)
	LeaveDevice(ctx context.Context, c account.Caller) error
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
	WatchJoin(id account.JoinID) (<-chan struct{}, func())
	Join(ctx context.Context, c account.Caller, id account.JoinID, code string) (*integrity.JoinView, error)
	FinishJoin(ctx context.Context, c account.Caller, in *integrity.JoinAnswer) (*integrity.Signed, error)
}

type recoverer interface {
	StartRecovery(ctx context.Context, c account.Caller, in *integrity.RecoveryStart) (*integrity.RecoveryStarted, error)
	FinishRecovery(ctx context.Context, c account.Caller, in *integrity.RecoveryAnswer) (*integrity.Signed, error)
	ProveNewcomer(ctx context.Context, m *request.Message) (account.Caller, error)
}

// backer is what a backend may call.
type backer interface {
	CheckSession(ctx context.Context, c account.Caller, t integrity.Token) (*integrity.SessionCheck, error)
	CreateApproval(ctx context.Context, c account.Caller, in *integrity.AppApproval) (*integrity.ApprovalRow, error)
	BackendApproval(ctx context.Context, c account.Caller, id account.ApprovalID) (*integrity.ApprovalRow, error)
	CancelApproval(ctx context.Context, c account.Caller, id account.ApprovalID) error
	FreezeAccount(ctx context.Context, c account.Caller, id account.ID) (*integrity.Frozen, error)
	ReportRisk(ctx context.Context, c account.Caller, in *integrity.RiskReport) error
	PollEvents(ctx context.Context, c account.Caller, after uint64, limit int) ([]event.Event, error)
}
