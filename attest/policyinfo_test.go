package attest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
)

// quiet is the demo policy without routes, rules, stages and exceptions.
func quiet(t *testing.T, change func(*attest.PolicyFile)) *attest.Policy {
	t.Helper()
	var f attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &f); err != nil {
		t.Fatal(err)
	}
	f.Route, f.Risk, f.Rollout, f.Exception = nil, nil, nil, nil
	change(&f)
	p, err := attest.NewPolicy(&f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicyWarnings(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	stage := func(mode string) attest.Stage {
		return attest.Stage{App: "demo", Platform: "any", Operation: "any", Countries: []string{"*"}, Percent: 100, Mode: mode}
	}
	exception := func(from, to time.Time, uses int) []attest.Exception {
		return []attest.Exception{{
			ID: "x", Apps: []string{"demo"}, Check: "ca_bit", Position: 1, Owner: "o", Ticket: "t", Reason: "r",
			Match:     &attest.MatchFile{Models: []attest.ModelFile{{Manufacturer: "m", Model: "m"}}},
			NotBefore: from, Expires: to, MaxUsesPerDay: uses,
		}}
	}
	rule := func(signal string) func(*attest.PolicyFile) {
		return func(f *attest.PolicyFile) {
			f.Risk = []attest.RiskFile{{Signal: attest.PatchAgeDays, Effect: attest.Warn}, {Signal: signal, Effect: attest.Warn}}
		}
	}
	day := 24 * time.Hour
	tests := []struct {
		name   string
		change func(*attest.PolicyFile)
		want   []string // keys
	}{
		{"nothing", func(*attest.PolicyFile) {}, nil},
		{"route", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/a"}, {Path: "/b"}} }, nil},
		{"enforce", func(f *attest.PolicyFile) { f.Rollout = []attest.Stage{stage("enforce")} }, nil},
		{"observe", func(f *attest.PolicyFile) { f.Rollout = []attest.Stage{stage("enforce"), stage("observe")} }, nil},
		{"signal that fires", rule(attest.RKPCerts30Days), nil},
		{"metric", rule(attest.RiskMetric), nil},
		{"batch of a factory", rule(attest.BatchRateFactory), nil},
		{"batch of rkp", rule(attest.BatchRateRKP), nil},
		{"keys", rule(attest.KeysPerAccount30Days), nil},
		{"exception in force", func(f *attest.PolicyFile) { f.Exception = exception(now, now.Add(1), 0) }, nil},
		{"exception with a cap", func(f *attest.PolicyFile) { f.Exception = exception(now, now.Add(1), 5) }, nil},
		{"exception to come", func(f *attest.PolicyFile) { f.Exception = exception(now.Add(1), now.Add(day), 0) }, []string{"exception[0].not_before"}},
		{"exception gone", func(f *attest.PolicyFile) { f.Exception = exception(now.Add(-day), now, 0) }, []string{"exception[0].expires"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, w := range quiet(t, tt.change).Warnings(now) {
				if w.Reason == "" {
					t.Errorf("%s: no reason", w.Key)
				}
				got = append(got, w.Key)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRevocationAges(t *testing.T) {
	warn, reject, ok := quiet(t, func(*attest.PolicyFile) {}).RevocationAges()
	if warn != 12*time.Hour || reject != 72*time.Hour || !ok {
		t.Errorf("%s, %s, %t", warn, reject, ok)
	}
	if _, _, ok := quiet(t, func(f *attest.PolicyFile) { f.App[0].Android = nil }).RevocationAges(); ok {
		t.Error("no app takes Android phones, and the list matters")
	}
}
