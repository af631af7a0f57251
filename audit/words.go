package audit

import (
	"maps"
	"slices"
	"strings"
)

// Words says in plain words what an entry tells: "the account is frozen". An
// action that it does not know is told by its name, so that nothing is left out
// for want of words.
func Words(e Entry) string {
	table := known()
	if text, ok := table[e.Action]; ok {
		return text
	}
	if of, ok := strings.CutSuffix(e.Action, ".wait"); ok && table[of] != "" {
		return "asked for, and waits: " + table[of]
	}
	if of, ok := strings.CutSuffix(e.Action, ".void"); ok && table[of] != "" {
		return "did not happen when its wait was over: " + table[of]
	}
	if of, ok := strings.CutSuffix(e.Action, ".refused"); ok && table[of] != "" {
		return "refused: " + table[of]
	}
	if app, ok := strings.CutPrefix(e.Action, "app."); ok {
		return "the app's own action " + app
	}
	return strings.NewReplacer("_", " ", ".", ": ").Replace(e.Action)
}

// Actions are those that Words has words for, in order. What it makes words of besides,
// ".wait" of an action and the app's own ones, is not among them.
func Actions() []string { return slices.Sorted(maps.Keys(known())) }

// known has the actions of all pillars.
func known() map[string]string {
	return map[string]string{
		"attest.register":     "a phone shows what it is, and is judged",
		"attest.request":      "a signed request is judged",
		"attest.policy":       "another attestation policy is in force",
		"attest.activate":     "a device key counts from now on",
		"attest.adopt":        "a device key that was only observed is taken in",
		"attest.release":      "a device key that was only observed goes to another account",
		"attest.revoke":       "a device key is revoked",
		"attest.supersede":    "a device key gives way to a newer one",
		"attest.risk_changed": "Apple's risk metric of a device key has changed",

		"account.enrol":     "the account is made",
		"account.freeze":    "the account is frozen",
		"account.unfreeze":  "the account is unfrozen",
		"account.delete":    "the account is deleted",
		"account.lock":      "the account is locked",
		"account.hold_over": "the wait of the account is over",
		"account.recover":   "the account is recovered on a new phone",
		"account.veto":      "the recovery of the account is undone",
		"integrity.failure": "a row was not as it was written",

		"device.add":          "a device is added",
		"device.freeze":       "a device is frozen",
		"device.unfreeze":     "a device is unfrozen",
		"device.hold_over":    "the wait of a device is over",
		"device.hold_stopped": "the wait of a device stands still",
		"device.hold_longer":  "the wait of a device is longer",
		"device.leave":        "a device leaves",
		"device.lock":         "a device is locked",
		"device.move":         "the account goes to a new phone",
		"device.recall":       "the account is taken back from a new phone",
		"device.reattest":     "a device has a new key",
		"device.remove":       "a device is removed",
		"device.renamed":      "a device has another name",
		"device.veto":         "a new device is undone by an older one",
		"sealing.rotate":      "a device has a new sealing key",

		"passkey.added":     "a passkey is added",
		"passkey.renamed":   "a passkey has another name",
		"passkey.finding":   "something is odd about a passkey",
		"passkey.suspect":   "a passkey may have been copied, and counts for less",
		"credential.remove": "a passkey is removed",

		"session.started":    "somebody signs in",
		"session.stepped_up": "somebody proves again who he is",
		"session.ended":      "somebody signs out, or is signed out",
		"session.refused":    "a sign-in is refused",

		"approval.proposed":  "something is to be approved",
		"approval.confirmed": "something is approved",
		"approval.denied":    "something is refused by its owner",
		"approval.cancelled": "something is no longer to be approved",
		"join.requested":     "a new device asks to be let in",
		"join.approved":      "a new device is let in",
		"handle.change":      "the account has another name",
		"freeze_code.renew":  "there is a new freeze code",
		"guest.approve":      "a guest session is opened",
		"risk.raised":        "a risk signal is raised",
		"veto":               "something that waited is cancelled",

		"recovery.setup":          "a recovery PIN may be set",
		"recovery.open":           "a device of the account may try the PIN",
		"recovery.start":          "a new phone begins to recover the account",
		"recovery.session_opened": "a phone may talk to the vaults",
		"recovery.attempt":        "the vaults have counted an attempt at the PIN",
		"recovery.proved":         "the PIN was right: enough vaults have said so",
		"recovery.set":            "a recovery PIN is set",
		"recovery.changed":        "the recovery PIN is changed",
		"recovery.deleted":        "the recovery PIN is removed",
		"recovery.finalized":      "the vaults keep this PIN alone",
		"recovery.updated":        "there is a new backup behind the same PIN",
		"recovery.receipts":       "receipts of the vaults are covered",

		"transfer.offered":   "a new phone shows a code",
		"transfer.claimed":   "the old phone has scanned it",
		"transfer.confirmed": "the owner agrees to the move on the old phone",
		"transfer.held":      "the move waits",
		"transfer.streaming": "the history is on its way",
		"transfer.revised":   "the old phone begins its data anew",
		"transfer.sealed":    "the old phone has sent everything",
		"transfer.committed": "the account is on the new phone",
		"transfer.acked":     "the new phone has set it up",
		"transfer.final":     "the move cannot be taken back any more",
		"transfer.recalled":  "the move is taken back",
		"transfer.aborted":   "the move has ended, and nothing has moved",
		"transfer.contended": "two phones have answered to one code",
		"transfer.refused":   "a step of a move is refused",

		"operator.invite":   "an operator is invited",
		"operator.enrol":    "an operator has made a passkey",
		"operator.sign_in":  "an operator signs in",
		"operator.sign_out": "an operator signs out",
		"operator.view":     "an operator looks at the account",
		"operator.refused":  "an operator's passkey is refused",
		"operator.remove":   "an operator is removed",
	}
}
