package passkeytest

import (
	"crypto/sha256"
	"crypto/x509"
	"maps"
	"slices"
)

// The flags of authenticator data (WebAuthn L3 §6.1).
const (
	UserPresent    byte = 0x01 // UP
	UserVerified   byte = 0x04 // UV
	BackupEligible byte = 0x08 // BE
	BackupState    byte = 0x10 // BS
	AttestedData   byte = 0x40 // AT: set when a credential is made
	ExtensionData  byte = 0x80 // ED: set by itself when Draft.Extensions is
)

// Draft is an answer while it can still be changed. Create and Get fill it in
// for a good answer and then let the changes work on it, in their order.
type Draft struct {
	// Client data (WebAuthn L3 §5.8.1).
	Type        string
	Challenge   []byte
	Origin      string
	CrossOrigin bool   // true; false is written as browsers do
	TopOrigin   string // left out if empty

	// Authenticator data (WebAuthn L3 §6.1).
	RPID         string // its SHA-256 is written
	Flags        byte
	SignCount    uint32
	AAGUID       [16]byte // as all fields of attested credential data: Create only
	CredentialID []byte
	Extensions   map[string]any // outputs of authenticator extensions, written as CBOR

	// Credential is the passkey; Sign makes the signature, with its key or the
	// attestation's. Use sets both, and what belongs to them, to another passkey.
	Credential *Credential
	Sign       func(message []byte) ([]byte, error)

	// SignedHash is what is signed after the authenticator data; nil: the
	// SHA-256 of the client data.
	SignedHash []byte

	// Create: the attestation statement (WebAuthn L3 §6.5, §8). Intermediate is
	// for Certified, Chain for Certified and TPM.
	Attestation  Attestation
	Format       string                        // fmt, if it is not that of Attestation
	Leaf         func(*x509.Certificate)       // changes the template of the leaf
	Intermediate func(*x509.Certificate)       // the same of the CA between leaf and root
	Chain        func(chain [][]byte) [][]byte // changes x5c; it gets all up to the root

	// The response (WebAuthn L3 §5.1).
	UserHandle       []byte // Get only; nil: left out
	Attachment       string
	Transports       []string // Create only
	ClientExtensions map[string]any

	fields []field // set and removed by name
	edits  map[Part][]func([]byte) []byte
}

func (a *Authenticator) draftCreation(o *creationOptions, c *Credential, origin string) (*Draft, error) {
	d := a.draft("webauthn.create", o.Challenge, origin, c)
	d.Flags |= AttestedData
	d.AAGUID = a.opts.AAGUID
	d.Attestation = a.opts.Attestation
	d.Transports = slices.Clone(a.opts.Transports)
	if _, asked := o.Extensions["credProps"]; asked { // WebAuthn L3 §10.1.3
		d.ClientExtensions["credProps"] = map[string]any{"rk": true}
	}
	if _, asked := o.Extensions["prf"]; asked { // WebAuthn L3 §10.1.4
		d.ClientExtensions["prf"] = map[string]any{"enabled": true}
	}
	if d.Attestation.certified() {
		if err := a.maker.make(a.opts.AAGUID); err != nil {
			return nil, err
		}
		d.Sign = a.maker.sign
	}
	return d, nil
}

func (a *Authenticator) draftAssertion(o *requestOptions, c *Credential, origin string) *Draft {
	d := a.draft("webauthn.get", o.Challenge, origin, c)
	d.UserHandle = c.UserHandle
	return d
}

func (a *Authenticator) draft(kind string, challenge []byte, origin string, c *Credential) *Draft {
	return &Draft{
		Type: kind, Challenge: challenge, Origin: origin,
		RPID: c.RPID, Flags: c.flags(), SignCount: c.SignCount, CredentialID: c.ID,
		Credential: c, Sign: c.Sign,
		Attachment: a.opts.Attachment, ClientExtensions: map[string]any{},
	}
}

// clientData is the JSON of the client data, its members in the order that
// WebAuthn L3 §5.8.1.1 fixes.
func (d *Draft) clientData() ([]byte, error) {
	o := object{
		{"type", d.Type}, {"challenge", encode(d.Challenge)}, {"origin", d.Origin}, {"crossOrigin", d.CrossOrigin},
	}
	if d.TopOrigin != "" {
		o = append(o, member{"topOrigin", d.TopOrigin})
	}
	for _, f := range d.fieldsOf("clientData") {
		o = o.apply(f)
	}
	text, err := o.MarshalJSON()
	return d.edited(ClientData, text), err
}

// rpIDHash is the first part of authenticator data.
func (d *Draft) rpIDHash() []byte {
	sum := sha256.Sum256([]byte(d.RPID))
	return sum[:]
}

// signature is over authenticator data and the hash of the client data
// (WebAuthn L3 §6.3.3, step 11, and §8.2).
func (d *Draft) signature(message []byte) ([]byte, error) {
	sig, err := d.Sign(message)
	return d.edited(Signature, sig), err
}

// hash is the hash of the client data that is signed.
func (d *Draft) hash(clientData []byte) []byte {
	if d.SignedHash != nil {
		return d.SignedHash
	}
	sum := sha256.Sum256(clientData)
	return sum[:]
}

// response is what both answers have in common, as toJSON() gives it.
func (d *Draft) response(inner map[string]any) ([]byte, error) {
	outer := map[string]any{
		"id": encode(d.CredentialID), "rawId": encode(d.CredentialID), "type": publicKey,
		"clientExtensionResults": maps.Clone(d.ClientExtensions), "response": inner,
	}
	if d.Attachment != "" {
		outer["authenticatorAttachment"] = d.Attachment
	}
	for _, f := range d.fieldsOf("") {
		if err := setIn(outer, f); err != nil {
			return nil, err
		}
	}
	text, err := marshal(outer)
	return d.edited(Response, text), err
}
