package handover

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/attest/request"
)

// VerifyProof verifies a device proof over a transcript value by the key in a
// SubjectPublicKeyInfo: a signature over request.DeviceProof(value) as Android's
// keys make it (ECDSA as r ‖ s, P-256 with SHA-256 and P-384 with SHA-384, or
// Ed25519), or an assertion of Apple's. An assertion's counter is not judged: a
// value occurs once. The error is ErrForged.
func VerifyProof(spki []byte, value [32]byte, proof []byte) error {
	key, err := android.ParsePublicKey(spki)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForged, err)
	}
	message := request.DeviceProof(value)
	algorithm := ""
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		switch {
		case k.Curve == elliptic.P256() && len(proof) != 64:
			return verifyAssertion(spki, message, proof)
		case k.Curve == elliptic.P256():
			algorithm = "ecdsa-p256-sha256"
		case k.Curve == elliptic.P384():
			algorithm = "ecdsa-p384-sha384"
		}
	case ed25519.PublicKey:
		algorithm = "ed25519"
	}
	if algorithm == "" {
		return fmt.Errorf("%w: no proofs are made with keys of this kind", ErrForged)
	}
	if !request.VerifySignature(algorithm, key, message, proof) {
		return fmt.Errorf("%w: the device proof is not good", ErrForged)
	}
	return nil
}

// verifyAssertion verifies Apple's form: no assertion is 64 bytes long, for its
// authenticator data alone has 37 and its signature over 60.
func verifyAssertion(spki, message, assertion []byte) error {
	hash := sha256.Sum256(message)
	if _, err := appattest.VerifyAssertion(assertion, spki, hash[:]); err != nil {
		return fmt.Errorf("%w: %w", ErrForged, err)
	}
	return nil
}
