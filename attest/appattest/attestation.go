package appattest

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"fmt"
	"time"
)

// maxClientDataHash bounds a raw challenge that takes the place of a hash.
const maxClientDataHash = 128

// Expect is what the caller knows and the attestation must agree with.
type Expect struct {
	// ClientDataHash is what the app gave to attestKey: 1 to 128 bytes. It is
	// required. Usually it is SHA-256 of the challenge; in Apple's Attestation
	// Object Validation Guide it is the challenge itself.
	ClientDataHash []byte
	// KeyID is the identifier the app sent beside the object. If it is empty,
	// the object's own identifier is only compared with its own key.
	KeyID []byte
	// Roots are the trusted keys; the zero value trusts none.
	Roots Roots
	// Cache saves the verification of CA 1. nil: none.
	Cache Cache
}

// ACL says what the access control list of the key (extension .8.6) holds.
type ACL string

// The values of an ACL; empty if the leaf could not be read.
const (
	ACLAbsent ACL = "absent"
	ACLMatch  ACL = "match" // Full Security and SIP on macOS
	ACLOther  ACL = "other"
)

// Attestation is what an attestation object says. After a [*Failure] these are
// claims that nobody verified; what could not be read is nil or empty.
type Attestation struct {
	Chain []*x509.Certificate // as sent, leaf first; nil if there were none or more than three

	KeySPKI  []byte // DER SubjectPublicKeyInfo of the leaf
	KeyPoint []byte // 65 bytes, uncompressed; nil if the key is not on P-256
	KeyID    []byte // SHA-256 of KeyPoint

	// RPIDHash is SHA-256 of the app id (team id "." bundle id). It is nil if
	// the authenticator data could not be read; then the fields up to
	// Extensions are empty, too.
	RPIDHash     []byte
	Flags        byte
	Counter      uint32
	AAGUID       []byte
	Environment  Environment // of AAGUID; empty if it is neither
	CredentialID []byte
	Extensions   *Extensions // nil: none written, or unreadable

	OSVersion, OSBuild, Platform string // of extension .8.7, undocumented; empty: not stated
	ACL                          ACL    // of extension .8.6
	ACLValue                     []byte // its value in DER; nil: absent
	Receipt                      []byte // CMS for VerifyReceipt; nil: absent
}

// VerifyAttestation verifies an attestation object at now.
//
// The error wraps [ErrMalformed] or [ErrUnsupported], and then the Attestation
// is nil; or it is a [*Failure], and then the Attestation holds what the
// object claims.
func VerifyAttestation(object []byte, want *Expect, now time.Time) (*Attestation, error) {
	if want == nil || !goodClientDataHash(want.ClientDataHash) {
		return nil, fmt.Errorf("%w: client data hash: 1 to %d bytes are required", ErrMalformed, maxClientDataHash)
	}
	o, err := parseObject(object)
	if err != nil {
		return nil, err
	}
	if failure := o.verify(want, now); failure != nil {
		return o.claims(), failure
	}
	return o.claims(), nil
}

// verify is every check, in the order of Apple's page "Validating apps that
// connect to your server", section "Verify the attestation".
func (o *object) verify(want *Expect, now time.Time) *Failure {
	// Step 1: the certificates, up to the trusted key.
	if failure := verifyChain(o.chain, want.Roots.Attestation, want.Cache, now); failure != nil {
		return failure
	}
	leaf := o.chain[0]

	// Steps 2 to 4: the leaf is bound to authenticator data and client data.
	written, ok := nonce(leaf)
	if !ok {
		return failAt(0, NonceMissing, "no 32-byte nonce in extension .8.2")
	}
	if expected := nonceOf(o.authData, want.ClientDataHash); subtle.ConstantTimeCompare(written, expected[:]) != 1 {
		return failAt(0, NonceMismatch, "made for other client data or authenticator data")
	}

	// WebAuthn L3 §6.1: the authenticator data is of the form that App Attest writes.
	if o.authDataFailure != nil {
		return o.authDataFailure
	}
	d := o.parsed

	// Step 5: the key identifier is SHA-256 of the leaf's key.
	point, ok := p256Point(leaf.PublicKey)
	if !ok {
		return failAt(0, KeyIDMismatch, "the key is not on P-256")
	}
	id := keyIDOf(point)
	if len(want.KeyID) != 0 && subtle.ConstantTimeCompare(id, want.KeyID) != 1 {
		return fail(KeyIDMismatch, "the key is not the expected one")
	}
	// Step 9: the credential id is the key identifier; and the credential public key is the leaf's.
	if subtle.ConstantTimeCompare(id, d.credentialID) != 1 {
		return fail(CredentialIDMismatch, "the credential id is not that of the leaf's key")
	}
	if !coseKeyIs(d.coseKey, point) {
		return fail(COSEKeyMismatch, "the credential public key is not the leaf's")
	}
	// Step 7: the counter. Step 6, the app, is the caller's.
	if d.counter != 0 {
		return fail(CounterNotZero, "counter %d", d.counter)
	}
	// Step 8: the AAGUID. Which of the two it may be is the caller's.
	if environment(d.aaguid) == "" {
		return fail(AAGUIDUnknown, "%x", d.aaguid)
	}
	return nil
}

// nonceOf is SHA-256 of the authenticator data and the client data hash.
func nonceOf(authData, clientDataHash []byte) [32]byte {
	var buf [512]byte
	return sha256.Sum256(append(append(buf[:0], authData...), clientDataHash...))
}

func goodClientDataHash(b []byte) bool { return len(b) >= 1 && len(b) <= maxClientDataHash }
