package appattest

import (
	"crypto/x509"
	"time"
)

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
	return nil, ErrMalformed
}
