// Package android verifies Android Key Attestation: the certificate chain with
// which a phone's key store vouches for a key that it holds.
//
// # What it answers
//
// [Verify] takes the chain, leaf first, and tells whether the key store of a
// phone with a Google-provisioned attestation key signed it, for this
// challenge, and what it says of the key: its security level, its origin, the
// state of the boot chain, patch levels, the app that made it. These facts are
// in [Attestation]; the KeyDescription is kept whole.
//
// It judges authenticity and nothing else. Whether an unlocked phone, an old
// patch level or a foreign package is acceptable is the caller's policy
// (package attest has one). Departures from RFC 5280 that good phones show and
// that do not touch authenticity, such as a batch certificate without the CA
// bit, are reported as [Deviation], and the caller decides about them too.
//
// # What it refuses
//
// A failed check ends verification with a [*Failure], whose code no policy can
// overrule: an unknown or software root, a bad signature, a revoked
// certificate, a chain of another length than the phone's provisioning method
// gives, a KeyDescription anywhere but in the leaf, an expired certificate of
// remote provisioning, another challenge. Bytes that cannot be read as
// certificates at all are [ErrMalformed]: "cannot tell" is not a verdict.
//
// Verification is a function of chain, options and time. It reads no clock,
// opens no connection and keeps no state but the optional [Cache].
//
// # Specifications
//
// "Verify hardware-backed key pairs with key attestation" and the attestation
// schema of the Android Open Source Project, keystore versions 1 to 4 and
// KeyMint versions 100 to 500; RFC 5280 where the rules name it. Departures
// from Google's reference verifier are listed in docs/divergences/android.md.
package android

import (
	"errors"
	"fmt"
	"time"
)

// ErrMalformed: what was sent cannot be read as a chain of certificates. The
// sender must send something else; nothing can be said of the phone.
var ErrMalformed = errors.New("android: malformed certificate chain")

// Provisioning is how the phone came by its attestation key.
type Provisioning string

// The ways of provisioning, told by the Subject of the certificate under the
// root.
const (
	Unprovisioned Provisioning = "none"     // neither of the others
	Factory       Provisioning = "factory"  // a batch key put in at the factory, shared by many phones
	RKP           Provisioning = "rkp"      // remote key provisioning: short-lived certificates, one key a phone
	SoftwareOnly  Provisioning = "software" // under the public AOSP software root
)

// Options say what a chain is verified against. The zero Options refuse
// everything.
type Options struct {
	Roots     Roots       // trusted keys, usually GoogleRoots()
	Status    *StatusList // Google's attestation status list
	Challenge []byte      // what attestationChallenge must be
	Cache     *Cache      // of verified issuers; nil: none

	DangerousNoStatus     bool // verify without a Status: revoked keys pass
	DangerousAnyChallenge bool // do not compare the challenge: replays pass
}

// Attestation is what a verified chain says.
type Attestation struct {
	Chain        []*Certificate // as sent, leaf first
	Root         int            // position of the root: of the last certificate, or one more when it was omitted
	Provisioning Provisioning
	Deviations   []Deviation // in the order of the checks
	Listed       []Listed    // certificates with a status other than REVOKED
	Description  *KeyDescription

	// Info is the provisioning info of the batch certificate, for RKP chains
	// that have it. InfoUnreadable is set when it is there and cannot be read.
	Info           *ProvisioningInfo
	InfoUnreadable bool

	RPIDHash []byte // of a WebAuthn object's authenticator data; nil for a bare chain
}

// Leaf is the certificate of the attested key.
func (a *Attestation) Leaf() *Certificate { return a.Chain[0] }

// Batch is the certificate that signed the leaf: the phone's attestation key.
func (a *Attestation) Batch() *Certificate { return a.Chain[1] }

// Listed is a certificate that the status list names with a status other than
// REVOKED.
type Listed struct {
	Position int
	Status   string // "SUSPENDED", or a text that this release does not know
}

// Failure is a check that failed: authenticity is not established, and no
// policy may accept what Unverified says.
type Failure struct {
	Code     string // stable, of the table in docs/findings.md, without the platform
	Position int    // of the certificate, or -1
	Detail   string // for people

	// Unverified is what could be read before the check failed. Its Description
	// is nil if the leaf holds none that parses. Nobody vouches for it.
	Unverified *Attestation
}

func (f *Failure) Error() string {
	if f.Position < 0 {
		return fmt.Sprintf("android: %s: %s", f.Code, f.Detail)
	}
	return fmt.Sprintf("android: %s at position %d: %s", f.Code, f.Position, f.Detail)
}

// Codes of a Failure. ChallengeMismatch is the one that other formats share.
const (
	CodeChainLength        = "chain_length"
	CodeChainExtended      = "chain_extended"
	CodeSoftwareRoot       = "software_root"
	CodeRootUnknown        = "root_unknown"
	CodeSignature          = "signature"
	CodeSignatureAlgorithm = "signature_algorithm"
	CodeIssuerName         = "issuer_name"
	CodeCertNotYetValid    = "cert_not_yet_valid"
	CodeCertExpired        = "cert_expired"
	CodeRevoked            = "revoked"
	CodeKDMissing          = "kd_missing"
	CodeKDMalformed        = "kd_malformed"
	CodeChallengeMismatch  = "challenge_mismatch"
	CodeWebAuthnAuthData   = "webauthn_auth_data"
	CodeWebAuthnSignature  = "webauthn_signature"
	CodeWebAuthnKey        = "webauthn_key"
)

// fail returns a Failure at a position.
func fail(code string, position int, format string, args ...any) *Failure {
	return &Failure{Code: code, Position: position, Detail: fmt.Sprintf(format, args...)}
}

// date writes a time in a Failure's detail.
func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }
