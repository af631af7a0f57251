package attest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
)

var samples = flag.Bool("samples", false, "make the samples and the policy of the golden files again; then -update")

// recorded are the rows of the catalogue of which a sample is kept in
// testdata/samples: software phones are random, so that a golden verdict needs
// evidence that stays.
func recorded() []string {
	return []string{
		"android-rkp", "android-factory-strongbox", "android-version-1", "android-mldsa-key", "description-all-tags", "description-unknown-tag",
		"batch-not-ca", "boot-unverified", "leaf-altered", "software-root-ec", "description-garbage", "root-omitted",
		"webauthn-rkp", "apple-ios27", "apple-ios26", "apple-macos", "assertion-ios27", "assertion-replay", "receipt-metric", "receipt-key-other",
	}
}

// goldenPolicy is the demo policy as it was when the samples were made.
func goldenPolicy(t testing.TB) *attest.Policy {
	t.Helper()
	f := &attest.PolicyFile{}
	if err := config.Decode(readFile(t, "testdata", "policies", "demo.toml"), f); err != nil {
		t.Fatal(err)
	}
	p, err := attest.NewPolicy(f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const goldenList = `{"fetched_at":"2026-11-21T11:00:00Z","list":{"entries":{"57a0bad0":{"status":"REVOKED","reason":"KEY_COMPROMISE"}}}}`

// golden verifies a sample as the command line does.
func golden(t testing.TB, v *attest.Verifier, input []byte, p *attest.Policy) attest.Verdict {
	t.Helper()
	ev, want, err := attest.Parse(input, attest.FormatAuto)
	if err != nil {
		t.Fatal(err)
	}
	if want.Status, err = android.ParseStatusList([]byte(goldenList)); err != nil {
		t.Fatal(err)
	}
	verdict, err := v.Verify(ev, want, p, testNow())
	if err != nil {
		t.Fatal(err)
	}
	return verdict
}

// TestSamples makes the recorded samples, if it is asked to.
func TestSamples(t *testing.T) {
	if !*samples {
		t.Skip("-samples makes them again")
	}
	if err := os.WriteFile(filepath.Join("testdata", "policies", "demo.toml"), []byte(attesttest.DemoPolicy()), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, d := range attesttest.Deviations() {
		if !slices.Contains(recorded(), d.Name) {
			continue
		}
		_, _, s := sample(t, d)
		text, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("testdata", "samples", d.Name+".json"), append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGolden: the JSON of verdicts, byte for byte; -update writes it again.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "samples", "*.json"))
	if err != nil || len(files) != len(recorded()) {
		t.Fatalf("%d samples of %d: %v", len(files), len(recorded()), err)
	}
	policies := map[string]*attest.Policy{"demo": goldenPolicy(t), "genuine": genuine(t, attest.ProfileGoogle)}
	verifier := newVerifier(t)
	for _, file := range files {
		for name, p := range policies {
			got, err := json.MarshalIndent(golden(t, verifier, readFile(t, file), p), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			into := filepath.Join("testdata", "golden", strings.TrimSuffix(filepath.Base(file), ".json")+"."+name+".json")
			if *update {
				if err := os.WriteFile(into, got, 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if diff := cmp.Diff(string(readFile(t, into)), string(got)); diff != "" {
				t.Errorf("%s: golden (-), now (+):\n%s", into, diff)
			}
		}
	}
}

// The members of a verdict, section 11: always all of them.
const (
	verdictMembers = `format verdict tier provisioning findings claims unverified_claims chain policy policy_digest profile status_list rules at`
	findingMembers = `code class effect position detail`
	chainMembers   = `subject serial not_before not_after spki_sha256`
	listMembers    = `digest fetched_at entries`
	androidMembers = `platform attestationVersion attestationSecurityLevel keyMintVersion keyMintSecurityLevel attestationChallenge uniqueId
		softwareEnforced hardwareEnforced key_spki key_id key_algorithm key_origin security_level app boot patch os_version device provisioning_info rp_id_hash risk_metric`
	appleMembers = `platform key_spki key_id key_algorithm app_id rp_id_hash environment counter validation_category bundle_version extensions_unknown
		os_version os_build acl receipt risk_metric`
)

// inside are the members of objects inside claims, when they are not null.
func inside() map[string]string {
	return map[string]string{
		"app": "packages signer_digests", "boot": "state device_locked key hash", "patch": "os vendor boot",
		"device": "brand device product manufacturer model", "provisioning_info": "certificates_issued manufacturer",
		"receipt": "type creation_time not_before expiration_time",
	}
}

func members(t *testing.T, what string, value any, want string) map[string]any {
	t.Helper()
	object, ok := value.(map[string]any)
	if !ok {
		t.Fatalf("%s is %v", what, value)
	}
	got, fields := slices.Sorted(maps.Keys(object)), strings.Fields(want)
	slices.Sort(fields)
	if diff := cmp.Diff(fields, got); diff != "" {
		t.Errorf("%s: section 11 (-), written (+):\n%s", what, diff)
	}
	return object
}

// TestVerdictMembers: of every row of the catalogue, accepted or not, all
// members are there; null is what does not apply.
func TestVerdictMembers(t *testing.T) {
	for _, d := range attesttest.Deviations() {
		for _, profile := range []string{attest.ProfileGoogle, "genuine"} {
			checkMembers(t, d.Name, asJSON(t, rowVerdict(t, d, profile)))
		}
	}
	zero := asJSON(t, attest.Verdict{})
	if strings.Contains(zero, `"findings":null`) || strings.Contains(zero, `"chain":null`) || !strings.Contains(zero, `"verdict":"reject"`) {
		t.Errorf("the zero verdict: %s", zero)
	}
	members(t, "the zero verdict", unmarshal(t, zero), verdictMembers)
}

func unmarshal(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func checkMembers(t *testing.T, name, text string) {
	t.Helper()
	v := members(t, name, unmarshal(t, text), verdictMembers)
	for _, f := range v["findings"].([]any) {
		f := members(t, name+", finding", f, findingMembers)
		if c, ok := attest.LookupCode(f["code"].(string)); !ok || string(c.Class) != f["class"] || f["detail"] == "" {
			t.Errorf("%s: finding %v", name, f)
		}
	}
	for _, c := range v["chain"].([]any) {
		members(t, name+", certificate", c, chainMembers)
	}
	if v["status_list"] != nil {
		members(t, name+", status list", v["status_list"], listMembers)
	}
	hard := v["tier"] == "none"
	if (v["claims"] == nil) != hard || !hard && v["unverified_claims"] != nil {
		t.Errorf("%s: tier %v with claims %v", name, v["tier"], v["claims"])
	}
	for _, which := range []string{"claims", "unverified_claims"} {
		if v[which] == nil {
			continue
		}
		want := androidMembers
		if v[which].(map[string]any)["platform"] == "apple" {
			want = appleMembers
		}
		claims := members(t, name+", "+which, v[which], want)
		for member, want := range inside() {
			if claims[member] != nil {
				members(t, name+", "+member, claims[member], want)
			}
		}
		for _, list := range []string{"softwareEnforced", "hardwareEnforced"} {
			if l, ok := claims[list].(map[string]any); ok && l["unknown_tags"] == nil {
				t.Errorf("%s: %s without unknown_tags", name, list)
			}
		}
	}
}

// TestVerdictIsAFunction: same input, policy and time, same bytes; whatever
// the verifier has seen before, and whatever the zone of the time.
func TestVerdictIsAFunction(t *testing.T) {
	for _, d := range attesttest.Deviations() {
		if !slices.Contains(recorded(), d.Name) {
			continue
		}
		ev, want, s := sample(t, d)
		p := rowPolicy(t, d, attest.ProfileGoogle)
		warm := newVerifier(t)
		var first []byte
		for i, now := range []time.Time{s.At, s.At.In(time.FixedZone("JST", 9*3600)), s.At} {
			verifier := warm
			if i == 2 {
				verifier = newVerifier(t)
			}
			v, err := verifier.Verify(ev, want, p, now)
			if err != nil {
				t.Fatal(err)
			}
			text := []byte(asJSON(t, v))
			if first == nil {
				first = text
			}
			if !bytes.Equal(first, text) {
				t.Errorf("%s: %s", d.Name, cmp.Diff(string(first), string(text)))
			}
		}
	}
}
