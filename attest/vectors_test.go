package attest_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/internal/vectors"
)

var update = flag.Bool("update", false, "write the golden files again")

// vectorDir finds the recorded evidence of real phones, which is third-party
// data and not part of this repository.
func vectorDir(t testing.TB) string {
	t.Helper()
	return vectors.Dir(t, "attestation")
}

func readFile(t testing.TB, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func genuine(t testing.TB, profile string) *attest.Policy {
	t.Helper()
	p, err := attest.Genuine(profile)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newVerifier(t testing.TB) *attest.Verifier {
	t.Helper()
	v, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// verify reads input as the command line does.
func verify(t testing.TB, input []byte, p *attest.Policy, now time.Time, change ...func(*attest.Expect)) attest.Verdict {
	t.Helper()
	ev, want, err := attest.Parse(input, attest.FormatAuto)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(&want)
	}
	v, err := newVerifier(t).Verify(ev, want, p, now)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// androidVector is an entry of a folder's vectors.json.
type androidVector struct {
	File      string    `json:"file"`
	VerifyAt  time.Time `json:"verify_at"`
	Want      string    `json:"google_rules_at_verify_at"`
	WantLater string    `json:"google_rules_at_2026-11-21"`
	Challenge string    `json:"challenge_b64"`
	Expected  string    `json:"expected_key_description"`
	dir       string
}

func androidVectors(t testing.TB) []androidVector {
	t.Helper()
	lists, err := filepath.Glob(filepath.Join(vectorDir(t), "*", "vectors.json"))
	if err != nil || len(lists) == 0 {
		t.Fatal("no vectors.json in ", vectorDir(t), err)
	}
	var all []androidVector
	for _, list := range lists {
		var some []map[string]json.RawMessage
		if err := json.Unmarshal(readFile(t, list), &some); err != nil {
			t.Fatal(list, err)
		}
		for _, raw := range some {
			v := androidVector{dir: filepath.Dir(list), VerifyAt: later}
			for name, into := range map[string]any{
				"file": &v.File, "verify_at": &v.VerifyAt, "google_rules_at_verify_at": &v.Want,
				"google_rules_at_2026-11-21": &v.WantLater, "challenge_b64": &v.Challenge, "expected_key_description": &v.Expected,
			} {
				if raw[name] == nil {
					continue
				}
				if err := json.Unmarshal(raw[name], into); err != nil && string(raw[name]) != `""` {
					t.Fatal(list, name, err)
				}
			}
			if strings.HasSuffix(v.File, ".pem") {
				all = append(all, v)
			}
		}
	}
	return all
}

// later is the second time for which the vectors state a verdict.
var later = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// wants translates a stated outcome into provisioning and code.
var wants = map[string]struct{ provisioning, code string }{
	"ACCEPT:factory":        {"factory", ""},
	"ACCEPT:rkp":            {"rkp", ""},
	"REJECT:expired":        {"rkp", "android.cert_expired"},
	"REJECT:software-root":  {"software", "android.software_root"},
	"REJECT:untrusted-root": {"none", "android.root_unknown"},
	"REJECT:signature":      {"factory", "android.signature"},
	"REJECT:chain-extended(KeyDescription below leaf)": {"rkp", "android.chain_extended"},
	"PARTIAL (parse vector)":                           {"none", "android.chain_length"},
}

// TestAndroidVectors: the built-in policy says of every recorded chain what
// Google's reference verifier says.
func TestAndroidVectors(t *testing.T) {
	for _, v := range androidVectors(t) {
		t.Run(v.File, func(t *testing.T) {
			input := readFile(t, v.dir, v.File)
			for at, stated := range map[time.Time]string{v.VerifyAt: v.Want, later: v.WantLater} {
				if stated == "" {
					continue
				}
				want, ok := wants[stated]
				if !ok {
					t.Fatalf("unknown expectation %q", stated)
				}
				got := verify(t, input, genuine(t, attest.ProfileGoogle), at)
				if got.Accept() != (want.code == "") || want.code != "" && !got.Has(want.code) || got.Provisioning != want.provisioning {
					t.Errorf("at %s: %s %s %v, want %s", at, got.Tier, got.Provisioning, got.Findings, stated)
				}
				if hard := got.Tier == attest.TierNone; hard != (got.Claims == nil) || hard && got.UnverifiedClaims == nil {
					t.Errorf("tier %s with claims %v, unverified %v", got.Tier, got.Claims, got.UnverifiedClaims)
				}
			}
		})
	}
}

// TestAndroidVectorChallenges: the recorded challenge passes, another does not.
func TestAndroidVectorChallenges(t *testing.T) {
	compared := 0
	for _, v := range androidVectors(t) {
		challenge, err := base64.StdEncoding.DecodeString(v.Challenge)
		if err != nil || len(challenge) == 0 || !strings.HasPrefix(v.Want, "ACCEPT") {
			continue
		}
		compared++
		input := readFile(t, v.dir, v.File)
		got := verify(t, input, genuine(t, attest.ProfileGoogle), v.VerifyAt, func(w *attest.Expect) { w.Challenge = challenge })
		if !got.Accept() || got.Has("common.challenge_not_checked") {
			t.Errorf("%s: right challenge: %v", v.File, got.Findings)
		}
		challenge[0] ^= 1
		got = verify(t, input, genuine(t, attest.ProfileGoogle), v.VerifyAt, func(w *attest.Expect) { w.Challenge = challenge })
		if got.Tier != attest.TierNone || !got.Has("common.challenge_mismatch") {
			t.Errorf("%s: wrong challenge: %s %v", v.File, got.Tier, got.Findings)
		}
	}
	if compared < 10 {
		t.Errorf("only %d vectors have a challenge", compared)
	}
}

// TestKeyDescriptions compares whole descriptions with those that the authors
// of Google's reference verifier published.
func TestKeyDescriptions(t *testing.T) {
	compared := 0
	for _, v := range androidVectors(t) {
		if v.Expected == "" {
			continue
		}
		compared++
		t.Run(v.File, func(t *testing.T) {
			got := verify(t, readFile(t, v.dir, v.File), genuine(t, attest.ProfileGoogle), v.VerifyAt)
			c := got.Claims
			if c == nil {
				c = got.UnverifiedClaims
			}
			text, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			var ours, theirs map[string]any
			if err := json.Unmarshal(text, &ours); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(withoutComments(readFile(t, v.dir, v.Expected)), &theirs); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(upstreamDescription(theirs), oursAsUpstream(ours)); diff != "" {
				t.Errorf("theirs (-), ours (+):\n%s", diff)
			}
		})
	}
	if compared < 10 {
		t.Errorf("only %d vectors have a description", compared)
	}
}

// TestAppleVectors runs the recorded attestations through the input form in
// which they are stored.
func TestAppleVectors(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectorDir(t), "*", "appattest_*.json"))
	if err != nil || len(files) < 5 {
		t.Fatal("App Attest vectors are missing: ", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var v struct {
				TeamID      string    `json:"team_id"`
				BundleID    string    `json:"bundle_id"`
				Environment string    `json:"environment"`
				VerifyAt    time.Time `json:"verify_at"`
				KeyID       string    `json:"key_id"`
				Assertions  []struct {
					Assertion       string `json:"assertion"`
					ClientData      string `json:"client_data"`
					PreviousCounter uint32 `json:"previous_counter"`
					Expected        string `json:"expected"`
				} `json:"assertions"`
				Receipts []struct {
					Receipt    string            `json:"receipt"`
					Properties map[string]string `json:"properties"`
				} `json:"receipts"`
			}
			input := readFile(t, file)
			if err := json.Unmarshal(input, &v); err != nil {
				t.Fatal(err)
			}
			appID := v.TeamID + "." + v.BundleID
			got := verify(t, input, genuine(t, attest.ProfileGoogle), v.VerifyAt, func(w *attest.Expect) { w.AppID = appID })
			if got.Tier != attest.TierAffirming || got.Claims.Apple.AppID != appID || got.Claims.Apple.Environment != v.Environment {
				t.Fatalf("%s %v %+v", got.Tier, got.Findings, got.Claims)
			}
			if got := verify(t, input, genuine(t, attest.ProfileGoogle), later); !got.Has("apple.cert_time") || got.Accept() {
				t.Errorf("later: %v", got.Findings)
			}
			if got := verify(t, input, genuine(t, attest.ProfileGoogle), v.VerifyAt, func(w *attest.Expect) { w.AppID = appID + "x" }); !got.Has("apple.app_id_mismatch") || got.Accept() {
				t.Errorf("another app: %v", got.Findings)
			}
			publicKey := base64.StdEncoding.EncodeToString(got.Claims.KeySPKI)
			for _, a := range v.Assertions {
				text, _ := json.Marshal(map[string]any{
					"assertion": a.Assertion, "client_data": a.ClientData, "public_key": publicKey, "counter": a.PreviousCounter, "app_id": appID,
				})
				got := verify(t, text, genuine(t, attest.ProfileGoogle), v.VerifyAt)
				if got.Accept() != (a.Expected == "ACCEPT") || got.Accept() == got.Has("apple.counter_replay") {
					t.Errorf("assertion after %d: %v, want %s", a.PreviousCounter, got.Findings, a.Expected)
				}
			}
			for _, r := range v.Receipts {
				text, _ := json.Marshal(map[string]any{"receipt": r.Receipt, "public_key": publicKey, "app_id": appID})
				got := verify(t, text, genuine(t, attest.ProfileGoogle), v.VerifyAt)
				if !got.Accept() || got.Claims.Apple.Receipt.Type != r.Properties["type"] {
					t.Errorf("receipt: %v", got.Findings)
				}
				if got := verify(t, text, genuine(t, attest.ProfileGoogle), later); !got.Has("apple.receipt_expired") || got.Accept() {
					t.Errorf("receipt, later: %v", got.Findings)
				}
			}
		})
	}
}

