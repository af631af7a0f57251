package account

import "time"

// Action is what somebody wants to do. Each has a Requirement; one that is not
// in the table is refused.
type Action string

// The actions (accounts, "Assurance"). An app's own are "app." and a word.
const (
	SignIn            Action = "sign_in"         // on a known device, or in a browser
	SignInNewPhone    Action = "sign_in.unknown" // on an attested phone that nobody knows
	SelfStatus        Action = "self.status"
	AccountRead       Action = "account.read"
	ApprovalDeny      Action = "approval.deny"
	ApprovalPropose   Action = "approval.propose"
	ProposeReattest   Action = "approval.propose_reattest" // a locked device its own, signed by the new key
	MoveCancel        Action = "move.cancel"
	RecoveryUpdate    Action = "recovery.update"
	MoveClaim         Action = "move.claim"
	EndOwnSession     Action = "session.end_own"
	FreezeAccount     Action = "account.freeze"
	FreezeOwnDevice   Action = "device.freeze_own"
	VetoAction        Action = "veto"
	RenameDevice      Action = "device.rename"
	RenameCredential  Action = "credential.rename"
	FreezeOtherDevice Action = "device.freeze_other"
	EndOneSession     Action = "session.end_one"
	EndOtherSessions  Action = "session.end_others"
	LeaveDevice       Action = "device.leave"
	Reattest          Action = "device.reattest"
	ReattestLocked    Action = "device.reattest_locked"
	AddCredential     Action = "credential.add"
	AddDevice         Action = "device.add"
	RemoveCredential  Action = "credential.remove"
	RemoveDevice      Action = "device.remove"
	ChangeHandle      Action = "handle.change"
	RenewFreezeCode   Action = "freeze_code.renew"
	UnfreezeDevice    Action = "device.unfreeze"
	ApproveGuest      Action = "guest.approve"
	RotateSealing     Action = "sealing.rotate"
	SetupRecovery     Action = "recovery.setup"
	OpenRecovery      Action = "recovery.open"
	ApproveMove       Action = "move.approve"
	RecallMove        Action = "move.recall"
	FinishMove        Action = "move.finish"
	UnfreezeAccount   Action = "account.unfreeze"
	DeleteAccount     Action = "account.delete"
	StartRecovery     Action = "recovery.start"
)

// Step is a change of the state of an account or a device. What is not in the
// table of its kind is refused with ErrStep.
type Step struct {
	Name StepName
	By   DeviceID      // who causes it; empty: a browser, the clock or the server
	Wait time.Duration // how long the hold lasts that it begins, for the steps that do

	AccountState State    // hold_over of a device: the state its account is in now
	Final        bool     // hold_over of a device that leaves by a move: the move is FINAL
	Operators    []string // of a step that people at the console decide: who they are, two at least
}

// StepName names a step, as audit entries do.
type StepName string

// The steps of accounts and devices (accounts, "States").
const (
	StepEnrol      StepName = "enrol"
	StepEnrolFirst StepName = "enrol_first"
	StepAdd        StepName = "add"
	StepRecover    StepName = "recover"
	StepHoldOver   StepName = "hold_over"
	StepLeaveStart StepName = "leave_start"
	StepStay       StepName = "stay"
	StepVeto       StepName = "veto"
	StepFreeze     StepName = "freeze"
	StepUnfreeze   StepName = "unfreeze"
	StepLock       StepName = "lock"
	StepUnlock     StepName = "unlock"
	StepReattest   StepName = "reattest"
	StepRemove     StepName = "remove"
	StepDelete     StepName = "delete"
)
