package attesttest

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/staunchid/staunch/attest"
)

// Apple phones that rows start from.
func iOS27(*ApplePhone)       {}
func iOS26(p *ApplePhone)     { p.OSVersion, p.Build = "26.0.1", "23A355" }
func macOS27(p *ApplePhone)   { p.MacOS = true }
func sandboxed(p *ApplePhone) { p.Development = true }

// attestation makes an apple-appattest sample.
func attestation(phone func(*ApplePhone), opts ...AppleOption) maker {
	return func(l *lab, now time.Time) (Sample, error) {
		_, ca, err := l.cas(now)
		if err != nil {
			return Sample{}, err
		}
		p := ca.Phone()
		phone(p)
		key := p.GenerateKey()
		hash := sha256.Sum256(challenge())
		object, err := key.Attest(now, hash[:], opts...)
		if err != nil {
			return Sample{}, err
		}
		return Sample{
			Format: attest.FormatAppleAppAttest, Object: object, Challenge: challenge(), KeyID: key.ID(),
			AppID: DemoTeamID + "." + DemoBundleID, At: now,
		}, nil
	}
}

// withClientData attests the hash of client data that hold a challenge.
func withClientData(held []byte) maker {
	data := clientData(held)
	sum := sha256.Sum256(data)
	return attestation(iOS27, func(d *AppleDraft) { d.ClientDataHash = sum[:] }).then(func(s *Sample) { s.ClientData = data })
}

// appleAt changes a certificate of the chain.
func appleAt(position int, edit func(*Certificate)) AppleOption {
	return func(d *AppleDraft) { edit(d.Chain[position]) }
}

// flagged sets the flag for extensions, as some releases of iOS 27 do.
func flagged(d *AppleDraft) { d.Flags |= 0x80 }

// entry sets one key of the map.
func entry(key string, value any) AppleOption {
	return func(d *AppleDraft) { d.Map[key] = value }
}

const (
	categoryKey = "apple_validation_category_01"
	bundleKey   = "apple_bundle_version_01"
)

