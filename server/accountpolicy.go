package server

import (
	"fmt"
	"io"
	"os"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/integrity"
)

// accountPolicy is what the configuration says of an app's accounts, in the words
// of package integrity.
func accountPolicy(a *config.App, loopbackToo bool) integrity.Policy {
	s, h, w, l := a.Session, a.Hold, a.Wait, a.Limit.WithMoves()
	limit := func(l config.Limit) integrity.Limit {
		return integrity.Limit{N: l.N, Per: l.Per.Duration, Burst: l.Burst}
	}
	return integrity.Policy{
		AccountsWithoutDevice: a.AccountsWithoutDevice, ByHandle: a.ByHandle,
		SyncedOK: a.SyncedOK, SyncedNewDevice: a.SyncedNewDevice, ShortWaits: a.DangerousShortWaits,
		Windows:  account.Windows{Person: s.Person.Duration, Fresh: s.Fresh.Duration, Risky: s.Risky.Duration},
		Sessions: integrity.SessionPolicy{Phone: s.Phone.Duration, Browser: s.Browser.Duration, Guest: s.Guest.Duration},
		Holds:    integrity.HoldPolicy{Add: h.Add.Duration, Recovery: h.Recovery.Duration},
		Waits: integrity.WaitPolicy{
			Unfreeze: w.Unfreeze.Duration, Delete: w.Delete.Duration,
			Recovery: w.Recovery.Duration, RecoveryFrozen: w.RecoveryFrozen.Duration,
		},
		Limits: integrity.Limits{
			BeginNetwork: limit(l.BeginNetwork), BeginDevice: limit(l.BeginDevice),
			FailedNetwork: limit(l.FailedNetwork), FailedDevice: limit(l.FailedDevice), FailedAccount: limit(l.FailedAccount),
			Join: limit(l.Join), HandleChange: limit(l.HandleChange), HandleTaken: limit(l.HandleTaken), AppApproval: limit(l.AppApproval),
			FreezeCode: limit(l.FreezeCode), RecoveryOpen: limit(l.RecoveryOpen), AuditRefusal: limit(l.AuditRefusal),
			MoveOffer: limit(l.MoveOffer), MoveClaim: limit(l.MoveClaim), MoveWait: limit(l.MoveWait), MoveRevise: limit(l.MoveRevise),
		},
		AppHosts: a.Hosts, LoopbackToo: loopbackToo,
	}
}

// readBounded reads a file of at most limit bytes.
func readBounded(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", file, limit)
	}
	return data, err
}
