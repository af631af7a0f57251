package passkey

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Registration is what a verified creation says. Findings about it come from
// Policy.AppraiseRegistration.
type Registration struct {
	Record   Record
	Evidence Evidence

	BackupEligible bool // it may be synced
	BackupState    bool // it is
	PRF            bool // the client says that it has prf

	// Without Options.Models all three are zero: nobody asked for attestation.
	ModelUnknown         bool   // not allowed, or no metadata of it
	ModelStatus          string // why the model must not be used; empty: nothing is known
	AttestationUntrusted string // why the statement proves no model; empty: it does
}

// Stored is the row of a new credential.
func (r *Registration) Stored() Stored {
	return Stored{Record: r.Record, Flags: r.Record.Flags, Count: r.Record.Count}
}

// Create begins the making of a passkey for u, with none of the authenticators
// that hold one of exclude: all of the account's that are not removed. It
// returns what to store and the options for
// PublicKeyCredential.parseCreationOptionsFromJSON.
func (rp *RelyingParty) Create(p Purpose, u User, exclude []Record, now time.Time) (Ceremony, []byte, error) {
	if !p.creates() {
		return Ceremony{}, nil, fmt.Errorf("passkey: Create for purpose %q; want %s, %s, %s or %s", p, Enrol, Add, Join, Recover)
	}
	if err := u.check(); err != nil {
		return Ceremony{}, nil, err
	}
	for _, r := range exclude {
		if r.Account != u.Account {
			return Ceremony{}, nil, fmt.Errorf("passkey: Create for %s: a credential of %s in the exclude list", u.Account, r.Account)
		}
	}
	creation, session, err := rp.beginCreation(u, exclude)
	if err != nil {
		return Ceremony{}, nil, err
	}
	c, err := rp.begin(p, session, now)
	if err != nil {
		return Ceremony{}, nil, err
	}
	c.Account, c.UserHandle = u.Account, slices.Clone(u.Handle)
	options, err := json.Marshal(creation)
	if err != nil {
		return Ceremony{}, nil, fmt.Errorf("passkey: creation options: %w", err)
	}
	return c, options, nil
}

func (rp *RelyingParty) beginCreation(u User, exclude []Record) (*protocol.PublicKeyCredentialCreationOptions, *webauthn.SessionData, error) {
	opts := []webauthn.RegistrationOption{
		webauthn.WithCredentialParameters(rp.params),
		webauthn.WithExclusions(descriptors(exclude)),
		webauthn.WithExtensions(webauthn.WithExtensionCredProps(), webauthn.WithExtensionPRFSupport()),
		webauthn.WithRegistrationOrigin(rp.dialog.Origin),
	}
	if rp.dialog.Hint != "" {
		opts = append(opts, webauthn.WithPublicKeyCredentialHints([]protocol.PublicKeyCredentialHints{protocol.PublicKeyCredentialHints(rp.dialog.Hint)}))
	}
	creation, session, err := rp.library.BeginRegistration(rp.person(u), opts...)
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: Create: %w", err)
	}
	// The library derives it from hints. It would keep people from the
	// authenticator that they have.
	creation.Response.AuthenticatorSelection.AuthenticatorAttachment = ""
	return &creation.Response, session, nil
}

