package passkey

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/staunchid/staunch/account"
)

// Approval is what a person approves with his passkey: this very action,
// once.
type Approval struct {
	App        account.AppID
	Account    account.ID
	ID         account.ApprovalID
	Action     account.Action
	Parameters []byte    // the bytes that will be executed
	Text       string    // what the person reads, UTF-8 in NFC; the client shows exactly this
	Nonce      []byte    // 32 random bytes
	Expires    time.Time // whole seconds count
}

// Preimage is what is hashed, and what a proof keeps:
//
//	"staunch/approval/v1" ‖ 0x00 ‖ L(app) ‖ L(account) ‖ L(approval ID) ‖ L(action) ‖
//	L(SHA-256(parameters)) ‖ L(text) ‖ L(nonce) ‖ U64(expiry in seconds)
//
// L(x) is a 4-byte big-endian length and x, U64 is 8 bytes big-endian. Vectors:
// spec/vectors/approval.json.
func (a *Approval) Preimage() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	parameters := sha256.Sum256(a.Parameters)
	b := append([]byte("staunch/approval/v1"), 0)
	b = appendL(b, a.App)
	b = appendL(b, a.Account)
	b = appendL(b, a.ID)
	b = appendL(b, a.Action)
	b = appendL(b, parameters[:])
	b = appendL(b, a.Text)
	b = appendL(b, a.Nonce)
	return binary.BigEndian.AppendUint64(b, uint64(a.Expires.Unix())), nil //nolint:gosec // not negative, by check
}

func (a *Approval) check() error {
	if err := a.App.Validate(); err != nil {
		return fmt.Errorf("passkey: approval: %w", err)
	}
	if err := a.Account.Validate(); err != nil {
		return fmt.Errorf("passkey: approval: %w", err)
	}
	if err := a.ID.Validate(); err != nil {
		return fmt.Errorf("passkey: approval: %w", err)
	}
	switch {
	case a.Action == "":
		return fmt.Errorf("passkey: approval %s without an action", a.ID)
	case a.Text == "" || !utf8.ValidString(a.Text) || !norm.NFC.IsNormalString(a.Text):
		return fmt.Errorf("passkey: approval %s: the text is empty, or not UTF-8 in NFC", a.ID)
	case len(a.Nonce) != challengeSize:
		return fmt.Errorf("passkey: approval %s: a nonce of %d bytes; want %d random ones", a.ID, len(a.Nonce), challengeSize)
	case a.Expires.Unix() <= 0:
		return fmt.Errorf("passkey: approval %s without an expiry", a.ID)
	}
	return nil
}

// ApprovalChallenge is the challenge for the passkey: the SHA-256 of a's
// preimage. A client computes it too, and stops if the server's differs.
func ApprovalChallenge(a *Approval) ([]byte, error) {
	b, err := a.Preimage()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}
