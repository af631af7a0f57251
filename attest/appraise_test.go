package attest_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

func levels(attestation, keyMint attesttest.Level) attesttest.AndroidOption {
	return func(d *attesttest.AndroidDraft) {
		d.Description.AttestationSecurityLevel, d.Description.KeyMintSecurityLevel = attestation, keyMint
	}
}

// TestAppraiseLevel: 2.5, the level claimed, the level proven, the level asked for.
func TestAppraiseLevel(t *testing.T) {
	strongBox := func(a *attest.AndroidAppFile) { a.MinLevel = "strongbox" }
	tee := func(a *attest.AndroidAppFile) {}
	batch := func(organisation string) attesttest.AndroidOption {
		return at(1, func(c *attesttest.Certificate) { c.Subject = attesttest.Name("CN", "x", "O", organisation) })
	}
	const sw, hw, sb = attesttest.Software, attesttest.TEE, attesttest.StrongBox
	for _, c := range []struct {
		name  string
		kind  attesttest.Provisioning
		level attesttest.Level // of the phone's key store, hence of its chain
		opts  []attesttest.AndroidOption
		min   func(*attest.AndroidAppFile)
		want  string
	}{
		{"tee", attesttest.RKP, hw, nil, tee, ""},
		{"strongbox", attesttest.RKP, sb, nil, tee, ""},
		{"strongbox asked for", attesttest.RKP, sb, nil, strongBox, ""},
		{"strongbox asked for, tee", attesttest.RKP, hw, nil, strongBox, "android.level_too_low:reject"},
		{"software", attesttest.RKP, hw, []attesttest.AndroidOption{levels(sw, sw)}, tee, "android.level_software:reject android.level_too_low:reject"},
		{"key in software", attesttest.RKP, hw, []attesttest.AndroidOption{levels(hw, sw)}, tee, "android.level_software:reject android.level_mismatch:reject android.level_too_low:reject"},
		{"attested in software", attesttest.RKP, hw, []attesttest.AndroidOption{levels(sw, hw)}, tee, "android.level_software:reject android.level_mismatch:reject android.level_too_low:reject"},
		{"key in the StrongBox, attested by the TEE: the lower counts", attesttest.RKP, hw, []attesttest.AndroidOption{levels(hw, sb)}, tee, "android.level_mismatch:reject"},
		{"StrongBox claimed under a TEE chain", attesttest.RKP, hw, []attesttest.AndroidOption{levels(sb, sb)}, tee, "android.level_unproven:reject"},
		{"TEE claimed under a StrongBox chain", attesttest.RKP, sb, []attesttest.AndroidOption{levels(hw, hw)}, tee, "android.level_unproven:reject"},
		{"rkp, an organisation that nobody knows", attesttest.RKP, hw, []attesttest.AndroidOption{batch("Vendor")}, tee, "android.level_unproven:reject"},
		{"factory, TEE: not stated", attesttest.Factory, hw, nil, tee, ""},
		{"factory, StrongBox", attesttest.Factory, sb, nil, strongBox, ""},
		{"factory, StrongBox claimed without StrongBox in a name", attesttest.Factory, hw, []attesttest.AndroidOption{levels(sb, sb)}, tee, "android.level_unproven:reject"},
		{"factory, TEE claimed under a StrongBox batch", attesttest.Factory, sb, []attesttest.AndroidOption{levels(hw, hw)}, tee, "android.level_unproven:reject"},
		{"none, TEE", attesttest.None, hw, nil, tee, "android.provisioning_unknown:warn"},
		{"none, StrongBox claimed", attesttest.None, hw, []attesttest.AndroidOption{levels(sb, sb)}, tee, "android.level_unproven:reject android.provisioning_unknown:warn"},
	} {
		p := androidPhone(t)
		p.Provisioning, p.Level = c.kind, c.level
		v := judge(t, evidenceOf(t, p, c.opts...), expecting(t), policyOf(t, onAndroid(c.min)))
		if !same(found(v), c.want) {
			t.Errorf("%s: %v, want %s", c.name, all(v), c.want)
		}
	}
}

