package attest_test

import (
	"fmt"
	"testing"

	"github.com/staunchid/staunch/attest"
)

// someKey is the id of a key, which falls into bucket 3166 under the salt
// "2026-11" in app chat, and into 692 under none.
const someKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// rollout is a policy with these stages, for the apps chat, demo and second.
func rollout(t testing.TB, stages ...attest.Stage) *attest.Policy {
	t.Helper()
	return policyOf(t, func(f *attest.PolicyFile) {
		for _, id := range []string{"chat", "second"} {
			app := f.App[0]
			app.ID = id
			f.App = append(f.App, app)
		}
		f.Rollout = stages
	})
}

// everybody is a stage that matches whatever happens in app chat.
func everybody(mode attest.Mode, edits ...func(*attest.Stage)) attest.Stage {
	s := attest.Stage{App: "chat", Platform: "any", Operation: "any", Countries: []string{"*"}, Percent: 100, Mode: string(mode)}
	for _, edit := range edits {
		edit(&s)
	}
	return s
}

// registering is somebody who registers an Android phone in Japan.
func registering() attest.Subject {
	return attest.Subject{App: "chat", Platform: "android", Operation: attest.OperationRegister, Country: "JP", KeyID: someKey}
}

// rejected is a verdict with these codes, all of which reject.
func rejected(codes ...string) attest.Verdict {
	v := attest.Verdict{Tier: attest.TierAffirming}
	for _, code := range codes {
		v = v.With(attest.Finding{Code: code, Effect: attest.Reject})
	}
	return v
}

// enforcing makes a stage one that enforces some codes.
func enforcing(codes ...string) func(*attest.Stage) {
	return func(s *attest.Stage) { s.Mode, s.Codes = string(attest.ModeEnforce), codes }
}

