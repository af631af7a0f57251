package account

import "time"

// State is that of an account or a device. The zero State is that of one which
// is not there yet.
type State uint8

// The states.
const (
	Unset   State = iota
	Active        // everything works
	Held          // it cools off: what matters waits
	Frozen        // its owner has stopped it
	Locked        // something is wrong with it, and nobody uses it
	Deleted       // only a tombstone is left
)

// String gives the state as it is stored, logged and sent.
func (s State) String() string {
	switch s {
	case Active:
		return "active"
	case Held:
		return "held"
	case Frozen:
		return "frozen"
	case Locked:
		return "locked"
	case Deleted:
		return "deleted"
	}
	return ""
}

// name is String for a sentence.
func (s State) name() string {
	if s == Unset {
		return "not there"
	}
	return s.String()
}

// ParseState reads what String gives. ok is false for anything else; the empty
// text is Unset.
func ParseState(text string) (s State, ok bool) {
	for s := Unset; s <= Deleted; s++ {
		if s.String() == text {
			return s, true
		}
	}
	return Unset, false
}

// HoldReason says why something cools off.
type HoldReason string

// The reasons. The zero HoldReason: it does not.
const (
	HoldNew       HoldReason = "new"       // a device that was added
	HoldLeaving   HoldReason = "leaving"   // a device whose account has moved on
	HoldRecovered HoldReason = "recovered" // an account after a recovery
)

// Hold is a cool-off. The zero Hold is none. Neither its owner nor one operator
// can shorten it, and doing again what began it never restarts it.
type Hold struct {
	Reason HoldReason
	Since  time.Time
	Until  time.Time     // zero while its clock stands, after a freeze or a lock; a phone that leaves by a move has no clock
	Left   time.Duration // what was left of it then, never zero
	By     DeviceID      // the device that caused it; empty: a browser
}

// Account belongs to one person.
type Account struct {
	ID         ID
	Handle     string   // a name people see; empty: none
	UserHandle [64]byte // WebAuthn's user.id: random
	State      State
	Prior      State // what it was before it was frozen or locked
	Hold       Hold
	NotBefore  time.Time // what was begun at or before it is refused; steps that end all sessions set it
	FreezeCode []byte    // SHA-256 of the code; empty: none
	CreatedAt  time.Time
	MAC        []byte // of the row

	// Deviceless: it has no device, and the app allows that, so that its browser
	// counts wherever a device is named. It is computed, and not stored.
	Deviceless bool
}

// Device is one attested device key of an account. What was attested stands in
// the registry, under KeyID.
type Device struct {
	ID         DeviceID
	Account    ID
	Name       string // what its owner calls it
	Platform   string // "android" or "ios"
	State      State
	Prior      State // what it was before it was frozen or locked
	Hold       Hold
	KeyID      string // in the attest registry; unique, for ever
	SealingAlg string // of SealingKey; empty: it has none
	SealingKey []byte // public
	Tier       string // of its last evidence: "affirming", "warning", "contraindicated", "none"
	AttestedAt time.Time
	AddedBy    DeviceID // who approved it; empty: nobody, or a browser
	AddedAt    time.Time
	LastSeenAt time.Time // to the minute; no part of its digest
	MAC        []byte    // of the row
}

// SessionKind says where a session lives.
type SessionKind string

// The kinds of sessions.
const (
	PhoneSession   SessionKind = "phone"   // each request is signed by the device's key too
	BrowserSession SessionKind = "browser" // a cookie
	GuestSession   SessionKind = "guest"   // opened by approval on another device
)

// Session is what a sign-in leaves. Its token is 32 random bytes, and only the
// SHA-256 of it is stored.
type Session struct {
	ID         SessionID
	Account    ID
	Device     DeviceID // of a PhoneSession
	Kind       SessionKind
	Proofs     []Proof
	Origin     string // of a browser: the page's; and what it calls itself, for people
	Label      string // "Chromium on Linux"
	Network    string // keyed hash
	Place      string // coarse, for people; empty: unknown
	CreatedAt  time.Time
	LastSeenAt time.Time // to the minute
	Until      time.Time
	EndedAt    time.Time // zero: it lives
	EndedWhy   string
	TokenHash  [32]byte // SHA-256 of its token
	MAC        []byte   // over everything but LastSeenAt and itself
}

// CredentialState is that of a passkey.
type CredentialState string

// The states of a passkey.
const (
	CredentialActive  CredentialState = "active"
	CredentialSuspect CredentialState = "suspect" // its counter went back: it reaches Person at most
	CredentialRemoved CredentialState = "removed"
)