// TestAppraiseBoot: verified, listed, dangerous_any.
func TestAppraiseBoot(t *testing.T) {
	key := bytes.Repeat([]byte{0xab}, 32)
	other := bytes.Repeat([]byte{0xcd}, 32)
	zero := make([]byte, 32)
	listed := func(a *attest.AndroidAppFile) {
		a.Boot, a.BootKeys = "listed", []string{strings.ToUpper(hex.EncodeToString(key))}
	}
	listedZero := func(a *attest.AndroidAppFile) { a.Boot, a.BootKeys = "listed", []string{hex.EncodeToString(zero)} }
	verified := func(*attest.AndroidAppFile) {}
	anyState := func(a *attest.AndroidAppFile) { a.Boot = "dangerous_any" }
	root := func(state int64, locked bool, key []byte) attesttest.RootOfTrust {
		return attesttest.RootOfTrust{VerifiedBootKey: key, DeviceLocked: locked, VerifiedBootState: state, VerifiedBootHash: key}
	}
	for _, c := range []struct {
		name string
		root attesttest.RootOfTrust
		app  func(*attest.AndroidAppFile)
		want string
	}{
		{"verified", root(0, true, key), verified, ""},
		{"verified, any key under listed", root(0, true, other), listed, ""},
		{"verified, zero key", root(0, true, zero), verified, "android.boot_key_zero:warn"},
		{"verified, empty key", root(0, true, nil), verified, "android.boot_key_zero:warn"},
		{"verified, unlocked", root(0, false, key), verified, "android.boot_unlocked:reject"},
		{"verified, unlocked, listed", root(0, false, key), listed, "android.boot_unlocked:reject"},
		{"verified, unlocked, any", root(0, false, key), anyState, "android.boot_unlocked:warn"},
		{"self-signed", root(1, true, key), verified, "android.boot_state:reject"},
		{"self-signed, listed", root(1, true, key), listed, ""},
		{"self-signed, another key", root(1, true, other), listed, "android.boot_state:reject"},
		{"self-signed, listed, unlocked", root(1, false, key), listed, "android.boot_unlocked:reject android.boot_state:reject"},
		{"self-signed, a zero key that somebody listed", root(1, true, zero), listedZero, "android.boot_state:reject"},
		{"self-signed, a key of 31 octets", root(1, true, key[:31]), listed, "android.boot_state:reject"},
		{"self-signed, any", root(1, true, key), anyState, "android.boot_state:warn"},
		{"unverified", root(2, true, key), verified, "android.boot_state:reject"},
		{"unverified, its key listed", root(2, true, key), listed, "android.boot_state:reject"},
		{"unverified and unlocked, any", root(2, false, key), anyState, "android.boot_unlocked:warn android.boot_state:warn"},
		{"failed", root(3, true, key), verified, "android.boot_state:reject"},
		{"failed, listed", root(3, true, key), listed, "android.boot_state:reject"},
		{"unknown", root(4, true, key), verified, "android.boot_state:reject"},
	} {
		v := judge(t, evidence(t, attesttest.RKP, hardware(func(l *attesttest.AuthorizationList) { l.SetDER(704, c.root.DER()) })), expecting(t), policyOf(t, onAndroid(c.app)))
		if !same(found(v), c.want) {
			t.Errorf("%s: %v, want %s", c.name, all(v), c.want)
		}
	}
	for name, opt := range map[string]attesttest.AndroidOption{
		"absent": hardware(func(l *attesttest.AuthorizationList) { l.Remove(704) }),
		"in softwareEnforced": func(d *attesttest.AndroidDraft) {
			d.Description.HardwareEnforced.Remove(704)
			d.Description.SoftwareEnforced.SetDER(704, root(0, true, key).DER())
		},
		"unusable": hardware(func(l *attesttest.AuthorizationList) { l.SetInteger(704, 1) }),
	} {
		for _, app := range []func(*attest.AndroidAppFile){verified, listed, anyState} {
			if v := judge(t, evidence(t, attesttest.RKP, opt), expecting(t), policyOf(t, onAndroid(app))); !same(found(v), "android.boot_missing:reject") {
				t.Errorf("%s: %v", name, all(v))
			}
		}
	}
}

