package integrity

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/passkey"
)

// Begun is an open ceremony, and what the client needs for it.
type Begun struct {
	Ceremony  account.CeremonyID
	Options   json.RawMessage // WebAuthn's …OptionsJSON
	Challenge []byte          // for the evidence of a new key; empty: none is wanted
	Account   account.ID      // of an enrolment: the ID that is reserved
	ExpiresAt time.Time
}

// NewPhone is a phone that is new to the account: its key, the evidence for it,
// and the request that the same key has signed.
type NewPhone struct {
	Name     string // for people
	Platform string // "android" or "ios"
	// Evidence: Challenge, CertificateChain or AttestationObject, KeyID, Hints.
	// The flow sets App, Account and BeforeSignUp.
	Evidence   registry.Registration
	SealingAlg string
	SealingKey []byte
	Message    *request.Message // signed by the new key under its future id
}

// Signed is what a flow leaves that signs somebody in.
type Signed struct {
	Account      account.ID
	AccountState account.State
	Device       account.DeviceID // empty: a browser
	DeviceState  account.State
	Credential   account.CredentialRef
	Session      account.SessionID
	Token        Token
	Until        time.Time // of the session
	Class        account.Class
	Hold         account.Hold // of the device, or else of the account
	Signals      *Signals
}

// Signals are ready arguments for the browser's Signal API (WebAuthn L3 §5.1.10).
type Signals struct {
	AllAccepted *passkey.AllAcceptedCredentials `json:"allAccepted,omitempty"`
	CurrentUser *passkey.CurrentUserDetails     `json:"currentUser,omitempty"`
	Unknown     *passkey.UnknownCredential      `json:"unknown,omitempty"`
}

// Token is the secret of a session. It is given out once.
type Token []byte

// String, GoString, LogValue and MarshalText keep tokens out of logs.
func (Token) String() string { return "[redacted]" }

// GoString redacts.
func (Token) GoString() string { return "[redacted]" }

// LogValue redacts.
func (Token) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// MarshalText redacts.
func (Token) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// Enrolled is a new account.
type Enrolled struct {
	Signed
	FreezeCode account.FreezeCode // given out once
	Name       string
	Platform   string
	At         time.Time
}

// SignInAnswer answers a sign-in ceremony. Phone is for a phone that is not
// known yet; a known one has signed the request, and a browser has Binding.
type SignInAnswer struct {
	Ceremony account.CeremonyID
	Response []byte
	Phone    *NewPhone
	Browser  *Browser
}

// Browser is where a browser's call comes from, as the web edge has it from the
// configuration and the cookies.
type Browser struct {
	Cookie []byte // of the ceremony, which binds it to this browser
	Origin string // of the page, from the configuration
	Label  string // "Chromium on Linux"
}

// Joined is an answer to a sign-in on a phone that another device must approve.
type Joined struct {
	Join      account.JoinID
	Number    string
	ExpiresAt time.Time
}

// SignInResult is a session, or a join that must be approved first.
type SignInResult struct {
	Signed *Signed
	Join   *Joined
}

// Status is what a device may always know of itself and its account.
type Status struct {
	Account      account.ID
	AccountState account.State
	Device       account.DeviceID // empty: a browser
	DeviceName   string
	Platform     string
	DeviceState  account.State
	Hold         *account.Hold // of the device, or else of the account
	Class        account.Class
	At           time.Time
	// Only where it may read them, else nil.
	Rest *StatusRest
}

// StatusRest is the part of a Status that needs account.read.
type StatusRest struct {
	OthersHeld   []HeldDevice
	Pending      []PendingRow
	Passkeys     int
	Devices      int
	AlertsUnread int
	Advice       []string // add_second_passkey, set_recovery_pin, replace_shared_passkey, change_pin, reattest
}

// HeldDevice is another device that cools off.
type HeldDevice struct {
	Device  account.DeviceID
	Name    string
	Hold    account.Hold
	MayVeto bool
}

// AccountView is what an account's owner reads of it.
type AccountView struct {
	Account  account.Account
	Devices  []account.Device // without tombstones
	Passkeys []PasskeyView
	Sessions []account.Session
}

// PasskeyView is one passkey, as its owner reads it.
type PasskeyView struct {
	Ref        account.CredentialRef
	Name       string
	Provider   string // by AAGUID, unverified; empty: unknown
	Synced     bool
	State      account.CredentialState
	Devices    []account.DeviceID
	AddedAt    time.Time
	LastUsedAt time.Time
}

// DeviceView is one device in a list.
type DeviceView struct {
	Device   account.Device
	This     bool
	Older    bool // may veto a hold that now runs
	Sessions int
}

// Frozen is what a freeze leaves, Thawed what an unfreeze does.
type (
	Frozen struct {
		State   account.State
		Changed bool
	}
	Thawed struct {
		State   account.State
		Changed bool
		OpensAt time.Time // zero: it does not wait
	}
)

// Ended counts what a revocation has ended.
type Ended struct {
	Sessions, Ceremonies, Approvals, Joins, Pending int
}

