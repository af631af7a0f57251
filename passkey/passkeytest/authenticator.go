package passkeytest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Options say what kind of authenticator New makes. The zero value is the
// platform authenticator of a phone, with a device-bound passkey.
type Options struct {
	// Algorithm is the COSE algorithm of new credentials, whether the Relying
	// Party offers it or not. 0 takes the first one offered of ES256 (-7), EdDSA
	// (-8) and RS256 (-257). Also known: ES384 (-35), ES512 (-36), PS256, PS384
	// and PS512 (-37, -38, -39), RS384 and RS512 (-258, -259), RS1 (-65535).
	Algorithm int

	// Synced makes passkeys that are backup eligible and backed up.
	Synced bool

	// Count makes the signature counter go up by one with each answer.
	Count bool

	// AAGUID is the model of the authenticator.
	AAGUID [16]byte

	// Attestation is the statement that comes with new credentials, whatever
	// the Relying Party asks for.
	Attestation Attestation

	// Attachment is platform if empty, else cross-platform.
	Attachment string

	// Transports are internal and hybrid if nil.
	Transports []string

	// Credentials are passkeys that it has from the start.
	Credentials []Credential
}

// Authenticator holds passkeys. It is safe for concurrent use.
type Authenticator struct {
	opts  Options
	maker *maker // of attestation certificates

	mu    sync.Mutex
	creds []Credential // guarded by mu; the newest comes last
}

// New makes an authenticator.
func New(o *Options) (*Authenticator, error) {
	a := &Authenticator{opts: *o, maker: &maker{}}
	if o.Algorithm != 0 && hashOf(o.Algorithm) == nil {
		return nil, fmt.Errorf("passkeytest: Options.Algorithm %d is none that this authenticator can do", o.Algorithm)
	}
	if a.opts.Attachment == "" {
		a.opts.Attachment = "platform"
	}
	if a.opts.Transports == nil {
		a.opts.Transports = []string{"hybrid", "internal"}
	}
	for _, c := range o.Credentials {
		if err := c.check(); err != nil {
			return nil, err
		}
		a.creds = append(a.creds, c.clone())
	}
	a.opts.Credentials = nil
	return a, nil
}

// Credentials returns copies of the passkeys, the newest last.
func (a *Authenticator) Credentials() []Credential {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]Credential, len(a.creds))
	for i, c := range a.creds {
		all[i] = c.clone()
	}
	return all
}

// Root returns the certificate (DER) that attests the authenticator when its
// attestation is Certified, U2F or TPM. Each authenticator has a root of its own.
func (a *Authenticator) Root() ([]byte, error) {
	if err := a.maker.make(a.opts.AAGUID); err != nil {
		return nil, err
	}
	return a.maker.root, nil
}

// Create answers creation options with a new passkey, as
// navigator.credentials.create() does for a page of this origin.
func (a *Authenticator) Create(optionsJSON []byte, origin string, changes ...Change) ([]byte, error) {
	var o creationOptions
	if err := parseOptions(optionsJSON, &o); err != nil {
		return nil, err
	}
	alg, err := a.algorithm(o.Params)
	if err != nil {
		return nil, err
	}
	for _, e := range o.Exclude { // WebAuthn L3 §6.3.2, step 3
		if slices.ContainsFunc(a.Credentials(), func(c Credential) bool { return c.RPID == o.RP.ID && bytes.Equal(c.ID, e.ID) }) {
			return nil, errors.New("passkeytest: excludeCredentials names a passkey of this authenticator: the account has one here already")
		}
	}
	cred := Credential{
		ID: make([]byte, 32), RPID: o.RP.ID, UserHandle: o.User.ID, Algorithm: alg,
		BackupEligible: a.opts.Synced, BackupState: a.opts.Synced,
	}
	rand.Read(cred.ID)
	if cred.key, err = generateKey(alg); err != nil {
		return nil, err
	}
	if a.opts.Count {
		cred.SignCount = 1
	}
	d, err := a.draftCreation(&o, &cred, origin)
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		change(d)
	}
	response, err := d.encodeCreation(a.maker)
	if err != nil {
		return nil, err
	}
	cred.ID, cred.SignCount = bytes.Clone(d.CredentialID), d.SignCount
	a.mu.Lock()
	defer a.mu.Unlock()
	a.creds = append(a.creds, cred)
	return response, nil
}

// Get answers request options with an assertion, as
// navigator.credentials.get() does for a page of this origin. Without
// allowCredentials it takes the newest passkey for the RP ID.
func (a *Authenticator) Get(optionsJSON []byte, origin string, changes ...Change) ([]byte, error) {
	var o requestOptions
	if err := parseOptions(optionsJSON, &o); err != nil {
		return nil, err
	}
	cred, err := a.next(&o)
	if err != nil { // Use may still name one that the options do not allow
		cred = &Credential{RPID: o.RPID, UserHandle: []byte{}}
	}
	d := a.draftAssertion(&o, cred, origin)
	for _, change := range changes {
		change(d)
	}
	if d.Credential.key == nil {
		return nil, err
	}
	return d.encodeAssertion()
}

// next finds the passkey for the options, counts the use and returns a copy.
func (a *Authenticator) next(o *requestOptions) (*Credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := len(a.creds) - 1; i >= 0; i-- {
		c := &a.creds[i]
		if c.RPID != o.RPID {
			continue
		}
		if len(o.Allow) != 0 && !slices.ContainsFunc(o.Allow, func(d descriptor) bool { return bytes.Equal(d.ID, c.ID) }) {
			continue
		}
		if a.opts.Count {
			c.SignCount++
		}
		found := c.clone()
		return &found, nil
	}
	return nil, fmt.Errorf("passkeytest: no passkey for RP ID %q that the options allow; make one with Create", o.RPID)
}

// algorithm picks one of those that the Relying Party offers, in its order.
func (a *Authenticator) algorithm(offered []parameter) (int, error) {
	if a.opts.Algorithm != 0 {
		return a.opts.Algorithm, nil
	}
	for _, p := range offered {
		if p.Type == publicKey && slices.Contains([]int{algES256, algEdDSA, algRS256}, p.Algorithm) {
			return p.Algorithm, nil
		}
	}
	return 0, errors.New("passkeytest: pubKeyCredParams offers none of ES256, EdDSA and RS256")
}