// TestAppraiseKey: origin, purpose, tag 600; facts of the hardware list alone.
func TestAppraiseKey(t *testing.T) {
	type list = attesttest.AuthorizationList
	for _, c := range []struct {
		name string
		opt  attesttest.AndroidOption
		want string
	}{
		{"derived", hardware(func(l *list) { l.SetInteger(702, 1) }), "android.origin:reject"},
		{"imported", hardware(func(l *list) { l.SetInteger(702, 2) }), "android.origin:reject"},
		{"securely imported", hardware(func(l *list) { l.SetInteger(702, 4) }), "android.origin:reject"},
		{"origin absent", hardware(func(l *list) { l.Remove(702) }), "android.origin:reject"},
		{"origin unusable", hardware(func(l *list) { l.SetNull(702) }), "android.origin:reject"},
		{"sign alone", hardware(func(l *list) { l.SetIntegers(1, 2) }), ""},
		{"encrypt", hardware(func(l *list) { l.SetIntegers(1, 0, 1) }), "android.purpose:reject"},
		{"sign and attest", hardware(func(l *list) { l.SetIntegers(1, 2, 7) }), "android.purpose:reject"},
		{"sign in softwareEnforced", func(d *attesttest.AndroidDraft) {
			d.Description.HardwareEnforced.Remove(1)
			d.Description.SoftwareEnforced.SetIntegers(1, 2)
		}, "android.purpose:reject"},
		{"all applications", hardware(func(l *list) { l.SetNull(600) }), "android.all_applications:reject"},
		{"all applications, software", software(func(l *list) { l.SetNull(600) }), "android.all_applications:reject"},
	} {
		if v := judge(t, evidence(t, attesttest.RKP, c.opt), expecting(t), policyOf(t)); !same(found(v), c.want) {
			t.Errorf("%s: %v, want %s", c.name, all(v), c.want)
		}
	}
}

