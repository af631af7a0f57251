package passkey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// The flags of authenticator data that are compared. WebAuthn L3 §6.1
const (
	flagBackupEligible = byte(protocol.FlagBackupEligible)
	flagBackupState    = byte(protocol.FlagBackupState)
)

// Stored is the row of a credential. The zero Stored is none: ErrUnknown.
type Stored struct {
	Record  Record
	Flags   byte   // of the last use
	Count   uint32 // the highest signature counter seen
	Suspect bool   // a finding made it so; it lasts until the credential is removed
}

// Assertion is what a verified answer says. Findings about it come from
// Policy.Appraise.
type Assertion struct {
	CredentialID []byte
	Flags        byte
	Count        uint32

	BackupEligible bool // it is a synced passkey, or may become one: as registered
	BackupState    bool // it is synced now
	Suspect        bool // as stored

	CounterRegress        bool // the signature counter did not go up: there may be a copy of the key
	BackupEligibleChanged bool // BE is not what it was at registration
	BackupStateChanged    bool // BS is not what it was at the last use

	// What was signed, for a proof.
	ClientDataJSON    []byte
	AuthenticatorData []byte
	Signature         []byte
	UserHandle        []byte // as sent, equal to the account's; empty: not sent
}

// Next is the row after this use: the flags are the last ones, but for backup
// eligibility, which stays as registered, and the counter never goes down.
// WebAuthn L3 §7.2, step 24
func (a *Assertion) Next(s Stored) Stored {
	s.Flags = a.Flags&^flagBackupEligible | s.Record.Flags&flagBackupEligible
	s.Count = max(s.Count, a.Count)
	return s
}

// Request begins a sign-in, a step-up or an approval. Allow is empty for a
// sign-in that names no account, and holds all of the account's own passkeys
// otherwise; of a made-up one ID and Transports are enough. Challenge is nil,
// which takes 32 random bytes, for all but approvals, which need that of
// ApprovalChallenge. Request returns what to store and the options for
// PublicKeyCredential.parseRequestOptionsFromJSON.
func (rp *RelyingParty) Request(p Purpose, allow []Record, challenge []byte, now time.Time) (Ceremony, []byte, error) {
	switch {
	case !p.requests():
		return Ceremony{}, nil, fmt.Errorf("passkey: Request for purpose %q; want %s, %s or %s", p, SignIn, StepUp, Approve)
	case p != SignIn && len(allow) == 0:
		return Ceremony{}, nil, fmt.Errorf("passkey: Request for %s without credentials; the account's own go there", p)
	case (p == Approve) != (challenge != nil):
		return Ceremony{}, nil, fmt.Errorf("passkey: Request for %s: approvals bring a challenge, and nothing else does", p)
	case challenge != nil && len(challenge) != challengeSize:
		return Ceremony{}, nil, fmt.Errorf("passkey: Request with a challenge of %d bytes; want that of ApprovalChallenge", len(challenge))
	}
	request, session, err := rp.beginRequest(allow, challenge)
	if err != nil {
		return Ceremony{}, nil, err
	}
	c, err := rp.begin(p, session, now)
	if err != nil {
		return Ceremony{}, nil, err
	}
	for _, r := range allow {
		c.Allow = append(c.Allow, r.ID)
	}
	options, err := json.Marshal(request)
	if err != nil {
		return Ceremony{}, nil, fmt.Errorf("passkey: request options: %w", err)
	}
	return c, options, nil
}

func (rp *RelyingParty) beginRequest(allow []Record, challenge []byte) (*protocol.PublicKeyCredentialRequestOptions, *webauthn.SessionData, error) {
	opts := []webauthn.LoginOption{
		webauthn.WithAllowedCredentials(descriptors(allow)),
		webauthn.WithLoginOrigin(rp.dialog.Origin),
	}
	if challenge != nil {
		opts = append(opts, webauthn.WithChallenge(bytes.Clone(challenge)))
	}
	if purposes := rp.dialog.PRF; len(purposes) > 0 {
		first := PRFSalt(rp.app, purposes[0])
		eval := protocol.PRFValues{First: first[:]}
		if len(purposes) > 1 {
			second := PRFSalt(rp.app, purposes[1])
			eval.Second = second[:]
		}
		opts = append(opts, webauthn.WithAssertionExtensions(webauthn.WithExtensionPRF(eval)))
	}
	// Discoverable in the library's words: who answers is known later, or to
	// the caller.
	request, session, err := rp.library.BeginDiscoverableLogin(opts...)
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: Request: %w", err)
	}
	return &request.Response, session, nil
}