// Proposal asks for an approval. Params is one JSON object, whose members
// depend on the action:
//
//	device.add        {"join":"j_…","number":"42"}
//	guest.approve     {"join":"j_…","number":"42"}
//	device.remove     {"device":"d_…"}
//	device.unfreeze   {"device":"d_…"}
//	credential.remove {"credential":"c_…"}
//	handle.change     {"handle":"…"}
//	freeze_code.renew {}
//	account.unfreeze  {}
//	account.delete    {}
//	sealing.rotate    {"alg":"…","key":"base64"}
//	device.reattest   {}   (a locked device, signed by its new key)
type Proposal struct {
	Action account.Action
	Params json.RawMessage
}

// Proposed is an approval with its ceremony.
type Proposed struct {
	Approval ApprovalRow
	Preimage passkey.Approval // from which client and page compute the challenge anew
	Ceremony account.CeremonyID
	Options  json.RawMessage
}

// Confirmation answers an approval's ceremony.
type Confirmation struct {
	Approval account.ApprovalID
	Response []byte
	Cookie   []byte // of a browser
}

// Confirmed is what became of the action.
type Confirmed struct {
	Approval ApprovalRow
	Action   account.Action
	Text     string
	Result   json.RawMessage // of the action: {"freeze_code":"…"}, {"state":"active"}, {"opens_at":"…"} ...
	Signals  *Signals
}

// JoinRequest opens a join. Exactly one of Phone and Browser is set.
type JoinRequest struct {
	Kind    string // "phone", "browser" or "guest"
	Phone   *NewPhone
	Browser *Browser
}

// JoinOpened is what the new device shows.
type JoinOpened struct {
	Join      account.JoinID
	Code      string // for the QR code: join ID and the first 16 bytes of the hash of the keys
	Number    string
	ExpiresAt time.Time
}

// JoinStatus is what the new device waits for.
type JoinStatus struct {
	Join     account.JoinID
	State    string
	Account  account.ID // once it is confirmed
	Ceremony account.CeremonyID
	Options  json.RawMessage // of the creation of its passkey, once it is confirmed
	Guest    *Signed         // of a guest, once it is confirmed
}

// JoinView is what the old device shows of a join.
type JoinView struct {
	Join      account.JoinID
	Kind      string
	Name      string
	Platform  string
	KeysHash  []byte
	Origin    string
	Place     string
	ExpiresAt time.Time
}

// JoinAnswer finishes a join with the new passkey.
type JoinAnswer struct {
	Join     account.JoinID
	Ceremony account.CeremonyID
	Response []byte
	Message  *request.Message // of a phone: signed by the key of the join
	Browser  *Browser
}

// SessionCheck is what a backend learns of a token.
type SessionCheck struct {
	Session      account.SessionID
	Kind         account.SessionKind
	Account      account.ID
	AccountState account.State
	Device       account.DeviceID
	DeviceState  account.State
	Hold         *account.Hold
	Class        account.Class
	Proofs       []account.Proof
	Until        time.Time
}

// AppApproval asks the owner to approve something of the app's own.
type AppApproval struct {
	Account account.ID
	Kind    string // after "app."
	Params  json.RawMessage
	Text    string
	Need    account.Class // Exact or Bound
	Held    bool          // also while held
}

// RiskReport is a backend's word on an account.
type RiskReport struct {
	Account account.ID
	Device  account.DeviceID // empty: the account
	Name    string           // after "external:"
	Level   account.Level
	Value   string
	For     time.Duration
}

// EnrolAnswer finishes an enrolment. Exactly one of Phone and Browser is set.
type EnrolAnswer struct {
	Ceremony account.CeremonyID
	Response []byte
	Phone    *NewPhone
	Browser  *Browser
}

// SignInStart begins a sign-in. Browser is nil for an app.
type SignInStart struct {
	Browser  *Browser
	Handle   string // where the app allows it; empty: any passkey of this device
	NewPhone bool   // a phone that is not known: it wants a challenge for its evidence
}

// StepUpAnswer finishes a step-up.
type StepUpAnswer struct {
	Ceremony account.CeremonyID
	Response []byte
	Browser  *Browser
}

// AddStart begins the creation of another passkey.
type AddStart struct {
	Hint    passkey.Hint
	Browser *Browser
}

// AddAnswer finishes it.
type AddAnswer struct {
	Ceremony account.CeremonyID
	Response []byte
	Name     string // empty: the provider's, or "Passkey"
	Browser  *Browser
}

// Added is the new passkey.
type Added struct {
	Passkey PasskeyView
	Signals *Signals
}

// Vetoed is what a veto leaves.
type Vetoed struct {
	State   account.State
	Removed account.DeviceID // empty: a pending action was vetoed
}

// JoinWait asks after a join, from the new device. It is of one call, which may
// look several times, one after the other.
type JoinWait struct {
	Join    account.JoinID
	Message *request.Message // of a phone: signed by the key of the join
	Browser *Browser
	// Again: the same call asks once more with this JoinWait, for a stream. Its
	// proof was judged and used up when it asked first.
	Again bool

	proved *holder // once the first look has found out who it is
}
