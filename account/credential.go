package account

import "time"

// Credential is one passkey: what never changes of it, as a record that package
// passkey reads, and what does.
type Credential struct {
	Ref          CredentialRef
	Account      ID
	RPID         string
	CredentialID []byte // WebAuthn's; unique for its RP ID, removed ones included
	Record       []byte // one line of JSON
	State        CredentialState
	Name         string
	SignCount    uint32
	Flags        byte // of its last use
	AddedAt      time.Time
	LastUsedAt   time.Time
	Devices      []DeviceID // which used it, sorted
	MAC          []byte     // of the row
}
