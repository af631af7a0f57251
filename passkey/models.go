package passkey

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Models say which models of authenticator may be registered. An app that has
// them asks for attestation ("direct"), which some people will be asked about.
// The lists work without metadata, but then nobody vouches for an AAGUID, and
// each registration has the finding attestation_untrusted.
type Models struct {
	Allow    []AAGUID  // if not empty, all others are model_unknown
	Deny     []AAGUID  // these are model_status
	Metadata *Metadata // what the FIDO Alliance knows, see ParseMetadata; nil: nothing
}

// check reports lists that cannot be meant.
func (m *Models) check() error {
	if m == nil {
		return nil
	}
	for _, a := range m.Deny {
		if slices.Contains(m.Allow, a) {
			return fmt.Errorf("passkey: Options.Models: %s is allowed and denied", a)
		}
	}
	if m.Metadata == nil && len(m.Allow) == 0 && len(m.Deny) == 0 {
		return errors.New("passkey: Options.Models is empty; name models, give metadata, or leave it out to take any")
	}
	return nil
}

// Recheck judges a stored credential anew, after a new blob of metadata or
// other lists. Only the three facts about the model and the record are set.
func (m *Models) Recheck(record Record, evidence Evidence, now time.Time) (*Registration, error) {
	if m == nil {
		return nil, errors.New("passkey: Recheck without models")
	}
	if evidence.Sum() != record.Evidence {
		return nil, errors.New("passkey: Recheck: the evidence is not that of the record")
	}
	response := protocol.AuthenticatorAttestationResponse{
		AuthenticatorResponse: protocol.AuthenticatorResponse{ClientDataJSON: evidence.ClientData},
		AttestationObject:     evidence.AttestationObject,
	}
	parsed, err := response.Parse()
	if err != nil {
		return nil, fmt.Errorf("passkey: Recheck: %w", err)
	}
	key, err := sentKey(&parsed.AttestationObject)
	if err != nil {
		return nil, err
	}
	data := parsed.AttestationObject.AuthData.AttData
	if !bytes.Equal(key, record.Key) || !bytes.Equal(data.CredentialID, record.ID) || AAGUID(data.AAGUID) != record.AAGUID {
		return nil, errors.New("passkey: Recheck: key, ID or AAGUID of the record are not those of its evidence")
	}
	r := &Registration{Record: record, Evidence: evidence}
	m.judge(r, &webauthn.Credential{
		ID: data.CredentialID, PublicKey: data.CredentialPublicKey, AttestationFormat: parsed.AttestationObject.Format,
		Attestation: webauthn.CredentialAttestation{Object: evidence.AttestationObject, ClientDataJSON: evidence.ClientData},
	}, now)
	return r, nil
}

// judge sets what the models say of a credential whose statement is well formed.
func (m *Models) judge(r *Registration, cred *webauthn.Credential, now time.Time) {
	if m == nil {
		return
	}
	model := r.Record.AAGUID
	entry := m.Metadata.entry(model)
	switch {
	case slices.Contains(m.Deny, model):
		r.ModelStatus = "denied by the app"
	case entry != nil:
		// FIDO Metadata Service 3.1.1, Section 3.1.4: a status once reported stays.
		err := metadata.ValidateStatusReportsAt(entry.StatusReports, nil, metadata.DefaultUndesiredAuthenticatorStatuses(), now)
		if err != nil {
			r.ModelStatus = err.Error()
		}
	}
	r.ModelUnknown = len(m.Allow) > 0 && !slices.Contains(m.Allow, model) || m.Metadata != nil && entry == nil
	if err := m.Metadata.vouches(cred); err != nil {
		r.AttestationUntrusted = err.Error()
	}
}

// vouches reports whether the attestation of cred leads to a root that the
// metadata of its model names. WebAuthn L3 §7.1, step 24
func (d *Metadata) vouches(cred *webauthn.Credential) error {
	if d == nil {
		return errors.New("there is no metadata")
	}
	// Anybody can write the AAGUID of another model into a statement without
	// certificates, so none of these says anything about a model.
	checked := *cred
	checked.AttestationType = ""
	if err := checked.VerifyAttestationType(protocol.AttestationPolicy{}, protocol.SignaturePolicy{}); err != nil {
		return detailed(err)
	}
	switch metadata.AuthenticatorAttestationType(checked.AttestationType) {
	case metadata.BasicFull, metadata.AttCA, metadata.AnonCA:
	default:
		return fmt.Errorf("attestation of type %q has no certificates", checked.AttestationType)
	}
	if err := checked.Verify(d.provider, protocol.AttestationPolicy{}, protocol.SignaturePolicy{}); err != nil {
		return detailed(err)
	}
	return nil
}
