package passkey

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/staunchid/staunch/account"
)

// lifetime is how long a ceremony may take, for the browser and for us.
const lifetime = 5 * time.Minute

// Options say for whom a RelyingParty speaks. All but AppOrigins and Models is
// required.
type Options struct {
	App  account.AppID
	RPID string // the domain that passkeys are bound to: "example.org"
	Name string // what system prompts call the app

	// Origins are those of the app's pages, as browsers write them:
	// "https://accounts.example.org". http is for localhost alone. An iOS app
	// speaks for "https://" and the RP ID.
	Origins []string

	// AppOrigins are those of Android apps: "android:apk-key-hash:" and the
	// base64url of the SHA-256 of the signing certificate.
	AppOrigins []string

	Policy Policy  // what becomes of findings; the zero value refuses at each
	Models *Models // which authenticator models may be registered; nil: any, and no attestation is asked for
}

// RelyingParty makes and verifies ceremonies of one app. It never changes and
// is safe for concurrent use.
type RelyingParty struct {
	app     account.AppID
	name    string
	library *webauthn.WebAuthn
	policy  Policy
	models  *Models
	related []byte // the document of RelatedOrigins
	dialog  Dialog

	params           []protocol.CredentialParameter
	userVerification protocol.UserVerificationRequirement // required; tests with foreign vectors ask for less
}

// New checks o and returns its RelyingParty.
func New(o *Options) (*RelyingParty, error) {
	if err := o.App.Validate(); err != nil {
		return nil, fmt.Errorf("passkey: Options.App: %w", err)
	}
	if o.Name == "" {
		return nil, errors.New("passkey: Options.Name is empty; system prompts show it")
	}
	related, err := relatedOrigins(o.Origins)
	if err != nil {
		return nil, err
	}
	for _, origin := range o.AppOrigins {
		if !protocol.IsKnownOpaqueOrigin(origin) {
			return nil, fmt.Errorf(`passkey: Options.AppOrigins: %q is not the origin of an app; want "android:apk-key-hash:…"`, origin)
		}
	}
	if err := o.Models.check(); err != nil {
		return nil, err
	}
	attestation := protocol.PreferNoAttestation
	if o.Models != nil {
		attestation = protocol.PreferDirectAttestation
	}
	timeout := webauthn.TimeoutConfig{Timeout: lifetime, TimeoutUVD: lifetime}
	library, err := webauthn.New(&webauthn.Config{
		RPID:                  o.RPID,
		RPDisplayName:         o.Name,
		RPOrigins:             slices.Clone(o.Origins),
		RPOpaqueOrigins:       slices.Clone(o.AppOrigins),
		AttestationPreference: attestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification:   protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
	})
	if err != nil {
		return nil, fmt.Errorf("passkey: Options: %w", err)
	}
	if err := protocol.ValidateRPID(o.RPID); err != nil {
		return nil, fmt.Errorf("passkey: Options.RPID %q: %w", o.RPID, err)
	}
	return &RelyingParty{
		app: o.App, name: o.Name, library: library, policy: o.Policy, models: o.Models, related: related,
		params: webauthn.CredentialParametersRecommendedL3(), userVerification: protocol.VerificationRequired,
	}, nil
}

// RPID returns the RP ID, which stands in every ceremony and record.
func (rp *RelyingParty) RPID() string { return rp.library.Config.RPID }

// Policy returns what becomes of findings.
func (rp *RelyingParty) Policy() *Policy { return &rp.policy }

// Hint says which button the person pressed (WebAuthn L3 §5.8.7).
type Hint string

// The hints; "" is none.
const (
	SecurityKey  Hint = "security-key"
	ClientDevice Hint = "client-device"
	Hybrid       Hint = "hybrid"
)

// Dialog is how and where the person is asked. The zero Dialog is that of an
// app, which has no page.
type Dialog struct {
	// Origin is that of the page, one of Options.Origins: by the config for the
	// host that serves the page, never from a header. It binds the ceremony to
	// the page, and app origins are refused. Empty: an app asks.
	Origin string

	Hint Hint // creations only

	// PRF names what the client wraps with its passkey, at most two purposes;
	// requests only. Results stay with the client, see PRFSalt.
	PRF []string
}

// For returns a RelyingParty whose ceremonies are begun as d says.
func (rp *RelyingParty) For(d Dialog) (*RelyingParty, error) {
	if d.Origin != "" && !slices.Contains(rp.library.Config.RPOrigins, d.Origin) {
		return nil, fmt.Errorf("passkey: Dialog.Origin %q is none of Options.Origins", d.Origin)
	}
	switch d.Hint {
	case "", SecurityKey, ClientDevice, Hybrid:
	default:
		return nil, fmt.Errorf("passkey: Dialog.Hint %q; want %s, %s, %s or none", d.Hint, SecurityKey, ClientDevice, Hybrid)
	}
	if len(d.PRF) > 2 || slices.Contains(d.PRF, "") {
		return nil, fmt.Errorf("passkey: Dialog.PRF %q; want at most two names of purposes", d.PRF)
	}
	bound := *rp
	bound.dialog = Dialog{d.Origin, d.Hint, slices.Clone(d.PRF)}
	return &bound, nil
}
