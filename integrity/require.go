package integrity

import "github.com/staunchid/staunch/account"

// require applies the rule for an action, with the app's windows and the signals
// that stand. about says what it is about, for rules that compare.
func (s *Service) require(a *actor, action account.Action, about ...func(account.Requirement) account.Requirement) error {
	r := account.Required(action).Within(s.policy.Windows)
	r.SyncedOK = account.SyncedAllowed(s.policy.SyncedOK, action)
	for _, f := range about {
		r = f(r)
	}
	return r.Raise(a.signals).Check(a.Caller, a.account, a.device, a.now)
}
