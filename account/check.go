package account

import "time"

// Check reports whether the caller may do what r is required for: nil, or a
// *Refused that says why not. a is the account that he acts on, and d the device
// that makes the request: nil unless the caller is a Phone whose key is a
// device's. Both are as they are now; nothing of the answer may be kept.
//
// What a class needs is in Seen. A recovery PIN, an operator, the freeze code
// and a backend reach none, so what they may do is never asked here: each opens
// one flow, which knows them.
func (r Requirement) Check(c Caller, a Account, d *Device, now time.Time) error {
	r = r.on(d)
	have, need := r.seen(c, a, d, now), r.Needs(c, d)
	why, opens := r.judge(c, a, d, have, need)
	if why == WhyUnset {
		return nil
	}
	return &Refused{Action: r.Action, Why: why, Need: need, Have: have, OpensAt: opens}
}

// judge is every check, in order (accounts, "States" and "Assurance").
func (r Requirement) judge(c Caller, a Account, d *Device, have, need Class) (why Why, opens time.Time) {
	switch {
	case r.Class == NoClass || r.From == Nowhere:
		return WhyUnknown, opens
	case !r.belongs(c, a, d):
		return WhyGone, opens
	case a.State == Locked && !r.AnyState:
		return WhyAccountLocked, opens
	case a.State == Frozen && !r.WhileFrozen:
		return WhyAccountFrozen, opens
	case d.in(Frozen) && !r.AnyState, d.in(Locked) && r.WhileLocked && d.Prior == Frozen:
		return WhyDeviceFrozen, opens
	case d.in(Locked) && !r.AnyState && (!r.WhileLocked || d.Hold.Reason == HoldLeaving):
		return WhyDeviceLocked, opens
	case d.leaves() && r.LeavingClass == NoClass:
		return WhyDeviceHeld, d.Hold.Until
	case a.State == Held && !r.WhileHeld && !d.leaves():
		return WhyAccountHeld, a.Hold.Until
	case d.in(Held) && !d.leaves() && (!r.WhileHeld && !r.began(d) || r.OwnWhileHeld && r.about.device != d.ID):
		return WhyDeviceHeld, d.Hold.Until
	case !r.place(c, a, d):
		if r.From == FromOlder || r.From == FromOlderOrWeb {
			return WhyNotOlder, opens
		}
		return WhyFrom, opens
	case r.Refuse != WhyUnset:
		return r.Refuse, r.RefuseUntil
	case r.Session && c.Session == "", have < need:
		return WhyStepUp, opens
	}
	return WhyUnset, opens
}

// Needs gives the class that r wants of this caller: a browser, or a device that
// leaves, may need more than others.
func (r Requirement) Needs(c Caller, d *Device) Class {
	r = r.on(d)
	need := r.Class
	if c.Kind == Browser {
		need = max(need, r.WebClass)
	}
	if d.leaves() {
		need = max(need, r.LeavingClass)
	}
	if r.Session && c.Session == "" {
		need = max(need, Person) // what he lacks is a sign-in
	}
	return need
}

// belongs reports whether account and device are there, and the caller's.
func (r Requirement) belongs(c Caller, a Account, d *Device) bool {
	if a.State == Unset || a.State == Deleted {
		return false
	}
	switch c.Kind {
	case Phone:
		if c.Device == "" {
			return d == nil
		}
		return d != nil && d.ID == c.Device && d.Account == a.ID && c.Account == a.ID && d.State != Unset && d.State != Deleted
	case Browser:
		return d == nil && (c.Account == a.ID || r.Class == AnonymousClass)
	case Anonymous:
		return d == nil
	}
	return false // backends, operators and the clock reach no class
}

// place reports whether the caller is where r may be done from. In an app with
// accounts without devices, a browser stands in for the device that there is
// not; it is never "that device".
func (r Requirement) place(c Caller, a Account, d *Device) bool {
	web := c.Kind == Browser
	webOnly := web && a.Deviceless
	switch r.From {
	case Anywhere:
		return d != nil || web || c.Kind == Anonymous && r.Class == AnonymousClass
	case FromNewPhone:
		return c.Kind == Phone && c.Device == "" && c.Key != ""
	case FromDevice:
		return d != nil || webOnly
	case FromActive:
		return d.in(Active) || webOnly
	case FromActiveOrWeb:
		return d.in(Active) || web
	case FromOlder:
		return r.older(d) || webOnly && r.about.set
	case FromOlderOrWeb:
		return r.older(d) || r.began(d) || web && r.about.set
	case FromThis:
		return d != nil && (r.about.device == "" || r.about.device == d.ID)
	case FromLeaving:
		return d.leaves() && r.about.device == d.ID
	case FromLeavingOrNew:
		return d.leaves() && r.about.device == d.ID || d != nil && !d.leaves() && r.about.successor == d.ID
	case FromBeforeFreeze:
		return d.in(Active) && !d.AddedAt.After(a.NotBefore) || webOnly
	}
	return false
}

// older reports whether a device was enrolled before what r is about began, is
// not its cause, and is active or leaves.
func (r Requirement) older(d *Device) bool {
	return r.about.set && (d.in(Active) || d.leaves()) && d.AddedAt.Before(r.about.since) && d.ID != r.about.cause
}

// began reports whether it is the device that began the pending action, which
// may cancel it.
func (r Requirement) began(d *Device) bool {
	return r.about.pending && d != nil && d.ID == r.about.cause
}

// in reports whether there is a device in that state.
func (d *Device) in(s State) bool { return d != nil && d.State == s }

// leaves reports whether there is a device that leaves.
func (d *Device) leaves() bool { return d.in(Held) && d.Hold.Reason == HoldLeaving }
