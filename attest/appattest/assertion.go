package appattest

// Assertion is what an assertion says. After a [*Failure] these are claims
// that nobody verified.
type Assertion struct {
	KeySPKI, KeyID []byte // of the public key it was verified with

	RPIDHash   []byte      // SHA-256 of the app id; nil if the authenticator data could not be read
	Flags      byte        // not judged
	Counter    uint32      // must be greater than the last one: the caller's part
	Extensions *Extensions // nil: none written, or unreadable
}

// VerifyAssertion verifies an assertion under a registered key, given as DER
// SubjectPublicKeyInfo or as a 65-byte point. clientDataHash, 1 to 128 bytes,
// is what the app gave to generateAssertion: SHA-256 of the request.
//
// The error wraps [ErrMalformed], and then the Assertion is nil; or it is a
// [*Failure], and then the Assertion holds what was claimed.
func VerifyAssertion(object, publicKey, clientDataHash []byte) (*Assertion, error) {
	return nil, ErrMalformed
}

// KeyID returns the identifier of a public key, given as DER
// SubjectPublicKeyInfo or as a 65-byte point: SHA-256 of the point.
func KeyID(publicKey []byte) ([]byte, error) {
	return nil, ErrMalformed
}
