package account

import "time"

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
//
// It is asked like this; About and the like say what the action is about, where
// that matters:
//
//	r := account.Required(account.VetoAction).Within(windows)
//	r.SyncedOK = account.SyncedAllowed(list, account.VetoAction)
//	err := r.About(newcomer).Raise(signals).Check(caller, a, device, now)
type Requirement struct {
	Action       Action
	Class        Class
	WebClass     Class // from a browser; zero: Class
	LeavingClass Class // from a device that leaves; zero: not from there
	From         From
	MaxAge       time.Duration // of the newest proof that gives the class Person or Fresh; zero: none is new enough. Within sets it
	Wait         time.Duration // before it happens, from the app's policy; zero: at once, or not said yet (Waits)
	Waits        bool          // it happens after a wait
	Session      bool          // the caller needs a session, whatever the class
	WhileHeld    bool          // also to a held (new) device and while the account is held
	OwnWhileHeld bool          // a device that cools off may do it to itself alone: see About
	WhileFrozen  bool
	WhileLocked  bool // also from a device that is locked, but not if it was frozen or leaving before
	AnyState     bool // from a device, and in an account, in any state but deleted
	SyncedOK     bool // synced passkeys count
	Alert        bool // all devices but the cause are told
	Refuse       Why  // a signal refuses it: WhyRisk
	RefuseUntil  time.Time

	about    about
	windows  Windows
	bound    bool            // a signal wants Bound where Exact was enough
	risky    bool            // a signal wants a Fresh that is fresher
	unlifted bool            // the device does not lift a synced passkey to Bound
	signals  []Signal        // of single devices, until it is known which one asks
	dead     []CredentialRef // passkeys that count for nothing
	suspect  []CredentialRef // passkeys that reach Person at most
	allDead  bool            // no passkey counts
}

// about is what an action is about.
type about struct {
	set       bool
	device    DeviceID  // the one that it is about
	since     time.Time // older is what was there before
	cause     DeviceID  // and this one is not
	pending   bool      // an action that waits
	successor DeviceID  // of the device that leaves
}

// Windows say how old a proof may be for a class (accounts, "Assurance"). The
// zero Windows give no class but those that need no age.
type Windows struct {
	Person time.Duration // of the last sign-in, step-up or creation
	Fresh  time.Duration // of the last sign-in or step-up
	// Risky is Fresh while a signal wants a fresher one (new_network,
	// many_failures). Zero: a fifth of Fresh.
	Risky time.Duration
}

// fresh is the window of Fresh.
func (w Windows) fresh(risky bool) time.Duration {
	switch {
	case !risky:
		return w.Fresh
	case w.Risky > 0:
		return min(w.Risky, w.Fresh)
	}
	return w.Fresh / 5
}

// Within sets how old proofs may be.
func (r Requirement) Within(w Windows) Requirement {
	r.windows = w
	switch r.Class {
	case Person:
		r.MaxAge = w.Person
	case Fresh:
		r.MaxAge = w.fresh(r.risky)
	}
	return r
}

// About says which device the action is about: the one that is vetoed, or that
// the caller must be. Older is then what was enrolled before the hold of that
// device began, and not itself. Whoever approved it may veto it: he may have been
// talked into it.
//
// A recovery is vetoed by a veto of the device that recovered.
func (r Requirement) About(target Device) Requirement {
	since := target.Hold.Since
	if since.IsZero() {
		since = target.AddedAt
	}
	r.about = about{set: true, device: target.ID, since: since, cause: target.ID}
	return r
}

// AboutPending says which action that waits it is about: when it began, and the
// device that began it, if one did. The owner's browser may cancel it as an older
// device may, and so may the device that began it.
func (r Requirement) AboutPending(began time.Time, by DeviceID) Requirement {
	r.about = about{set: true, since: began, cause: by, pending: true}
	if r.From == FromOlder {
		r.From = FromOlderOrWeb
	}
	return r
}

// AboutMove says which move it is about: the device that leaves, and its
// successor.
func (r Requirement) AboutMove(leaving, successor DeviceID) Requirement {
	r.about = about{set: true, device: leaving, successor: successor}
	return r
}

// Slow gives the other way to the same end, which waits: account.unfreeze is
// done at once when it is Bound, and after a wait when it is Exact, from anywhere.
// Ask it when Check has refused the first. Of an action that has no other way it
// is the zero Requirement, which nobody meets.
func (r Requirement) Slow() Requirement {
	if r.Action != UnfreezeAccount || r.From != FromBeforeFreeze {
		return Requirement{}
	}
	r.Class, r.From, r.Waits, r.WhileHeld = Exact, Anywhere, true, true
	if r.bound {
		r.Class = Bound
	}
	return r
}