// TestAppraiseApp: packages, signers, versions, shared user IDs.
func TestAppraiseApp(t *testing.T) {
	ours, err := hex.DecodeString(attesttest.DemoSigner)
	if err != nil {
		t.Fatal(err)
	}
	rotated, foreign := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	demo := attesttest.Package{Name: attesttest.DemoPackage, Version: attesttest.DemoVersionCode}
	beta := attesttest.Package{Name: "com.example.demo.beta", Version: 1}
	stranger := attesttest.Package{Name: "com.example.stranger", Version: 1}
	entry := func(name string, min uint64, shared bool, signers ...[]byte) attest.PackageFile {
		p := attest.PackageFile{Name: name, MinVersionCode: min, SharedUID: shared}
		for _, s := range signers {
			p.Signers = append(p.Signers, hex.EncodeToString(s))
		}
		return p
	}
	main := entry(attesttest.DemoPackage, attesttest.DemoVersionCode, false, ours)
	shared := entry(attesttest.DemoPackage, attesttest.DemoVersionCode, true, ours)
	for _, c := range []struct {
		name    string
		id      attesttest.ApplicationID
		entries []attest.PackageFile
		want    string
	}{
		{"ours", attesttest.ApplicationID{Packages: []attesttest.Package{demo}, Signers: [][]byte{ours}}, []attest.PackageFile{main}, ""},
		{"another package", attesttest.ApplicationID{Packages: []attesttest.Package{stranger}, Signers: [][]byte{ours}}, []attest.PackageFile{main}, "android.app_package"},
		{"a longer name", attesttest.ApplicationID{Packages: []attesttest.Package{{Name: attesttest.DemoPackage + "x", Version: demo.Version}}, Signers: [][]byte{ours}}, []attest.PackageFile{main}, "android.app_package"},
		{"another case", attesttest.ApplicationID{Packages: []attesttest.Package{{Name: "COM.example.demo", Version: demo.Version}}, Signers: [][]byte{ours}}, []attest.PackageFile{main}, "android.app_package"},
		{"another signer", attesttest.ApplicationID{Packages: []attesttest.Package{demo}, Signers: [][]byte{foreign}}, []attest.PackageFile{main}, "android.app_signer"},
		{"no signer", attesttest.ApplicationID{Packages: []attesttest.Package{demo}}, []attest.PackageFile{main}, "android.app_signer"},
		{"ours and another signer", attesttest.ApplicationID{Packages: []attesttest.Package{demo}, Signers: [][]byte{ours, foreign}}, []attest.PackageFile{main}, "android.app_signer"},
		{"a signer cut short", attesttest.ApplicationID{Packages: []attesttest.Package{demo}, Signers: [][]byte{ours[:31]}}, []attest.PackageFile{main}, "android.app_signer"},
		{"a set of two, one of them", attesttest.ApplicationID{Packages: []attesttest.Package{demo}, Signers: [][]byte{rotated}}, []attest.PackageFile{entry(demo.Name, 1, false, ours, rotated)}, ""},
		{"a set of two, both", attesttest.ApplicationID{Packages: []attesttest.Package{demo}, Signers: [][]byte{rotated, ours}}, []attest.PackageFile{entry(demo.Name, 1, false, ours, rotated)}, ""},
		{"an older version", attesttest.ApplicationID{Packages: []attesttest.Package{{Name: demo.Name, Version: demo.Version - 1}}, Signers: [][]byte{ours}}, []attest.PackageFile{main}, "android.app_version"},
		{"version 0 and no minimum", attesttest.ApplicationID{Packages: []attesttest.Package{{Name: demo.Name}}, Signers: [][]byte{ours}}, []attest.PackageFile{entry(demo.Name, 0, false, ours)}, ""},
		{"a stranger under our user ID", attesttest.ApplicationID{Packages: []attesttest.Package{demo, stranger}, Signers: [][]byte{ours}}, []attest.PackageFile{main}, "android.app_package"},
		{"the same where the policy shares it", attesttest.ApplicationID{Packages: []attesttest.Package{demo, stranger}, Signers: [][]byte{ours}}, []attest.PackageFile{shared}, ""},
		{"shared, and a foreign signer", attesttest.ApplicationID{Packages: []attesttest.Package{demo, stranger}, Signers: [][]byte{ours, foreign}}, []attest.PackageFile{shared}, "android.app_signer"},
		{"two of ours", attesttest.ApplicationID{Packages: []attesttest.Package{demo, beta}, Signers: [][]byte{ours}}, []attest.PackageFile{main, entry(beta.Name, 0, false, ours)}, ""},
		{"two of ours, of other signers", attesttest.ApplicationID{Packages: []attesttest.Package{demo, beta}, Signers: [][]byte{ours}}, []attest.PackageFile{main, entry(beta.Name, 0, false, rotated)}, "android.app_package"},
		{"the second entry", attesttest.ApplicationID{Packages: []attesttest.Package{beta}, Signers: [][]byte{rotated}}, []attest.PackageFile{main, entry(beta.Name, 0, false, rotated)}, ""},
		{"the second entry, signer of the first", attesttest.ApplicationID{Packages: []attesttest.Package{beta}, Signers: [][]byte{ours}}, []attest.PackageFile{main, entry(beta.Name, 0, false, rotated)}, "android.app_signer"},
		{"one of two entries for a package", attesttest.ApplicationID{Packages: []attesttest.Package{demo}, Signers: [][]byte{rotated}}, []attest.PackageFile{main, entry(demo.Name, 0, false, rotated)}, ""},
		{"no package", attesttest.ApplicationID{Signers: [][]byte{ours}}, []attest.PackageFile{main}, "android.app_package"},
		{"a placeholder", attesttest.ApplicationID{Packages: []attesttest.Package{{Name: "UnknownPackage"}}, Signers: [][]byte{ours}}, []attest.PackageFile{main}, "android.app_missing"},
		{"a placeholder beside ours", attesttest.ApplicationID{Packages: []attesttest.Package{demo, {Name: "AndroidSystem"}}, Signers: [][]byte{ours}}, []attest.PackageFile{shared}, "android.app_missing"},
	} {
		p := androidPhone(t)
		p.App = c.id
		v := judge(t, evidenceOf(t, p), expecting(t), policyOf(t, onAndroid(func(a *attest.AndroidAppFile) { a.Packages = c.entries })))
		want := ""
		if c.want != "" {
			want = c.want + ":reject"
		}
		if !same(found(v), want) {
			t.Errorf("%s: %v, want %s", c.name, all(v), c.want)
		}
	}
	missing := map[string]attesttest.AndroidOption{
		"absent": software(func(l *attesttest.AuthorizationList) { l.Remove(709) }),
		"in hardwareEnforced": func(d *attesttest.AndroidDraft) {
			d.Description.SoftwareEnforced.Remove(709)
			d.Description.HardwareEnforced.SetDER(709, attesttest.ApplicationID{Packages: []attesttest.Package{demo}, Signers: [][]byte{ours}}.DER())
		},
		"unusable": software(func(l *attesttest.AuthorizationList) { l.SetOctets(709, []byte("x")) }),
	}
	for name, opt := range missing {
		if v := judge(t, evidence(t, attesttest.RKP, opt), expecting(t), policyOf(t)); !same(found(v), "android.app_missing:reject") {
			t.Errorf("%s: %v", name, all(v))
		}
	}
}

