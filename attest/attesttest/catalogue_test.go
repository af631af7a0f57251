package attesttest_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// notOfEvidence are the codes that a verifier of evidence never raises: they
// are about stored state and about the exceptions of a policy.
func notOfEvidence(code string) bool {
	return slices.Contains(strings.Fields(`common.challenge_unknown common.challenge_used common.challenge_expired
		common.key_exists common.account_mismatch common.key_revoked common.key_unknown common.key_not_attested
		common.key_too_old common.key_algorithm common.signature_missing common.signature_invalid
		common.request_components common.request_digest common.request_params common.request_nonce
		common.request_replay common.request_clock common.exception_used common.exception_inactive`), code)
}

func TestCatalogueHasEveryCodeOfEvidence(t *testing.T) {
	rows := map[string]bool{}
	for _, d := range attesttest.Deviations() {
		rows[d.Code] = true
		if d.Code == "" {
			continue
		}
		c, ok := attest.LookupCode(d.Code)
		if !ok {
			t.Errorf("%s: no code %s", d.Name, d.Code)
		} else if c.Class != d.Class {
			t.Errorf("%s: class %s, the table says %s", d.Name, d.Class, c.Class)
		}
	}
	for _, c := range attest.Codes() {
		if !rows[c.Name] && !notOfEvidence(c.Name) {
			t.Errorf("no row raises %s", c.Name)
		}
	}
}

func TestCatalogueIsWellFormed(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	checks := map[string]string{ // of the table of exceptions: where they may stand
		"leaf_validity": "0", "cert_expired": "12", "ca_bit": "1", "key_cert_sign": "1", "path_length": "2",
		"critical_extension": "0123", "cert_encoding": "0123", "issuer_name": "0", "root_missing": "34",
	}
	names := map[string]bool{}
	for _, d := range attesttest.Deviations() {
		if !slug.MatchString(d.Name) || names[d.Name] {
			t.Errorf("name %q: twice, or no slug", d.Name)
		}
		names[d.Name] = true
		if d.Change == "" || d.Format == "" {
			t.Errorf("%s: no change or no format", d.Name)
		}
		if where, ok := checks[d.Check]; d.Check != "" && (!ok || !strings.Contains(where, fmt.Sprint(d.Position))) {
			t.Errorf("%s: no exception can name %s at %d", d.Name, d.Check, d.Position)
		}
		if d.Check != "" && (d.Class == attest.Abuse || d.Code != "android."+d.Check) {
			t.Errorf("%s: abuse is never relaxed, and an exception names its own check", d.Name)
		}
		if d.Code == "" && d.Effects != (attesttest.Effects{}) {
			t.Errorf("%s: effects of no finding", d.Name)
		}
		if d.Code != "" && (d.Effects.Google == "" || d.Effects.Strict == "") {
			t.Errorf("%s: no effects", d.Name)
		}
	}
}

// TestMakeMakesAnotherPhone: two calls share no key.
func TestMakeMakesAnotherPhone(t *testing.T) {
	d := attesttest.Deviations()[0]
	a, err := d.Make(testNow())
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.Make(testNow())
	if err != nil {
		t.Fatal(err)
	}
	if string(a.Chain[0]) == string(b.Chain[0]) {
		t.Error("two phones with one leaf")
	}
	if _, err := (attesttest.Deviation{Name: "mine"}).Make(testNow()); err == nil {
		t.Error("a row that is not of the catalogue made evidence")
	}
}

// TestSampleJSON: the members are those that the command line reads.
func TestSampleJSON(t *testing.T) {
	want := map[attest.Format]string{
		attest.FormatAndroidChain:   "chain challenge format",
		attest.FormatAndroidKey:     "attestation challenge client_data format",
		attest.FormatAppleAppAttest: "app_id attestation challenge format key_id",
		attest.FormatAppleAssertion: "app_id assertion client_data counter format public_key",
		attest.FormatAppleReceipt:   "app_id format public_key receipt",
	}
	for _, d := range attesttest.Deviations() {
		if d.Code != "" || want[d.Format] == "" {
			continue
		}
		s, err := d.Make(testNow())
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		var names []string
		for name := range members {
			names = append(names, name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want[d.Format] {
			t.Errorf("%s: members %s, want %s", d.Name, got, want[d.Format])
		}
		delete(want, d.Format)
	}
	if len(want) > 0 {
		t.Errorf("no baseline of %v", want)
	}
}

func TestKeysAreRedacted(t *testing.T) {
	now := testNow()
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	var certificate *attesttest.Certificate
	key, err := ca.Phone().GenerateKey(now, nil, func(d *attesttest.AndroidDraft) { certificate = d.Leaf() })
	if err != nil {
		t.Fatal(err)
	}
	apple, err := attesttest.TestAppleCA(now)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{key, apple.Phone().GenerateKey(), certificate} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []string{fmt.Sprint(v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), strings.Trim(string(text), `"`)} {
			if got != "[redacted]" {
				t.Errorf("%T prints %.40s", v, got)
			}
		}
	}
}
