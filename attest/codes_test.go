package attest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// ofTheRegistry are the codes about what a server has stored: attest/registry
// raises them, and the verifier of evidence never does.
func ofTheRegistry() []string {
	return strings.Fields(`common.challenge_unknown common.challenge_used common.challenge_expired
		common.key_exists common.account_mismatch common.key_revoked common.key_unknown common.key_not_attested
		common.key_too_old common.key_algorithm common.signature_missing common.signature_invalid
		common.request_components common.request_digest common.request_params common.request_nonce
		common.request_replay common.request_clock`)
}

// TestEveryCode: each row of the table is raised by evidence, with the class
// that the table gives it and in the platform's name, or belongs to the
// registry. A hard code ends with tier none, alone.
func TestEveryCode(t *testing.T) {
	raised := map[string]bool{}
	see := func(name string, v attest.Verdict) {
		for _, f := range v.Findings {
			raised[f.Code] = true
			c, ok := attest.LookupCode(f.Code)
			if !ok || c.Class != f.Class {
				t.Errorf("%s: %s of class %s, the table says %s", name, f.Code, f.Class, c.Class)
			}
			if c.Hard && (v.Tier != attest.TierNone || len(v.Findings) != 1 || f.Effect != attest.Reject) && f.Code != "apple.receipt_app" && f.Code != "apple.receipt_key" {
				t.Errorf("%s: %s is hard: tier %s, %v", name, f.Code, v.Tier, all(v))
			}
			if platform, _, _ := strings.Cut(f.Code, "."); platform != "common" && !strings.HasPrefix(string(v.Format), platform) {
				t.Errorf("%s: %s in evidence of %s", name, f.Code, v.Format)
			}
		}
	}
	for _, d := range attesttest.Deviations() {
		see(d.Name, rowVerdict(t, d, attest.ProfileGoogle))
	}
	bare := evidence(t, attesttest.Factory, at(1, func(c *attesttest.Certificate) { c.Extensions = nil }))
	over := excepting(func(e *attest.Exception) {
		e.ID, e.NotBefore, e.Expires = "over", testNow().Add(-2*day), testNow().Add(-day)
	})
	see("exceptions", judge(t, bare, expecting(t), policyOf(t, strict, over, excepting())))
	_, key := attestation(t, sum(challenge())) // an assertion rests on no root, so that the built-in policy can accept it
	see("assertion", judge(t, assertion(t, key, sum(challenge())), attest.Expect{Challenge: challenge(), PublicKey: key.PublicKey()}, genuine(t, attest.ProfileGoogle)))
	for _, c := range attest.Codes() {
		if stored := slices.Contains(ofTheRegistry(), c.Name); raised[c.Name] == stored {
			t.Errorf("%s is raised by evidence: %v", c.Name, raised[c.Name])
		}
	}
}

// TestCodes: names are unique and of a platform, and people can read the rest.
func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range attest.Codes() {
		platform, name, ok := strings.Cut(c.Name, ".")
		if !ok || name == "" || !slices.Contains([]string{"common", "android", "apple"}, platform) || seen[c.Name] {
			t.Errorf("code %q", c.Name)
		}
		seen[c.Name] = true
		if !slices.Contains([]attest.Class{attest.Abuse, attest.Honest, attest.Environment, attest.PolicyClass}, c.Class) || !strings.HasSuffix(c.Meaning, ".") || c.Advice == "" {
			t.Errorf("%s: %+v", c.Name, c)
		}
		if found, ok := attest.LookupCode(c.Name); !ok || found != c {
			t.Errorf("%s is not found", c.Name)
		}
	}
	attest.Codes()[0].Name = "changed"
	if attest.Codes()[0].Name == "changed" {
		t.Error("the table is shared")
	}
	if _, ok := attest.LookupCode("android"); ok {
		t.Error("half a name is a code")
	}
}
