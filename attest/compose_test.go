package attest_test

import (
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// TestNewFinding: class and effect come from the table, for every code; what
// the policy decides rejects, and so does what is in no table.
func TestNewFinding(t *testing.T) {
	for _, c := range attest.Codes() {
		want := c.Effect
		if want == "" {
			want = attest.Reject
		}
		if c.Hard && c.Effect != attest.Reject {
			t.Errorf("%s is hard, and does not reject", c.Name)
		}
		if f := attest.NewFinding(c.Name, "why"); f.Code != c.Name || f.Class != c.Class || f.Effect != want || f.Position != nil || f.Detail != "why" {
			t.Errorf("%s: %+v", c.Name, f)
		}
	}
	if f := attest.NewFinding("common.nonsense", strings.Repeat("x", 10000)); f.Class != attest.Abuse || f.Effect != attest.Reject || len(f.Detail) > 600 {
		t.Errorf("an unknown code: %+v", f)
	}
}

// TestEffectsOfTheTable: what the table says that a code always does, it does in
// the verdict of every row of the catalogue.
func TestEffectsOfTheTable(t *testing.T) {
	for _, d := range attesttest.Deviations() {
		for _, f := range rowVerdict(t, d, attest.ProfileGoogle).Findings {
			if c, _ := attest.LookupCode(f.Code); c.Effect != "" && c.Effect != f.Effect {
				t.Errorf("%s: %s has the effect %s, the table says %s", d.Name, f.Code, f.Effect, c.Effect)
			}
		}
	}
}

// TestComposedVerdict: findings make a verdict, and never a better one.
func TestComposedVerdict(t *testing.T) {
	p := policyOf(t, strict)
	hard, rejects, notes := attest.NewFinding("common.signature_invalid", ""), attest.NewFinding("common.request_replay", ""), attest.NewFinding("apple.risk_unavailable", "")
	warns := attest.Finding{Code: "common.risk", Class: attest.PolicyClass, Effect: attest.Warn}
	unknown := attest.Finding{Code: "common.nonsense", Effect: attest.Note}
	for _, tt := range []struct {
		name     string
		findings []attest.Finding
		tier     attest.Tier
	}{
		{"none", nil, attest.TierAffirming},
		{"a note", []attest.Finding{notes}, attest.TierAffirming},
		{"a warning", []attest.Finding{notes, warns, notes}, attest.TierWarning},
		{"a rejection", []attest.Finding{rejects, warns}, attest.TierContraindicated},
		{"a hard one", []attest.Finding{hard, notes}, attest.TierNone},
		{"a hard one last", []attest.Finding{rejects, hard}, attest.TierNone},
		{"one that is in no table", []attest.Finding{unknown}, attest.TierNone},
	} {
		v := p.Verdict(attest.FormatAndroidRequest, attesttest.DemoApp, testNow(), tt.findings...)
		if v.Tier != tt.tier || v.Accept() != (tt.tier == attest.TierAffirming || tt.tier == attest.TierWarning) || len(v.Findings) != len(tt.findings) {
			t.Errorf("%s: %s, %v", tt.name, v.Tier, all(v))
		}
		if v.Format != attest.FormatAndroidRequest || v.App != attesttest.DemoApp || v.Policy != "demo" || v.PolicyDigest != p.Digest() ||
			v.Profile != attest.ProfileStrict || v.Rules != attest.Rules || !v.At.Equal(testNow()) || v.Provisioning != "none" {
			t.Errorf("%s: %+v", tt.name, v)
		}
		// Nothing makes a verdict better, and what was there is left alone.
		for _, tier := range []attest.Tier{"", attest.TierNone, attest.TierContraindicated, attest.TierWarning, attest.TierAffirming} {
			before := attest.Verdict{Tier: tier, Findings: make([]attest.Finding, 1, 8), Claims: &attest.Claims{}}
			after := before.With(tt.findings...)
			if !before.Accept() && after.Accept() || after.Accept() && tt.tier != attest.TierAffirming && after.Tier != attest.TierWarning {
				t.Errorf("%s with %s: %s", tier, tt.name, after.Tier)
			}
			if before.Tier != tier || len(before.Findings) != 1 || before.Findings[:2][1].Code != "" || before.Claims == nil || len(after.Findings) != 1+len(tt.findings) {
				t.Errorf("%s with %s: what was there has changed", tier, tt.name)
			}
			if (after.Claims == nil) != (tt.tier == attest.TierNone) || (after.UnverifiedClaims != nil) != (tt.tier == attest.TierNone) {
				t.Errorf("%s with %s: claims of evidence that is not authentic", tier, tt.name)
			}
		}
	}
	for _, zero := range []*attest.Policy{nil, {}} {
		if v := zero.Verdict(attest.FormatAndroidRequest, attesttest.DemoApp, testNow()); v.Accept() {
			t.Errorf("without a policy: %s", v.Tier)
		}
	}
}
