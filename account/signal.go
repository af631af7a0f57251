package account

import (
	"slices"
	"strings"
	"time"
)

// SignalName names a risk signal.
type SignalName string

// The signals (accounts, "Risk signals"). A backend's own are "external:" and
// a word.
const (
	SignalNewDevice        SignalName = "new_device"
	SignalBackupState      SignalName = "bs_changed"
	SignalRecentRecovery   SignalName = "recent_recovery"
	SignalRecentVeto       SignalName = "recent_veto"
	SignalSharedCredential SignalName = "shared_credential"
	SignalManyFailures     SignalName = "many_failures"
	SignalNewNetwork       SignalName = "new_network"
	SignalCounterRegress   SignalName = "counter_regress"
	SignalAttestWarning    SignalName = "attest_warning"
	SignalAttestStale      SignalName = "attest_stale"
	SignalMDSStatus        SignalName = "mds_status"
	SignalAttestPrefix     string     = "attest:"   // and the code of a finding
	SignalExternalPrefix   string     = "external:" // and the backend's name for it
)

// Level says what an external signal does.
type Level string

// The levels.
const (
	LevelNote  Level = "note"
	LevelRaise Level = "raise"
	LevelHold  Level = "hold"
)

// Signal is a risk that stands for a time. It only ever raises what is needed.
type Signal struct {
	Name    SignalName
	Device  DeviceID // that it is about; empty: the account
	Source  string   // who reports it: "staunch", "backend"
	Value   string   // of counter_regress and mds_status: the CredentialRef
	Level   Level    // of an external one
	FirstAt time.Time
	LastAt  time.Time
	Until   time.Time
}

// Raise raises what is needed by the signals that stand. It never lowers
// anything, and shortens no hold. A signal that is about one device counts for
// what that device asks, so that a new device does not keep the owner from
// removing it on another; Check looks at those. A signal that nobody knows
// raises.
func (r Requirement) Raise(signals []Signal) Requirement {
	for _, s := range signals {
		if s.Device == "" {
			r = r.raise(s)
		} else {
			r.signals = append(slices.Clip(r.signals), s)
		}
	}
	return r
}

// on raises by what stands about the device that asks.
func (r Requirement) on(d *Device) Requirement {
	for _, s := range r.signals {
		if d != nil && s.Device == d.ID {
			r = r.raise(s)
		}
	}
	return r
}

// raise is the table of signals (accounts, "Risk signals").
func (r Requirement) raise(s Signal) Requirement {
	switch s.Name {
	case SignalNewNetwork:
		return r.fresher()
	case SignalManyFailures:
		return r.fresher().bind()
	case SignalCounterRegress:
		if ref := CredentialRef(s.Value); ref.Validate() == nil {
			r.suspect = append(slices.Clip(r.suspect), ref)
			return r
		}
		return r.bind()
	case SignalMDSStatus:
		ref := CredentialRef(s.Value)
		r.dead = append(slices.Clip(r.dead), ref)
		r.allDead = r.allDead || ref.Validate() != nil // nobody knows which
		return r
	case SignalAttestWarning:
		r.unlifted = true
		return r
	case SignalAttestStale:
		r.unlifted = true
		return r.refuse(WhyStale, time.Time{})
	}
	if strings.HasPrefix(string(s.Name), SignalExternalPrefix) {
		switch s.Level {
		case LevelNote:
			return r
		case LevelRaise:
			return r.bind()
		}
		return r.refuse(WhyRisk, s.Until)
	}
	return r.bind()
}

// bind makes Exact Bound.
func (r Requirement) bind() Requirement {
	r.bound = true
	for _, c := range []*Class{&r.Class, &r.WebClass, &r.LeavingClass} {
		if *c == Exact {
			*c = Bound
		}
	}
	return r
}

// fresher shortens the age of Fresh.
func (r Requirement) fresher() Requirement {
	r.risky = true
	if r.Class == Fresh {
		r.MaxAge = min(r.MaxAge, r.windows.fresh(true))
	}
	return r
}

// refuse refuses what is closed to held devices, at least until then. A veto is
// not: it is what the owner has against whoever causes signals.
func (r Requirement) refuse(why Why, until time.Time) Requirement {
	if r.WhileHeld || r.LeavingClass != NoClass {
		return r
	}
	if r.Refuse == WhyUnset || why == WhyRisk {
		r.Refuse = why
	}
	if until.After(r.RefuseUntil) {
		r.RefuseUntil = until
	}
	return r
}