func category(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

func macPolicy(more ...string) map[string]string {
	set := map[string]string{"apple.platform": `"macos"`}
	for i := 0; i+1 < len(more); i += 2 {
		set[more[i]] = more[i+1]
	}
	return set
}

// appleBaselines are good phones of all kinds.
func appleBaselines() []Deviation {
	return []Deviation{
		{Name: "apple-ios27", Change: "nothing: iOS 27 with the map, without its flag", make: attestation(iOS27)},
		{Name: "apple-ios27-flag", Change: "iOS 27 with the flag for the map", make: attestation(iOS27, flagged)},
		{Name: "apple-category-integer", Change: "the category is an unsigned integer", make: attestation(iOS27, entry(categoryKey, 4))},
		{Name: "apple-cd-hash", Change: "the map holds code directory hashes, for which the app has asked",
			make: attestation(iOS27, entry("apple_cd_hash_sha256", make([]byte, 32)))},
		{Name: "apple-ios26", Change: "iOS 26: no map", Code: "apple.category_missing", Class: attest.PolicyClass, Position: NoPosition, Effects: notes(), make: attestation(iOS26)},
		{Name: "apple-no-eku", Change: "a leaf without extended key usage, as before 2026", make: attestation(iOS27, appleAt(0, func(c *Certificate) {
			c.Extensions = append(c.Extensions[:2:2], c.Extensions[3:]...)
		}))},
		{Name: "apple-root-sent", Change: "the root comes along as a third certificate", make: attestation(iOS27, appleAt(2, func(c *Certificate) { c.Omit = false }))},
		{Name: "apple-macos", Change: "macOS 27 with full security", set: macPolicy(), make: attestation(macOS27)},
		{Name: "apple-ios-acl", Change: "an iOS leaf whose access control list is another: not compared",
			make: attestation(iOS27, appleAt(0, func(c *Certificate) {
				c.Extensions = append(c.Extensions, Extension{OID: oidApple(8, 6), Value: accessControl([]byte("0\x00"))})
			}))},
		{Name: "apple-development", Change: "development environment, where the policy takes it", set: map[string]string{"environments": `["development"]`, "categories": `[3]`},
			make: attestation(sandboxed, entry(categoryKey, category(3)))},
		{Name: "apple-testflight", Change: "TestFlight, where the policy takes it", set: map[string]string{"categories": `[4, 2]`}, make: attestation(iOS27, entry(categoryKey, category(2)))},
		{Name: "apple-raw-client-data", Change: "the app hands the challenge to the system unhashed, and the policy says so",
			set: map[string]string{"client_data": `"raw"`}, make: attestation(iOS27, func(d *AppleDraft) { d.ClientDataHash = challenge() })},
		{Name: "apple-client-data", Change: "the app hands over the hash of client data that hold the challenge", make: withClientData(challenge())},
		{Name: "apple-leaf-long", Change: "a leaf that lives eleven months", make: attestation(iOS27, func(d *AppleDraft) { d.Leaf().NotAfter = d.Now.AddDate(0, 11, 0) })},
		{Name: "apple-category-missing-warned", Change: "iOS 26, and the policy warns", Code: "apple.category_missing", Class: attest.PolicyClass, Position: NoPosition,
			Effects: Effects{attest.Warn, attest.Warn, attest.Note}, set: map[string]string{"missing_category": `"warn"`}, make: attestation(iOS26)},
	}
}

// appleDeviations fail the verification of an attestation ("Validating apps that
// connect to your server", Verify the attestation).
func appleDeviations() []Deviation {
	row := func(code, name, change string, position int, m maker) Deviation {
		class := attest.Abuse
		if code == "cert_time" {
			class = attest.Honest
		}
		return Deviation{Name: "apple-" + name, Change: change, Code: "apple." + code, Class: class, Position: position, Effects: hard(), make: m}
	}
	att := func(f AppleOption) maker { return attestation(iOS27, f) }
	trailing := func(b ...byte) maker { return attestation(iOS26, func(d *AppleDraft) { d.Trailing = b }) }
	map1 := encodeCBOR(map[string]any{categoryKey: category(4)})
	return []Deviation{
		row("chain_length", "leaf-only", "the leaf alone", NoPosition, att(func(d *AppleDraft) { d.Chain[1].Omit = true })),
		row("chain_length", "third-certificate", "a third certificate that is not the root", 2, att(appleAt(2, func(c *Certificate) {
			rekeyRoot(c)
			c.Omit = false
		}))),
		row("root_unknown", "root-look-alike", "CA 1 under a root that has the name of the trusted one", 1, att(appleAt(2, rekeyRoot))),
		row("signature", "leaf-signature", "the leaf is signed by a key of the attacker", 0, att(appleAt(0, func(c *Certificate) { c.Signer = newECKey(elliptic.P384()) }))),
		row("ca_constraints", "ca-not-ca", "CA 1 says cA=FALSE", 1, att(appleAt(1, setBasicConstraints(basicConstraints(false, -1))))),
		row("ca_constraints", "ca-key-usage", "CA 1 may not sign certificates", 1, att(appleAt(1, setKeyUsage(usageDigitalSignature)))),
		row("ca_constraints", "leaf-issuer", "the leaf names another issuer", 0, att(appleAt(0, func(c *Certificate) { c.Issuer = Name("CN", "Apple") }))),
		row("cert_time", "leaf-expired", "the leaf expired an hour ago", 0, att(func(d *AppleDraft) { d.Leaf().NotAfter = d.Now.Add(-time.Hour) })),
		row("cert_time", "leaf-future", "the leaf is not valid yet", 0, att(func(d *AppleDraft) { d.Leaf().NotBefore = d.Now.Add(time.Hour) })),
		row("cert_time", "ca-expired", "CA 1 expired", 1, att(func(d *AppleDraft) { d.Chain[1].NotAfter = d.Now.Add(-time.Hour) })),

		{Name: "apple-client-data-other", Change: "client data that hold another challenge", Code: "common.challenge_mismatch", Class: attest.Abuse,
			Position: NoPosition, Effects: hard(), make: withClientData([]byte("another challenge"))},
		row("nonce_missing", "nonce-missing", "no extension .8.2", 0, att(appleAt(0, func(c *Certificate) { c.RemoveExtension(oidApple(8, 2)) }))),
		row("nonce_mismatch", "challenge-other", "attested for another challenge", 0, att(func(d *AppleDraft) { d.ClientDataHash[0] ^= 1 })),
		row("nonce_mismatch", "challenge-raw", "attested for the challenge itself, where the policy says hashed", 0, att(func(d *AppleDraft) { d.ClientDataHash = challenge() })),
		row("nonce_mismatch", "nonce-plain", "the nonce is the client data hash", 0, att(func(d *AppleDraft) { d.Nonce = d.ClientDataHash })),

		row("auth_data", "flag-missing", "flag 0x40 is not set", NoPosition, att(func(d *AppleDraft) { d.Flags = 0 })),
		row("auth_data", "flag-without-map", "flag 0x80 and no map", NoPosition, attestation(iOS26, flagged)),
		row("auth_data", "auth-data-short", "authenticator data without a credential", NoPosition, att(func(d *AppleDraft) {
			d.AuthenticatorData = append(bytes.Clone(d.RPIDHash), 0x40, 0, 0, 0, 0)
		})),
		row("trailing_data", "trailing-byte", "a byte behind the key", NoPosition, trailing(0)),
		row("trailing_data", "trailing-array", "an array behind the key", NoPosition, trailing(0x80)),
		row("trailing_data", "trailing-half-map", "half a map behind the key", NoPosition, trailing(map1[:len(map1)-1]...)),
		row("trailing_data", "trailing-two-maps", "two maps behind the key", NoPosition, trailing(append(bytes.Clone(map1), 0xa0)...)),
		row("trailing_data", "trailing-integer-key", "a map whose key is no text", NoPosition, trailing(0xa1, 1, 1)),
		row("extension_malformed", "category-text", "the category is a text", NoPosition, att(entry(categoryKey, "4"))),
		row("extension_malformed", "category-short", "the category has three bytes", NoPosition, att(entry(categoryKey, []byte{4, 0, 0}))),
		row("extension_malformed", "category-negative", "the category is negative", NoPosition, att(entry(categoryKey, -4))),
		row("extension_malformed", "bundle-version-integer", "the bundle version is a number", NoPosition, att(entry(bundleKey, 26))),

		row("key_id_mismatch", "key-id-other", "the app names another key id", NoPosition, attestation(iOS27).then(func(s *Sample) {
			s.KeyID = bytes.Clone(s.KeyID)
			s.KeyID[0] ^= 1
		})),
		row("credential_id_mismatch", "credential-id-other", "the credential id is not the hash of the key", NoPosition, att(func(d *AppleDraft) { d.CredentialID[0] ^= 1 })),
		row("cose_key_mismatch", "cose-key-other", "the credential's key is not the leaf's", NoPosition, att(func(d *AppleDraft) {
			d.CredentialKey = coseKey(&newECKey(elliptic.P256()).PublicKey)
		})),
		row("counter_not_zero", "counter-one", "the key has been used already", NoPosition, att(func(d *AppleDraft) { d.Counter = 1 })),
		row("aaguid_unknown", "aaguid-other", "an AAGUID of nobody", NoPosition, att(func(d *AppleDraft) { d.AAGUID = []byte("appattestsandbox") })),
		row("aaguid_unknown", "aaguid-zero", "an AAGUID of zeros", NoPosition, att(func(d *AppleDraft) { d.AAGUID = make([]byte, 16) })),
	}
}

// appleAppraisalDeviations are genuine, and the policy judges them: app,
// environment, category, bundle version, macOS.
func appleAppraisalDeviations() []Deviation {
	row := func(code, name, change string, class attest.Class, e Effects, set map[string]string, m maker) Deviation {
		return Deviation{Name: "apple-" + name, Change: change, Code: "apple." + code, Class: class, Position: NoPosition, Effects: e, set: set, make: m}
	}
	return []Deviation{
		row("app_id_mismatch", "app-other", "another app", attest.Abuse, hard(), nil, attestation(func(p *ApplePhone) { p.BundleID = "com.example.other" })),
		row("app_id_mismatch", "team-other", "our bundle id, another team", attest.Abuse, hard(), nil, attestation(func(p *ApplePhone) { p.TeamID = "EVIL123456" })),
		row("environment", "development-refused", "development environment, where the policy takes production", attest.PolicyClass, refused(), nil, attestation(sandboxed)),
		row("category_refused", "testflight-refused", "TestFlight, where the policy takes the App Store", attest.Abuse, refused(), nil, attestation(iOS27, entry(categoryKey, category(2)))),
		row("category_refused", "category-local", "signed on the developer's machine", attest.Abuse, refused(), nil, attestation(iOS27, entry(categoryKey, category(7)))),
		row("category_refused", "category-unknown", "a category of next year", attest.Abuse, refused(), nil, attestation(iOS27, entry(categoryKey, category(99)))),
		row("category_missing", "category-missing-refused", "iOS 26, and the policy wants a category", attest.PolicyClass, Effects{attest.Reject, attest.Reject, attest.Note},
			map[string]string{"missing_category": `"reject"`}, attestation(iOS26)),
		row("bundle_version", "bundle-version-other", "a bundle version that is not on the policy's list", attest.PolicyClass, refused(),
			map[string]string{"bundle_versions": `["26.2.0"]`}, attestation(iOS27)),
		row("extension_unknown", "extension-unknown", "a key of next year in the map", attest.PolicyClass, notes(), nil, attestation(iOS27, entry("apple_device_posture_01", []byte{1}))),
		row("acl_missing", "acl-missing", "a Mac without the access control list", attest.Environment, refused(), macPolicy(), attestation(iOS27)),
		row("acl_mismatch", "acl-other", "a Mac with reduced security", attest.Environment, refused(), macPolicy(), attestation(macOS27, appleAt(0, func(c *Certificate) {
			acl := macOSAccessControl()
			acl[len(acl)-1] = 0
			c.Extension(oidApple(8, 6)).Value = accessControl(acl)
		}))),
	}
}
