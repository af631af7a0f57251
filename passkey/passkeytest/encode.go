package passkeytest

import (
	"crypto/x509"
	"slices"

	"github.com/staunchid/staunch/internal/cbor"
)

// encodeCreation makes the answer of create(): PublicKeyCredential with
// AuthenticatorAttestationResponse (WebAuthn L3 §5.2.1).
func (d *Draft) encodeCreation(m *maker) ([]byte, error) {
	clientData, err := d.clientData()
	if err != nil {
		return nil, err
	}
	key, err := d.Credential.PublicKey()
	if err != nil {
		return nil, err
	}
	attested := attestedCredentialData(d.AAGUID[:], d.CredentialID, d.edited(CredentialKey, key))
	authData, err := d.authenticatorData(attested)
	if err != nil {
		return nil, err
	}
	attestation, err := d.attestationObject(m, authData, d.hash(clientData))
	if err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(d.Credential.key.Public())
	if err != nil {
		return nil, err
	}
	return d.response(map[string]any{
		"clientDataJSON": encode(clientData), "attestationObject": encode(attestation),
		"authenticatorData": encode(authData), "transports": d.Transports,
		"publicKey": encode(spki), "publicKeyAlgorithm": d.Credential.Algorithm,
	})
}

// encodeAssertion makes the answer of get(): PublicKeyCredential with
// AuthenticatorAssertionResponse (WebAuthn L3 §5.2.2).
func (d *Draft) encodeAssertion() ([]byte, error) {
	clientData, err := d.clientData()
	if err != nil {
		return nil, err
	}
	authData, err := d.authenticatorData(nil)
	if err != nil {
		return nil, err
	}
	sig, err := d.signature(slices.Concat(authData, d.hash(clientData)))
	if err != nil {
		return nil, err
	}
	inner := map[string]any{
		"clientDataJSON": encode(clientData), "authenticatorData": encode(authData), "signature": encode(sig),
	}
	if d.UserHandle != nil {
		inner["userHandle"] = encode(d.UserHandle)
	}
	return d.response(inner)
}

func (d *Draft) authenticatorData(attested []byte) ([]byte, error) {
	var extensions []byte
	if d.Extensions != nil {
		var err error
		if extensions, err = cbor.Marshal(d.Extensions); err != nil {
			return nil, err
		}
		extensions = d.edited(Extensions, extensions)
		d.Flags |= ExtensionData
	}
	return d.edited(AuthenticatorData, authenticatorData(d.rpIDHash(), d.Flags, d.SignCount, attested, extensions)), nil
}

// attestationObject is WebAuthn L3 §6.5.4.
func (d *Draft) attestationObject(m *maker, authData, hash []byte) ([]byte, error) {
	format, statement, err := d.statement(m, authData, hash)
	if err != nil {
		return nil, err
	}
	if d.Format != "" {
		format = d.Format
	}
	object := map[string]any{"fmt": format, "attStmt": statement, "authData": authData}
	for _, f := range d.fieldsOf("attestationObject") {
		if err := setIn(object, f); err != nil {
			return nil, err
		}
	}
	if len(d.edits[Statement]) > 0 {
		encoded, err := cbor.Marshal(object["attStmt"])
		if err != nil {
			return nil, err
		}
		object["attStmt"] = cbor.RawMessage(d.edited(Statement, encoded))
	}
	encoded, err := cbor.Marshal(object)
	if err != nil {
		return nil, err
	}
	return d.edited(AttestationObject, encoded), nil
}
