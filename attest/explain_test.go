package attest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
)

func explain(t *testing.T, ev attest.Evidence, want attest.Expect, p *attest.Policy, s attest.Subject) *attest.Explanation {
	t.Helper()
	e, err := newVerifier(t).Explain(ev, want, p, s, testNow())
	if err != nil {
		t.Fatal(err)
	}
	if asJSON(t, e.Verdict) != asJSON(t, judge(t, ev, want, p)) {
		t.Error("the explained verdict is another one")
	}
	if len(e.Reasons) != len(e.Verdict.Findings) {
		t.Fatalf("%d reasons for %d findings", len(e.Reasons), len(e.Verdict.Findings))
	}
	return e
}

// TestReasons: each row of the catalogue is explained, with a key of its policy
// file where one has a say, and with none after a hard finding.
func TestReasons(t *testing.T) {
	for _, d := range attesttest.Deviations() {
		ev, want, _ := sample(t, d)
		p := rowPolicy(t, d, attest.ProfileStrict)
		e, err := newVerifier(t).Explain(ev, want, p, attest.Subject{Operation: attest.OperationRegister}, testNow())
		if err != nil {
			t.Fatal(d.Name, err)
		}
		text := d.Policy(attest.ProfileStrict)
		for i, r := range e.Reasons {
			f := e.Verdict.Findings[i]
			code, _ := attest.LookupCode(f.Code)
			if r.Why == "" || e.Verdict.Tier == attest.TierNone && r.Key != "" || e.Verdict.Tier != attest.TierNone && (r.Key == "") != (code.Key == "") {
				t.Errorf("%s: %s: %+v", d.Name, f.Code, r)
			}
			if r.Key != "" && config.Line([]byte(text), r.Key) == 0 {
				t.Errorf("%s: %s: there is no %s", d.Name, f.Code, r.Key)
			}
			if r.Key != "" && strings.HasPrefix(code.Key, "app") && !strings.HasPrefix(r.Key, "app[0]") {
				t.Errorf("%s: %s: %s", d.Name, f.Code, r.Key)
			}
		}
	}
}

