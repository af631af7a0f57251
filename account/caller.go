package account

import "time"

// Kind says what sort of somebody makes a request.
type Kind string

// The kinds of callers. The zero Kind may do nothing.
const (
	Anonymous Kind = "anonymous" // nobody has proved anything
	Phone     Kind = "phone"     // a request proof by an attested key
	Browser   Kind = "browser"   // a session cookie
	Backend   Kind = "backend"   // the app's own service, by the key the config names
	Operator  Kind = "operator"  // a person at the console or on the server's machine
	System    Kind = "system"    // Staunch itself: the clock, a job
)

// Caller is who makes a request, as the edge has proved it.
type Caller struct {
	Kind    Kind
	App     AppID     // the app he acts in; a caller acts in one only
	Account ID        // of a Phone or Browser; empty for the others
	Device  DeviceID  // of a Phone; empty while its key is of no device yet
	Session SessionID // empty: none, or none that counts
	Proofs  []Proof   // of the session and of this request, in no order
	Key     string    // of a Phone: the id of the attested key that signed this request
	Name    string    // which one of its kind: an operator's name; may be empty
	Network string    // keyed hash of the network it comes from; empty: unknown
	Place   string    // coarse and for people, a country such as "DE"; empty: unknown
}

// In reports whether c is a known kind of caller of app.
func (c Caller) In(app AppID) bool {
	switch c.Kind {
	case Anonymous, Phone, Browser, Backend, Operator, System:
		return c.App == app && app != ""
	}
	return false
}

// Method is how something was proved.
type Method string

// The methods. The first five reach a class; the others open one named flow
// each and reach none. The zero Method is none.
const (
	ByDeviceKey Method = "device_key"       // a request proof of an enrolled device
	ByCreation  Method = "passkey_creation" // a passkey was made, which opened the session
	ByAssertion Method = "passkey"          // a sign-in or step-up assertion
	ByApproval  Method = "approval"         // somebody approved this on another device
	ByAction    Method = "action"           // an unused assertion over the challenge of one action

	ByPIN        Method = "recovery_pin"
	ByOperator   Method = "operator"
	ByFreezeCode Method = "freeze_code"
	ByBackend    Method = "backend"
)

// Proof is one thing that the server saw. It is stored with a session, as JSON,
// and never says what may be done: that is computed at each request.
type Proof struct {
	Method     Method        `json:"method"`
	At         time.Time     `json:"at"`
	Credential CredentialRef `json:"credential,omitempty"` // of a passkey
	Synced     bool          `json:"synced,omitempty"`     // its credential is backup eligible
	Young      bool          `json:"young,omitempty"`      // its credential was added a short while ago, and its owner may not have seen it: see Seen
	Suspect    bool          `json:"suspect,omitempty"`    // its credential is suspect: Person at most
	Device     DeviceID      `json:"device,omitempty"`     // whose key it was
	Affirming  bool          `json:"affirming,omitempty"`  // that device's evidence has the tier affirming, and nothing stale or warned of
	Action     Action        `json:"action,omitempty"`     // ByAction: what it is for
	Digest     []byte        `json:"digest,omitempty"`     // ByAction: the challenge, SHA-256 over action, parameters and text
}