// VerifyCreation verifies the answer to Create.
func (rp *RelyingParty) VerifyCreation(c Ceremony, response []byte, now time.Time) (*Registration, error) {
	if err := screen(response); err != nil {
		return nil, err
	}
	if !c.Purpose.creates() || c.Extensions != creationExtensions {
		return nil, fmt.Errorf("%w: the ceremony is for %q and makes no passkey", ErrRefused, c.Purpose)
	}
	if err := (User{Account: c.Account, Handle: c.UserHandle}).check(); err != nil {
		return nil, fmt.Errorf("%w: the ceremony names nobody: %w", ErrRefused, err)
	}
	if err := rp.open(c, now); err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, detailed(err))
	}
	data := &parsed.Response.AttestationObject.AuthData
	if n := len(data.AttData.CredentialID); n == 0 || n > maxCredentialID { // WebAuthn L3 §7.1, step 25
		return nil, fmt.Errorf("%w: a credential ID of %d bytes", ErrMalformed, n)
	}
	if err := checkTransports(parsed.Raw.AttestationResponse.Transports); err != nil {
		return nil, err
	}
	if o := parsed.Response.CollectedClientData.Origin; !rp.mayComeFrom(c.Origin, o) { // WebAuthn L3 §7.1, step 9
		return nil, fmt.Errorf("%w: the response is of origin %.200q; the ceremony of %q", ErrRefused, o, c.Origin)
	}
	if err := rp.seen(data.Flags); err != nil { // WebAuthn L3 §7.1, steps 15 and 16
		return nil, err
	}
	// WebAuthn L3 §7.1, steps 7 to 24: type, challenge, cross origin, top
	// origin, RP ID, BS without BE, algorithm, extensions, attestation statement.
	// Its certificates lead nowhere yet: that is what models are for.
	user := rp.person(User{Account: c.Account, Handle: c.UserHandle})
	cred, err := rp.library.CreateCredential(user, rp.session(c), parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, detailed(err))
	}
	r, err := registration(c, parsed, cred, now)
	if err != nil {
		return nil, err
	}
	rp.models.judge(r, cred, now)
	return r, nil
}

// registration collects the facts of a verified response.
func registration(c Ceremony, parsed *protocol.ParsedCredentialCreationData, cred *webauthn.Credential, now time.Time) (*Registration, error) {
	key, err := sentKey(&parsed.Response.AttestationObject)
	if err != nil {
		return nil, err
	}
	var public webauthncose.PublicKeyData
	if err := webauthncbor.Unmarshal(key, &public); err != nil {
		return nil, fmt.Errorf("%w: credential public key: %w", ErrMalformed, err)
	}
	if err := checkKey(key); err != nil {
		return nil, fmt.Errorf("%w: credential public key: %w", ErrMalformed, detailed(err))
	}
	evidence := Evidence{cred.Attestation.Object, cred.Attestation.ClientDataJSON}
	flags := parsed.Response.AttestationObject.AuthData.Flags
	transports := make([]string, 0, len(cred.Transport))
	for _, t := range cred.Transport {
		transports = append(transports, string(t))
	}
	yes := func(b *bool) bool { return b != nil && *b }
	r := &Registration{
		Record: Record{
			RPID: c.RPID, Account: c.Account, ID: cred.ID, Key: key, Algorithm: public.Algorithm,
			Flags: byte(flags), Count: cred.Authenticator.SignCount, AAGUID: AAGUID(cred.Authenticator.AAGUID),
			Format: cred.AttestationFormat, Transports: transports, Attachment: string(cred.Authenticator.Attachment),
			ResidentKey: yes(cred.Extensions.RK), PRF: yes(cred.Extensions.PRFEnabled),
			Evidence: evidence.Sum(), At: now.UTC().Truncate(time.Microsecond),
		},
		Evidence:       evidence,
		BackupEligible: flags.HasBackupEligible(),
		BackupState:    flags.HasBackupState(),
		PRF:            yes(cred.Extensions.PRFEnabled),
	}
	return r, r.Record.check()
}

// sentKey returns the credential public key as the authenticator wrote it. The
// library writes it anew. It lies between the credential ID and the extensions.
// WebAuthn L3 §6.5.2
func sentKey(o *protocol.AttestationObject) ([]byte, error) {
	raw, id := o.RawAuthData, o.AuthData.AttData.CredentialID
	from, to := 37+16+2+len(id), len(raw)-len(o.AuthData.ExtData)
	if from >= to {
		return nil, fmt.Errorf("%w: no credential public key", ErrMalformed)
	}
	return bytes.Clone(raw[from:to]), nil
}
