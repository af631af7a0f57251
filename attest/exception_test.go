package attest_test

import (
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
)

var scopeNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// demoPolicy is the demo policy with changes, of profile strict, so that each
// deviation rejects.
func demoPolicy(t testing.TB, change func(*attest.PolicyFile)) (*attest.Policy, error) {
	t.Helper()
	var f attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &f); err != nil {
		t.Fatal(err)
	}
	f.App[0].Android.Profile = attest.ProfileStrict
	change(&f)
	return attest.NewPolicy(&f)
}

// leafException relaxes leaf_validity for the software phone.
func leafException() attest.Exception {
	return attest.Exception{
		ID: "old-clock", Apps: []string{attesttest.DemoApp}, Check: "leaf_validity", Position: 0,
		Match: &attest.MatchFile{Models: []attest.ModelFile{{Manufacturer: attesttest.DemoManufacturer, Model: attesttest.DemoModel}}},
		Owner: "test", Ticket: "TEST-1", Reason: "the clock was never set",
		NotBefore: scopeNow.Add(-time.Hour), Expires: scopeNow.Add(time.Hour),
	}
}

// oldClock is the deviation that leafException relaxes; oddExtension another
// one at the same position.
func oldClock(d *attesttest.AndroidDraft) {
	d.Chain[0].NotBefore, d.Chain[0].NotAfter = scopeNow.Add(-2*time.Hour), scopeNow.Add(-time.Hour)
}
func oddExtension(d *attesttest.AndroidDraft) {
	d.Chain[0].Extensions = append(d.Chain[0].Extensions, attesttest.Extension{OID: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
}

// verifyKey verifies the chain of a software phone's key for "challenge".
func verifyKey(t *testing.T, p *attest.Policy, key *attesttest.AndroidKey, want attest.Expect) attest.Verdict {
	t.Helper()
	list, err := android.ParseStatusList([]byte(`{"entries": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	want.Challenge, want.Status = []byte("challenge"), list
	v, err := verifier.Verify(attest.Evidence{Format: attest.FormatAndroidChain, Chain: key.Chain()}, want, p, scopeNow)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestExceptionScope: an exception is for one check, at one position, of one
// attested class of phones, in one app, for a time.
func TestExceptionScope(t *testing.T) {
	batch := func(d *attesttest.AndroidDraft) string {
		sum := sha256.Sum256(d.Chain[1].PublicKey)
		return hex.EncodeToString(sum[:])
	}
	ca, err := attesttest.TestAndroidCA(scopeNow)
	if err != nil {
		t.Fatal(err)
	}
	var batchKey, bootKey string // of the phone, as the last option sees it
	claimed := func(d *attesttest.AndroidDraft) {
		d.Description.HardwareEnforced.Remove(716, 717)
		d.Description.SoftwareEnforced.SetOctets(716, []byte(attesttest.DemoManufacturer))
		d.Description.SoftwareEnforced.SetOctets(717, []byte(attesttest.DemoModel))
	}
	other := hex.EncodeToString(make([]byte, 32))
	for _, tt := range []struct {
		name   string
		change func(*attest.Exception)
		phone  attesttest.AndroidOption
		uses   func(string) int
		accept bool
		also   string // a finding that must be there
	}{
		{name: "matches", accept: true, also: "common.exception_used"},
		{name: "other check", change: func(e *attest.Exception) { e.Check = "cert_encoding" }},
		{name: "other deviation", phone: oddExtension},
		{name: "other position", change: func(e *attest.Exception) { e.Check, e.Position = "critical_extension", 1 },
			phone: func(d *attesttest.AndroidDraft) { oddExtension(d); d.Chain[0].NotAfter = scopeNow.Add(time.Hour) }},
		{name: "its position", change: func(e *attest.Exception) { e.Check = "critical_extension" },
			phone:  func(d *attesttest.AndroidDraft) { oddExtension(d); d.Chain[0].NotAfter = scopeNow.Add(time.Hour) },
			accept: true},
		{name: "other app", change: func(e *attest.Exception) { e.Apps = []string{"other"} }},
		{name: "both apps", change: func(e *attest.Exception) { e.Apps = []string{"other", attesttest.DemoApp} }, accept: true},
		{name: "other model", change: func(e *attest.Exception) { e.Match.Models[0].Model = "Hardware Phone" }},
		{name: "other manufacturer", change: func(e *attest.Exception) { e.Match.Models[0].Manufacturer = "Somebody" }},
		{name: "second model", change: func(e *attest.Exception) {
			e.Match.Models = append([]attest.ModelFile{{Manufacturer: "Somebody", Model: "Hardware Phone"}}, e.Match.Models...)
		}, accept: true},
		{name: "model that only the software claims", phone: claimed},
		{name: "batch key", change: func(e *attest.Exception) { e.Match = &attest.MatchFile{BatchSPKI: []string{other, batchKey}} }, accept: true},
		{name: "other batch key", change: func(e *attest.Exception) { e.Match = &attest.MatchFile{BatchSPKI: []string{other}} }},
		{name: "model and other batch key", change: func(e *attest.Exception) { e.Match.BatchSPKI = []string{other} }},
		{name: "boot key", change: func(e *attest.Exception) { e.Match = &attest.MatchFile{BootKeys: []string{bootKey}} }, accept: true},
		{name: "other boot key", change: func(e *attest.Exception) { e.Match = &attest.MatchFile{BootKeys: []string{other}} }},
		{name: "version", change: func(e *attest.Exception) { e.Match.AttestationVersions = []uint64{300, 400} }, accept: true},
		{name: "other version", change: func(e *attest.Exception) { e.Match.AttestationVersions = []uint64{300} }},
		{name: "first second", change: func(e *attest.Exception) { e.NotBefore = scopeNow }, accept: true},
		{name: "a second early", change: func(e *attest.Exception) { e.NotBefore = scopeNow.Add(time.Second) }, also: "common.exception_inactive"},
		{name: "last second", change: func(e *attest.Exception) { e.Expires = scopeNow.Add(time.Second) }, accept: true},
		{name: "expired", change: func(e *attest.Exception) { e.Expires = scopeNow }, also: "common.exception_inactive"},
		{name: "a use left", change: func(e *attest.Exception) { e.MaxUsesPerDay = 5 }, uses: func(string) int { return 1 }, accept: true},
		{name: "no use left", change: func(e *attest.Exception) { e.MaxUsesPerDay = 5 }, uses: func(string) int { return 0 }, also: "common.exception_inactive"},
		{name: "uses that nobody counts", change: func(e *attest.Exception) { e.MaxUsesPerDay = 5 }, accept: true},
		{name: "no cap", uses: func(string) int { return 0 }, accept: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			phone := ca.Phone()
			phone.Options = []attesttest.AndroidOption{oldClock, func(d *attesttest.AndroidDraft) {
				if tt.phone != nil {
					tt.phone(d)
				}
				batchKey, bootKey = batch(d), hex.EncodeToString(phone.Boot.VerifiedBootKey)
			}}
			key, err := phone.GenerateKey(scopeNow, []byte("challenge"))
			if err != nil {
				t.Fatal(err)
			}
			p, err := demoPolicy(t, func(f *attest.PolicyFile) {
				second := f.App[0]
				second.ID = "other"
				e := leafException()
				if tt.change != nil {
					tt.change(&e)
				}
				f.App, f.Exception = append(f.App, second), []attest.Exception{e}
			})
			if err != nil {
				t.Fatal(err)
			}
			v := verifyKey(t, p, key, attest.Expect{App: attesttest.DemoApp, UsesLeft: tt.uses})
			if v.Accept() != tt.accept || tt.also != "" && !v.Has(tt.also) {
				t.Errorf("accept %t, want %t; want %q in %v", v.Accept(), tt.accept, tt.also, v.Findings)
			}
		})
	}
}

// TestExceptionFactoryOnly: path rules are relaxed for the phones of a factory,
// which keep their certificates; those of remote provisioning get new ones.
func TestExceptionFactoryOnly(t *testing.T) {
	ca, err := attesttest.TestAndroidCA(scopeNow)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		check     string
		position  int
		extension asn1.ObjectIdentifier
		value     string // DER
	}{
		{"ca_bit", 1, asn1.ObjectIdentifier{2, 5, 29, 19}, "\x30\x00"},
		{"key_cert_sign", 1, asn1.ObjectIdentifier{2, 5, 29, 15}, "\x03\x02\x07\x80"},
		{"path_length", 2, asn1.ObjectIdentifier{2, 5, 29, 19}, "\x30\x06\x01\x01\xff\x02\x01\x00"},
	} {
		p, err := demoPolicy(t, func(f *attest.PolicyFile) {
			e := leafException()
			e.Check, e.Position = tt.check, tt.position
			f.Exception = []attest.Exception{e}
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []attesttest.Provisioning{attesttest.Factory, attesttest.RKP} {
			phone := ca.Phone()
			phone.Provisioning = kind
			key, err := phone.GenerateKey(scopeNow, []byte("challenge"), func(d *attesttest.AndroidDraft) {
				c := d.Chain[tt.position]
				c.DER, c.Extension(tt.extension).Value = nil, []byte(tt.value)
			})
			if err != nil {
				t.Fatal(err)
			}
			v := verifyKey(t, p, key, attest.Expect{})
			if !v.Has("android."+tt.check) || v.Accept() != (kind == attesttest.Factory) {
				t.Errorf("%s under %s: accept %t, %v", tt.check, kind, v.Accept(), v.Findings)
			}
		}
	}
}

// TestExceptionPositions: the checks that an exception can relax, and where.
// What is not in the table can never be relaxed.
func TestExceptionPositions(t *testing.T) {
	positions := map[string][]int{
		"leaf_validity": {0}, "cert_expired": {1, 2}, "ca_bit": {1}, "key_cert_sign": {1}, "path_length": {2},
		"critical_extension": {0, 1, 2, 3}, "cert_encoding": {0, 1, 2, 3}, "issuer_name": {0}, "root_missing": {3, 4},
	}
	for _, c := range attest.Codes() {
		check, ok := strings.CutPrefix(c.Name, "android.")
		if !ok {
			continue
		}
		for position := -1; position < 8; position++ {
			_, err := demoPolicy(t, func(f *attest.PolicyFile) {
				e := leafException()
				e.Check, e.Position = check, position
				f.Exception = []attest.Exception{e}
			})
			if want := slices.Contains(positions[check], position); (err == nil) != want {
				t.Errorf("%s at %d: %v", check, position, err)
			}
		}
	}
}

// TestExceptionIsSomebodys: what an exception must say of itself.
func TestExceptionIsSomebodys(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name   string
		change func(*attest.Exception)
		key    string // of the PolicyError; empty: good
	}{
		{"good", func(*attest.Exception) {}, ""},
		{"no id", func(e *attest.Exception) { e.ID = "" }, "exception[0].id"},
		{"no owner", func(e *attest.Exception) { e.Owner = " " }, "exception[0].owner"},
		{"no ticket", func(e *attest.Exception) { e.Ticket = "" }, "exception[0].ticket"},
		{"no reason", func(e *attest.Exception) { e.Reason = "" }, "exception[0].reason"},
		{"no app", func(e *attest.Exception) { e.Apps = nil }, "exception[0].apps"},
		{"unknown app", func(e *attest.Exception) { e.Apps = []string{"nobody"} }, "exception[0].apps"},
		{"no class", func(e *attest.Exception) { e.Match = nil }, "exception[0].match"},
		{"version alone is no class", func(e *attest.Exception) { e.Match = &attest.MatchFile{AttestationVersions: []uint64{400}} }, "exception[0].match"},
		{"empty model", func(e *attest.Exception) { e.Match.Models[0].Model = "" }, "exception[0].match.models[0]"},
		{"batch key cut short", func(e *attest.Exception) { e.Match.BatchSPKI = []string{"abcd"} }, "exception[0].match.batch_spki[0]"},
		{"400 days", func(e *attest.Exception) { e.Expires = e.NotBefore.Add(400 * day) }, ""},
		{"longer", func(e *attest.Exception) { e.Expires = e.NotBefore.Add(400*day + time.Second) }, "exception[0].expires"},
		{"backwards", func(e *attest.Exception) { e.Expires = e.NotBefore }, "exception[0].expires"},
		{"negative cap", func(e *attest.Exception) { e.MaxUsesPerDay = -1 }, "exception[0].max_uses_per_day"},
	} {
		_, err := demoPolicy(t, func(f *attest.PolicyFile) {
			e := leafException()
			tt.change(&e)
			f.Exception = []attest.Exception{e}
		})
		checkPolicyError(t, tt.name, err, tt.key)
	}
	_, err := demoPolicy(t, func(f *attest.PolicyFile) { f.Exception = []attest.Exception{leafException(), leafException()} })
	checkPolicyError(t, "twice", err, "exception[0].id")
}

// checkPolicyError wants a PolicyError about key, or none.
func checkPolicyError(t *testing.T, name string, err error, key string) {
	t.Helper()
	var policy *attest.PolicyError
	switch {
	case key == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case key != "" && (!errors.As(err, &policy) || policy.Key != key):
		t.Errorf("%s: %v, want an error about %s", name, err, key)
	}
}
