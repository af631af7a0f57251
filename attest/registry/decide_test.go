package registry_test

import (
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
)

func verdict(tier attest.Tier, findings ...attest.Finding) attest.Verdict {
	return attest.Verdict{Tier: tier, Findings: findings}
}

func rejecting(codes ...string) attest.Verdict {
	v := verdict(attest.TierContraindicated)
	for _, c := range codes {
		v.Findings = append(v.Findings, attest.Finding{Code: c, Effect: attest.Reject})
	}
	return v
}

func TestDecide(t *testing.T) {
	note := attest.Finding{Code: "android.kd_encoding", Effect: attest.Note}
	warn := attest.Finding{Code: "android.patch_old", Effect: attest.Warn}
	tests := []struct {
		name     string
		verdict  attest.Verdict
		decision registry.Decision
		advice   registry.Advice
	}{
		{"zero", attest.Verdict{}, registry.Deny, registry.AdviceContact},
		{"affirming", verdict(attest.TierAffirming), registry.Allow, registry.AdviceNone},
		{"affirming with a note", verdict(attest.TierAffirming, note), registry.Allow, registry.AdviceNone},
		{"warning", verdict(attest.TierWarning, warn), registry.Allow, registry.AdviceNone},
		{"none", verdict(attest.TierNone), registry.Deny, registry.AdviceContact},
		{"contraindicated", verdict(attest.TierContraindicated), registry.Deny, registry.AdviceContact},
		{"unknown tier", verdict("excellent"), registry.Deny, registry.AdviceContact},
		{"affirming with a finding that rejects", verdict(attest.TierAffirming, attest.Finding{Code: "android.status_stale", Effect: attest.Reject}), registry.Deny, registry.AdviceRetry},
		{"unknown code", rejecting("android.new"), registry.Deny, registry.AdviceContact},
		{"the one that asks for most", rejecting("android.status_stale", "android.patch_old", "android.cert_expired"), registry.Deny, registry.AdviceUpdateOS},
		{"in any order", rejecting("android.patch_old", "android.status_stale"), registry.Deny, registry.AdviceUpdateOS},
		{"a person before all", rejecting("android.patch_old", "android.boot_unlocked", "common.challenge_used"), registry.Deny, registry.AdviceContact},
		{"only what rejects", verdict(attest.TierContraindicated, warn, attest.Finding{Code: "apple.cert_time", Effect: attest.Reject}), registry.Deny, registry.AdviceNewKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d, a := registry.Decide(tt.verdict); d != tt.decision || a != tt.advice {
				t.Errorf("Decide = %s, %s, want %s, %s", d, a, tt.decision, tt.advice)
			}
		})
	}
}

// TestAdvice has the codes for which a phone can do something itself. Every
// other code of the table needs a person, and so does every one of abuse that
// no new challenge or key would make good.
func TestAdvice(t *testing.T) {
	table := map[registry.Advice][]string{
		registry.AdviceRetry: {"apple.counter_replay", "android.status_unavailable", "android.status_stale", "android.cert_not_yet_valid",
			"common.request_replay", "common.request_clock"},
		registry.AdviceNewChallenge: {"common.challenge_unknown", "common.challenge_used", "common.challenge_expired",
			"common.challenge_mismatch", "apple.nonce_mismatch", "apple.receipt_stale", "common.request_nonce"},
		registry.AdviceNewKey: {"common.key_exists", "common.key_not_attested", "common.key_unknown", "common.key_too_old", "common.key_algorithm",
			"android.cert_expired", "android.leaf_validity", "android.purpose", "apple.cert_time",
			"apple.counter_not_zero", "apple.receipt_missing", "apple.receipt_expired"},
		registry.AdviceReboot:    {"android.app_missing"},
		registry.AdviceUpdateApp: {"android.app_version", "apple.bundle_version", "common.signature_missing"},
		registry.AdviceUpdateOS:  {"android.os_version", "android.patch_old", "android.patch_missing"},
	}
	want := map[string]registry.Advice{}
	for advice, codes := range table {
		for _, c := range codes {
			if _, ok := attest.LookupCode(c); !ok {
				t.Errorf("%s is no code", c)
			}
			want[c] = advice
		}
	}
	for _, c := range attest.Codes() {
		advice, ok := want[c.Name]
		if !ok {
			advice = registry.AdviceContact
		}
		if d, got := registry.Decide(rejecting(c.Name)); d != registry.Deny || got != advice {
			t.Errorf("%s: %s, %s, want %s", c.Name, d, got, advice)
		}
	}
}
