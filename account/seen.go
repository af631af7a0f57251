package account

import (
	"slices"
	"time"
)

// ClassOf gives the class of a caller as people and backends are told it, Fresh
// at most: Exact and Bound are of a single request. Whether he may do anything
// is not in it: states and signals are not looked at.
func ClassOf(c Caller, a Account, d *Device, w Windows, now time.Time) Class {
	return Requirement{SyncedOK: true, windows: w}.seen(c, a, d, now)
}

// Seen gives the class that the server has seen of a caller for this action, by
// his proofs. Classes are computed anew at each request:
//
//   - device: a phone whose request proof is that of a device that is active or held
//   - person: a session with a sign-in, step-up or creation within the window
//   - fresh: the same of a sign-in or step-up
//   - exact: an assertion over the challenge of this very action; of a browser only
//     if its session is a person's, not a guest's
//   - bound: exact, with a passkey that is not synced, or on an active device
//     whose evidence is affirming
//
// A passkey that was added to an account lately is no better than a synced one
// here, whatever it says of itself: a synced one, which a thief may have a copy
// of, is enough to add it, and it would make itself bound.
//
// A browser whose session is older than that is a guest, as one that another
// device has let in. What a passkey does not reach: a suspect one more than
// person, a synced one more than guest unless SyncedOK.
func (r Requirement) Seen(c Caller, a Account, d *Device, now time.Time) Class {
	return r.on(d).seen(c, a, d, now)
}

func (r Requirement) seen(c Caller, a Account, d *Device, now time.Time) Class {
	if !r.belongs(c, a, d) {
		return NoClass
	}
	class := AnonymousClass
	onDevice := r.onDevice(c, d)
	if onDevice {
		class = OnDevice
	}
	if c.Session != "" && (onDevice || c.Kind == Browser) {
		for _, p := range c.Proofs {
			class = max(class, r.session(p, now))
		}
	}
	if onDevice || r.signedIn(c, now) || c.Kind == Phone && d.in(Locked) && r.WhileLocked {
		for _, p := range c.Proofs {
			class = max(class, r.action(p, c, d, now))
		}
	}
	return class
}

// onDevice reports whether the request is proved by the key of its device. What a
// frozen or locked device proves counts for nothing but its own status.
func (r Requirement) onDevice(c Caller, d *Device) bool {
	return c.Kind == Phone && (d.in(Active) || d.in(Held) || d != nil && r.AnyState) &&
		slices.ContainsFunc(c.Proofs, func(p Proof) bool { return p.Method == ByDeviceKey && p.Device == d.ID })
}

// signedIn reports whether a browser's session is a person's, by a passkey of any
// kind: what a guest signs approves nothing.
func (r Requirement) signedIn(c Caller, now time.Time) bool {
	return c.Kind == Browser && c.Session != "" && slices.ContainsFunc(c.Proofs, func(p Proof) bool {
		return (p.Method == ByAssertion || p.Method == ByCreation) && !r.isDead(p) && within(p.At, r.windows.Person, now)
	})
}

// session is what a proof makes of a session.
func (r Requirement) session(p Proof, now time.Time) Class {
	switch {
	case p.Method == ByApproval:
		return GuestClass
	case p.Method != ByAssertion && p.Method != ByCreation, r.isDead(p):
		return NoClass
	case p.Synced && !r.SyncedOK:
		return GuestClass
	case p.Method == ByAssertion && !r.isSuspect(p) && within(p.At, r.age(Fresh), now):
		return Fresh
	case within(p.At, r.age(Person), now):
		return Person
	}
	return GuestClass
}

// action is what a proof makes of a single request.
func (r Requirement) action(p Proof, c Caller, d *Device, now time.Time) Class {
	switch {
	case p.Method != ByAction || p.Action == "" || !r.names(p.Action) || len(p.Digest) != 32:
		return NoClass
	case r.isDead(p) || r.isSuspect(p) || p.Synced && !r.SyncedOK || !within(p.At, r.windows.Fresh, now):
		return NoClass
	case (p.Synced || p.Young) && !r.lifts(c, d, now):
		return Exact
	}
	return Bound
}

// names reports whether an approval of that action is one of r's. A locked
// device approves its reattest under the name that it has on others.
func (r Requirement) names(a Action) bool {
	return a == r.Action || r.Action == ReattestLocked && a == Reattest
}

// lifts reports whether the device lifts a synced passkey to Bound: it is active,
// and its key, whose evidence is affirming, has signed this request.
func (r Requirement) lifts(c Caller, d *Device, now time.Time) bool {
	return d.in(Active) && d.Tier == affirming && !r.unlifted && slices.ContainsFunc(c.Proofs, func(p Proof) bool {
		return p.Method == ByDeviceKey && p.Device == d.ID && p.Affirming && within(p.At, r.windows.Fresh, now)
	})
}

// affirming is the tier of evidence to which there is no warning.
const affirming = "affirming"

// age is how old a proof may be for a class.
func (r Requirement) age(class Class) time.Duration {
	if class == r.Class {
		return r.MaxAge
	}
	if class == Fresh {
		return r.windows.fresh(r.risky)
	}
	return r.windows.Person
}

// within reports whether a time is at most age away. A little in the future is
// the clock of another server; more is no proof of anything.
func within(at time.Time, age time.Duration, now time.Time) bool {
	return age > 0 && now.Sub(at).Abs() <= age
}

func (r Requirement) isDead(p Proof) bool {
	return r.allDead || slices.Contains(r.dead, p.Credential)
}

func (r Requirement) isSuspect(p Proof) bool {
	return p.Suspect || slices.Contains(r.suspect, p.Credential)
}