// TestAppraiseVersions: system version, patch floors and ages.
func TestAppraiseVersions(t *testing.T) {
	floor := func(os, vendor, boot, maxAge string) func(*attest.AndroidAppFile) {
		return func(a *attest.AndroidAppFile) {
			a.PatchFloor = &attest.PatchFloorFile{OS: os, Vendor: vendor, Boot: boot, MaxAge: maxAge}
		}
	}
	version := func(v string) func(*attest.AndroidAppFile) {
		return func(a *attest.AndroidAppFile) { a.MinOSVersion = v }
	}
	none := floor("none", "none", "none", "none")
	for _, c := range []struct {
		name  string
		tag   int
		value int64 // -1: absent
		app   func(*attest.AndroidAppFile)
		want  string
	}{
		{"os floor, equal", 706, 202401, floor("2024-01", "none", "none", "none"), ""},
		{"os floor, below", 706, 202312, floor("2024-01", "none", "none", "none"), "android.patch_old:reject"},
		{"os floor, with a day", 706, 20240101, floor("2024-01", "none", "none", "none"), ""},
		{"os floor, 0", 706, 0, floor("2024-01", "none", "none", "none"), "android.patch_missing:reject"},
		{"os floor, absent", 706, -1, floor("2024-01", "none", "none", "none"), "android.patch_missing:reject"},
		{"no floor, absent", 706, -1, none, ""},
		{"no floor, 0", 706, 0, none, ""},
		{"vendor floor, equal", 718, 20240105, floor("none", "2024-01-05", "none", "none"), ""},
		{"vendor floor, a day below", 718, 20240104, floor("none", "2024-01-05", "none", "none"), "android.patch_old:reject"},
		{"vendor floor, month only", 718, 202401, floor("none", "2024-01-05", "none", "none"), ""},
		{"vendor floor, day 00", 718, 20240100, floor("none", "2024-01-05", "none", "none"), ""},
		{"vendor floor, a month below", 718, 202312, floor("none", "2024-01-05", "none", "none"), "android.patch_old:reject"},
		{"vendor floor, nine digits", 718, 202401050, floor("none", "2024-01-05", "none", "none"), "android.patch_missing:reject"},
		{"boot floor, below", 719, 20240104, floor("none", "none", "2024-01-05", "none"), "android.patch_old:reject"},
		{"boot floor, month 13", 719, 20241301, floor("none", "none", "2024-01-05", "none"), "android.patch_missing:reject"},
		{"max_age, just young enough", 706, 20261022, floor("none", "none", "none", "744h"), ""}, // 30.5 days
		{"max_age, too old", 706, 20261021, floor("none", "none", "none", "744h"), "android.patch_old:reject"},
		{"max_age, absent", 706, -1, floor("none", "none", "none", "744h"), "android.patch_missing:reject"},
		{"max_age is of the OS level alone", 718, 20200101, floor("none", "none", "none", "8760h"), ""},
		{"31 days ahead", 718, 20261222, none, ""},
		{"32 days ahead", 718, 20261223, none, "android.patch_future:warn"},
		{"far ahead", 706, 209912, none, "android.patch_future:warn"},
		{"version 14, equal", 705, 140000, version("14"), ""},
		{"version 14, below", 705, 130099, version("14"), "android.os_version:reject"},
		{"version 12.1, below", 705, 120099, version("12.1"), "android.os_version:reject"},
		{"version 12.1, equal", 705, 120100, version("12.1"), ""},
		{"version 12.1.2, below", 705, 120101, version("12.1.2"), "android.os_version:reject"},
		{"version 0", 705, 0, version("14"), "android.os_version:reject"},
		{"version absent", 705, -1, version("14"), "android.os_version:reject"},
		{"version absent, none asked for", 705, -1, version("none"), ""},
	} {
		opt := hardware(func(l *attesttest.AuthorizationList) {
			if c.value < 0 {
				l.Remove(c.tag)
			} else {
				l.SetInteger(c.tag, c.value)
			}
		})
		if v := judge(t, evidence(t, attesttest.RKP, opt), expecting(t), policyOf(t, onAndroid(c.app))); !same(found(v), c.want) {
			t.Errorf("%s: %v, want %s", c.name, all(v), c.want)
		}
	}
}

