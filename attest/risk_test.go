package attest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

func ruling(rules ...attest.RiskFile) func(*attest.PolicyFile) {
	return func(f *attest.PolicyFile) { f.Risk = rules }
}

// TestEachSignal: every signal that the server knows fires its rule from
// at_least on, at registration and at a request, with the rule's effect.
func TestEachSignal(t *testing.T) {
	for _, signal := range []string{
		attest.RiskMetric, attest.RKPCerts30Days, attest.BatchRateFactory, attest.BatchRateRKP, attest.PatchAgeDays, attest.KeysPerAccount30Days,
	} {
		p := policyOf(t, ruling(attest.RiskFile{Signal: signal, AtLeast: 4, Effect: attest.Warn}, attest.RiskFile{Signal: signal, AtLeast: 5, Effect: attest.Reject}))
		ios, key := attestation(t, sum(challenge()))
		for _, tt := range []struct {
			value uint64
			want  string
		}{{3, ""}, {4, "common.risk:warn"}, {5, "common.risk:warn common.risk:reject"}, {1 << 63, "common.risk:warn common.risk:reject"}} {
			signals := map[string]uint64{signal: tt.value}
			v := p.Verdict(attest.FormatAndroidRequest, attesttest.DemoApp, testNow(), p.Risk(attesttest.DemoApp, signals)...)
			if !same(found(v), tt.want) {
				t.Errorf("request, %s = %d: %v, want %s", signal, tt.value, found(v), tt.want)
			}
			v = judge(t, ios, attest.Expect{Challenge: challenge(), Signals: signals}, p)
			if !same(found(v), tt.want) {
				t.Errorf("attestation, %s = %d: %v, want %s", signal, tt.value, found(v), tt.want)
			}
			v = judge(t, assertion(t, key, sum(challenge())), attest.Expect{Challenge: challenge(), PublicKey: key.PublicKey(), Signals: signals}, p)
			if !same(found(v), tt.want) {
				t.Errorf("assertion, %s = %d: %v, want %s", signal, tt.value, found(v), tt.want)
			}
			if signal == attest.RKPCerts30Days || signal == attest.PatchAgeDays {
				continue // the evidence holds them
			}
			want := expecting(t)
			want.Signals = signals
			v = judge(t, evidence(t, attesttest.RKP), want, p)
			if !same(found(v), tt.want) {
				t.Errorf("chain, %s = %d: %v, want %s", signal, tt.value, found(v), tt.want)
			}
		}
		if fired := p.Risk(attesttest.DemoApp, nil); fired != nil {
			t.Errorf("%s fires without a value: %v", signal, fired)
		}
		if fired := p.Risk("other", map[string]uint64{signal: 9}); fired != nil {
			t.Errorf("%s fires for an app that there is not: %v", signal, fired)
		}
	}
}

// TestHeldSignals: what the evidence holds itself wins over what is given, and
// what fires does so in the order of the rules.
func TestHeldSignals(t *testing.T) {
	p := policyOf(t, ruling(
		attest.RiskFile{Signal: attest.KeysPerAccount30Days, AtLeast: 1, Effect: attest.Warn},
		attest.RiskFile{Signal: attest.RKPCerts30Days, AtLeast: 5, Effect: attest.Reject}, // the phone has 4
		attest.RiskFile{Signal: attest.PatchAgeDays, AtLeast: 51, Effect: attest.Warn},    // the phone has 51
	))
	want := expecting(t)
	want.Signals = map[string]uint64{attest.RKPCerts30Days: 1000, attest.PatchAgeDays: 0, attest.KeysPerAccount30Days: 1}
	v := judge(t, evidence(t, attesttest.RKP), want, p)
	var details []string
	for _, f := range v.Findings {
		details = append(details, f.Detail)
	}
	if diff := cmp.Diff([]string{"common.keys_per_account_30d is 1, at least 1", "android.patch_age_days is 51, at least 51"}, details); diff != "" {
		t.Error(diff)
	}
	if len(want.Signals) != 3 || want.Signals[attest.RKPCerts30Days] != 1000 {
		t.Errorf("the signals were changed: %v", want.Signals)
	}
	genuine := genuine(t, attest.ProfileGoogle)
	if fired := genuine.Risk("", want.Signals); fired != nil {
		t.Errorf("the built-in policy: %v", fired)
	}
}

// TestBatch: what registrations are counted by, and only if it is vouched for.
func TestBatch(t *testing.T) {
	p := policyOf(t)
	for kind, signal := range map[attesttest.Provisioning]string{
		attesttest.Factory: attest.BatchRateFactory, attesttest.RKP: attest.BatchRateRKP, attesttest.None: "",
	} {
		ev := evidence(t, kind)
		v := judge(t, ev, expecting(t), p)
		spki := ""
		if signal != "" {
			spki = v.Chain[1].SPKISHA256
		}
		if gotKey, gotSignal := v.Batch(); gotKey != spki || gotSignal != signal || len(spki) != 64 && signal != "" {
			t.Errorf("%s: %q %q", kind, gotKey, gotSignal)
		}
		want := expecting(t)
		want.Challenge = []byte("another")
		if spki, signal := judge(t, ev, want, p).Batch(); spki != "" || signal != "" {
			t.Errorf("%s, not authentic: %q %q", kind, spki, signal)
		}
	}
	ios, _ := attestation(t, sum(challenge()))
	if spki, signal := judge(t, ios, attest.Expect{Challenge: challenge()}, p).Batch(); spki != "" || signal != "" {
		t.Errorf("Apple: %q %q", spki, signal)
	}
}

// TestAppVersion: of the policy's package among those in the evidence.
func TestAppVersion(t *testing.T) {
	p := policyOf(t)
	v := judge(t, evidence(t, attesttest.RKP), expecting(t), p)
	if got := p.AppVersion(v); got != "26010000" {
		t.Errorf("Android: %q", got)
	}
	v.App = "other"
	if got := p.AppVersion(v); got != "" {
		t.Errorf("of another app: %q", got)
	}
	foreign := policyOf(t, onAndroid(func(a *attest.AndroidAppFile) { a.Packages[0].Name = "com.example.other" }))
	if got := foreign.AppVersion(judge(t, evidence(t, attesttest.RKP), expecting(t), foreign)); got != "" {
		t.Errorf("of another package: %q", got)
	}
	if got := p.AppVersion(v.With(attest.NewFinding("common.challenge_used", ""))); got != "" {
		t.Errorf("not authentic: %q", got)
	}
	bundle := "7"
	if got := p.AppVersion(attest.Verdict{Claims: &attest.Claims{Apple: &attest.AppleClaims{BundleVersion: &bundle}}}); got != "7" {
		t.Errorf("Apple: %q", got)
	}
	if got := p.AppVersion(attest.Verdict{Claims: &attest.Claims{Apple: &attest.AppleClaims{}}}); got != "" {
		t.Errorf("Apple, older: %q", got)
	}
}