// TestStageMatches: each field of a stage and of a subject. One stage, which
// observes if nothing else is said, either matches or leaves the verdict to be
// enforced.
func TestStageMatches(t *testing.T) {
	bad := rejected("android.boot_unlocked", "android.patch_old")
	for _, tt := range []struct {
		name    string
		stage   func(*attest.Stage)
		subject func(*attest.Subject)
		verdict attest.Verdict
		matches bool
	}{
		{"everybody", nil, nil, bad, true},
		{"another app", nil, func(s *attest.Subject) { s.App = "second" }, bad, false},
		{"no app", nil, func(s *attest.Subject) { s.App = "" }, bad, false},
		{"platform", func(r *attest.Stage) { r.Platform = "android" }, nil, bad, true},
		{"another platform", func(r *attest.Stage) { r.Platform = "apple" }, nil, bad, false},
		{"no platform", func(r *attest.Stage) { r.Platform = "android" }, func(s *attest.Subject) { s.Platform = "" }, bad, false},
		{"any platform, and none known", nil, func(s *attest.Subject) { s.Platform = "" }, bad, true},
		{"operation", func(r *attest.Stage) { r.Operation = "register" }, nil, bad, true},
		{"another operation", func(r *attest.Stage) { r.Operation = "request" }, nil, bad, false},
		{"request", func(r *attest.Stage) { r.Operation = "request" }, func(s *attest.Subject) { s.Operation = attest.OperationRequest }, bad, true},
		{"country", func(r *attest.Stage) { r.Countries = []string{"TW", "JP"} }, nil, bad, true},
		{"another country", func(r *attest.Stage) { r.Countries = []string{"TW"} }, nil, bad, false},
		{"in small letters", func(r *attest.Stage) { r.Countries = []string{"JP"} }, func(s *attest.Subject) { s.Country = "jp" }, bad, true},
		{"unknown, and no stage for it", func(r *attest.Stage) { r.Countries = []string{"JP"} }, func(s *attest.Subject) { s.Country = "" }, bad, false},
		{"unknown", func(r *attest.Stage) { r.Countries = []string{"JP", "ZZ"} }, func(s *attest.Subject) { s.Country = "" }, bad, true},
		{"no country", func(r *attest.Stage) { r.Countries = []string{"ZZ"} }, func(s *attest.Subject) { s.Country = "Japan" }, bad, true},
		{"known, for unknown", func(r *attest.Stage) { r.Countries = []string{"ZZ"} }, nil, bad, false},
		{"star, and unknown", nil, func(s *attest.Subject) { s.Country = "" }, bad, true},
		{"bucket below", func(r *attest.Stage) { r.Salt, r.Percent = "2026-11", 32 }, nil, bad, true},
		{"bucket above", func(r *attest.Stage) { r.Salt, r.Percent = "2026-11", 31 }, nil, bad, false},
		{"the account has another bucket", func(r *attest.Stage) { r.Salt, r.Percent = "2026-11", 56 },
			func(s *attest.Subject) { s.KeyID, s.Account = "", "a_demodemodemodemodemodemode" }, bad, false},
		{"the account's bucket", func(r *attest.Stage) { r.Salt, r.Percent = "2026-11", 57 },
			func(s *attest.Subject) { s.KeyID, s.Account = "", "a_demodemodemodemodemodemode" }, bad, true},
		{"the key comes first", func(r *attest.Stage) { r.Salt, r.Percent = "2026-11", 32 },
			func(s *attest.Subject) { s.Account = "a_demodemodemodemodemodemode" }, bad, true},
		{"neither, 99", func(r *attest.Stage) { r.Percent = 99 }, func(s *attest.Subject) { s.KeyID = "" }, bad, false},
		{"neither, 100", nil, func(s *attest.Subject) { s.KeyID = "" }, bad, true},
		{"0", func(r *attest.Stage) { r.Percent = 0 }, nil, bad, false},
		{"all codes", func(r *attest.Stage) { r.Codes = []string{"android.patch_old", "android.boot_unlocked"} }, nil, bad, true},
		{"more codes", func(r *attest.Stage) {
			r.Codes = []string{"android.patch_old", "android.boot_unlocked", "android.origin"}
		}, nil, bad, true},
		{"a code is missing", func(r *attest.Stage) { r.Codes = []string{"android.patch_old"} }, nil, bad, false},
		{"what does not reject is no matter", func(r *attest.Stage) { r.Codes = []string{"android.origin"} }, nil,
			rejected("android.origin").With(attest.NewFinding("android.kd_encoding", ""), attest.Finding{Code: "android.patch_future", Effect: attest.Warn}), true},
		{"an effect that nobody knows rejects", func(r *attest.Stage) { r.Codes = []string{"android.origin"} }, nil,
			rejected("android.origin").With(attest.Finding{Code: "android.patch_old", Effect: "odd"}), false},
		{"accepted", nil, nil, attest.Verdict{Tier: attest.TierWarning}, true},
		{"codes, accepted", func(r *attest.Stage) { r.Codes = []string{"android.origin"} }, nil, attest.Verdict{Tier: attest.TierAffirming}, false},
		{"codes to enforce, all", enforcing("android.patch_old", "android.boot_unlocked"), nil, bad, true},
		{"codes to enforce, more", enforcing("android.patch_old", "android.boot_unlocked", "android.origin"), nil, bad, true},
		{"codes to enforce, the first of two", enforcing("android.boot_unlocked"), nil, bad, true},
		{"codes to enforce, the last of two", enforcing("android.patch_old"), nil, bad, true},
		{"codes to enforce, none", enforcing("android.origin"), nil, bad, false},
		{"codes to enforce, and what has the code does not reject", enforcing("android.patch_future", "android.kd_encoding"), nil,
			rejected("android.origin").With(attest.NewFinding("android.kd_encoding", ""), attest.Finding{Code: "android.patch_future", Effect: attest.Warn}), false},
		{"codes to enforce, an effect that nobody knows", enforcing("android.patch_old"), nil,
			rejected("android.origin").With(attest.Finding{Code: "android.patch_old", Effect: "odd"}), true},
		{"codes to enforce, accepted", enforcing("android.origin"), nil, attest.Verdict{Tier: attest.TierAffirming}, false},
		{"rejected without a reason", nil, nil, attest.Verdict{}, false},
		{"rejected, and nothing rejects", nil, nil, attest.Verdict{Tier: attest.TierNone, Findings: []attest.Finding{attest.NewFinding("android.kd_encoding", "")}}, false},
	} {
		stage, subject := everybody(attest.ModeObserve), registering()
		if tt.stage != nil {
			tt.stage(&stage)
		}
		if tt.subject != nil {
			tt.subject(&subject)
		}
		want := attest.Staged{Mode: attest.ModeEnforce}
		if tt.matches {
			want = attest.Staged{Name: "rollout[0]", Mode: attest.Mode(stage.Mode)}
		}
		if got := rollout(t, stage).Stage(subject, tt.verdict); got != want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, want)
		}
	}
}

