package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/event"
)

// Tx is what the flows need of a transaction. It holds that of the registry,
// whose commit step runs in it. A store implements it; it reads no clock,
// decides nothing, and does not look at the MAC of a row: the flows make and check
// that of an account, a device and a passkey, and sealed that of the others.
//
// What is not there is found is false, which is no error.
type Tx interface {
	registry.Tx
	accountTx
	credentialTx
	sessionTx
	ceremonyTx
	approvalTx
	alertTx
	guardTx
}

type accountTx interface {
	Account(ctx context.Context, id account.ID) (a account.Account, found bool, err error)
	// AccountByHandle finds an account by the folded form of its handle.
	AccountByHandle(ctx context.Context, key string) (a account.Account, found bool, err error)
	// AccountNear finds the first account with a handle whose id is id or comes
	// after it, or else the first at all: a choice among those that is all the same
	// to a random id. found is false if there is none.
	AccountNear(ctx context.Context, id account.ID) (a account.Account, found bool, err error)
	// AccountByFreezeCode finds an account by the SHA-256 of its freeze code.
	AccountByFreezeCode(ctx context.Context, hash [32]byte) (a account.Account, found bool, err error)
	// PutAccount stores a, whether or not it is known. handleKey is the folded
	// handle, or empty; that of another account is ErrHandleTaken.
	PutAccount(ctx context.Context, a account.Account, handleKey string) error
	// AccountsDue gives up to limit accounts whose hold ends at or before now, in
	// the order of Due and from behind after on.
	AccountsDue(ctx context.Context, now time.Time, after Due, limit int) ([]Due, error)

	Device(ctx context.Context, id account.DeviceID) (d account.Device, found bool, err error)
	DeviceByKey(ctx context.Context, keyID string) (d account.Device, found bool, err error)
	// Devices gives the account's devices by time added, tombstones too.
	Devices(ctx context.Context, id account.ID) ([]account.Device, error)
	// PutDevice stores d, whether or not it is known. A key id that another
	// device has is ErrDeviceKeyKnown.
	PutDevice(ctx context.Context, d account.Device) error
	// SeenDevice sets when a device was last seen, which is in no digest and no MAC.
	SeenDevice(ctx context.Context, id account.DeviceID, at time.Time) error
	// DevicesDue is AccountsDue for devices.
	DevicesDue(ctx context.Context, now time.Time, after Due, limit int) ([]Due, error)
}

type credentialTx interface {
	// CredentialByID finds a passkey by RP ID and credential ID, removed ones too.
	CredentialByID(ctx context.Context, rpID string, credentialID []byte) (c account.Credential, found bool, err error)
	Credential(ctx context.Context, ref account.CredentialRef) (c account.Credential, found bool, err error)
	// Credentials gives the account's passkeys by time added, removed ones too.
	Credentials(ctx context.Context, id account.ID) ([]account.Credential, error)
	// AddCredential stores a new one with the evidence of its registration. One
	// with the same RP ID and credential ID is ErrPasskeyKnown.
	AddCredential(ctx context.Context, c account.Credential, evidence []byte) error
	// PutCredential stores what may change: state, name, counter, flags, last use, MAC, devices.
	PutCredential(ctx context.Context, c account.Credential) error
}

type sessionTx interface {
	// SessionByToken finds a session by the SHA-256 of its token, ended ones too.
	SessionByToken(ctx context.Context, hash [32]byte) (s account.Session, found bool, err error)
	Session(ctx context.Context, id account.SessionID) (s account.Session, found bool, err error)
	// Sessions gives the account's sessions that have not ended, by time.
	Sessions(ctx context.Context, id account.ID) ([]account.Session, error)
	// OpenSessions is Sessions with little of each, the newest first.
	OpenSessions(ctx context.Context, id account.ID) ([]OpenSession, error)
	// AddSession stores a new one under the SHA-256 of its token.
	AddSession(ctx context.Context, s account.Session, tokenHash [32]byte) error
	// PutSession stores what may change: proofs, until, last seen, ended, MAC; and,
	// if tokenHash is not nil, a new token.
	PutSession(ctx context.Context, s account.Session, tokenHash *[32]byte) error
	// DeleteSessions deletes up to limit that ended, or ran out, before t.
	DeleteSessions(ctx context.Context, t time.Time, limit int) (int, error)
}

type ceremonyTx interface {
	AddCeremony(ctx context.Context, c CeremonyRow) error
	Ceremony(ctx context.Context, id account.CeremonyID) (c CeremonyRow, found bool, err error)
	// UseCeremony marks it used at now if it is unused, and reports whether it did.
	UseCeremony(ctx context.Context, id account.CeremonyID, now time.Time) (bool, error)
	// EndCeremonies marks all open ones of an account used, or only those of a
	// session if that is not empty, and says how many.
	EndCeremonies(ctx context.Context, id account.ID, session account.SessionID, now time.Time) (int, error)
	// DeleteCeremonies deletes up to limit that expired before t.
	DeleteCeremonies(ctx context.Context, t time.Time, limit int) (int, error)
}

