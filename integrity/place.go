package integrity

import (
	"context"
	"slices"

	"github.com/staunchid/staunch/account"
)

// lastSessions is among how many of the newest sessions a network is looked for.
const lastSessions = 20

// newPlace reports whether a sign-in is to be told to all devices: it comes from
// a network that none of the newest sessions came from, or a signal stands for
// which every one is. A new network is a signal itself, about the device that
// signs in; a browser is none, so it is about the account. open are the sessions
// of the account, the newest first.
func (s *Service) newPlace(ctx context.Context, tx Tx, a *actor, open []OpenSession) (bool, error) {
	for _, sig := range a.signals {
		if sig.Name == account.SignalManyFailures || sig.Name == account.SignalNewNetwork {
			return true, nil
		}
	}
	if a.Network == "" {
		return false, nil // nobody knows from where
	}
	known := func(sess OpenSession) bool { return sess.Network == a.Network }
	if slices.ContainsFunc(open[:min(len(open), lastSessions)], known) {
		return false, nil
	}
	return true, s.notice(ctx, tx, a.Account, account.Signal{Name: account.SignalNewNetwork, Device: a.Device}, a.now)
}