// TestExplainExceptions: why each one applies or does not, in the order in which
// they are looked at; the first that applies ends it.
func TestExplainExceptions(t *testing.T) {
	x := func(id string, edit func(*attest.Exception)) func(*attest.PolicyFile) {
		return excepting(func(e *attest.Exception) { e.ID = id; edit(e) })
	}
	claimed := software(func(l *attesttest.AuthorizationList) {
		l.SetOctets(716, []byte(attesttest.DemoManufacturer))
		l.SetOctets(717, []byte(attesttest.DemoModel))
	})
	bare := at(1, func(c *attesttest.Certificate) { c.Extensions = nil })
	p := policyOf(t, strict,
		x("check", func(e *attest.Exception) { e.Check = "key_cert_sign" }),
		x("place", func(e *attest.Exception) { e.Check, e.Position = "cert_expired", 2 }),
		func(f *attest.PolicyFile) {
			second := f.App[0]
			second.ID = "second"
			f.App = append(f.App, second)
		},
		x("app", func(e *attest.Exception) { e.Apps = []string{"second"} }),
		x("model", func(e *attest.Exception) { e.Match.Models[0].Model = "Another" }),
		x("batch", func(e *attest.Exception) { e.Match.BatchSPKI = []string{strings.Repeat("ab", 32)} }),
		x("boot", func(e *attest.Exception) { e.Match.BootKeys = []string{"ab"} }),
		x("version", func(e *attest.Exception) { e.Match.AttestationVersions = []uint64{1} }),
		x("later", func(e *attest.Exception) { e.NotBefore = testNow().Add(1) }),
		x("over", func(e *attest.Exception) { e.Expires = testNow() }),
		x("spent", func(e *attest.Exception) { e.MaxUsesPerDay = 5 }),
		x("this", func(*attest.Exception) {}),
		x("behind", func(*attest.Exception) {}),
	)
	want := expecting(t)
	want.App, want.UsesLeft = attesttest.DemoApp, func(string) int { return 0 }
	ev := evidence(t, attesttest.Factory, bare)
	e := explain(t, ev, want, p, attest.Subject{})
	var got []string
	for _, try := range e.Exceptions {
		if try.Check == "ca_bit" && try.Position == 1 {
			got = append(got, try.ID+": "+try.Why)
		}
		if try.Applied != (try.Why == "") || try.Applied != (try.ID == "this") {
			t.Errorf("%+v", try)
		}
	}
	if diff := cmp.Diff([]string{
		"check: is for another check, key_cert_sign",
		"place: is for another check, cert_expired",
		"app: is for other apps",
		"model: is for other models than the attested one",
		"batch: is for other batch keys",
		"boot: is for other boot keys",
		"version: is for other attestation versions",
		"later: begins on 2026-11-21T12:00:00Z",
		"over: expired on 2026-11-21T12:00:00Z",
		"spent: its 5 uses of today are spent",
		"this: ",
	}, got); diff != "" {
		t.Error(diff)
	}
	keys := map[string]string{}
	for i, r := range e.Reasons {
		keys[e.Verdict.Findings[i].Code+" "+e.Verdict.Findings[i].Detail] = r.Key
	}
	for finding, key := range map[string]string{
		"android.ca_bit issuer without BasicConstraints cA=TRUE":          "exception[10]",
		"common.exception_used this (o, t)":                               "exception[10]",
		"common.exception_inactive over: expired on 2026-11-21T12:00:00Z": "exception[8]",
	} {
		if keys[finding] != key {
			t.Errorf("%s is by %q, want %q; %v", finding, keys[finding], key, keys)
		}
	}
	// A model that the phone only claims, and a phone that gets new certificates.
	nameless := evidence(t, attesttest.Factory, bare, hardware(func(l *attesttest.AuthorizationList) { l.Remove(716, 717) }), claimed)
	one := policyOf(t, strict, excepting())
	for name, ev := range map[string]attest.Evidence{
		"is for models, and the hardware attests none; what the phone says elsewhere does not count": nameless,
		"can relax this check in factory chains only":                                                evidence(t, attesttest.RKP, bare),
	} {
		if e := explain(t, ev, expecting(t), one, attest.Subject{}); len(e.Exceptions) != 1 || e.Exceptions[0].Why != name || e.Verdict.Accept() {
			t.Errorf("%s: %+v", name, e.Exceptions)
		}
	}
}

// TestExplainRollout: every stage with its reason, the bucket of the key that
// the evidence shows, and nothing behind the stage that decides.
func TestExplainRollout(t *testing.T) {
	demo := func(edit func(*attest.Stage)) attest.Stage {
		return everybody(attest.ModeObserve, func(s *attest.Stage) { s.App = attesttest.DemoApp }, edit)
	}
	p := rollout(t,
		everybody(attest.ModeEnforce),
		demo(func(s *attest.Stage) { s.Platform = "apple" }),
		demo(func(s *attest.Stage) { s.Operation = "request" }),
		demo(func(s *attest.Stage) { s.Countries = []string{"TW", "TH"} }),
		demo(func(s *attest.Stage) { s.Percent = 0 }),
		demo(func(s *attest.Stage) { s.Codes = []string{"android.origin"} }),
		demo(enforcing("android.origin")),
		demo(func(s *attest.Stage) { s.Salt = "s" }),
		demo(func(*attest.Stage) {}),
	)
	phone := androidPhone(t)
	phone.Boot.DeviceLocked = false
	e := explain(t, evidenceOf(t, phone), expecting(t), p, attest.Subject{Operation: attest.OperationRegister, Country: "jp"})
	if e.Staged != (attest.Staged{Name: "rollout[7]", Mode: attest.ModeObserve}) || e.Staged != p.Stage(e.Subject, e.Verdict) {
		t.Errorf("%+v", e.Staged)
	}
	var got []string
	for _, try := range e.Stages {
		why, _, _ := strings.Cut(try.Why, ", buckets")
		got = append(got, try.Key+" "+why)
		if try.Matched != (try.Key == "rollout[7]") {
			t.Errorf("%+v", try)
		}
	}
	if diff := cmp.Diff([]string{
		"rollout[0] is for app chat", "rollout[1] is for platform apple", "rollout[2] is for operation request",
		"rollout[3] is for TW, TH, and not for JP", "rollout[4] is for 0 % of the keys",
		"rollout[5] lets in for its codes alone, and android.boot_unlocked is not among them",
		"rollout[6] is for other codes than android.boot_unlocked", "rollout[7] ", "rollout[8] ",
	}, got); diff != "" {
		t.Error(diff)
	}
	if s := e.Subject; s.App != attesttest.DemoApp || s.Platform != "android" || s.KeyID != e.Verdict.Claims.KeyID || s.KeyID == "" {
		t.Errorf("%+v", s)
	}
	// What is given is not replaced, and a verdict that accepts is told apart.
	given := attest.Subject{App: "second", Platform: "apple", KeyID: someKey, Operation: attest.OperationRequest}
	e = explain(t, evidence(t, attesttest.RKP), expecting(t), p, given)
	if e.Subject != given || e.Staged.Name != "" || e.Stages[5].Why != "is for app demo" {
		t.Errorf("%+v, %+v", e.Subject, e.Stages)
	}
	e = explain(t, evidence(t, attesttest.RKP), expecting(t), p, attest.Subject{Operation: attest.OperationRegister})
	if e.Stages[5].Why != "is for rejections, and the verdict accepts" {
		t.Errorf("%+v", e.Stages[5])
	}
	// Evidence that is not authentic has a bucket, too.
	want := expecting(t)
	want.Challenge = []byte("another")
	e = explain(t, evidence(t, attesttest.RKP), want, p, attest.Subject{Operation: attest.OperationRegister})
	if e.Verdict.Claims != nil || e.Subject.KeyID != e.Verdict.UnverifiedClaims.KeyID || e.Reasons[0].Key != "" {
		t.Errorf("%+v, %+v", e.Subject, e.Reasons)
	}
}

