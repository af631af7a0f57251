package account

import "errors"

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

// name is String for a sentence.
func (c Class) name() string {
	if c == NoClass {
		return "nothing"
	}
	return c.String()
}
