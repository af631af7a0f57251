package attest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
)

// scoped is a good exception.
func scoped() attest.Exception {
	return attest.Exception{
		ID: "x1", Apps: []string{attesttest.DemoApp}, Check: "ca_bit", Position: 1,
		Match: &attest.MatchFile{Models: []attest.ModelFile{{Manufacturer: attesttest.DemoManufacturer, Model: attesttest.DemoModel}}},
		Owner: "o", Ticket: "t", Reason: "r", NotBefore: testNow().Add(-day), Expires: testNow().Add(day),
	}
}

func excepting(edits ...func(*attest.Exception)) func(*attest.PolicyFile) {
	return func(f *attest.PolicyFile) {
		x := scoped()
		for _, edit := range edits {
			edit(&x)
		}
		f.Exception = append(f.Exception, x)
	}
}

// TestNewPolicyRules: each rule, with the key that the error names; empty: the
// change is allowed.
func TestNewPolicyRules(t *testing.T) {
	type edit = func(*attest.PolicyFile)
	android, apple := onAndroid, onApple
	app := func(e func(*attest.AppFile)) edit {
		return func(f *attest.PolicyFile) { e(&f.App[0]); f.Rollout = nil }
	}
	x := excepting
	for _, c := range []struct {
		name string
		edit edit
		key  string
	}{
		{"nothing", func(*attest.PolicyFile) {}, ""},
		{"version 0", func(f *attest.PolicyFile) { f.Version = 0 }, "version"},
		{"version 2", func(f *attest.PolicyFile) { f.Version = 2 }, "version"},
		{"no name", func(f *attest.PolicyFile) { f.Name = "" }, "name"},
		{"a name of spaces", func(f *attest.PolicyFile) { f.Name = " \t" }, "name"},
		{"a long name", func(f *attest.PolicyFile) { f.Name = strings.Repeat("n", 101) }, "name"},
		{"the longest name", func(f *attest.PolicyFile) { f.Name = strings.Repeat("n", 100) }, ""},
		{"the built-in name", func(f *attest.PolicyFile) { f.Name = "genuine" }, "name"},

		{"no revocation", func(f *attest.PolicyFile) { f.Android.Revocation = nil }, "android.revocation"},
		{"max_age empty", func(f *attest.PolicyFile) { f.Android.Revocation.MaxAge = "" }, "android.revocation.max_age"},
		{"max_age zero", func(f *attest.PolicyFile) { f.Android.Revocation.MaxAge = "0s" }, "android.revocation.max_age"},
		{"max_age negative", func(f *attest.PolicyFile) { f.Android.Revocation.MaxAge = "-1h" }, "android.revocation.max_age"},
		{"max_age none", func(f *attest.PolicyFile) { f.Android.Revocation.MaxAge = "none" }, "android.revocation.max_age"},
		{"warn_age no duration", func(f *attest.PolicyFile) { f.Android.Revocation.WarnAge = "12" }, "android.revocation.warn_age"},
		{"max_age in days", func(f *attest.PolicyFile) { f.Android.Revocation.MaxAge = "3d" }, ""},
		{"max_age no days", func(f *attest.PolicyFile) { f.Android.Revocation.MaxAge = "0d" }, "android.revocation.max_age"},
		{"max_age less than none", func(f *attest.PolicyFile) { f.Android.Revocation.MaxAge = "-3d" }, "android.revocation.max_age"},
		{"max_age half a day", func(f *attest.PolicyFile) { f.Android.Revocation.MaxAge = "3.5d" }, "android.revocation.max_age"},
		{"warn_age above max_age", func(f *attest.PolicyFile) { f.Android.Revocation.WarnAge = "73h" }, "android.revocation.warn_age"},
		{"warn_age is max_age", func(f *attest.PolicyFile) { f.Android.Revocation.WarnAge = "72h" }, ""},
		{"suspended empty", func(f *attest.PolicyFile) { f.Android.Revocation.Suspended = "" }, "android.revocation.suspended"},
		{"suspended note", func(f *attest.PolicyFile) { f.Android.Revocation.Suspended = "note" }, "android.revocation.suspended"},
		{"suspended reject", func(f *attest.PolicyFile) { f.Android.Revocation.Suspended = "reject" }, ""},
		{"extra Android root", func(f *attest.PolicyFile) { f.Android.DangerousExtraRoots = []string{"no PEM"} }, "android.dangerous_extra_roots[0]"},
		{"extra Apple root", func(f *attest.PolicyFile) {
			f.Apple.DangerousExtraRoots = append(f.Apple.DangerousExtraRoots[:1:1], "no PEM")
		}, "apple.dangerous_extra_roots[1]"},
		{"extra Apple root, no certificate", func(f *attest.PolicyFile) {
			f.Apple.DangerousExtraRoots = []string{"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"}
		}, "apple.dangerous_extra_roots[0]"},

		{"no request", func(f *attest.PolicyFile) { f.Request = nil }, "request"},
		{"request.max_age", func(f *attest.PolicyFile) { f.Request.MaxAge = "x" }, "request.max_age"},
		{"request.future_skew", func(f *attest.PolicyFile) { f.Request.FutureSkew = "0s" }, "request.future_skew"},
		{"a relative path", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "v1"}} }, "route[0].path"},
		{"a * in the middle", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/a/*/b"}} }, "route[0].path"},
		{"a * behind a letter", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/a*"}} }, "route[0].path"},
		{"two *", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/*/*"}} }, "route[0].path"},
		{"a prefix", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/v1/*"}} }, ""},
		{"a route without a path", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{}} }, "route[0].path"},
		{"a route that would be refused", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/a//b"}} }, "route[0].path"},
		{"an escape in a route", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/v1"}, {Path: "/%61"}} }, "route[1].path"},
		{"a method in small letters", func(f *attest.PolicyFile) {
			f.Route = []attest.RouteFile{{Path: "/a", Methods: []string{"GET", "post"}}}
		}, "route[0].methods[1]"},
		{"an empty method", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/a", Methods: []string{""}}} }, "route[0].methods[0]"},
		{"an empty param", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/a", Params: []string{"b", ""}}} }, "route[0].params[1]"},
		{"a header that is none", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/a", Headers: []string{"@method"}}} }, "route[0].headers[0]"},
		{"an empty header", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/a", Headers: []string{""}}} }, "route[0].headers[0]"},
		{"no authority: no signed requests", func(f *attest.PolicyFile) { f.Request.Authorities = nil }, ""},
		{"authorities", func(f *attest.PolicyFile) {
			f.Request.Authorities = []string{"pay.example.com", "localhost:8443", "192.0.2.1", "[2001:db8::1]", "[2001:db8::1]:8443", "a_b.example"}
		}, ""},
		{"an empty authority", func(f *attest.PolicyFile) { f.Request.Authorities = []string{"a", ""} }, "request.authorities[1]"},
		{"an authority that is a URL", func(f *attest.PolicyFile) { f.Request.Authorities = []string{"https://pay.example.com"} }, "request.authorities[0]"},
		{"an authority in capital letters", func(f *attest.PolicyFile) { f.Request.Authorities = []string{"Pay.example.com"} }, "request.authorities[0]"},
		{"the default port", func(f *attest.PolicyFile) { f.Request.Authorities = []string{"pay.example.com:443"} }, "request.authorities[0]"},
		{"the other default port", func(f *attest.PolicyFile) { f.Request.Authorities = []string{"[2001:db8::1]:80"} }, "request.authorities[0]"},
		{"a port that is none", func(f *attest.PolicyFile) { f.Request.Authorities = []string{"pay.example.com:x"} }, "request.authorities[0]"},
		{"a port of zeros", func(f *attest.PolicyFile) { f.Request.Authorities = []string{"pay.example.com:08443"} }, "request.authorities[0]"},
		{"any authority", func(f *attest.PolicyFile) { f.Request.Authorities = []string{"*.example.com"} }, "request.authorities[0]"},
		{"an address without brackets", func(f *attest.PolicyFile) { f.Request.Authorities = []string{"2001:db8::1"} }, "request.authorities[0]"},
		{"brackets around a name", func(f *attest.PolicyFile) { f.Request.Authorities = []string{"[pay]"} }, "request.authorities[0]"},
		{"an unknown signal", func(f *attest.PolicyFile) { f.Risk = []attest.RiskFile{{Signal: "x", AtLeast: 1, Effect: attest.Warn}} }, "risk[0].signal"},
		{"a risk of no effect", func(f *attest.PolicyFile) {
			f.Risk = []attest.RiskFile{{Signal: attest.RiskMetric, AtLeast: 1, Effect: attest.Note}}
		}, "risk[0].effect"},
		{"every signal", func(f *attest.PolicyFile) {
			for _, s := range []string{attest.RiskMetric, attest.RKPCerts30Days, attest.BatchRateFactory, attest.BatchRateRKP, attest.PatchAgeDays, attest.KeysPerAccount30Days} {
				f.Risk = append(f.Risk, attest.RiskFile{Signal: s, Effect: attest.Reject})
			}
		}, ""},

		{"rollout of another app", func(f *attest.PolicyFile) { f.Rollout[0].App = "other" }, "rollout[0].app"},
		{"a stage's name with a space", func(f *attest.PolicyFile) { f.Rollout[0].Name = "jp pilot" }, "rollout[0].name"},
		{"two stages of one name", func(f *attest.PolicyFile) {
			f.Rollout = append([]attest.Stage{f.Rollout[0]}, f.Rollout...)
			f.Rollout[0].Name, f.Rollout[1].Name = "jp", "jp"
		}, "rollout[1].name"},
		{"a stage's name", func(f *attest.PolicyFile) { f.Rollout[0].Name = "jp-pilot" }, ""},
		{"rollout platform", func(f *attest.PolicyFile) { f.Rollout[0].Platform = "ios" }, "rollout[0].platform"},
		{"rollout operation", func(f *attest.PolicyFile) { f.Rollout[0].Operation = "" }, "rollout[0].operation"},
		{"rollout mode", func(f *attest.PolicyFile) { f.Rollout[0].Mode = "off" }, "rollout[0].mode"},
		{"percent 101", func(f *attest.PolicyFile) { f.Rollout[0].Percent = 101 }, "rollout[0].percent"},
		{"percent -1", func(f *attest.PolicyFile) { f.Rollout[0].Percent = -1 }, "rollout[0].percent"},
		{"no countries", func(f *attest.PolicyFile) { f.Rollout[0].Countries = nil }, "rollout[0].countries"},
		{"a country in lower case", func(f *attest.PolicyFile) { f.Rollout[0].Countries = []string{"JP", "tw"} }, "rollout[0].countries"},
		{"countries", func(f *attest.PolicyFile) { f.Rollout[0].Countries = []string{"JP", "ZZ", "*"} }, ""},
		{"an unknown code", func(f *attest.PolicyFile) { f.Rollout[0].Codes = []string{"android.nothing"} }, "rollout[0].codes"},
		{"a code", func(f *attest.PolicyFile) { f.Rollout[0].Codes = []string{"android.signature"} }, ""},

		{"no app", func(f *attest.PolicyFile) { f.App, f.Rollout = nil, nil }, "app"},
		{"an app twice", func(f *attest.PolicyFile) { f.App = append(f.App, f.App[0]) }, "app[1].id"},
		{"no id", app(func(a *attest.AppFile) { a.ID = "" }), "app[0].id"},
		{"an id of one letter", app(func(a *attest.AppFile) { a.ID = "a" }), "app[0].id"},
		{"an id in upper case", app(func(a *attest.AppFile) { a.ID = "Demo" }), "app[0].id"},
		{"an id that begins with a digit", app(func(a *attest.AppFile) { a.ID = "1demo" }), "app[0].id"},
		{"an id of 32 characters", app(func(a *attest.AppFile) { a.ID = strings.Repeat("a", 32) }), "app[0].id"},
		{"challenge_lifetime 29s", app(func(a *attest.AppFile) { a.ChallengeLifetime = "29s" }), "app[0].challenge_lifetime"},
		{"challenge_lifetime 61m", app(func(a *attest.AppFile) { a.ChallengeLifetime = "61m" }), "app[0].challenge_lifetime"},
		{"challenge_lifetime never", app(func(a *attest.AppFile) { a.ChallengeLifetime = "never" }), "app[0].challenge_lifetime"},
		{"challenge_lifetime 30s", app(func(a *attest.AppFile) { a.ChallengeLifetime = "30s" }), ""},
		{"challenge_lifetime 1h", app(func(a *attest.AppFile) { a.ChallengeLifetime = "1h" }), ""},
		{"max_key_age empty", app(func(a *attest.AppFile) { a.MaxKeyAge = "" }), "app[0].max_key_age"},
		{"max_key_age none", app(func(a *attest.AppFile) { a.MaxKeyAge = "none" }), "app[0].max_key_age"},
		{"max_key_age never", app(func(a *attest.AppFile) { a.MaxKeyAge = "never" }), ""},
		{"an unknown algorithm", app(func(a *attest.AppFile) { a.RequestAlgorithms = []string{"ecdsa-p256-sha256", "hmac-sha256"} }), "app[0].request_algorithms[1]"},
		{"no algorithm, and requests", app(func(a *attest.AppFile) { a.RequestAlgorithms = nil }), "app[0].request_algorithms"},
		{"no algorithm, and iPhones alone", app(func(a *attest.AppFile) { a.RequestAlgorithms, a.Android = nil, nil }), ""},
		{"no algorithm, and no requests", func(f *attest.PolicyFile) { f.App[0].RequestAlgorithms, f.Request.Authorities = nil, nil }, ""},
		{"no platform", app(func(a *attest.AppFile) { a.Android, a.Apple = nil, nil }), ""},

		{"profile empty", android(func(a *attest.AndroidAppFile) { a.Profile = "" }), "app[0].android.profile"},
		{"profile lax", android(func(a *attest.AndroidAppFile) { a.Profile = "lax" }), "app[0].android.profile"},
		{"min_level software", android(func(a *attest.AndroidAppFile) { a.MinLevel = "software" }), "app[0].android.min_level"},
		{"boot any", android(func(a *attest.AndroidAppFile) { a.Boot = "any" }), "app[0].android.boot"},
		{"boot listed, no keys", android(func(a *attest.AndroidAppFile) { a.Boot = "listed" }), "app[0].android.boot_keys"},
		{"a boot key that is no hex", android(func(a *attest.AndroidAppFile) { a.BootKeys = []string{"xy"} }), "app[0].android.boot_keys[0]"},
		{"a boot key of 31 octets", android(func(a *attest.AndroidAppFile) { a.BootKeys = []string{strings.Repeat("ab", 31)} }), "app[0].android.boot_keys[0]"},
		{"a boot key in upper case", android(func(a *attest.AndroidAppFile) { a.Boot, a.BootKeys = "listed", []string{strings.Repeat("AB", 32)} }), ""},
		{"min_os_version empty", android(func(a *attest.AndroidAppFile) { a.MinOSVersion = "" }), "app[0].android.min_os_version"},
		{"min_os_version of four parts", android(func(a *attest.AndroidAppFile) { a.MinOSVersion = "1.2.3.4" }), "app[0].android.min_os_version"},
		{"min_os_version 100", android(func(a *attest.AndroidAppFile) { a.MinOSVersion = "100" }), "app[0].android.min_os_version"},
		{"min_os_version -1", android(func(a *attest.AndroidAppFile) { a.MinOSVersion = "-1" }), "app[0].android.min_os_version"},
		{"min_os_version 12.1.3", android(func(a *attest.AndroidAppFile) { a.MinOSVersion = "12.1.3" }), ""},
		{"no patch floor", android(func(a *attest.AndroidAppFile) { a.PatchFloor = nil }), "app[0].android.patch_floor"},
		{"os floor with a day", android(func(a *attest.AndroidAppFile) { a.PatchFloor.OS = "2024-01-01" }), "app[0].android.patch_floor.os"},
		{"os floor, month 13", android(func(a *attest.AndroidAppFile) { a.PatchFloor.OS = "2024-13" }), "app[0].android.patch_floor.os"},
		{"vendor floor without day", android(func(a *attest.AndroidAppFile) { a.PatchFloor.Vendor = "2024-01" }), "app[0].android.patch_floor.vendor"},
		{"boot floor empty", android(func(a *attest.AndroidAppFile) { a.PatchFloor.Boot = "" }), "app[0].android.patch_floor.boot"},
		{"patch max_age never", android(func(a *attest.AndroidAppFile) { a.PatchFloor.MaxAge = "never" }), "app[0].android.patch_floor.max_age"},
		{"every floor", android(func(a *attest.AndroidAppFile) {
			a.PatchFloor = &attest.PatchFloorFile{OS: "2024-01", Vendor: "2024-01-05", Boot: "2024-02-29", MaxAge: "13140h"}
		}), ""},
		{"no packages", android(func(a *attest.AndroidAppFile) { a.Packages = nil }), "app[0].android.packages"},
		{"a package without name", android(func(a *attest.AndroidAppFile) { a.Packages[0].Name = "" }), "app[0].android.packages[0].name"},
		{"a package without signer", android(func(a *attest.AndroidAppFile) { a.Packages[0].Signers = nil }), "app[0].android.packages[0].signers"},
		{"a signer in base64", android(func(a *attest.AndroidAppFile) { a.Packages[0].Signers = []string{"x+y="} }), "app[0].android.packages[0].signers[0]"},
		{"a signer of SHA-1", android(func(a *attest.AndroidAppFile) { a.Packages[0].Signers = []string{strings.Repeat("ab", 20)} }), "app[0].android.packages[0].signers[0]"},

		{"platform tvos", apple(func(a *attest.AppleAppFile) { a.Platform = "tvos" }), "app[0].apple.platform"},
		{"team id empty", apple(func(a *attest.AppleAppFile) { a.TeamID = "" }), "app[0].apple.team_id"},
		{"team id with a dot", apple(func(a *attest.AppleAppFile) { a.TeamID = "A.B" }), "app[0].apple.team_id"},
		{"no bundle id", apple(func(a *attest.AppleAppFile) { a.BundleIDs = nil }), "app[0].apple.bundle_ids"},
		{"an empty bundle id", apple(func(a *attest.AppleAppFile) { a.BundleIDs = []string{"a", ""} }), "app[0].apple.bundle_ids[1]"},
		{"no environment", apple(func(a *attest.AppleAppFile) { a.Environments = nil }), "app[0].apple.environments"},
		{"an unknown environment", apple(func(a *attest.AppleAppFile) { a.Environments = []string{"sandbox"} }), "app[0].apple.environments[0]"},
		{"client_data empty", apple(func(a *attest.AppleAppFile) { a.ClientData = "" }), "app[0].apple.client_data"},
		{"no category", apple(func(a *attest.AppleAppFile) { a.Categories = nil }), "app[0].apple.categories"},
		{"missing_category empty", apple(func(a *attest.AppleAppFile) { a.MissingCategory = "" }), "app[0].apple.missing_category"},
		{"receipt ignore", apple(func(a *attest.AppleAppFile) { a.Receipt = "ignore" }), "app[0].apple.receipt"},
		{"counter_window 65", apple(func(a *attest.AppleAppFile) { a.CounterWindow = 65 }), "app[0].apple.counter_window"},
		{"counter_window -1", apple(func(a *attest.AppleAppFile) { a.CounterWindow = -1 }), "app[0].apple.counter_window"},
		{"counter_window 64", apple(func(a *attest.AppleAppFile) { a.CounterWindow = 64 }), ""},

		{"exception", x(), ""},
		{"exception without id", x(func(e *attest.Exception) { e.ID = "" }), "exception[0].id"},
		{"exception with spaces in its id", x(func(e *attest.Exception) { e.ID = "a b" }), "exception[0].id"},
		{"exception with a long id", x(func(e *attest.Exception) { e.ID = strings.Repeat("x", 65) }), "exception[0].id"},
		{"exception without owner", x(func(e *attest.Exception) { e.Owner = " " }), "exception[0].owner"},
		{"exception without ticket", x(func(e *attest.Exception) { e.Ticket = "" }), "exception[0].ticket"},
		{"exception without reason", x(func(e *attest.Exception) { e.Reason = "" }), "exception[0].reason"},
		{"exception twice", func(f *attest.PolicyFile) { x()(f); x()(f) }, "exception[0].id"},
		{"exception of no app", x(func(e *attest.Exception) { e.Apps = nil }), "exception[0].apps"},
		{"exception of another app", x(func(e *attest.Exception) { e.Apps = []string{"demo", "other"} }), "exception[0].apps"},
		{"exception for an unknown check", x(func(e *attest.Exception) { e.Check = "signature" }), "exception[0].check"},
		{"exception for a code", x(func(e *attest.Exception) { e.Check = "android.ca_bit" }), "exception[0].check"},
		{"exception at another position", x(func(e *attest.Exception) { e.Position = 2 }), "exception[0].position"},
		{"exception without match", x(func(e *attest.Exception) { e.Match = nil }), "exception[0].match"},
		{"exception for everybody", x(func(e *attest.Exception) { e.Match = &attest.MatchFile{} }), "exception[0].match"},
		{"exception for a version", x(func(e *attest.Exception) { e.Match = &attest.MatchFile{AttestationVersions: []uint64{3}} }), "exception[0].match"},
		{"exception for a model without name", x(func(e *attest.Exception) { e.Match.Models[0].Model = "" }), "exception[0].match.models[0]"},
		{"exception for no manufacturer", x(func(e *attest.Exception) { e.Match.Models[0].Manufacturer = "" }), "exception[0].match.models[0]"},
		{"exception for a batch of SHA-1", x(func(e *attest.Exception) { e.Match.BatchSPKI = []string{strings.Repeat("ab", 20)} }), "exception[0].match.batch_spki[0]"},
		{"exception for a boot key of no octets", x(func(e *attest.Exception) { e.Match.BootKeys = []string{""} }), "exception[0].match.boot_keys[0]"},
		{"exception that ends before it begins", x(func(e *attest.Exception) { e.Expires = e.NotBefore }), "exception[0].expires"},
		{"exception of 400 days", x(func(e *attest.Exception) { e.Expires = e.NotBefore.Add(400 * day) }), ""},
		{"exception of 400 days and a second", x(func(e *attest.Exception) { e.Expires = e.NotBefore.Add(400*day + time.Second) }), "exception[0].expires"},
		{"a negative cap", x(func(e *attest.Exception) { e.MaxUsesPerDay = -1 }), "exception[0].max_uses_per_day"},
	} {
		p, err := attest.NewPolicy(file(t, c.edit))
		var wrong *attest.PolicyError
		switch {
		case c.key == "" && (err != nil || p == nil):
			t.Errorf("%s: %v", c.name, err)
		case c.key != "" && (!errors.As(err, &wrong) || wrong.Key != c.key || wrong.Reason == "" || p != nil):
			t.Errorf("%s: %v, want the key %s", c.name, err, c.key)
		case c.key != "" && (!strings.HasPrefix(err.Error(), "attest: policy: "+c.key+": ")):
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := attest.NewPolicy(&attest.PolicyFile{}); err == nil {
		t.Error("the zero file is a policy")
	}
}

// TestExceptionChecks: which checks an exception may name, and where (2.2).
func TestExceptionChecks(t *testing.T) {
	for check, positions := range map[string]string{
		"leaf_validity": "0", "cert_expired": "12", "ca_bit": "1", "key_cert_sign": "1", "path_length": "2",
		"critical_extension": "0123", "cert_encoding": "0123", "issuer_name": "0", "root_missing": "34",
		"signature": "", "chain_extended": "", "root_unknown": "", "software_root": "", "revoked": "", "kd_malformed": "",
		"challenge_mismatch": "", "cert_not_yet_valid": "", "boot_unlocked": "", "app_signer": "", "level_software": "",
	} {
		for position := range 6 {
			_, err := attest.NewPolicy(file(t, excepting(func(e *attest.Exception) { e.Check, e.Position = check, position })))
			if want := strings.Contains(positions, string(rune('0'+position))); (err == nil) != want {
				t.Errorf("%s at %d: %v", check, position, err)
			}
		}
	}
}

// TestDigest: layout, comments, order of keys and defaults written out do not
// change it; every value does.
func TestDigest(t *testing.T) {
	base := policyOf(t)
	if !strings.HasPrefix(base.Digest(), "sha256:") || len(base.Digest()) != 71 || base.Name() != "demo" {
		t.Errorf("%s %s", base.Name(), base.Digest())
	}
	text := strings.ReplaceAll(attesttest.DemoPolicy(), "\nversion = 1\nname = \"demo\"\n", "\n# again\nname   =   'demo'\nversion=1\n")
	text = strings.Replace(text, "counter_window = 0\n", "\n\n", 1)
	text = strings.Replace(text, "bundle_versions = []\n", "", 1)
	if text == attesttest.DemoPolicy() {
		t.Fatal("the text is the same")
	}
	var f attest.PolicyFile
	if err := config.Decode([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	if p, err := attest.NewPolicy(&f); err != nil || p.Digest() != base.Digest() {
		t.Errorf("another layout: %v", err)
	}
	if policyOf(t, func(f *attest.PolicyFile) { f.Exception, f.Risk = []attest.Exception{}, nil }).Digest() != base.Digest() {
		t.Error("nil and empty differ")
	}
	zone := time.FixedZone("JST", 9*3600)
	jst := excepting(func(e *attest.Exception) { e.NotBefore, e.Expires = e.NotBefore.In(zone), e.Expires.In(zone) })
	if policyOf(t, jst).Digest() != policyOf(t, excepting()).Digest() {
		t.Error("the zone of a time counts")
	}
	changes := 0
	eachValue(reflect.ValueOf(file(t, excepting())).Elem(), func(v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "0")
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Uint32, reflect.Uint64:
			v.SetUint(v.Uint() + 1)
		case reflect.Bool:
			v.SetBool(!v.Bool())
		}
		changes++
	}, func(f any) {
		if p, err := attest.NewPolicy(f.(*attest.PolicyFile)); err == nil && p.Digest() == policyOf(t, excepting()).Digest() {
			t.Error("a change leaves the digest")
		}
	}, func() any { return file(t, excepting()) })
	if changes < 50 {
		t.Errorf("%d values were changed", changes)
	}
	// A policy does not see what happens to the file behind its back.
	kept := file(t)
	p, err := attest.NewPolicy(kept)
	if err != nil {
		t.Fatal(err)
	}
	kept.App[0].Android.Packages[0].Signers[0] = strings.Repeat("00", 32)
	kept.Android.Revocation.Suspended = "reject"
	if v := judge(t, evidence(t, attesttest.RKP), expecting(t), p); !v.Accept() || p.Digest() != base.Digest() {
		t.Errorf("the file is still in use: %v", all(v))
	}
}

// eachValue changes one leaf of a fresh file after the other.
func eachValue(shape reflect.Value, change func(reflect.Value), check func(any), fresh func() any) {
	var leaves func(v reflect.Value, path []int) [][]int
	leaves = func(v reflect.Value, path []int) (all [][]int) {
		switch v.Kind() {
		case reflect.Pointer:
			return leaves(v.Elem(), append(path[:len(path):len(path)], -1))
		case reflect.Struct:
			if _, ok := v.Interface().(time.Time); ok {
				return nil
			}
			for i := range v.NumField() {
				all = append(all, leaves(v.Field(i), append(path[:len(path):len(path)], i))...)
			}
			return all
		case reflect.Slice:
			for i := range v.Len() {
				all = append(all, leaves(v.Index(i), append(path[:len(path):len(path)], i))...)
			}
			return all
		}
		return [][]int{path}
	}
	for _, path := range leaves(shape, nil) {
		f := fresh()
		v := reflect.ValueOf(f).Elem()
		for _, i := range path {
			switch v.Kind() {
			case reflect.Pointer:
				v = v.Elem()
			case reflect.Slice:
				v = v.Index(i)
			default:
				v = v.Field(i)
			}
		}
		change(v)
		check(f)
	}
}

func TestWithProfile(t *testing.T) {
	google := policyOf(t)
	changed, err := google.WithProfile(attest.ProfileStrict)
	if err != nil || changed.Digest() != policyOf(t, strict).Digest() || changed.Digest() == google.Digest() {
		t.Errorf("strict: %v", err)
	}
	if back, err := changed.WithProfile(attest.ProfileGoogle); err != nil || back.Digest() != google.Digest() {
		t.Errorf("and back: %v", err)
	}
	if _, err := google.WithProfile("lax"); err == nil {
		t.Error("lax is a profile")
	}
	if p, err := genuine(t, attest.ProfileGoogle).WithProfile(attest.ProfileStrict); err != nil || p.Digest() != genuine(t, attest.ProfileStrict).Digest() {
		t.Errorf("the built-in policy: %v", err)
	}
	if p, err := policyOf(t, func(f *attest.PolicyFile) { f.App[0].Android = nil }).WithProfile(attest.ProfileStrict); err != nil || p == nil {
		t.Errorf("an app without Android: %v", err)
	}
	if _, err := attest.Genuine(""); err == nil {
		t.Error("a built-in policy of no profile")
	}
}

// TestPolicyTells: what a service reads of a policy, which is its own copy.
func TestPolicyTells(t *testing.T) {
	p := policyOf(t, func(f *attest.PolicyFile) { f.App[0].Apple.CounterWindow = 8 })
	want := attest.AppPolicy{
		ID: attesttest.DemoApp, ChallengeLifetime: 5 * time.Minute, MaxKeyAge: 4320 * time.Hour, RequestAlgorithms: []string{"ecdsa-p256-sha256"},
		TakesAndroid: true, TakesApple: true, AppleAppIDs: []string{attesttest.DemoTeamID + "." + attesttest.DemoBundleID}, CounterWindow: 8,
	}
	requests := attest.RequestPolicy{MaxAge: 2 * time.Minute, FutureSkew: 30 * time.Second, Authorities: []string{"pay.example.com"}}
	for range 2 {
		app, ok := p.App(attesttest.DemoApp)
		if diff := cmp.Diff(want, app); diff != "" || !ok {
			t.Error(diff)
		}
		request := p.Request()
		if diff := cmp.Diff(requests, request); diff != "" {
			t.Error(diff)
		}
		app.RequestAlgorithms[0], app.AppleAppIDs[0], request.Authorities[0] = "changed", "changed", "changed"
	}
	if _, ok := p.App("other"); ok {
		t.Error("there is an app that is not there")
	}
	never := policyOf(t, func(f *attest.PolicyFile) { f.App[0].MaxKeyAge, f.App[0].Android, f.App[0].Apple = "never", nil, nil })
	if app, _ := never.App(attesttest.DemoApp); app.MaxKeyAge != 0 || app.TakesAndroid || app.TakesApple || app.AppleAppIDs != nil {
		t.Errorf("%+v", app)
	}
	if r := new(attest.Policy).Request(); len(r.Authorities) != 0 || r.MaxAge != 0 {
		t.Errorf("the zero policy: %+v", r)
	}
	none := func(f *attest.PolicyFile) { f.Android.DangerousExtraRoots, f.Apple.DangerousExtraRoots = nil, nil }
	if !p.TrustsExtraRoots() || policyOf(t, none).TrustsExtraRoots() || genuine(t, attest.ProfileGoogle).TrustsExtraRoots() {
		t.Error("extra roots")
	}
	if policyOf(t, func(f *attest.PolicyFile) { f.Android.DangerousExtraRoots = nil }).TrustsExtraRoots() != true {
		t.Error("extra roots of Apple alone")
	}
}

// TestZeroPolicy: accepts nothing.
func TestZeroPolicy(t *testing.T) {
	for _, p := range []*attest.Policy{nil, {}} {
		if v, err := newVerifier(t).Verify(evidence(t, attesttest.RKP), expecting(t), p, testNow()); err == nil || v.Accept() {
			t.Errorf("%v", v)
		}
	}
	var zero attest.Verdict
	if zero.Accept() || (attest.Verdict{Tier: "unknown"}).Accept() {
		t.Error("the zero verdict accepts")
	}
	// No roots in the file: only the vendors' are trusted.
	p := policyOf(t, func(f *attest.PolicyFile) { f.Android.DangerousExtraRoots = nil })
	if v := judge(t, evidence(t, attesttest.RKP), expecting(t), p); !v.Has("android.root_unknown") || v.Accept() {
		t.Errorf("%v", all(v))
	}
}

// TestCanonicalPolicy: the canonical form is JSON of the file, and reads back
// to the same digest.
func TestCanonicalPolicy(t *testing.T) {
	for _, p := range []*attest.Policy{policyOf(t, excepting()), genuine(t, attest.ProfileStrict)} {
		b := bundleOf(t, evidence(t, attesttest.RKP), expecting(t), p)
		var members map[string]any
		if err := json.Unmarshal(b.Policy, &members); err != nil || len(members) == 0 {
			t.Fatal(err)
		}
		r, err := newVerifier(t).Replay(b)
		if err != nil || r.NewVerdict.PolicyDigest != p.Digest() {
			t.Errorf("%v", err)
		}
		members["surprise"] = 1
		b.Policy = json.RawMessage(asJSON(t, members))
		if _, err := newVerifier(t).Replay(b); !malformed(err) {
			t.Errorf("a canonical policy with an unknown member: %v", err)
		}
	}
}

// TestParsePolicy: a policy is kept as its canonical text and found again by its
// digest, whoever has written it.
func TestParsePolicy(t *testing.T) {
	for _, p := range []*attest.Policy{policyOf(t, strict, excepting()), genuine(t, attest.ProfileStrict)} {
		text := p.Canonical()
		back, err := attest.ParsePolicy(text)
		if err != nil || back.Digest() != p.Digest() || back.Name() != p.Name() || !bytes.Equal(back.Canonical(), text) {
			t.Fatalf("%s: %v", p.Name(), err)
		}
		if v := judge(t, evidence(t, attesttest.RKP), expecting(t), back); v.PolicyDigest != p.Digest() {
			t.Errorf("%s: the verdict is by %s", p.Name(), v.PolicyDigest)
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, text, "", "  "); err != nil {
			t.Fatal(err)
		}
		if back, err := attest.ParsePolicy(indented.Bytes()); err != nil || back.Digest() != p.Digest() {
			t.Errorf("%s, laid out for people: %v", p.Name(), err)
		}
		text[0] = '['
		if !bytes.Equal(back.Canonical(), p.Canonical()) {
			t.Error("the text is shared")
		}
	}
	// A release that did not know a key of this one.
	p := policyOf(t)
	old := bytes.Replace(p.Canonical(), []byte(`,"counter_window":0`), nil, 1)
	back, err := attest.ParsePolicy(old)
	if err != nil || !bytes.Equal(back.Canonical(), old) || back.Digest() == p.Digest() {
		t.Errorf("an older text: %v", err)
	}
	for _, text := range []string{"", "null", "{}", "[]", `{"surprise":1}`, string(p.Canonical()) + "{}"} {
		if _, err := attest.ParsePolicy([]byte(text)); err == nil {
			t.Errorf("%q is a policy", text)
		}
	}
}
