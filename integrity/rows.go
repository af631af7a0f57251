package integrity

import (
	"encoding/json"
	"time"

	"github.com/staunchid/staunch/account"
)

// Rows that only the flows know. Those of accounts, devices, passkeys and
// sessions are the nouns of package account.

// CeremonyRow is one ceremony of WebAuthn, as it is stored. A CeremonyRow is
// used once: UseCeremony is a compare and swap.
type CeremonyRow struct {
	ID              account.CeremonyID
	Purpose         string     // passkey.Purpose
	Account         account.ID // of enrol: the one that is reserved; of sign-in: empty
	Session         account.SessionID
	Binding         []byte // SHA-256 of the key id or of the cookie that may answer; empty: an unknown phone, see AttestChallenge
	Challenge       []byte // unique
	Origin          string // of a browser's page; empty: an app
	Extensions      string
	Allow           []byte // credential ids, as passkey encodes them
	UserHandle      []byte // of enrol and add
	AttestChallenge []byte // SHA-256 of the challenge for the evidence of a new key; empty: none
	Fake            bool   // made for a handle that nobody has: it fails like a wrong passkey
	CreatedAt       time.Time
	ExpiresAt       time.Time
	UsedAt          time.Time // zero: open
}

// The states of an approval and of a join.
const (
	StateOpen      = "open"
	StateConfirmed = "confirmed"
	StateDenied    = "denied"
	StateCancelled = "cancelled" // also what a revocation ends
	StateFinished  = "finished"  // a join whose new device is in
)

// ApprovalRow is an action that waits for an assertion over exactly it.
type ApprovalRow struct {
	ID        account.ApprovalID
	Account   account.ID
	Action    account.Action
	Params    json.RawMessage // the bytes that will be executed
	Text      string          // as shown: UTF-8, NFC
	Nonce     []byte          // 32 random bytes
	Challenge []byte          // what is signed
	Need      account.Class   // Exact or Bound
	By        Creator
	CreatedAt time.Time
	ExpiresAt time.Time
	State     string
	Proof     json.RawMessage // once confirmed: what can be verified offline
	EndedAt   time.Time
	MAC       []byte
}

// Creator is who has opened a row.
type Creator struct {
	Kind    account.Kind      `json:"kind"`
	Device  account.DeviceID  `json:"device,omitempty"`
	Session account.SessionID `json:"session,omitempty"`
	// WhileHeld: a backend asks for its approval also while the account is held.
	WhileHeld bool `json:"while_held,omitempty"`
}

// JoinRow is a new device, or a browser, on its way into an account.
type JoinRow struct {
	ID         account.JoinID
	Kind       string     // "phone", "browser" or "guest"
	Account    account.ID // once approved
	Name       string
	Platform   string
	KeysHash   []byte // SHA-256 over the keys of the phone, or over the browser's cookie: who alone may finish
	KeyID      string // of a phone: in the registry, pending until the join is approved
	SealingAlg string
	SealingKey []byte
	Number     string // two digits, shown on the new device and typed on the old one
	Origin     string // of a browser
	Place      string
	Network    string
	Tries      int // wrong numbers
	By         account.DeviceID
	CreatedAt  time.Time
	ExpiresAt  time.Time
	State      string
	MAC        []byte
}

// PendingRow is an action that waits and then runs by itself, or a start of a
// recovery whose ticket comes after a wait.
type PendingRow struct {
	ID        account.PendingID
	Account   account.ID
	Action    account.Action
	Params    json.RawMessage
	By        Creator
	CreatedAt time.Time
	OpensAt   time.Time
	State     string // open, finished or cancelled
	EndedAt   time.Time
	MAC       []byte
}

// Due is a row whose time has come, and a place in a list of such: by that time,
// and then by id. The zero Due is before all.
type Due struct {
	At time.Time
	ID string
}

// AlertRow tells the owner what has happened. It is written in the transaction
// of what it tells of.
type AlertRow struct {
	Account account.ID
	Seq     uint64 // from 1 in each account; given by the store
	Kind    string
	Device  account.DeviceID  // that it is about
	Cause   account.DeviceID  // that is not told; empty: all are
	Session account.SessionID // the cause, if it is a browser's
	Data    json.RawMessage   // one JSON object, without secrets
	At      time.Time
}

// RateRow is one token bucket.
type RateRow struct {
	Key    [32]byte // keyed hash of kind and value
	Tokens float64
	At     time.Time
}
