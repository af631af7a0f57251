package operator

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// ID names an operator: "o_" and 26 characters of base32, of 128 random bits. A
// name may be given again after its operator was removed, an ID never.
type ID string

// person is the operator in a passkey's record, which wants the ID of an account:
// the same 26 characters. The record's RP ID is the console's, so no account is
// meant by it.
func (id ID) person() account.ID { return account.ID("a_" + strings.TrimPrefix(string(id), "o_")) }

// Validate reports an error unless id has the form of one.
func (id ID) Validate() error {
	if !strings.HasPrefix(string(id), "o_") || id.person().Validate() != nil {
		return fmt.Errorf("operator: %.40q is no ID", string(id))
	}
	return nil
}

func newID() ID { return ID("o_" + strings.ToLower(rand.Text())) }

// Operator is a person at the console. Who has no Record is invited; who has
// RemovedAt was removed, and the row stays, so that the audit record can be read.
type Operator struct {
	ID         ID
	Name       string
	UserHandle [64]byte // WebAuthn's user.id
	AddedAt    time.Time
	RemovedAt  time.Time

	// The link: nil and zero when it was used or the operator removed.
	Invitation   []byte // SHA-256 of its secret
	InvitedUntil time.Time

	// The passkey.
	CredentialID []byte
	Record       []byte // of package passkey; nil: none yet
	EnrolledAt   time.Time
	SignCount    uint32
	Flags        byte
	LastUsedAt   time.Time

	MAC []byte
}

// Digest is what an audit entry holds of an operator: SHA-256 over everything but
// counter, flags and time of the last use, and the MAC.
func (o Operator) Digest() [32]byte {
	b := []byte("staunch/operator/v1\x00")
	for _, f := range o.lasting() {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f))) //nolint:gosec // far below 4 GiB
		b = append(b, f...)
	}
	return sha256.Sum256(b)
}

func (o Operator) lasting() []string {
	return []string{
		string(o.ID), o.Name, string(o.UserHandle[:]), account.MACTime(o.AddedAt), account.MACTime(o.RemovedAt),
		string(o.Invitation), account.MACTime(o.InvitedUntil), string(o.CredentialID), string(o.Record), account.MACTime(o.EnrolledAt),
	}
}

// Seal gives the MAC of the row.
func (o Operator) Seal(key []byte) []byte {
	var n [5]byte
	binary.BigEndian.PutUint32(n[:], o.SignCount)
	n[4] = o.Flags
	return account.SealRow(key, "operator", append(o.lasting(), string(n[:]), account.MACTime(o.LastUsedAt))...)
}

// Sound reports whether the MAC is that of the row, in constant time.
func (o Operator) Sound(key []byte) bool { return account.SoundRow(key, o.MAC, o.Seal(key)) }

// stored is the passkey as package passkey wants it.
func (o Operator) stored() (passkey.Stored, error) {
	r, err := passkey.ParseRecord(o.Record)
	return passkey.Stored{Record: r, Flags: o.Flags, Count: o.SignCount}, err
}

func (o Operator) user() passkey.User {
	return passkey.User{Account: o.ID.person(), Handle: o.UserHandle[:], Name: o.Name}
}

// Session is a browser in which an operator is signed in.
type Session struct {
	ID        account.SessionID
	TokenHash [32]byte
	Operator  ID
	Label     string // what the browser says of itself
	CreatedAt time.Time
	Until     time.Time
	EndedAt   time.Time // zero: it lives
	MAC       []byte
}

// Seal gives the MAC of the row.
func (s Session) Seal(key []byte) []byte {
	return account.SealRow(key, "operator_session", string(s.ID), string(s.TokenHash[:]), string(s.Operator), s.Label,
		account.MACTime(s.CreatedAt), account.MACTime(s.Until), account.MACTime(s.EndedAt))
}

// Sound reports whether the MAC is that of the row, in constant time.
func (s Session) Sound(key []byte) bool { return account.SoundRow(key, s.MAC, s.Seal(key)) }

// Ceremony is a passkey's ceremony under way.
type Ceremony struct {
	ID         account.CeremonyID
	Purpose    passkey.Purpose
	Operator   ID     // of an enrolment; empty: a sign-in names nobody
	Invitation []byte // SHA-256 of the link's secret, of an enrolment
	Binding    []byte // SHA-256 of the browser's cookie
	Challenge  []byte
	Origin     string
	Extensions string
	CreatedAt  time.Time
	ExpiresAt  time.Time
	UsedAt     time.Time // guarded by compare and swap, and not in the MAC
	MAC        []byte
}

// Seal gives the MAC of the row.
func (c Ceremony) Seal(key []byte) []byte {
	return account.SealRow(key, "operator_ceremony", string(c.ID), string(c.Purpose), string(c.Operator), string(c.Invitation), string(c.Binding),
		string(c.Challenge), c.Origin, c.Extensions, account.MACTime(c.CreatedAt), account.MACTime(c.ExpiresAt))
}

// Sound reports whether the MAC is that of the row, in constant time.
func (c Ceremony) Sound(key []byte) bool { return account.SoundRow(key, c.MAC, c.Seal(key)) }

// Text is a secret as it stands in a link.
func (s Secret) Text() string { return base64.RawURLEncoding.EncodeToString(s) }

// ParseSecret reads what Text wrote.
func ParseSecret(text string) (Secret, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != secretSize {
		return nil, ErrInvitation
	}
	return b, nil
}

// secretSize is that of links and tokens: 256 random bits.
const secretSize = 32

func newSecret() Secret {
	s := make(Secret, secretSize)
	rand.Read(s) // never returns an error
	return s
}
