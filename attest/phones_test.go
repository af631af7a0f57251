package attest_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
)

// testNow is when the software phones attest.
func testNow() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

const day = 24 * time.Hour

func challenge() []byte { return []byte("32 random bytes from the server.") }

// androidCA and appleCA are made once.
var androidCA = sync.OnceValues(func() (*attesttest.AndroidCA, error) { return attesttest.TestAndroidCA(testNow()) })
var appleCA = sync.OnceValues(func() (*attesttest.AppleCA, error) { return attesttest.TestAppleCA(testNow()) })

func androidPhone(t testing.TB) *attesttest.AndroidPhone {
	t.Helper()
	ca, err := androidCA()
	if err != nil {
		t.Fatal(err)
	}
	return ca.Phone()
}

func applePhone(t testing.TB) *attesttest.ApplePhone {
	t.Helper()
	ca, err := appleCA()
	if err != nil {
		t.Fatal(err)
	}
	return ca.Phone()
}

// evidence of a phone of some kind, changed by options.
func evidence(t testing.TB, kind attesttest.Provisioning, opts ...attesttest.AndroidOption) attest.Evidence {
	t.Helper()
	p := androidPhone(t)
	p.Provisioning = kind
	return evidenceOf(t, p, opts...)
}

func evidenceOf(t testing.TB, p *attesttest.AndroidPhone, opts ...attesttest.AndroidOption) attest.Evidence {
	t.Helper()
	key, err := p.GenerateKey(testNow(), challenge(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return attest.Evidence{Format: attest.FormatAndroidChain, Chain: key.Chain()}
}

func at(position int, edit func(*attesttest.Certificate)) attesttest.AndroidOption {
	return func(d *attesttest.AndroidDraft) { edit(d.Chain[position]) }
}

func hardware(edit func(*attesttest.AuthorizationList)) attesttest.AndroidOption {
	return func(d *attesttest.AndroidDraft) { edit(&d.Description.HardwareEnforced) }
}

func software(edit func(*attesttest.AuthorizationList)) attesttest.AndroidOption {
	return func(d *attesttest.AndroidDraft) { edit(&d.Description.SoftwareEnforced) }
}

// file is the demo policy, to be changed.
func file(t testing.TB, edits ...func(*attest.PolicyFile)) *attest.PolicyFile {
	t.Helper()
	f := &attest.PolicyFile{}
	if err := config.Decode([]byte(attesttest.DemoPolicy()), f); err != nil {
		t.Fatal(err)
	}
	for _, edit := range edits {
		edit(f)
	}
	return f
}

func policyOf(t testing.TB, edits ...func(*attest.PolicyFile)) *attest.Policy {
	t.Helper()
	p, err := attest.NewPolicy(file(t, edits...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// onAndroid changes what the demo app demands of Android phones.
func onAndroid(edit func(*attest.AndroidAppFile)) func(*attest.PolicyFile) {
	return func(f *attest.PolicyFile) { edit(f.App[0].Android) }
}

func onApple(edit func(*attest.AppleAppFile)) func(*attest.PolicyFile) {
	return func(f *attest.PolicyFile) { edit(f.App[0].Apple) }
}

func strict(f *attest.PolicyFile) { f.App[0].Android.Profile = attest.ProfileStrict }

func status(t testing.TB, listed map[string]string) *android.StatusList {
	t.Helper()
	return android.NewStatusList("sha256:none", nil, len(listed), listed)
}

// expecting is what a server expects of a software phone.
func expecting(t testing.TB) attest.Expect {
	t.Helper()
	return attest.Expect{Challenge: challenge(), Status: status(t, nil)}
}

// judge verifies with a fresh verifier; an error ends the test.
func judge(t testing.TB, ev attest.Evidence, want attest.Expect, p *attest.Policy) attest.Verdict {
	t.Helper()
	return judgeAt(t, ev, want, p, testNow())
}

func judgeAt(t testing.TB, ev attest.Evidence, want attest.Expect, p *attest.Policy, now time.Time) attest.Verdict {
	t.Helper()
	v, err := newVerifier(t).Verify(ev, want, p, now)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// found lists the findings that do more than note, as "code:effect".
func found(v attest.Verdict) (list []string) {
	for _, f := range v.Findings {
		if f.Effect != attest.Note {
			list = append(list, f.Code+":"+string(f.Effect))
		}
	}
	return list
}

// all lists every finding.
func all(v attest.Verdict) (list []string) {
	for _, f := range v.Findings {
		list = append(list, f.Code+":"+string(f.Effect))
	}
	return list
}

// same reports whether findings are exactly these, separated by spaces.
func same(got []string, want string) bool { return slices.Equal(got, strings.Fields(want)) }

// rowSamples keeps what was made: many tests walk the catalogue. Nobody
// changes a sample in place.
var rowSamples sync.Map

// sample is evidence of a row of the catalogue.
func sample(t testing.TB, d attesttest.Deviation) (attest.Evidence, attest.Expect, attesttest.Sample) {
	t.Helper()
	made, ok := rowSamples.Load(d.Name)
	if !ok {
		s, err := d.Make(testNow())
		if err != nil {
			t.Fatal(err)
		}
		made, _ = rowSamples.LoadOrStore(d.Name, s)
	}
	s := made.(attesttest.Sample)
	ev, want, err := s.Evidence()
	if err != nil {
		t.Fatal(err)
	}
	return ev, want, s
}

// rowPolicies keeps what was decoded: most rows have the same policy.
var rowPolicies sync.Map

// rowPolicy is the policy that a row of the catalogue is stated for.
func rowPolicy(t testing.TB, d attesttest.Deviation, profile string) *attest.Policy {
	t.Helper()
	text := d.Policy(profile)
	if p, ok := rowPolicies.Load(text); ok {
		return p.(*attest.Policy)
	}
	f := &attest.PolicyFile{}
	if err := config.Decode([]byte(text), f); err != nil {
		t.Fatal(err)
	}
	p, err := attest.NewPolicy(f)
	if err != nil {
		t.Fatal(err)
	}
	rowPolicies.Store(text, p)
	return p
}

// rowVerdicts keeps verdicts of the catalogue, of one verifier whose cache is
// warm.
var rowVerdicts sync.Map
var rowVerifier = sync.OnceValues(func() (*attest.Verifier, error) { return attest.NewVerifier(nil) })

// rowVerdict is the verdict on a row under a profile of its policy, or under
// "genuine", the built-in one.
func rowVerdict(t testing.TB, d attesttest.Deviation, profile string) attest.Verdict {
	t.Helper()
	if v, ok := rowVerdicts.Load(d.Name + " " + profile); ok {
		return v.(attest.Verdict)
	}
	ev, want, s := sample(t, d)
	p := genuine(t, attest.ProfileGoogle)
	if profile != "genuine" {
		p = rowPolicy(t, d, profile)
	}
	verifier, err := rowVerifier()
	if err != nil {
		t.Fatal(err)
	}
	v, err := verifier.Verify(ev, want, p, s.At)
	if err != nil {
		t.Fatal(d.Name, err)
	}
	rowVerdicts.Store(d.Name+" "+profile, v)
	return v
}

// malformed and unsupported tell errors apart.
func malformed(err error) bool   { return errors.Is(err, attest.ErrMalformed) }
func unsupported(err error) bool { return errors.Is(err, attest.ErrUnsupported) }

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// listAt is a revocation list that was fetched at a time.
func listAt(fetched *time.Time, listed map[string]string) *android.StatusList {
	return android.NewStatusList("sha256:listed", fetched, len(listed), listed)
}