type approvalTx interface {
	AddApproval(ctx context.Context, a ApprovalRow) error
	Approval(ctx context.Context, id account.ApprovalID) (a ApprovalRow, found bool, err error)
	// Approvals gives the open ones of an account, by time.
	Approvals(ctx context.Context, id account.ID) ([]ApprovalRow, error)
	// EndApproval moves an open one to the state of a, with its proof, when it
	// ended and the MAC, and reports whether it was open: compare and swap.
	EndApproval(ctx context.Context, a ApprovalRow) (bool, error)
	DeleteApprovals(ctx context.Context, t time.Time, limit int) (int, error)

	AddJoin(ctx context.Context, j JoinRow) error
	Join(ctx context.Context, id account.JoinID) (j JoinRow, found bool, err error)
	// Joins gives the open and confirmed ones of an account.
	Joins(ctx context.Context, id account.ID) ([]JoinRow, error)
	// PutJoin stores what may change, if its state still is was, and reports
	// whether it was: compare and swap.
	PutJoin(ctx context.Context, j JoinRow, was string) (bool, error)
	DeleteJoins(ctx context.Context, t time.Time, limit int) (int, error)

	AddPending(ctx context.Context, p PendingRow) error
	Pending(ctx context.Context, id account.PendingID) (p PendingRow, found bool, err error)
	// Pendings gives the open ones of an account, by time.
	Pendings(ctx context.Context, id account.ID) ([]PendingRow, error)
	// PendingsSince gives those of an account and an action that were begun at or
	// after t, in any state, by time.
	PendingsSince(ctx context.Context, id account.ID, action account.Action, t time.Time) ([]PendingRow, error)
	// EndPending moves an open one to the state of p, with when it ended and the
	// MAC, and reports whether it was open.
	EndPending(ctx context.Context, p PendingRow) (bool, error)
	// PendingDue gives up to limit open ones of these actions that open at or
	// before now, in the order of Due and from behind after on.
	PendingDue(ctx context.Context, now time.Time, actions []account.Action, after Due, limit int) ([]Due, error)
}

type alertTx interface {
	// AppendAlert stores a with the next number of its account, which it gives.
	AppendAlert(ctx context.Context, a AlertRow) (uint64, error)
	// Alerts gives up to limit alerts after a number, in order.
	Alerts(ctx context.Context, id account.ID, after uint64, limit int) ([]AlertRow, error)
	// NewestAlerts gives up to limit alerts of an account, the newest first.
	NewestAlerts(ctx context.Context, id account.ID, limit int) ([]AlertRow, error)
	// AlertSeen gives up to which number a reader has seen; SeeAlerts moves it on,
	// never back. A reader is a device's or a session's id.
	AlertSeen(ctx context.Context, id account.ID, reader string) (uint64, error)
	SeeAlerts(ctx context.Context, id account.ID, reader string, seq uint64) error
	// CountAlerts counts those after a number of which device is not the cause.
	CountAlerts(ctx context.Context, id account.ID, after uint64, device account.DeviceID) (int, error)
	DeleteAlerts(ctx context.Context, t time.Time, limit int) (int, error)
	// Events gives up to limit events after an id, in order.
	Events(ctx context.Context, after uint64, limit int) ([]event.Event, error)
	// Cursor and PutCursor keep how far a reader of the outbox has come.
	Cursor(ctx context.Context, name string) (uint64, error)
	PutCursor(ctx context.Context, name string, at uint64) error
	// DeleteEvents deletes up to limit events, the oldest first, that happened
	// before t and that every reader who has a cursor is done with. While nobody has
	// one, there is nobody who is done, and it deletes none.
	DeleteEvents(ctx context.Context, t time.Time, limit int) (int, error)
	// TakeLease makes holder the one who holds the lease of that name until then,
	// if at now nobody else does, and reports whether he does.
	TakeLease(ctx context.Context, name, holder string, now, until time.Time) (bool, error)
}

type guardTx interface {
	// Signals gives those that stand for an account at now.
	Signals(ctx context.Context, id account.ID, now time.Time) ([]account.Signal, error)
	// PutSignal stores one; one of the same account, device, name and source is
	// replaced, but for when it was first seen.
	PutSignal(ctx context.Context, id account.ID, s account.Signal) error
	DeleteSignals(ctx context.Context, t time.Time, limit int) (int, error)

	// Rate gives a bucket. PutRate stores it.
	Rate(ctx context.Context, key [32]byte) (r RateRow, found bool, err error)
	PutRate(ctx context.Context, r RateRow) error
	// DeleteRates deletes up to limit that were last touched before t: they are full.
	DeleteRates(ctx context.Context, t time.Time, limit int) (int, error)
}
