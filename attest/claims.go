package attest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/appattest"
)

// Claims are the facts of a verdict. Exactly one of Android and Apple is set.
// Their JSON is flat and has always the same members.
type Claims struct {
	Platform     string // "android" or "apple"
	KeySPKI      []byte // DER SubjectPublicKeyInfo
	KeyID        string // base64url without padding: SHA-256 of the SPKI (Android) or of the point (Apple)
	KeyAlgorithm string // "EC-P256", "RSA-2048", "ML-DSA-65" ...
	Android      *AndroidClaims
	Apple        *AppleClaims
}

// AndroidClaims are what a KeyDescription and its chain say.
type AndroidClaims struct {
	Description   *android.KeyDescription // nil, among unverified claims, if there is none that can be read
	SecurityLevel string                  // "software", "tee", "strongbox"; the lower of the two
	KeyOrigin     string                  // "generated" ..., "absent"
	App           *android.ApplicationID  // nil: absent
	Boot          Boot
	Patch         Patch
	OSVersion     string // "16.0.0", or empty
	Device        Device
	Provisioning  *android.ProvisioningInfo // nil: absent
	RPIDHash      []byte                    // android-key only
}

// Boot is the root of trust of the hardware list.
type Boot struct {
	State  string // "verified", "self_signed", "unverified", "failed", "unknown", "absent"
	Locked *bool
	Key    []byte // nil: absent
	Hash   []byte // nil: absent
}

// Patch are the security patch levels, "2025-11" or "2025-11-05". Empty: absent
// or unusable.
type Patch struct{ OS, Vendor, Boot string }

// Device is what the key store attests of the phone. nil: not attested.
type Device struct {
	Brand        *string `json:"brand"`
	Device       *string `json:"device"`
	Product      *string `json:"product"`
	Manufacturer *string `json:"manufacturer"`
	Model        *string `json:"model"`
}

// AppleClaims are what an attestation, an assertion or a receipt says.
type AppleClaims struct {
	AppID              string // the expected one that matched; of a receipt the stated one
	RPIDHash           []byte
	Environment        string // "production", "development"
	Counter            *uint32
	ValidationCategory *uint32
	BundleVersion      *string
	ExtensionsUnknown  []string
	OSVersion, OSBuild string
	ACL                string // "match", "other", "absent"
	Receipt            *ReceiptClaims
	RiskMetric         *uint32
}

// ReceiptClaims are a receipt's own.
type ReceiptClaims struct {
	Type           string     `json:"type"` // "ATTEST", "RECEIPT"
	CreationTime   *time.Time `json:"creation_time"`
	NotBefore      *time.Time `json:"not_before"`
	ExpirationTime *time.Time `json:"expiration_time"`
	CMS            []byte     `json:"-"` // the receipt itself
}

// androidClaims reads the facts that can be believed: origin, boot, versions
// and device from the hardware list, the app from the software list.
func androidClaims(a *android.Attestation) *Claims {
	if a == nil || len(a.Chain) == 0 {
		return nil
	}
	leaf := a.Leaf()
	id := leaf.SPKISHA256()
	c := &AndroidClaims{
		Description: a.Description, Boot: Boot{State: "absent"}, KeyOrigin: "absent",
		Provisioning: a.Info, RPIDHash: a.RPIDHash,
	}
	claims := &Claims{
		Platform: "android", KeySPKI: leaf.SPKI, KeyID: base64.RawURLEncoding.EncodeToString(id[:]),
		KeyAlgorithm: leaf.KeyAlgorithm(), Android: c,
	}
	if a.Description == nil {
		return claims
	}
	hw := &a.Description.HardwareEnforced
	c.SecurityLevel = levelName(a.Description.Level())
	if hw.Origin != nil {
		c.KeyOrigin = android.Origin(*hw.Origin).String()
	}
	c.App = a.Description.SoftwareEnforced.AttestationApplicationID
	if r := hw.RootOfTrust; r != nil {
		c.Boot = Boot{bootName(r.VerifiedBootState), &r.DeviceLocked, r.VerifiedBootKey, r.VerifiedBootHash}
	}
	c.Patch = Patch{patchText(hw.OSPatchLevel), patchText(hw.VendorPatchLevel), patchText(hw.BootPatchLevel)}
	if v := hw.OSVersion; v != nil {
		c.OSVersion = fmt.Sprintf("%d.%d.%d", *v/10000, *v/100%100, *v%100)
	}
	c.Device = Device{hw.AttestationIDBrand, hw.AttestationIDDevice, hw.AttestationIDProduct, hw.AttestationIDManufacturer, hw.AttestationIDModel}
	return claims
}

