package attest_test

import (
	"encoding/hex"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// TestPolicyIsStrict: a policy that says nothing, or something that nobody
// knows, is no policy.
func TestPolicyIsStrict(t *testing.T) {
	const android, apple = "app[0].android.", "app[0].apple."
	for _, tt := range []struct {
		change func(*attest.PolicyFile)
		key    string
	}{
		{func(*attest.PolicyFile) {}, ""},
		{func(f *attest.PolicyFile) { f.Version = 2 }, "version"},
		{func(f *attest.PolicyFile) { f.Name = "" }, "name"},
		{func(f *attest.PolicyFile) { f.Name = "genuine" }, "name"},
		{func(f *attest.PolicyFile) { f.App, f.Rollout = nil, nil }, "app"},
		{func(f *attest.PolicyFile) { f.App = append(f.App, f.App[0]) }, "app[1].id"},
		{func(f *attest.PolicyFile) { f.App[0].ID, f.Rollout = "../demo", nil }, "app[0].id"},
		{func(f *attest.PolicyFile) { f.App[0].ChallengeLifetime = "29s" }, "app[0].challenge_lifetime"},
		{func(f *attest.PolicyFile) { f.App[0].ChallengeLifetime = "61m" }, "app[0].challenge_lifetime"},
		{func(f *attest.PolicyFile) { f.App[0].ChallengeLifetime = "1h" }, ""},
		{func(f *attest.PolicyFile) { f.App[0].RequestAlgorithms = []string{"hmac-sha256"} }, "app[0].request_algorithms[0]"},
		{func(f *attest.PolicyFile) { f.Android.Revocation = nil }, "android.revocation"},
		{func(f *attest.PolicyFile) { f.Android.Revocation.MaxAge = "-1h" }, "android.revocation.max_age"},
		{func(f *attest.PolicyFile) { f.Android.Revocation.WarnAge = "73h" }, "android.revocation.warn_age"},
		{func(f *attest.PolicyFile) { f.Android.Revocation.Suspended = "accept" }, "android.revocation.suspended"},
		{func(f *attest.PolicyFile) { f.App[0].Android.Profile = "lax" }, android + "profile"},
		{func(f *attest.PolicyFile) { f.App[0].Android.MinLevel = "software" }, android + "min_level"},
		{func(f *attest.PolicyFile) { f.App[0].Android.Boot = "any" }, android + "boot"},
		{func(f *attest.PolicyFile) { f.App[0].Android.Boot = "listed" }, android + "boot_keys"},
		{func(f *attest.PolicyFile) { f.App[0].Android.MinOSVersion = "1.2.3.4" }, android + "min_os_version"},
		{func(f *attest.PolicyFile) { f.App[0].Android.PatchFloor.OS = "2024" }, android + "patch_floor.os"},
		{func(f *attest.PolicyFile) { f.App[0].Android.Packages = nil }, android + "packages"},
		{func(f *attest.PolicyFile) { f.App[0].Android.Packages[0].Signers = nil }, android + "packages[0].signers"},
		{func(f *attest.PolicyFile) { f.App[0].Android.Packages[0].Signers = []string{"ab"} }, android + "packages[0].signers[0]"},
		{func(f *attest.PolicyFile) { f.App[0].Apple.Platform = "tvos" }, apple + "platform"},
		{func(f *attest.PolicyFile) { f.App[0].Apple.TeamID = "" }, apple + "team_id"},
		{func(f *attest.PolicyFile) { f.App[0].Apple.BundleIDs = nil }, apple + "bundle_ids"},
		{func(f *attest.PolicyFile) { f.App[0].Apple.Environments = nil }, apple + "environments"},
		{func(f *attest.PolicyFile) { f.App[0].Apple.Environments = []string{"sandbox"} }, apple + "environments[0]"},
		{func(f *attest.PolicyFile) { f.App[0].Apple.ClientData = "both" }, apple + "client_data"},
		{func(f *attest.PolicyFile) { f.App[0].Apple.MissingCategory = "" }, apple + "missing_category"},
		{func(f *attest.PolicyFile) { f.App[0].Apple.Receipt = "ignore" }, apple + "receipt"},
		{func(f *attest.PolicyFile) { f.App[0].Apple.CounterWindow = 65 }, apple + "counter_window"},
	} {
		_, err := demoPolicy(t, tt.change)
		checkPolicyError(t, tt.key, err, tt.key)
	}
}

// TestZeroValues: the zero policy and the zero verdict accept nothing.
func TestZeroValues(t *testing.T) {
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	good := evidence(t, attesttest.RKP)
	for name, p := range map[string]*attest.Policy{"nil": nil, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			if v, err := verifier.Verify(good, attest.Expect{Challenge: challenge()}, p, testNow()); err == nil {
				t.Errorf("verdict %v without a policy", v.Tier)
			}
		})
	}
	for _, tier := range []attest.Tier{"", "genuine", attest.TierNone, attest.TierContraindicated} {
		if (attest.Verdict{Tier: tier}).Accept() {
			t.Errorf("tier %q accepts", tier)
		}
	}
}

