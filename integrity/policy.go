package integrity

import (
	"fmt"
	"time"
)

// Validate reports the first value that is missing or makes no sense. Waits and
// windows of under an hour are for tests and demos.
func (p *Policy) Validate() error {
	switch p.SyncedNewDevice {
	case "refuse", "approve", "hold":
	default:
		return fmt.Errorf(`integrity: policy: synced_new_device is %q; want "refuse", "approve" or "hold"`, p.SyncedNewDevice)
	}
	if p.SyncedOK == nil {
		return fmt.Errorf("integrity: policy: synced_ok is missing; an empty list refuses all synced passkeys")
	}
	if len(p.AppHosts) == 0 {
		return fmt.Errorf("integrity: policy: no hosts")
	}
	for _, d := range p.durations() {
		switch {
		case d.value <= 0:
			return fmt.Errorf("integrity: policy: %s is missing", d.name)
		case d.value < time.Hour && d.waits && !p.ShortWaits:
			return fmt.Errorf("integrity: policy: %s is %s; under an hour only with dangerous_short_waits", d.name, d.value)
		}
	}
	for _, l := range p.Limits.all() {
		if l.N <= 0 || l.Per <= 0 || l.Burst < 0 {
			return fmt.Errorf("integrity: policy: limit.%s is missing", l.name)
		}
	}
	return nil
}

type namedDuration struct {
	name  string
	value time.Duration
	waits bool // an hour at least
}

func (p *Policy) durations() []namedDuration {
	return []namedDuration{
		{"session.person", p.Windows.Person, true},
		{"session.fresh", p.Windows.Fresh, false},
		{"session.phone", p.Sessions.Phone, true},
		{"session.browser", p.Sessions.Browser, true},
		{"session.guest", p.Sessions.Guest, true},
		{"hold.add", p.Holds.Add, true},
		{"hold.recovery", p.Holds.Recovery, true},
		{"wait.unfreeze", p.Waits.Unfreeze, true},
		{"wait.delete", p.Waits.Delete, true},
		{"wait.recovery", p.Waits.Recovery, true},
		{"wait.recovery_frozen", p.Waits.RecoveryFrozen, true},
	}
}

type namedLimit struct {
	name string
	Limit
}

func (l *Limits) all() []namedLimit {
	return []namedLimit{
		{"begin_network", l.BeginNetwork},
		{"begin_device", l.BeginDevice},
		{"failed_network", l.FailedNetwork},
		{"failed_device", l.FailedDevice},
		{"failed_account", l.FailedAccount},
		{"join", l.Join},
		{"handle_change", l.HandleChange},
		{"handle_taken", l.HandleTaken},
		{"app_approval", l.AppApproval},
		{"freeze_code", l.FreezeCode},
		{"recovery_open", l.RecoveryOpen},
		{"audit_refusal", l.AuditRefusal},
		{"move_offer", l.MoveOffer},
		{"move_claim", l.MoveClaim},
		{"move_wait", l.MoveWait},
		{"move_revise", l.MoveRevise},
	}
}