// TestAppraiseStatus: the list's own age, and what it says beside REVOKED.
func TestAppraiseStatus(t *testing.T) {
	suspendedRejects := func(f *attest.PolicyFile) { f.Android.Revocation.Suspended = "reject" }
	nothing := func(*attest.PolicyFile) {}
	for _, c := range []struct {
		name   string
		age    time.Duration
		listed string
		edit   func(*attest.PolicyFile)
		want   string
	}{
		{"fresh", 0, "", nothing, ""},
		{"warn_age", 12 * time.Hour, "", nothing, ""},
		{"above warn_age", 12*time.Hour + time.Second, "", nothing, "android.status_stale:warn"},
		{"max_age", 72 * time.Hour, "", nothing, "android.status_stale:warn"},
		{"above max_age", 72*time.Hour + time.Second, "", nothing, "android.status_stale:reject"},
		{"a little from the future", -12 * time.Hour, "", nothing, ""},
		{"from the future", -12*time.Hour - time.Second, "", nothing, "android.status_stale:warn"},
		{"far from the future", -72*time.Hour - time.Second, "", nothing, "android.status_stale:reject"},
		{"of tomorrow", -day, "", nothing, "android.status_stale:warn"},
		{"suspended", 0, "SUSPENDED", nothing, "android.suspended:warn"},
		{"suspended rejects", 0, "SUSPENDED", suspendedRejects, "android.suspended:reject"},
		{"another text", 0, "WATCHED", suspendedRejects, "android.status_value:warn"},
		{"revoked", 0, "REVOKED", nothing, "android.revoked:reject"},
		{"revoked, in a stale list", 100 * day, "REVOKED", nothing, "android.revoked:reject"},
	} {
		fetched, listed := testNow().Add(-c.age), map[string]string{}
		if c.listed != "" {
			listed["77"] = c.listed
		}
		want := expecting(t)
		want.Status = listAt(&fetched, listed)
		ev := evidence(t, attesttest.RKP, at(2, func(x *attesttest.Certificate) { x.Serial = []byte{0x77} }))
		if v := judge(t, ev, want, policyOf(t, c.edit)); !same(found(v), c.want) {
			t.Errorf("%s: %v, want %s", c.name, all(v), c.want)
		}
	}
	want := expecting(t)
	want.Status = nil
	if v := judge(t, evidence(t, attesttest.RKP), want, policyOf(t)); !same(found(v), "android.status_unavailable:reject") {
		t.Errorf("no list: %v", all(v))
	}
	if v := judgeAt(t, evidence(t, attesttest.RKP), want, genuine(t, attest.ProfileGoogle), testNow()); !v.Has("android.root_unknown") {
		t.Errorf("no list, built-in policy: %v", all(v))
	}
}

