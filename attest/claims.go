package attest

import "github.com/staunchid/staunch/attest/android"

// Claims are the facts of a verdict in the shape that the JSON of the command
// line has. Exactly one of Android and Apple is set.
type Claims struct {
	Platform     string // "android" or "apple"
	KeySPKI      []byte // DER SubjectPublicKeyInfo
	KeyID        string // base64url without padding, SHA-256 of the SPKI (Android) or of the point (Apple)
	KeyAlgorithm string // "EC-P256", "RSA-2048", "ML-DSA-65" ...
	Android      *AndroidClaims
	Apple        *AppleClaims
}

// AndroidClaims are what a KeyDescription and its chain say.
type AndroidClaims struct {
	Description   *android.KeyDescription
	SecurityLevel string // "software", "tee", "strongbox"
	OSVersion     string // "16.0.0", or empty
	Device        Device
}

// Device is what the key store attests of the phone. Empty: not attested.
type Device struct{ Brand, Device, Product, Manufacturer, Model string }

// AppleClaims are what App Attest says.
type AppleClaims struct {
	AppID         string
	Environment   string
	Counter       *uint32
	BundleVersion string
	OSVersion     string
}
