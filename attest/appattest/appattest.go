// Package appattest verifies Apple App Attest: the attestation that a phone
// sends once for a new key, the assertions it signs with that key afterwards,
// and the receipts that Apple's server exchanges for a risk metric.
//
// Everything is a function of its arguments. Nothing is fetched, logged or
// remembered (but for one fact in an optional [Cache]), and the only clock is
// the caller's.
//
//	att, err := appattest.VerifyAttestation(object, &appattest.Expect{
//		ClientDataHash: hash[:], // SHA-256 of the challenge
//		KeyID:          keyID,   // what the app sent beside the object
//		Roots:          appattest.AppleRoots(),
//	}, now)
//	if failure, ok := errors.AsType[*appattest.Failure](err); ok {
//		// not genuine: failure.Code says which check failed, and att holds
//		// what the object claims, unverified
//	} else if err != nil {
//		// cannot tell: the bytes are no attestation object
//	}
//
// # What it checks
//
// The chain up to a pinned key, the binding of the leaf certificate to the
// authenticator data and the client data, the authenticator data itself, and
// that the key, its identifier and the credential are one and the same. The
// checks stand in the order of Apple's page "Validating apps that connect to
// your server"; verification stops at the first that fails.
//
// # What it does not check
//
// Whose app it is, in which environment, of which validation category and
// bundle version, whether a counter is greater than the last one, whether a
// receipt is young: those are facts of [Attestation], [Assertion] and
// [Receipt] that the caller compares with what it expects. A result without an
// error means "Apple vouches for this key", not "this is our app": who does
// not compare RPIDHash accepts every app in the world.
//
// The extended key usage of the leaf is not judged (leafs of 2026 carry
// 1.2.840.113635.100.4.24, others none), nor are unknown extensions, critical
// or not. Certificates are not looked up anywhere: Apple publishes no
// revocation of App Attest keys.
//
// # Errors
//
// [ErrMalformed] means the bytes are not what they should be and nothing can
// be told; [ErrUnsupported] means they are a WebAuthn attestation object of
// another format. A [*Failure] means they were read, and found wrong.
package appattest

import (
	"errors"
	"fmt"
)

// Errors that mean "cannot tell".
var (
	// ErrMalformed: a container (the CBOR, a certificate, the CMS) or an
	// argument (a client data hash, a public key) cannot be read, or is too
	// large. The sender must send something else.
	ErrMalformed = errors.New("appattest: malformed")
	// ErrUnsupported: a readable attestation object whose fmt is another than
	// apple-appattest. Another verifier may know it.
	ErrUnsupported = errors.New("appattest: not an apple-appattest object")
)

// The codes of a [Failure].
const (
	ChainLength          = "chain_length"           // not a leaf and CA 1, or a third certificate that is no root
	RootUnknown          = "root_unknown"           // CA 1 does not verify under a trusted key
	Signature            = "signature"              // the leaf does not verify under CA 1
	CAConstraints        = "ca_constraints"         // names do not chain, or CA 1 may not sign certificates
	CertTime             = "cert_time"              // CA 1 or the leaf is not valid now
	NonceMissing         = "nonce_missing"          // the leaf has no nonce
	NonceMismatch        = "nonce_mismatch"         // made for other client data or authenticator data
	AuthData             = "auth_data"              // authenticator data is not as App Attest writes it
	TrailingData         = "trailing_data"          // something other than one map of extensions follows it
	ExtensionMalformed   = "extension_malformed"    // a known extension is of the wrong type
	KeyIDMismatch        = "key_id_mismatch"        // the leaf's key is not the expected one
	CredentialIDMismatch = "credential_id_mismatch" // the credential is not that of the leaf's key
	COSEKeyMismatch      = "cose_key_mismatch"      // the credential public key is not the leaf's
	CounterNotZero       = "counter_not_zero"       // the key was used before it was attested
	AAGUIDUnknown        = "aaguid_unknown"         // neither of the two environments
	AssertionSignature   = "assertion_signature"    // not signed by this key over this client data
	ReceiptInvalid       = "receipt_invalid"        // signature, chain or fields of a receipt
)

// Failure means the evidence was read and a check failed: it is not to be
// believed. It is final; no policy turns it into success.
type Failure struct {
	Code     string // one of the codes above
	Position int    // of the certificate in the chain, leaf 0; -1 if it is about none
	Detail   string // for people; not stable
}

// Error implements error.
func (f *Failure) Error() string {
	if f.Position < 0 {
		return fmt.Sprintf("appattest: %s: %s", f.Code, f.Detail)
	}
	return fmt.Sprintf("appattest: %s at certificate %d: %s", f.Code, f.Position, f.Detail)
}

// fail returns a Failure that is about no certificate.
func fail(code, format string, args ...any) *Failure {
	return &Failure{Code: code, Position: -1, Detail: fmt.Sprintf(format, args...)}
}

// failAt returns a Failure about the certificate at position.
func failAt(position int, code, format string, args ...any) *Failure {
	return &Failure{Code: code, Position: position, Detail: fmt.Sprintf(format, args...)}
}

// Environment is Apple's server that attested the key or issued the receipt.
type Environment string

// The environments. The zero value is neither.
const (
	Production  Environment = "production"
	Development Environment = "development" // in receipts: sandbox
)

// Category is Apple's validation category: how the app came to the device.
type Category uint32

// The validation categories that iOS 27 and macOS 27 write.
const (
	CategoryInvalid         Category = 0
	CategoryPlatform        Category = 1
	CategoryTestFlight      Category = 2
	CategoryDevelopment     Category = 3
	CategoryAppStore        Category = 4
	CategoryEnterprise      Category = 5
	CategoryDeveloperID     Category = 6
	CategoryLocalSigning    Category = 7
	CategoryRosetta         Category = 8
	CategoryOutOfProcessJIT Category = 9
	CategoryNone            Category = 10
)

// Extensions are what iOS 27 and later append to the authenticator data.
type Extensions struct {
	ValidationCategory *Category         // nil: not written
	BundleVersion      *string           // nil: not written
	CDHashes           map[string][]byte // apple_cd_hash_*: the encoded CBOR by name, not judged
	Unknown            []string          // names of other extensions, sorted
}