// TestAppraiseRisk: the signals that evidence holds. A rule fires at its value;
// each rule that fires is a finding; a signal without a value fires nothing.
func TestAppraiseRisk(t *testing.T) {
	rules := func(rules ...attest.RiskFile) func(*attest.PolicyFile) {
		return func(f *attest.PolicyFile) { f.Risk = rules }
	}
	for _, c := range []struct {
		name string
		kind attesttest.Provisioning
		edit func(*attest.PolicyFile)
		want string
	}{
		{"at the value", attesttest.RKP, rules(attest.RiskFile{Signal: attest.RKPCerts30Days, AtLeast: 4, Effect: attest.Warn}), "common.risk:warn"},
		{"below", attesttest.RKP, rules(attest.RiskFile{Signal: attest.RKPCerts30Days, AtLeast: 5, Effect: attest.Reject}), ""},
		{"two rules", attesttest.RKP, rules(attest.RiskFile{Signal: attest.RKPCerts30Days, AtLeast: 1, Effect: attest.Warn}, attest.RiskFile{Signal: attest.RKPCerts30Days, AtLeast: 2, Effect: attest.Reject}), "common.risk:warn common.risk:reject"},
		{"no value", attesttest.Factory, rules(attest.RiskFile{Signal: attest.RKPCerts30Days, AtLeast: 0, Effect: attest.Reject}), ""},
		{"patch age", attesttest.RKP, rules(attest.RiskFile{Signal: attest.PatchAgeDays, AtLeast: 51, Effect: attest.Warn}), "common.risk:warn"}, // 1 October to 21 November
		{"patch age, below", attesttest.RKP, rules(attest.RiskFile{Signal: attest.PatchAgeDays, AtLeast: 52, Effect: attest.Warn}), ""},
		{"signals of the service", attesttest.RKP, rules(attest.RiskFile{Signal: attest.BatchRateRKP, Effect: attest.Reject}, attest.RiskFile{Signal: attest.KeysPerAccount30Days, Effect: attest.Reject}), ""},
	} {
		if v := judge(t, evidence(t, c.kind), expecting(t), policyOf(t, c.edit)); !same(found(v), c.want) {
			t.Errorf("%s: %v, want %s", c.name, all(v), c.want)
		}
	}
}

