package integrity

import (
	"context"
	"time"

	"github.com/staunchid/staunch/account"
)

// stands says how long a signal stands that the flows raise themselves (accounts,
// "Risk signals"). Zero: until what it is about is gone.
func stands(name account.SignalName) time.Duration {
	const day = 24 * time.Hour
	switch name {
	case account.SignalNewDevice, account.SignalBackupState:
		return 7 * day
	case account.SignalRecentVeto, account.SignalRecentRecovery:
		return 30 * day
	case account.SignalManyFailures, account.SignalNewNetwork:
		return day
	}
	return 0
}

// notice stores a signal that stands from now on. Signals only raise what is
// needed; one that is seen again stands longer.
func (s *Service) notice(ctx context.Context, tx Tx, id account.ID, sig account.Signal, now time.Time) error {
	sig.FirstAt, sig.LastAt = now, now
	if sig.Source == "" {
		sig.Source = "staunch"
	}
	if sig.Until.IsZero() {
		if d := stands(sig.Name); d > 0 {
			sig.Until = now.Add(d)
		}
	}
	return tx.PutSignal(ctx, id, sig)
}

// names lists the signals that stand, for what is told of a sign-in.
func names(signals []account.Signal) []account.SignalName {
	list := make([]account.SignalName, len(signals))
	for i, s := range signals {
		list[i] = s.Name
	}
	return list
}