// TestWebAuthnVectors: one real android-key object, forgeries, and objects that
// are something else.
func TestWebAuthnVectors(t *testing.T) {
	dir := filepath.Join(vectorDir(t), "go-webauthn")
	at := time.Date(2025, 1, 10, 0, 0, 0, 0, time.UTC)
	input := readFile(t, dir, "android_key_real_rkp.json")
	if got := verify(t, input, genuine(t, attest.ProfileGoogle), at); !got.Accept() || got.Format != attest.FormatAndroidKey || got.Claims.Android.RPIDHash == nil {
		t.Errorf("real: %v", got.Findings)
	}
	if got := verify(t, input, genuine(t, attest.ProfileGoogle), later); !got.Has("android.cert_expired") {
		t.Errorf("real, later: %v", got.Findings)
	}
	for _, file := range []string{"android_key_fido_fake_0.json", "android_key_fido_fake_1.json"} {
		if got := verify(t, readFile(t, dir, file), genuine(t, attest.ProfileGoogle), at); got.Accept() || got.Tier != attest.TierNone {
			t.Errorf("%s: %v", file, got.Findings)
		}
	}
	if _, _, err := attest.Parse(readFile(t, dir, "apple_anonymous.json"), attest.FormatAuto); err == nil {
		t.Error("fmt apple is taken")
	}
}