// TestExplainRisk: every rule, with the value or without.
func TestExplainRisk(t *testing.T) {
	p := policyOf(t, ruling(
		attest.RiskFile{Signal: attest.RiskMetric, AtLeast: 1, Effect: attest.Reject},
		attest.RiskFile{Signal: attest.RKPCerts30Days, AtLeast: 5, Effect: attest.Reject},
		attest.RiskFile{Signal: attest.BatchRateRKP, AtLeast: 7, Effect: attest.Warn},
		attest.RiskFile{Signal: attest.RKPCerts30Days, AtLeast: 4, Effect: attest.Warn},
	))
	want := expecting(t)
	want.Signals = map[string]uint64{attest.BatchRateRKP: 7}
	e := explain(t, evidence(t, attesttest.RKP), want, p, attest.Subject{})
	four, seven := uint64(4), uint64(7)
	rules := file(t, ruling(
		attest.RiskFile{Signal: attest.RiskMetric, AtLeast: 1, Effect: attest.Reject},
		attest.RiskFile{Signal: attest.RKPCerts30Days, AtLeast: 5, Effect: attest.Reject},
		attest.RiskFile{Signal: attest.BatchRateRKP, AtLeast: 7, Effect: attest.Warn},
		attest.RiskFile{Signal: attest.RKPCerts30Days, AtLeast: 4, Effect: attest.Warn},
	)).Risk
	if diff := cmp.Diff([]attest.RiskTry{
		{Key: "risk[0]", Rule: rules[0]},
		{Key: "risk[1]", Rule: rules[1], Value: &four},
		{Key: "risk[2]", Rule: rules[2], Value: &seven, Fired: true},
		{Key: "risk[3]", Rule: rules[3], Value: &four, Fired: true},
	}, e.Risk); diff != "" {
		t.Error(diff)
	}
	if len(e.Reasons) != 2 || e.Reasons[0].Key != "risk[2]" || e.Reasons[1].Key != "risk[3]" {
		t.Errorf("%+v", e.Reasons)
	}
}

// TestExplainNothing: what cannot be told is an error, as in Verify.
func TestExplainNothing(t *testing.T) {
	if e, err := newVerifier(t).Explain(evidence(t, attesttest.RKP), expecting(t), nil, attest.Subject{}, testNow()); err == nil || e != nil {
		t.Error("without a policy")
	}
	if e, err := newVerifier(t).Explain(attest.Evidence{Format: attest.FormatAndroidRequest}, expecting(t), policyOf(t), attest.Subject{}, testNow()); !unsupported(err) || e != nil {
		t.Errorf("a request is no evidence: %v", err)
	}
}