// TestProfiles: which deviations reject (2.2). What rejects under google
// rejects under strict.
func TestProfiles(t *testing.T) {
	for _, d := range attesttest.Deviations() {
		if d.Check == "" {
			continue
		}
		g, st := rowVerdict(t, d, attest.ProfileGoogle), rowVerdict(t, d, attest.ProfileStrict)
		always := d.Check == "issuer_name" || d.Check == "root_missing"
		if st.Accept() || g.Accept() == always || st.Tier != attest.TierContraindicated || st.Profile != attest.ProfileStrict || g.Profile != attest.ProfileGoogle {
			t.Errorf("%s: google %s, strict %s", d.Name, g.Tier, st.Tier)
		}
	}
}

// TestTiers: none, contraindicated, warning, affirming, and what each carries.
func TestTiers(t *testing.T) {
	for _, c := range []struct {
		name string
		opts []attesttest.AndroidOption
		want attest.Tier
	}{
		{"good", nil, attest.TierAffirming},
		{"a note", []attesttest.AndroidOption{hardware(func(l *attesttest.AuthorizationList) { l.SetInteger(731, 1) })}, attest.TierAffirming},
		{"a warning", []attesttest.AndroidOption{hardware(func(l *attesttest.AuthorizationList) { l.SetInteger(706, 209912) })}, attest.TierWarning},
		{"a rejection", []attesttest.AndroidOption{hardware(func(l *attesttest.AuthorizationList) { l.Remove(702) })}, attest.TierContraindicated},
		{"a warning and a rejection", []attesttest.AndroidOption{hardware(func(l *attesttest.AuthorizationList) { l.Remove(702); l.SetInteger(706, 209912) })}, attest.TierContraindicated},
		{"a hard finding", []attesttest.AndroidOption{func(d *attesttest.AndroidDraft) { d.Description.AttestationChallenge = nil }}, attest.TierNone},
	} {
		v := judge(t, evidence(t, attesttest.RKP, c.opts...), expecting(t), policyOf(t))
		hard := c.want == attest.TierNone
		if v.Tier != c.want || v.Accept() != (c.want == attest.TierAffirming || c.want == attest.TierWarning) {
			t.Errorf("%s: %s", c.name, v.Tier)
		}
		if (v.Claims == nil) != hard || (v.UnverifiedClaims == nil) == hard || hard && len(v.Findings) != 1 {
			t.Errorf("%s: claims %v, unverified %v, %v", c.name, v.Claims, v.UnverifiedClaims, all(v))
		}
	}
}

// TestChooseApp: by name, by identity, else the first.
func TestChooseApp(t *testing.T) {
	two := policyOf(t, func(f *attest.PolicyFile) {
		second := file(t).App[0]
		second.ID, second.Apple.BundleIDs = "second", []string{"com.example.second"}
		second.Android.Packages[0].Name = "com.example.second"
		f.App = append(f.App, second)
	})
	p := androidPhone(t)
	if v := judge(t, evidenceOf(t, p), expecting(t), two); v.App != attesttest.DemoApp || !v.Accept() {
		t.Errorf("the first: %s %v", v.App, all(v))
	}
	p.App.Packages[0].Name = "com.example.second"
	if v := judge(t, evidenceOf(t, p), expecting(t), two); v.App != "second" || !v.Accept() {
		t.Errorf("the second, by its package: %s %v", v.App, all(v))
	}
	p.App.Packages[0].Name = "com.example.third"
	if v := judge(t, evidenceOf(t, p), expecting(t), two); v.App != attesttest.DemoApp || !v.Has("android.app_package") {
		t.Errorf("none: %s %v", v.App, all(v))
	}
	want := expecting(t)
	want.App = "second"
	if v := judge(t, evidence(t, attesttest.RKP), want, two); v.App != "second" || !v.Has("android.app_package") {
		t.Errorf("named: %s %v", v.App, all(v))
	}
	want.App = "third"
	if _, err := newVerifier(t).Verify(evidence(t, attesttest.RKP), want, two, testNow()); !unsupported(err) {
		t.Errorf("an app that is not there: %v", err)
	}
}