// UnverifiedCredentialID returns the credential ID of a response, to find the
// row. It proves nothing.
func UnverifiedCredentialID(response []byte) ([]byte, error) {
	if err := screen(response); err != nil {
		return nil, err
	}
	var r struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(response, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	id, err := decode(r.ID)
	if err != nil || len(id) == 0 || len(id) > maxCredentialID {
		return nil, fmt.Errorf("%w: id is no base64url of 1 to %d bytes", ErrMalformed, maxCredentialID)
	}
	return id, nil
}

// VerifyAssertion verifies the answer to Request. Stored is the row that has
// the response's credential ID, and u its account: who answers is known by
// that, and the user handle is only compared.
func (rp *RelyingParty) VerifyAssertion(c Ceremony, u User, s Stored, response []byte, now time.Time) (*Assertion, error) {
	if err := screen(response); err != nil {
		return nil, err
	}
	if !c.Purpose.requests() || c.Extensions != "" && c.Extensions != requestExtensions {
		return nil, fmt.Errorf("%w: the ceremony is for %q and asks for no assertion", ErrRefused, c.Purpose)
	}
	if err := rp.open(c, now); err != nil {
		return nil, err
	}
	if len(s.Record.ID) == 0 {
		return nil, ErrUnknown
	}
	if err := u.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	// The row, the account and the ceremony belong together.
	switch r := s.Record; {
	case r.RPID != rp.RPID():
		return nil, fmt.Errorf("%w: the credential is of RP ID %q", ErrRefused, r.RPID)
	case r.Account != u.Account:
		return nil, fmt.Errorf("%w: the credential is that of %s, not of %s", ErrRefused, r.Account, u.Account)
	case c.Account != "" && c.Account != u.Account:
		return nil, fmt.Errorf("%w: the ceremony is that of %s, not of %s", ErrRefused, c.Account, u.Account)
	case c.Purpose != SignIn && len(c.Allow) == 0:
		return nil, fmt.Errorf("%w: a ceremony for %s that allows any credential", ErrRefused, c.Purpose)
	}
	parsed, err := parseAssertion(response)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, detailed(err))
	}
	if o := parsed.Response.CollectedClientData.Origin; !rp.mayComeFrom(c.Origin, o) { // WebAuthn L3 §7.2, step 12
		return nil, fmt.Errorf("%w: the response is of origin %.200q; the ceremony of %q", ErrRefused, o, c.Origin)
	}
	flags := parsed.Response.AuthenticatorData.Flags
	if err := rp.seen(flags); err != nil { // WebAuthn L3 §7.2, steps 16 and 17
		return nil, err
	}
	// WebAuthn L3 §7.2, steps 5 to 22: allow list, user handle, type, challenge,
	// cross origin, top origin, RP ID, BS without BE, extensions, signature.
	cred, err := rp.verifyAssertion(c, u, s, parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, detailed(err))
	}
	return &Assertion{
		CredentialID: s.Record.ID, Flags: byte(flags), Count: parsed.Response.AuthenticatorData.Counter,
		BackupEligible: s.Record.BackupEligible(), BackupState: flags.HasBackupState(), Suspect: s.Suspect,
		CounterRegress:        cred.Authenticator.CloneWarning,
		BackupEligibleChanged: flags.HasBackupEligible() != s.Record.BackupEligible(),
		BackupStateChanged:    flags.HasBackupState() != (s.Flags&flagBackupState != 0),
		ClientDataJSON:        parsed.Raw.AssertionResponse.ClientDataJSON,
		AuthenticatorData:     parsed.Raw.AssertionResponse.AuthenticatorData,
		Signature:             parsed.Response.Signature,
		UserHandle:            parsed.Response.UserHandle,
	}, nil
}

// verifyAssertion has the library verify, with a copy of the record whose
// backup eligibility is the asserted one: a changed flag under a good signature
// is a finding, and the library has one error for that and for garbage.
func (rp *RelyingParty) verifyAssertion(c Ceremony, u User, s Stored, parsed *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error) {
	user := rp.person(u, webauthn.Credential{
		ID: s.Record.ID, PublicKey: s.Record.Key,
		Flags:         webauthn.CredentialFlags{BackupEligible: parsed.Response.AuthenticatorData.Flags.HasBackupEligible()},
		Authenticator: webauthn.Authenticator{SignCount: s.Count},
	})
	session := rp.session(c)
	if len(c.Allow) == 0 { // discoverable: the user handle must be there, too
		_, cred, err := rp.library.ValidatePasskeyLogin(
			func(_, _ []byte) (webauthn.User, error) { return user, nil }, session, parsed)
		return cred, err
	}
	for _, id := range c.Allow { // the library wants all of them, and gets no key but the one
		if !bytes.Equal(id, s.Record.ID) {
			user.creds = append(user.creds, webauthn.Credential{ID: id})
		}
	}
	session.UserID = u.Handle
	return rp.library.ValidateLogin(user, session, parsed)
}

// seen reports whether the authenticator saw the person and verified him.
func (rp *RelyingParty) seen(flags protocol.AuthenticatorFlags) error {
	switch {
	case !flags.HasUserPresent():
		return fmt.Errorf("%w: UP is 0", ErrNotVerified)
	case !flags.HasUserVerified() && rp.userVerification == protocol.VerificationRequired:
		return fmt.Errorf("%w: UV is 0", ErrNotVerified)
	}
	return nil
}

// detailed puts what the library only keeps for developers into the text. It
// may hold expected values, so it is for the log.
func detailed(err error) error {
	var e *protocol.Error
	if errors.As(err, &e) && e.DevInfo != "" {
		return fmt.Errorf("%w (%s)", err, e.DevInfo)
	}
	return err
}
