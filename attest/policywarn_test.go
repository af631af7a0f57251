package attest_test

import (
	"slices"
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
	countries := func(all ...string) func(*attest.PolicyFile) {
		return func(f *attest.PolicyFile) {
			f.Rollout = []attest.Stage{{App: "demo", Platform: "any", Operation: "any", Countries: all, Percent: 100, Mode: "observe"}}
		}
	}
	exception := func(from, to time.Time, change func(*attest.PolicyFile, *attest.Exception)) func(*attest.PolicyFile) {
		return func(f *attest.PolicyFile) {
			f.App[0].Android.Profile = attest.ProfileStrict
			e := attest.Exception{
				ID: "x", Apps: []string{"demo"}, Check: "ca_bit", Position: 1, Owner: "o", Ticket: "t", Reason: "r",
				Match:     &attest.MatchFile{Models: []attest.ModelFile{{Manufacturer: "m", Model: "m"}}},
				NotBefore: from, Expires: to,
			}
			if change != nil {
				change(f, &e)
			}
			f.Exception = []attest.Exception{e}
		}
	}
	rule := func(signal string, atLeast uint64) func(*attest.PolicyFile) {
		return func(f *attest.PolicyFile) {
			f.Risk = []attest.RiskFile{{Signal: attest.KeysPerAccount30Days, AtLeast: 1, Effect: attest.Warn}, {Signal: signal, AtLeast: atLeast, Effect: attest.Warn}}
		}
	}
	without := func(change, also func(*attest.PolicyFile)) func(*attest.PolicyFile) {
		return func(f *attest.PolicyFile) { change(f); also(f) }
	}
	noApple := func(f *attest.PolicyFile) { f.App[0].Apple = nil }
	noAndroid := func(f *attest.PolicyFile) { f.App[0].Android = nil }
	day := 24 * time.Hour
	tests := []struct {
		name   string
		change func(*attest.PolicyFile)
		want   []string // keys
	}{
		{"nothing", func(*attest.PolicyFile) {}, nil},
		{"routes", func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{{Path: "/a"}, {Path: "/b"}} }, nil},
		{"routes that nobody asks for", func(f *attest.PolicyFile) {
			f.Route, f.Request.Authorities = []attest.RouteFile{{Path: "/a"}}, nil
		}, []string{"route"}},
		{"signals of both", rule(attest.RiskMetric, 4), nil},
		{"metric, and no iPhones", without(rule(attest.RiskMetric, 4), noApple), []string{"risk[1].signal"}},
		{"batch, and no Android phones", without(rule(attest.BatchRateRKP, 4), noAndroid), []string{"risk[1].signal"}},
		{"keys, on one platform", without(rule(attest.KeysPerAccount30Days, 4), noAndroid), nil},
		{"at least none", rule(attest.PatchAgeDays, 0), []string{"risk[1].at_least"}},
		{"countries", countries("JP", "ZZ", "*"), nil},
		{"no country", countries("JP", "UK"), []string{"rollout[0].countries"}},
		{"what edges write", countries("XX", "GB", "QQ"), []string{"rollout[0].countries", "rollout[0].countries"}},
		{"exception in force", exception(now, now.Add(1), nil), nil},
		{"exception with a cap", exception(now, now.Add(1), func(_ *attest.PolicyFile, e *attest.Exception) { e.MaxUsesPerDay = 5 }), nil},
		{"exception to come", exception(now.Add(1), now.Add(day), nil), []string{"exception[0].not_before"}},
		{"exception gone", exception(now.Add(-day), now, nil), []string{"exception[0].expires"}},
		{"exception from what is noted only", exception(now, now.Add(1), func(f *attest.PolicyFile, _ *attest.Exception) {
			f.App[0].Android.Profile = attest.ProfileGoogle
		}), []string{"exception[0].apps"}},
		{"exception from what both profiles reject", exception(now, now.Add(1), func(f *attest.PolicyFile, e *attest.Exception) {
			f.App[0].Android.Profile, e.Check, e.Position = attest.ProfileGoogle, "issuer_name", 0
		}), nil},
		{"exception for an app without Android", exception(now, now.Add(1), func(f *attest.PolicyFile, _ *attest.Exception) {
			f.App[0].Android = nil
		}), []string{"exception[0].apps"}},
		{"exception for another app", exception(now, now.Add(1), func(f *attest.PolicyFile, e *attest.Exception) {
			second := f.App[0]
			second.ID, second.Android = "second", nil
			f.App, e.Apps = append(f.App, second), []string{"second"}
		}), []string{"exception[0].apps"}},
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

// TestShadowedStages: a stage that one before it takes everything from is told
// of, and no other.
func TestShadowedStages(t *testing.T) {
	base := attest.Stage{App: "demo", Platform: "android", Operation: "register", Countries: []string{"JP", "TW"}, Percent: 25, Salt: "a", Mode: "enforce"}
	for _, tt := range []struct {
		name   string
		change func(first, second *attest.Stage)
		dead   bool
	}{
		{"the same twice", func(_, _ *attest.Stage) {}, true},
		{"another app", func(first, _ *attest.Stage) { first.App = "second" }, false},
		{"any platform before", func(first, _ *attest.Stage) { first.Platform = "any" }, true},
		{"any platform after", func(_, second *attest.Stage) { second.Platform = "any" }, false},
		{"another platform", func(_, second *attest.Stage) { second.Platform = "apple" }, false},
		{"any operation before", func(first, _ *attest.Stage) { first.Operation = "any" }, true},
		{"any operation after", func(_, second *attest.Stage) { second.Operation = "any" }, false},
		{"fewer countries", func(_, second *attest.Stage) { second.Countries = []string{"TW"} }, true},
		{"more countries", func(_, second *attest.Stage) { second.Countries = []string{"TW", "TH"} }, false},
		{"all countries before", func(first, _ *attest.Stage) { first.Countries = []string{"*"} }, true},
		{"all countries after", func(_, second *attest.Stage) { second.Countries = []string{"*"} }, false},
		{"fewer percent", func(_, second *attest.Stage) { second.Percent = 24 }, true},
		{"more percent", func(_, second *attest.Stage) { second.Percent = 26 }, false},
		{"another salt", func(_, second *attest.Stage) { second.Salt = "b" }, false},
		{"another salt, all before", func(first, second *attest.Stage) { first.Percent, second.Salt = 100, "b" }, true},
		{"codes before", func(first, _ *attest.Stage) { first.Codes = []string{"android.origin"} }, false},
		{"codes after", func(_, second *attest.Stage) { second.Codes = []string{"android.origin"} }, true},
		{"more codes before", func(first, second *attest.Stage) {
			first.Codes, second.Codes = []string{"android.origin", "android.signature"}, []string{"android.signature"}
		}, true},
		{"more codes after", func(first, second *attest.Stage) {
			first.Codes, second.Codes = []string{"android.signature"}, []string{"android.origin", "android.signature"}
		}, false},
	} {
		first, second := base, base
		tt.change(&first, &second)
		p := quiet(t, func(f *attest.PolicyFile) {
			another := f.App[0]
			another.ID = "second"
			f.App, f.Rollout = append(f.App, another), []attest.Stage{first, second}
		})
		if w := p.Warnings(scopeNow); (len(w) == 1 && w[0].Key == "rollout[1]") != tt.dead || !tt.dead && len(w) > 0 {
			t.Errorf("%s: %v", tt.name, w)
		}
	}
	none := base
	none.Percent = 0
	if w := quiet(t, func(f *attest.PolicyFile) { f.Rollout = []attest.Stage{none, base} }).Warnings(scopeNow); len(w) != 1 || w[0].Key != "rollout[0].percent" {
		t.Errorf("0 percent: %v", w)
	}
}

// TestShadowedCodes: of two stages that differ in mode and codes, the second is
// told of if no verdict at all reaches it, and only then.
func TestShadowedCodes(t *testing.T) {
	var verdicts []attest.Verdict
	for _, codes := range subsets("android.origin", "android.purpose", "android.ca_bit") {
		verdicts = append(verdicts, rejected(codes...))
	}
	var stages []attest.Stage
	for _, mode := range []attest.Mode{attest.ModeEnforce, attest.ModeObserve} {
		for _, codes := range subsets("android.origin", "android.purpose") {
			stages = append(stages, everybody(mode, func(s *attest.Stage) { s.Codes = codes }))
		}
	}
	dead := 0
	for _, first := range stages {
		for _, second := range stages {
			p := rollout(t, first, second)
			reached := false
			for _, v := range verdicts {
				reached = reached || p.Stage(registering(), v).Name == "rollout[1]"
			}
			w := p.Warnings(scopeNow)
			if told := len(w) == 1 && w[0].Key == "rollout[1]"; told == reached || len(w) > 1 {
				t.Errorf("%s %s, then %s %s: reached %t, %v", first.Mode, first.Codes, second.Mode, second.Codes, reached, w)
			}
			if !reached {
				dead++
			}
		}
	}
	if dead == 0 || dead == len(stages)*len(stages) {
		t.Errorf("%d dead stages", dead)
	}
}

// subsets are all choices of codes, none among them.
func subsets(codes ...string) [][]string {
	all := [][]string{nil}
	for _, code := range codes {
		for _, chosen := range all {
			all = append(all, append(slices.Clone(chosen), code))
		}
	}
	return all
}

// TestShadowedRoutes: the same of routes.
func TestShadowedRoutes(t *testing.T) {
	route := func(path string, methods ...string) attest.RouteFile {
		return attest.RouteFile{Path: path, Methods: methods}
	}
	for _, tt := range []struct {
		first, second attest.RouteFile
		dead          bool
	}{
		{route("/a"), route("/a"), true},
		{route("/a"), route("/A/"), true},
		{route("/a"), route("/a.json"), true},
		{route("/a.json"), route("/a"), false},
		{route("/a"), route("/ab"), false},
		{route("/a"), route("/a/b"), false},
		{route("/a/*"), route("/a/b"), true},
		{route("/a/*"), route("/a"), true},
		{route("/a/*"), route("/a/b/*"), true},
		{route("/a/b/*"), route("/a/*"), false},
		{route("/a"), route("/a/*"), false},
		{route("/a/*"), route("/a.b/*"), false},
		{route("/*"), route("/"), true},
		{route("/"), route("/*"), false},
		{route("/a", "POST"), route("/a"), false},
		{route("/a"), route("/a", "POST"), true},
		{route("/a", "POST", "PUT"), route("/a", "PUT"), true},
		{route("/a", "POST"), route("/a", "POST", "PUT"), false},
		{route("/a", "GET"), route("/a", "HEAD"), true},
		{route("/a", "HEAD"), route("/a", "GET"), false},
	} {
		w := quiet(t, func(f *attest.PolicyFile) { f.Route = []attest.RouteFile{tt.first, tt.second} }).Warnings(scopeNow)
		if (len(w) == 1 && w[0].Key == "route[1]") != tt.dead || !tt.dead && len(w) > 0 {
			t.Errorf("%v %s, then %v %s: %v", tt.first.Methods, tt.first.Path, tt.second.Methods, tt.second.Path, w)
		}
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
