package account

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// AppID names an app: ^[a-z][a-z0-9-]{1,30}$, from the config.
type AppID string

// The identifiers of what belongs to an account. Each is its prefix and 26
// characters of lower-case base32, of 128 random bits.
type (
	ID            string // of an account: a_
	DeviceID      string // d_
	SessionID     string // s_
	CredentialRef string // of a passkey, in place of its credential ID: c_
	CeremonyID    string // y_
	ApprovalID    string // v_
	JoinID        string // j_
	PendingID     string // of an action that waits: p_
	TransferID    string // t_
)

// alphabet is that of RFC 4648, section 6, in lower case.
const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }

// NewID returns a new account ID.
func NewID() ID { return ID(newID("a_")) }

// NewDeviceID returns a new device ID.
func NewDeviceID() DeviceID { return DeviceID(newID("d_")) }

// NewSessionID returns a new session ID.
func NewSessionID() SessionID { return SessionID(newID("s_")) }

// NewCredentialRef returns a new reference of a passkey.
func NewCredentialRef() CredentialRef { return CredentialRef(newID("c_")) }

// NewCeremonyID returns a new ceremony ID.
func NewCeremonyID() CeremonyID { return CeremonyID(newID("y_")) }

// NewApprovalID returns a new approval ID.
func NewApprovalID() ApprovalID { return ApprovalID(newID("v_")) }

// NewJoinID returns a new join ID.
func NewJoinID() JoinID { return JoinID(newID("j_")) }

// NewPendingID returns a new ID of a pending action.
func NewPendingID() PendingID { return PendingID(newID("p_")) }

// ParseID checks that text is an account ID and returns it.
func ParseID(text string) (ID, error) {
	if err := checkID("a_", text); err != nil {
		return "", err
	}
	return ID(text), nil
}

// Validate reports ErrMalformed if id is not an account ID. The empty ID is
// none: a caller for whom "no account" is a value says so before he asks.
func (id ID) Validate() error { return checkID("a_", string(id)) }

// Validate reports ErrMalformed if id is not a device ID.
func (id DeviceID) Validate() error { return checkID("d_", string(id)) }

// Validate reports ErrMalformed if id is not a session ID.
func (id SessionID) Validate() error { return checkID("s_", string(id)) }

// Validate reports ErrMalformed if id is not a reference of a passkey.
func (id CredentialRef) Validate() error { return checkID("c_", string(id)) }

// Validate reports ErrMalformed if id is not a ceremony ID.
func (id CeremonyID) Validate() error { return checkID("y_", string(id)) }

// Validate reports ErrMalformed if id is not an approval ID.
func (id ApprovalID) Validate() error { return checkID("v_", string(id)) }

// Validate reports ErrMalformed if id is not a join ID.
func (id JoinID) Validate() error { return checkID("j_", string(id)) }

// Validate reports ErrMalformed if id is not that of a pending action.
func (id PendingID) Validate() error { return checkID("p_", string(id)) }

// Validate reports ErrMalformed if id is not a transfer ID.
func (id TransferID) Validate() error { return checkID("t_", string(id)) }

// Validate reports ErrMalformed if id is not an app ID.
func (id AppID) Validate() error {
	if len(id) < 2 || len(id) > 31 || id[0] < 'a' || id[0] > 'z' {
		return fmt.Errorf("%w: app %q", ErrMalformed, clip(string(id)))
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return fmt.Errorf("%w: app %q", ErrMalformed, clip(string(id)))
		}
	}
	return nil
}

func checkID(prefix, text string) error {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(rest) != 26 || strings.Trim(rest, alphabet) != "" {
		return fmt.Errorf("%w: want %s and 26 characters of base32, have %q", ErrMalformed, prefix, clip(text))
	}
	return nil
}

// clip keeps a hostile text from filling an error.
func clip(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}