// TestFirstStageWins: and without a stage that matches, or without any stage,
// or without a policy, the verdict is enforced.
func TestFirstStageWins(t *testing.T) {
	japan := func(s *attest.Stage) { s.Countries = []string{"JP"} }
	abuse := func(s *attest.Stage) { s.Codes = []string{"android.root_unknown"} }
	p := rollout(t, everybody(attest.ModeEnforce, abuse), everybody(attest.ModeObserve, japan), everybody(attest.ModeEnforce), everybody(attest.ModeObserve))
	taiwan := registering()
	taiwan.Country = "TW"
	for _, tt := range []struct {
		name    string
		subject attest.Subject
		verdict attest.Verdict
		want    attest.Staged
	}{
		{"codes, and something else", registering(), rejected("android.patch_old", "android.root_unknown"), attest.Staged{Name: "rollout[0]", Mode: attest.ModeEnforce}},
		{"codes", registering(), rejected("android.root_unknown"), attest.Staged{Name: "rollout[0]", Mode: attest.ModeEnforce}},
		{"country", registering(), rejected("android.patch_old"), attest.Staged{Name: "rollout[1]", Mode: attest.ModeObserve}},
		{"accepted", registering(), attest.Verdict{Tier: attest.TierAffirming}, attest.Staged{Name: "rollout[1]", Mode: attest.ModeObserve}},
		{"the rest", taiwan, rejected("android.patch_old"), attest.Staged{Name: "rollout[2]", Mode: attest.ModeEnforce}},
	} {
		if got := p.Stage(tt.subject, tt.verdict); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	named := rollout(t, everybody(attest.ModeEnforce, japan, func(s *attest.Stage) { s.Name = "jp-pilot" }), everybody(attest.ModeObserve))
	if got := named.Stage(registering(), rejected("android.patch_old")); got.Name != "jp-pilot" {
		t.Errorf("a stage with a name: %+v", got)
	}
	for name, p := range map[string]*attest.Policy{"no stage": rollout(t), "zero": {}, "genuine": genuine(t, attest.ProfileGoogle)} {
		if got := p.Stage(registering(), rejected("android.patch_old")); got != (attest.Staged{Mode: attest.ModeEnforce}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// inPercent reports whether a key of an app is among so many percent.
func inPercent(p *attest.Policy, app, key string) bool {
	return p.Stage(attest.Subject{App: app, KeyID: key}, rejected("android.origin")).Mode == attest.ModeObserve
}

// TestBuckets: the values are those of the design, computed elsewhere: the first
// 8 bytes of SHA-256("staunch-rollout-1" 00 app 00 salt 00 key id), mod 10000.
// A bucket is below percent x 100 from its hundred's end on.
func TestBuckets(t *testing.T) {
	for _, tt := range []struct {
		app, salt, key string
		bucket         int
	}{
		{"chat", "2026-11", someKey, 3166},
		{"chat", "", someKey, 692},
		{"chat", "2026-12", someKey, 1039},
		{"demo", "2026-11", someKey, 9860},
		{"chat", "2026-11", "a_demodemodemodemodemodemode", 5628},
		{"chat", "", "key-31609", 2500}, // at the limit of 25 %
	} {
		for percent := range 101 {
			stage := everybody(attest.ModeObserve, func(s *attest.Stage) { s.App, s.Salt, s.Percent = tt.app, tt.salt, percent })
			if got := inPercent(rollout(t, stage), tt.app, tt.key); got != (tt.bucket < percent*100) {
				t.Errorf("%s %q %s: among %d %%: %t", tt.app, tt.salt, tt.key, percent, got)
			}
		}
	}
}

// TestBucketsAreFair: a percent is that many of the keys, whoever is in it stays
// in it when the percent grows, and another salt deals anew.
func TestBucketsAreFair(t *testing.T) {
	const n = 20000
	percents := []int{1, 10, 25, 50, 90}
	var stages []*attest.Policy
	for _, percent := range percents {
		stages = append(stages, rollout(t, everybody(attest.ModeObserve, func(s *attest.Stage) { s.Percent = percent })))
	}
	salted := rollout(t, everybody(attest.ModeObserve, func(s *attest.Stage) { s.Percent, s.Salt = 50, "other" }))
	counts, both := make([]int, len(percents)), 0
	for i := range n {
		key := fmt.Sprintf("key-%d", i)
		was := false
		for j, p := range stages {
			is := inPercent(p, "chat", key)
			if was && !is {
				t.Fatalf("%s is among %d %% and not among %d %%", key, percents[j-1], percents[j])
			}
			if was = is; is {
				counts[j]++
			}
			if percents[j] == 50 && is && inPercent(salted, "chat", key) {
				both++
			}
		}
	}
	for j, percent := range percents { // five standard deviations are at most 1.8 points
		if got := float64(counts[j]) * 100 / n; got < float64(percent)-1.8 || got > float64(percent)+1.8 {
			t.Errorf("%.2f %% of the keys are among %d %%", got, percent)
		}
	}
	if got := float64(both) * 100 / n; got < 23 || got > 27 {
		t.Errorf("%.2f %% of the keys are in the half of both salts", got)
	}
}

func BenchmarkStage(b *testing.B) {
	var stages []attest.Stage
	for range 10 {
		stages = append(stages, everybody(attest.ModeObserve, func(s *attest.Stage) { s.Countries, s.Percent = []string{"TW", "TH"}, 25 }))
	}
	p, s, v := rollout(b, append(stages, everybody(attest.ModeEnforce))...), registering(), attest.Verdict{Tier: attest.TierAffirming}
	b.ReportAllocs()
	for b.Loop() {
		p.Stage(s, v)
	}
}
