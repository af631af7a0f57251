package account

import (
	"errors"
	"fmt"
	"time"
)

// Errors of the rules.
var (
	// ErrStep: there is no such step from this state. What has changed meanwhile
	// is to be read again.
	ErrStep = errors.New("account: no such step from this state")
	// ErrRefused: the caller may not do this, now or at all. It comes as a
	// *Refused, which says what is missing.
	ErrRefused = errors.New("account: refused")
)

// Class says what the server itself has seen of somebody. Classes are ordered.
type Class uint8

// The classes. NoClass is met by nobody.
const (
	NoClass Class = iota
	AnonymousClass
	GuestClass
	OnDevice
	Person
	Fresh
	Exact
	Bound
)

// String gives the class as it is sent.
func (c Class) String() string {
	switch c {
	case AnonymousClass:
		return "anonymous"
	case GuestClass:
		return "guest"
	case OnDevice:
		return "device"
	case Person:
		return "person"
	case Fresh:
		return "fresh"
	case Exact:
		return "exact"
	case Bound:
		return "bound"
	}
	return ""
}

// Why says what kind of refusal it is.
type Why uint8

// The kinds of refusals.
const (
	WhyUnset         Why = iota
	WhyUnknown           // nobody may do this: it is no action of the table
	WhyStepUp            // a higher class is needed
	WhyFrom              // not from here: another device, a browser, an older one
	WhyNotOlder          // only a device that was there before
	WhyAccountHeld       // wait until OpensAt
	WhyAccountFrozen     // unfreeze first
	WhyAccountLocked     // nobody can use it
	WhyDeviceHeld        // wait until OpensAt
	WhyDeviceFrozen      // unfreeze it from another device
	WhyDeviceLocked      // attest it anew
	WhyGone              // account or device is not there
	WhyRisk              // a risk signal stands until OpensAt
)

// Refused is why an action is refused.
type Refused struct {
	Action  Action
	Why     Why
	Need    Class
	Have    Class
	OpensAt time.Time // zero: time alone does not help
}

func (r *Refused) Error() string {
	return fmt.Sprintf("account: %s is refused: it needs %s, there is %s", r.Action, r.Need, r.Have)
}

// Unwrap makes every Refused an ErrRefused.
func (r *Refused) Unwrap() error { return ErrRefused }

// From says from where an action may be done. The zero From is nowhere.
type From uint8

// The places.
const (
	Nowhere          From = iota
	Anywhere              // any device of the account, or a browser
	FromNewPhone          // an attested phone that is of no account
	FromDevice            // any device of the account
	FromActive            // an active device
	FromActiveOrWeb       // an active device, or the owner's browser
	FromOlder             // an older device
	FromOlderOrWeb        // an older device, or the owner's browser
	FromThis              // the device that it is about
	FromLeaving           // the device that leaves
	FromLeavingOrNew      // the device that leaves, or its successor
	FromBeforeFreeze      // a device that is not held and was there before the freeze
)

// Requirement is what an action needs. The zero Requirement is met by nobody.
type Requirement struct {
	Action      Action
	Class       Class
	From        From
	MaxAge      time.Duration // of the newest proof that gives the class; zero: as the class says
	Wait        time.Duration // before it happens; zero: at once
	WhileHeld   bool          // also to a held (new) device and while the account is held
	WhileFrozen bool
	WhileLocked bool // also from a device in any state but deleted
	SyncedOK    bool // synced passkeys count
	Alert       bool // all devices but the cause are told
	Refuse      Why  // a signal refuses it: WhyRisk
	RefuseUntil time.Time
}

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
	Value   string
	Level   Level // of an external one
	FirstAt time.Time
	LastAt  time.Time
	Until   time.Time
}
