package integrity

import (
	"errors"
	"slices"
	"strings"

	"github.com/staunchid/staunch/account"
)

// class is what the caller has shown, as records say it.
func (s *Service) class(a *actor) account.Class {
	return account.ClassOf(a.Caller, a.account, a.device, s.policy.Windows, a.now)
}

// rule is what the action of an approval needs. An app's own asks for what its
// backend said; one that is in no table is met by nobody.
func (s *Service) rule(a *actor, row ApprovalRow) account.Requirement {
	action := row.Action
	r := account.Required(action)
	if action == account.Reattest { // an active device needs no approval for it
		r = account.Required(account.ReattestLocked)
	}
	if kind, ok := strings.CutPrefix(string(action), "app."); ok {
		r = account.AppAction(kind, row.Need, row.By.WhileHeld)
	}
	if r.From == account.FromThis { // what the text says of one device must not happen to another
		r = r.About(account.Device{ID: row.By.Device})
	}
	if action == account.RecallMove || action == account.FinishMove {
		r = r.AboutMove(row.By.Device, row.By.Device) // one of the two phones: the text was given to no other
	}
	r = r.Within(s.policy.Windows)
	r.SyncedOK = account.SyncedAllowed(s.policy.SyncedOK, action)
	return r.Raise(a.signals)
}

// meets reports whether the caller, with the assertion among his proofs, may do
// what the approval is for, and the class that he has reached. What has a slower
// way may take that.
func (s *Service) meets(a *actor, row ApprovalRow) (account.Class, error) {
	if !confirmsHere(a, row) {
		return account.NoClass, &account.Refused{Action: row.Action, Why: account.WhyFrom}
	}
	r := s.rule(a, row)
	err := r.Check(a.Caller, a.account, a.device, a.now)
	if err != nil && r.Slow().Class != account.NoClass {
		r = r.Slow()
		err = r.Check(a.Caller, a.account, a.device, a.now)
	}
	return r.Seen(a.Caller, a.account, a.device, a.now), err
}

// confirmsHere reports whether an approval may be confirmed where the caller is.
// The number of a join shows that whoever says yes has the new device before him
// (accounts, 7.3), so that is done where the number was typed, and nowhere else.
func confirmsHere(a *actor, row ApprovalRow) bool {
	if row.Action != account.AddDevice && row.Action != account.ApproveGuest {
		return true
	}
	return row.By.Kind == a.Kind && row.By.Device == a.Device && (a.Device != "" || row.By.Session == a.Session)
}

// couldConfirm reports why an approval would be refused whatever passkey signs
// it: the account cools off, the device may not, a risk stands.
func (s *Service) couldConfirm(a *actor, row ApprovalRow) error {
	best := *a
	best.Proofs = append(slices.Clone(a.Proofs), account.Proof{
		Method: account.ByAction, At: a.now, Action: row.Action, Digest: row.Challenge,
	})
	_, err := s.meets(&best, row)
	var refused *account.Refused
	if errors.As(err, &refused) && refused.Why == account.WhyStepUp {
		return nil // a passkey may still help
	}
	return err
}
