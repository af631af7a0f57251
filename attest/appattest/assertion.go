package appattest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"

	"github.com/staunchid/staunch/internal/cbor"
)

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
//
// The order is that of Apple's page "Validating apps that connect to your
// server", section "Verify the assertion", after the authenticator data has
// been read.
func VerifyAssertion(object, publicKey, clientDataHash []byte) (*Assertion, error) {
	if !goodClientDataHash(clientDataHash) {
		return nil, fmt.Errorf("%w: client data hash: 1 to %d bytes are required", ErrMalformed, maxClientDataHash)
	}
	key, point, err := parsePublicKey(publicKey)
	if err != nil {
		return nil, err
	}
	signature, authenticatorData, err := parseAssertion(object)
	if err != nil {
		return nil, err
	}
	a := &Assertion{KeySPKI: spkiOf(point), KeyID: keyIDOf(point)}

	d, failure := parseAssertionData(authenticatorData)
	if d != nil {
		a.RPIDHash, a.Flags, a.Counter, a.Extensions = bytes.Clone(d.rpIDHash), d.flags, d.counter, d.extensions
	}
	if failure != nil {
		return a, failure
	}
	// Steps 2 and 3. ECDSA-with-SHA256 hashes its message, which is the nonce.
	nonce := nonceOf(authenticatorData, clientDataHash)
	if digest := sha256.Sum256(nonce[:]); !ecdsa.VerifyASN1(key, digest[:], signature) {
		return a, fail(AssertionSignature, "not signed by this key over this client data")
	}
	return a, nil
}

// parseAssertion reads the map of signature and authenticatorData. Members
// that are not known are left alone.
func parseAssertion(b []byte) (signature, authenticatorData []byte, err error) {
	if len(b) > maxObject {
		return nil, nil, fmt.Errorf("%w: assertion of %d bytes", ErrMalformed, len(b))
	}
	items, err := cbor.TextMap(b)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: assertion: %w", ErrMalformed, err)
	}
	signature, ok := cbor.Bytes(items["signature"])
	if !ok {
		return nil, nil, fmt.Errorf("%w: assertion: signature is no byte string", ErrMalformed)
	}
	if authenticatorData, ok = cbor.Bytes(items["authenticatorData"]); !ok {
		return nil, nil, fmt.Errorf("%w: assertion: authenticatorData is no byte string", ErrMalformed)
	}
	return signature, authenticatorData, nil
}
