package account

import "strings"

// requirements is the table of actions (accounts, "Assurance"), in its order.
// What is not in it is refused.
//
//   - WhileHeld is the design's "held: yes": open to a held (new) device and
//     while the account is held.
//   - A device that leaves may sign in, read, freeze, veto, and recall or finish
//     its own move, for which it proposes; nothing else. Those have a LeavingClass.
var requirements = []Requirement{
	{Action: SignIn, Class: AnonymousClass, From: Anywhere, LeavingClass: AnonymousClass, WhileHeld: true, WhileFrozen: true},
	{Action: SignInNewPhone, Class: AnonymousClass, From: FromNewPhone, Alert: true},
	{Action: SelfStatus, Class: OnDevice, From: FromThis, LeavingClass: OnDevice, WhileHeld: true, WhileFrozen: true, AnyState: true},

	{Action: AccountRead, Class: OnDevice, From: Anywhere, LeavingClass: OnDevice, WhileHeld: true, WhileFrozen: true},
	{Action: ApprovalDeny, Class: OnDevice, From: Anywhere, WhileHeld: true, WhileFrozen: true},
	{Action: MoveCancel, Class: OnDevice, From: Anywhere, WhileHeld: true, WhileFrozen: true},
	{Action: ApprovalPropose, Class: OnDevice, WebClass: Person, From: Anywhere, LeavingClass: OnDevice, WhileHeld: true, WhileFrozen: true},
	{Action: ProposeReattest, Class: AnonymousClass, From: FromThis, WhileHeld: true, WhileLocked: true},

	{Action: RecoveryUpdate, Class: OnDevice, From: FromActive},
	{Action: MoveClaim, Class: OnDevice, From: FromActive, Session: true},
	{Action: EndOwnSession, Class: GuestClass, From: Anywhere, Session: true, WhileHeld: true, WhileFrozen: true},
	{Action: FreezeAccount, Class: OnDevice, From: Anywhere, LeavingClass: Fresh, WhileHeld: true, WhileFrozen: true, Alert: true},
	{Action: FreezeOwnDevice, Class: OnDevice, From: FromThis, LeavingClass: OnDevice, WhileHeld: true, WhileFrozen: true, Alert: true},
	{Action: VetoAction, Class: Fresh, From: FromOlder, LeavingClass: Fresh, WhileFrozen: true, Alert: true},

	{Action: RenameDevice, Class: Person, From: Anywhere, WhileHeld: true, OwnWhileHeld: true},
	{Action: RenameCredential, Class: Person, From: Anywhere},
	{Action: FreezeOtherDevice, Class: Fresh, From: Anywhere, Alert: true},
	{Action: EndOneSession, Class: Fresh, From: Anywhere, Alert: true},
	{Action: EndOtherSessions, Class: Fresh, From: Anywhere, Alert: true},
	{Action: LeaveDevice, Class: Fresh, From: FromThis, WhileHeld: true, Alert: true},
	{Action: Reattest, Class: Fresh, From: FromThis, WhileHeld: true, Alert: true},
	{Action: ReattestLocked, Class: Exact, From: FromThis, WhileHeld: true, WhileLocked: true, Alert: true},
	{Action: AddCredential, Class: Fresh, From: Anywhere, Alert: true},

	{Action: AddDevice, Class: Exact, WebClass: Bound, From: FromActiveOrWeb, Alert: true},
	{Action: RemoveCredential, Class: Exact, From: FromActiveOrWeb, Alert: true},
	{Action: RemoveDevice, Class: Exact, From: FromActiveOrWeb, Alert: true},
	{Action: ChangeHandle, Class: Exact, From: FromActiveOrWeb, Alert: true},
	{Action: RenewFreezeCode, Class: Exact, From: FromActiveOrWeb, Alert: true},
	{Action: UnfreezeDevice, Class: Exact, From: FromActive, Alert: true},
	{Action: ApproveGuest, Class: Exact, From: FromActive, Alert: true},
	{Action: RotateSealing, Class: Exact, From: FromThis, Alert: true},
	{Action: SetupRecovery, Class: Bound, From: FromActive, Alert: true},
	{Action: OpenRecovery, Class: Bound, From: FromActive, Alert: true},
	{Action: ApproveMove, Class: Bound, From: FromActive, Alert: true},
	{Action: RecallMove, Class: Exact, From: FromLeaving, LeavingClass: Exact, WhileHeld: true, WhileFrozen: true, Alert: true}, // a veto, late
	{Action: FinishMove, Class: Exact, From: FromLeavingOrNew, LeavingClass: Exact, WhileHeld: true, Alert: true},
	{Action: UnfreezeAccount, Class: Bound, From: FromBeforeFreeze, WhileFrozen: true, Alert: true}, // or Slow
	{Action: DeleteAccount, Class: Bound, From: Anywhere, Waits: true, Alert: true},

	{Action: StartRecovery, Class: AnonymousClass, From: FromNewPhone, WhileFrozen: true, Waits: true, Alert: true},
}

// Required gives what an action needs: the zero Requirement, which nobody meets,
// for what is not in the table. An app's own actions are made by AppAction.
func Required(a Action) Requirement {
	for _, r := range requirements {
		if r.Action == a {
			return r
		}
	}
	return Requirement{}
}

// AppAction gives what the app's own action "app.KIND" needs: Exact or Bound, as
// its backend asks. kind is lower-case letters, digits, and '.', '-' and '_'
// after a letter, 40 at most. Anything else gives the zero Requirement.
func AppAction(kind string, class Class, whileHeld bool) Requirement {
	if class != Exact && class != Bound || len(kind) == 0 || len(kind) > 40 || kind[0] < 'a' || kind[0] > 'z' ||
		strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return Requirement{}
	}
	return Requirement{Action: "app." + Action(kind), Class: class, From: Anywhere, WhileHeld: whileHeld}
}

// SyncedAllowed reports whether an app's synced_ok list lets synced passkeys
// count for an action. It may name the action, or "all". "sign_in" stands also
// for what needs no more than a session (Person), and "step_up" for that and for
// what needs a step-up (Fresh). What needs Exact or Bound is named itself.
// "register" is asked for when a passkey is made. An empty list refuses.
func SyncedAllowed(list []string, a Action) bool {
	class := Required(a).Class
	for _, word := range list {
		switch {
		case word == "":
		case word == "all", word == string(a),
			word == "sign_in" && class != NoClass && class <= Person,
			word == "step_up" && class >= OnDevice && class <= Fresh:
			return true
		}
	}
	return false
}