// TestHardFindings: after a hard finding what the evidence says is nobody's
// claim.
func TestHardFindings(t *testing.T) {
	p, err := demoPolicy(t, func(*attest.PolicyFile) {})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := verifier.Verify(evidence(t, attesttest.RKP), attest.Expect{Challenge: []byte("another")}, p, testNow())
	if err != nil {
		t.Fatal(err)
	}
	if v.Accept() || v.Tier != attest.TierNone || v.Claims != nil || v.UnverifiedClaims == nil {
		t.Errorf("tier %s, claims %v, unverified %v", v.Tier, v.Claims, v.UnverifiedClaims)
	}
}

// TestSharedUserID: two packages of ours may share a user ID when they have the
// same signers, and a stranger only where the policy says so.
func TestSharedUserID(t *testing.T) {
	ours, other := attesttest.DemoSigner, hex.EncodeToString(make([]byte, 32))
	second := attest.PackageFile{Name: "com.example.second", Signers: []string{ours}}
	for _, tt := range []struct {
		name   string
		change func(*attest.AndroidAppFile)
		accept bool
	}{
		{"not listed", func(*attest.AndroidAppFile) {}, false},
		{"same signers", func(a *attest.AndroidAppFile) { a.Packages = append(a.Packages, second) }, true},
		{"other signers", func(a *attest.AndroidAppFile) {
			second := second
			second.Signers = []string{other}
			a.Packages = append(a.Packages, second)
		}, false},
		{"shared_uid", func(a *attest.AndroidAppFile) { a.Packages[0].SharedUID = true }, true},
	} {
		p, err := demoPolicy(t, func(f *attest.PolicyFile) { tt.change(f.App[0].Android) })
		if err != nil {
			t.Fatal(err)
		}
		phone := androidPhone(t)
		phone.App.Packages = append(phone.App.Packages, attesttest.Package{Name: second.Name, Version: 1})
		key, err := phone.GenerateKey(scopeNow, []byte("challenge"))
		if err != nil {
			t.Fatal(err)
		}
		if v := verifyKey(t, p, key, attest.Expect{}); v.Accept() != tt.accept || v.Has("android.app_package") == tt.accept {
			t.Errorf("%s: accept %t, %v", tt.name, v.Accept(), v.Findings)
		}
	}
}

// TestListedBoot: with boot = "listed", SelfSigned passes on a locked phone
// with a key of 32 bytes, not all zero, that is on the list, and in no other
// way; with boot = "verified" it never passes.
func TestListedBoot(t *testing.T) {
	own, zero, short := make([]byte, 32), make([]byte, 32), []byte{1, 2, 3}
	own[0] = 1
	for _, tt := range []struct {
		name   string
		policy string // boot
		boot   attesttest.RootOfTrust
		codes  []string // that must be there; none: accepted
	}{
		{"listed", "listed", attesttest.RootOfTrust{VerifiedBootKey: own, DeviceLocked: true, VerifiedBootState: 1}, nil},
		{"verified", "listed", attesttest.RootOfTrust{VerifiedBootKey: own, DeviceLocked: true}, nil},
		{"policy verified", "verified", attesttest.RootOfTrust{VerifiedBootKey: own, DeviceLocked: true, VerifiedBootState: 1}, []string{"android.boot_state"}},
		{"unlocked", "listed", attesttest.RootOfTrust{VerifiedBootKey: own, VerifiedBootState: 1}, []string{"android.boot_unlocked", "android.boot_state"}},
		{"unverified", "listed", attesttest.RootOfTrust{VerifiedBootKey: own, DeviceLocked: true, VerifiedBootState: 2}, []string{"android.boot_state"}},
		{"failed", "listed", attesttest.RootOfTrust{VerifiedBootKey: own, DeviceLocked: true, VerifiedBootState: 3}, []string{"android.boot_state"}},
		{"zeros", "listed", attesttest.RootOfTrust{VerifiedBootKey: zero, DeviceLocked: true, VerifiedBootState: 1}, []string{"android.boot_state"}},
		{"short", "listed", attesttest.RootOfTrust{VerifiedBootKey: short, DeviceLocked: true, VerifiedBootState: 1}, []string{"android.boot_state"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := demoPolicy(t, func(f *attest.PolicyFile) {
				f.App[0].Android.Boot = tt.policy
				f.App[0].Android.BootKeys = []string{hex.EncodeToString(own), hex.EncodeToString(zero)}
			})
			if err != nil {
				t.Fatal(err)
			}
			ca, err := attesttest.TestAndroidCA(scopeNow)
			if err != nil {
				t.Fatal(err)
			}
			phone := ca.Phone()
			phone.Boot = tt.boot
			key, err := phone.GenerateKey(scopeNow, []byte("challenge"))
			if err != nil {
				t.Fatal(err)
			}
			v := verifyKey(t, p, key, attest.Expect{})
			if v.Accept() != (len(tt.codes) == 0) {
				t.Errorf("accept %t: %v", v.Accept(), v.Findings)
			}
			for _, code := range tt.codes {
				if !v.Has(code) {
					t.Errorf("no %s in %v", code, v.Findings)
				}
			}
		})
	}
}
