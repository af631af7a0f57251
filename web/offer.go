package web

import (
	"fmt"

	"github.com/staunchid/staunch/account"
)

// May reports whether a page may offer an action in the state that the account is in.
// It is the rule by which the server answers (account.Required), so that no page has
// a button that is only ever refused. Who asks, and how he proves it, is asked later.
func (v *stateView) May(action string) (bool, error) {
	r := account.Required(account.Action(action))
	if r.Class == account.NoClass {
		return false, fmt.Errorf("web: a page offers %q, which is no action", action)
	}
	return v.open(r), nil
}

// open reports whether the account's state lets something happen.
func (v *stateView) open(r account.Requirement) bool {
	switch v.state {
	case account.Frozen:
		return r.WhileFrozen
	case account.Held:
		return r.WhileHeld
	}
	return true
}

// waits reports whether an approval can only be denied for now. What an app asks for
// while the account cools off may be open to it: that the server says.
func (v *stateView) waits(a account.Action) bool {
	return v.state == account.Frozen && !account.Required(a).WhileFrozen
}

// Later is until when the rest has to wait; empty: nothing does.
func (v *stateView) Later() string {
	switch v.state {
	case account.Frozen:
		return "until your account is unfrozen"
	case account.Held:
		return "until your account has cooled off"
	}
	return ""
}
