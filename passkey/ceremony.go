package passkey

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/staunchid/staunch/account"
)

// Bounds of what comes in and what is stored.
const (
	maxResponse     = 64 << 10
	maxCredentialID = 1023 // WebAuthn L3 §4, Credential ID
	userHandleSize  = 64   // WebAuthn L3 §5.4.3: at most; ours are exactly so long
	challengeSize   = 32
)

// User is whom a passkey is for.
type User struct {
	Account account.ID
	Handle  []byte // the account's 64 random bytes, WebAuthn's user.id
	Name    string // what system prompts show; empty: the app's name and four characters of the account
}

func (u User) check() error {
	if err := u.Account.Validate(); err != nil {
		return fmt.Errorf("passkey: User.Account: %w", err)
	}
	if len(u.Handle) != userHandleSize {
		return fmt.Errorf("passkey: User.Handle has %d bytes; want the %d of the account", len(u.Handle), userHandleSize)
	}
	return nil
}

// Ceremony is what must last from the question to the answer. The caller keeps
// it as columns, RPID left out, and never shows it to a client.
type Ceremony struct {
	Purpose   Purpose
	RPID      string     // RelyingParty.RPID
	Account   account.ID // of a creation; of a request when the caller knows whose it is, and then it is compared
	Challenge []byte
	Origin    string // of the page; empty: an app asks

	// Extensions names what was asked for, with spaces between: "credProps prf".
	// An answer with another extension is refused.
	Extensions string

	UserHandle []byte   // of a creation
	Allow      [][]byte // of a request: the credential IDs that may answer; empty: any

	CreatedAt, ExpiresAt time.Time
	UsedAt               time.Time // set by the caller; the zero Time: not yet
}

// The extensions that Create and Request ask for.
const (
	creationExtensions = protocol.ExtensionCredProps + " " + protocol.ExtensionPRF
	requestExtensions  = protocol.ExtensionPRF
)

// begin makes a ceremony of what the library asked for.
func (rp *RelyingParty) begin(p Purpose, s *webauthn.SessionData, now time.Time) (Ceremony, error) {
	challenge, err := base64.RawURLEncoding.DecodeString(s.Challenge)
	if err != nil {
		return Ceremony{}, fmt.Errorf("passkey: challenge: %w", err)
	}
	return Ceremony{
		Purpose: p, RPID: rp.RPID(), Challenge: challenge, Origin: rp.dialog.Origin,
		Extensions: strings.Join(s.Extensions.Requested, " "),
		CreatedAt:  now, ExpiresAt: now.Add(lifetime),
	}, nil
}

// session is what the library wants back. Its encoding changes between
// releases, so it is made anew and never stored. Expires stays zero, for the
// library would read the clock.
func (rp *RelyingParty) session(c Ceremony) webauthn.SessionData {
	s := webauthn.SessionData{
		Challenge:        base64.RawURLEncoding.EncodeToString(c.Challenge),
		RelyingPartyID:   c.RPID,
		Origin:           c.Origin,
		UserVerification: rp.userVerification,
	}
	if c.Extensions != "" {
		s.Extensions.Requested = strings.Split(c.Extensions, " ")
	}
	if c.Purpose.creates() {
		s.UserID, s.CredParams = c.UserHandle, rp.params
		return s
	}
	s.AllowedCredentialIDs = c.Allow
	return s
}

// open reports whether c may be finished now.
func (rp *RelyingParty) open(c Ceremony, now time.Time) error {
	switch {
	case c.RPID != rp.RPID():
		return fmt.Errorf("%w: the ceremony is of RP ID %q", ErrRefused, c.RPID)
	case len(c.Challenge) < challengeSize:
		return fmt.Errorf("%w: a challenge of %d bytes", ErrRefused, len(c.Challenge))
	case c.Origin != "" && !slices.Contains(rp.library.Config.RPOrigins, c.Origin):
		return fmt.Errorf("%w: the ceremony is of origin %q, which is not configured", ErrRefused, c.Origin)
	case !c.UsedAt.IsZero():
		return fmt.Errorf("%w at %s", ErrUsed, c.UsedAt.UTC().Format(time.RFC3339))
	case !now.Before(c.ExpiresAt):
		return fmt.Errorf("%w at %s", ErrExpired, c.ExpiresAt.UTC().Format(time.RFC3339))
	}
	return nil
}

// EncodeAllow writes who may answer for the column allow: L(user handle), then
// L(id) for each allowed credential, where L(x) is a 4-byte big-endian length
// and x.
func (c Ceremony) EncodeAllow() []byte {
	b := appendL(nil, c.UserHandle)
	for _, id := range c.Allow {
		b = appendL(b, id)
	}
	return b
}

// ParseAllow reads what EncodeAllow wrote into UserHandle and Allow.
func (c *Ceremony) ParseAllow(b []byte) error {
	var list [][]byte
	for len(b) > 0 {
		x, rest, ok := cutL(b)
		if !ok {
			return fmt.Errorf("passkey: the column allow is broken after %d values", len(list))
		}
		list, b = append(list, x), rest
	}
	if len(list) == 0 {
		return fmt.Errorf("passkey: the column allow is empty; it begins with the user handle")
	}
	c.UserHandle, c.Allow = nil, nil
	if len(list[0]) > 0 {
		c.UserHandle = list[0]
	}
	if len(list) > 1 {
		c.Allow = list[1:]
	}
	return nil
}

// appendL appends L(x).
func appendL[T ~string | ~[]byte](b []byte, x T) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(x))), x...) //nolint:gosec // far below 4 GiB
}

// cutL cuts L(x) off b.
func cutL(b []byte) (x, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := uint64(binary.BigEndian.Uint32(b))
	b = b[4:]
	if n > uint64(len(b)) {
		return nil, nil, false
	}
	return slices.Clone(b[:n]), b[n:], true
}