func levelName(l android.SecurityLevel) string {
	switch l {
	case android.TrustedEnvironment:
		return "tee"
	case android.StrongBox:
		return "strongbox"
	}
	return "software"
}

func bootName(s android.VerifiedBootState) string {
	switch s {
	case android.Verified:
		return "verified"
	case android.SelfSigned:
		return "self_signed"
	case android.Unverified:
		return "unverified"
	case android.Failed:
		return "failed"
	}
	return "unknown"
}

func patchText(n *uint64) string {
	if n == nil {
		return ""
	}
	if p, ok := android.ParsePatchLevel(*n); ok {
		return p.String()
	}
	return ""
}

// appleKey are the claims about the key itself.
func appleKey(spki, id []byte) *Claims {
	return &Claims{
		Platform: "apple", KeySPKI: spki, KeyID: base64.RawURLEncoding.EncodeToString(id),
		KeyAlgorithm: android.KeyAlgorithm(spki), Apple: &AppleClaims{},
	}
}

func (c *AppleClaims) addExtensions(e *appattest.Extensions) {
	if e == nil {
		return
	}
	if e.ValidationCategory != nil {
		category := uint32(*e.ValidationCategory)
		c.ValidationCategory = &category
	}
	c.BundleVersion, c.ExtensionsUnknown = e.BundleVersion, e.Unknown
}

// attestationClaims are nil if the authenticator data could not be read.
func attestationClaims(a *appattest.Attestation) *Claims {
	if a == nil || a.RPIDHash == nil {
		return nil
	}
	claims := appleKey(a.KeySPKI, a.KeyID)
	c := claims.Apple
	c.RPIDHash, c.Environment, c.Counter = a.RPIDHash, string(a.Environment), &a.Counter
	c.addExtensions(a.Extensions)
	c.OSVersion, c.OSBuild, c.ACL = a.OSVersion, a.OSBuild, string(a.ACL)
	return claims
}

func assertionClaims(a *appattest.Assertion) *Claims {
	if a == nil || a.RPIDHash == nil {
		return nil
	}
	claims := appleKey(a.KeySPKI, a.KeyID)
	claims.Apple.RPIDHash, claims.Apple.Counter = a.RPIDHash, &a.Counter
	claims.Apple.addExtensions(a.Extensions)
	return claims
}

func receiptClaims(r *appattest.Receipt, cms []byte) *Claims {
	if r == nil {
		return nil
	}
	claims := appleKey(r.KeySPKI, r.KeyID)
	hash := sha256.Sum256([]byte(r.AppID))
	c := claims.Apple
	c.AppID, c.RPIDHash, c.Environment = r.AppID, hash[:], string(r.Environment)
	c.addReceipt(r, cms)
	return claims
}

// addReceipt reports a receipt that verified, or stands alone.
func (c *AppleClaims) addReceipt(r *appattest.Receipt, cms []byte) {
	c.Receipt = &ReceiptClaims{r.Type, timeOrNil(r.CreationTime), timeOrNil(r.NotBefore), timeOrNil(r.Expiration), cms}
	c.RiskMetric = r.RiskMetric
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// hexOrNil writes bytes as lower-case hex, and nil as null.
func hexOrNil(b []byte) *string {
	if b == nil {
		return nil
	}
	s := hex.EncodeToString(b)
	return &s
}

// textOrNil writes the empty text as null.
func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
