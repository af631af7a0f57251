package registry_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/config"
)

// changedPolicy is the demo policy with changes.
func changedPolicy(t testing.TB, changes ...func(*attest.PolicyFile)) *attest.Policy {
	t.Helper()
	var f attest.PolicyFile
	if err := config.Decode([]byte(attesttest.DemoPolicy()), &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		c(&f)
	}
	p, err := attest.NewPolicy(&f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// under makes a rig's policy one with changes.
func under(t testing.TB, changes ...func(*attest.PolicyFile)) func(*registry.Options) {
	p := changedPolicy(t, changes...)
	return func(o *registry.Options) { o.Policy = func() *attest.Policy { return p } }
}

// stage is a stage for all phones of a country, or of all countries.
func stage(mode string, countries ...string) attest.Stage {
	if len(countries) == 0 {
		countries = []string{"*"}
	}
	return attest.Stage{App: "demo", Platform: "any", Operation: "any", Countries: countries, Percent: 100, Mode: mode}
}

func observes(f *attest.PolicyFile) { f.Rollout = []attest.Stage{stage("observe")} }

// unlocked is a phone whose verdict rejects, with claims that can be believed.
func unlocked(d *attesttest.AndroidDraft) {
	d.Description.HardwareEnforced.SetDER(704, attesttest.RootOfTrust{VerifiedBootKey: make([]byte, 32), VerifiedBootState: 2}.DER())
}

// revokedIssuer is a phone whose verdict rejects with a hard finding.
func revokedIssuer(d *attesttest.AndroidDraft) { d.Chain[1].Serial = []byte{0xba, 0xdb, 0xad} }

// lastEntry is the newest audit entry of an account.
func (r *rig) lastEntry(id account.ID) (last audit.Entry) {
	r.t.Helper()
	entries, _ := r.record()
	for _, e := range entries {
		if e.Account == id {
			last = e
		}
	}
	return last
}

// TestRollout: the stage decides what happens, and the verdict is the same.
func TestRollout(t *testing.T) {
	codes := func(s attest.Stage, codes ...string) attest.Stage { s.Codes = codes; return s }
	tests := []struct {
		name     string
		rollout  []attest.Stage
		country  string
		phone    []attesttest.AndroidOption
		decision registry.Decision
		stage    string
		state    registry.State // of the key; empty: there is none
	}{
		{"no stage", nil, "", []attesttest.AndroidOption{unlocked}, registry.Deny, "", ""},
		{"enforced", []attest.Stage{stage("enforce")}, "", []attesttest.AndroidOption{unlocked}, registry.Deny, "rollout[0]", ""},
		{"observed", []attest.Stage{stage("observe")}, "", []attesttest.AndroidOption{unlocked}, registry.Allow, "rollout[0]", registry.StateObserved},
		{"observed, hard finding", []attest.Stage{stage("observe")}, "", []attesttest.AndroidOption{revokedIssuer}, registry.Allow, "rollout[0]", registry.StateObserved},
		{"observed, and good", []attest.Stage{stage("observe")}, "", nil, registry.Allow, "rollout[0]", registry.StateActive},
		{"in the country", []attest.Stage{stage("enforce", "JP"), stage("observe")}, "JP", []attesttest.AndroidOption{unlocked}, registry.Deny, "rollout[0]", ""},
		{"in another country", []attest.Stage{stage("enforce", "JP"), stage("observe")}, "TW", []attesttest.AndroidOption{unlocked}, registry.Allow, "rollout[1]", registry.StateObserved},
		{"in small letters", []attest.Stage{stage("enforce", "JP"), stage("observe")}, "jp", []attesttest.AndroidOption{unlocked}, registry.Deny, "rollout[0]", ""},
		{"an edge that does not know", []attest.Stage{stage("enforce", "XX"), stage("observe", "ZZ")}, "XX", []attesttest.AndroidOption{unlocked}, registry.Allow, "rollout[1]", registry.StateObserved},
		{"in no known country", []attest.Stage{stage("enforce", "JP"), stage("observe", "ZZ")}, "", []attesttest.AndroidOption{unlocked}, registry.Allow, "rollout[1]", registry.StateObserved},
		{"its code is enforced", []attest.Stage{codes(stage("enforce"), "android.boot_unlocked", "android.boot_state"), stage("observe")}, "", []attesttest.AndroidOption{unlocked}, registry.Deny, "rollout[0]", ""},
		{"its code is enforced, and there is another", []attest.Stage{codes(stage("enforce"), "android.boot_state"), stage("observe")}, "", []attesttest.AndroidOption{unlocked}, registry.Deny, "rollout[0]", ""},
		{"one of its codes is observed", []attest.Stage{codes(stage("observe"), "android.boot_state")}, "", []attesttest.AndroidOption{unlocked}, registry.Deny, "", ""},
		{"another code is enforced", []attest.Stage{codes(stage("enforce"), "android.signature"), stage("observe")}, "", []attesttest.AndroidOption{unlocked}, registry.Allow, "rollout[1]", registry.StateObserved},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, under(t, func(f *attest.PolicyFile) { f.Rollout = tt.rollout }))
			in := r.androidRegistration(tt.phone...)
			in.Country = tt.country
			out := r.register(in)
			if out.Decision != tt.decision || out.Stage != tt.stage || (out.KeyID != "") != (tt.state != "") {
				t.Fatalf("%s, stage %q, key %q: %+v", out.Decision, out.Stage, out.KeyID, out.Verdict.Findings)
			}
			if good := len(tt.phone) == 0; out.Verdict.Accept() != good || (out.Advice == registry.AdviceNone) != (tt.decision == registry.Allow) {
				t.Errorf("tier %s, advice %s", out.Verdict.Tier, out.Advice)
			}
			if n := r.rows("attest_key"); (n == 1) != (tt.state != "") || out.KeyID != "" && r.key(out.KeyID).State != tt.state {
				t.Errorf("%d keys, the one %q", n, out.KeyID)
			}
			var detail struct {
				WouldDeny bool                    `json:"would_deny"`
				Stage     string                  `json:"stage"`
				State     registry.State          `json:"state"`
				Codes     []struct{ Code string } `json:"codes"`
			}
			e := r.lastEntry(alice)
			if err := json.Unmarshal(e.Detail, &detail); err != nil {
				t.Fatal(err)
			}
			if detail.WouldDeny != (tt.state == registry.StateObserved) || detail.Stage != tt.stage || detail.State != tt.state || len(detail.Codes) != len(out.Verdict.Findings) {
				t.Errorf("detail %s", e.Detail)
			}
			if !r.used(in.Challenge) || e.Action != "attest.register" {
				t.Errorf("challenge used is %v, entry %+v", r.used(in.Challenge), e)
			}
			r.mustCheck()
		})
	}
}

// TestObservedAnswers: a phone that is let in learns that it is, and no more.
func TestObservedAnswers(t *testing.T) {
	r := newRig(t, under(t, observes))
	in := r.androidRegistration(unlocked)
	out, err := r.Register(t.Context(), account.Caller{Kind: account.Anonymous, App: "demo"}, in)
	if err != nil || out.KeyID == "" {
		t.Fatalf("%+v, %v", out, err)
	}
	if diff := cmp.Diff(&registry.Registered{Decision: registry.Allow, Advice: registry.AdviceNone, KeyID: out.KeyID}, out); diff != "" {
		t.Error(diff)
	}
	if _, events := r.record(); len(events) != 1 || events[0].Type != "attest.register_observed" || !strings.Contains(string(events[0].Body), `"would_deny":true`) {
		t.Errorf("events %+v", events)
	}
	r.mustCheck()
}

// TestUnpermittedInEveryMode: what is found of the caller's own permission
// denies also where the rollout only observes, and no key is stored.
func TestUnpermittedInEveryMode(t *testing.T) {
	tests := []struct {
		name string
		make func(*rig) *registry.Registration
		code string
	}{
		{"challenge unknown", func(r *rig) *registry.Registration {
			in := r.androidRegistration()
			in.Challenge = make([]byte, 32)
			return in
		}, "common.challenge_unknown"},
		{"challenge used", func(r *rig) *registry.Registration {
			in := r.androidRegistration(unlocked)
			r.register(in)
			return in
		}, "common.challenge_used"},
		{"challenge expired", func(r *rig) *registry.Registration {
			in := r.androidRegistration()
			r.advance(time.Hour)
			return in
		}, "common.challenge_expired"},
		{"key of another account", func(r *rig) *registry.Registration { return r.againOf(func(k *registry.Key) { k.Account = bob }) }, "common.key_exists"},
		{"revoked key", func(r *rig) *registry.Registration {
			return r.againOf(func(k *registry.Key) { k.State = registry.StateRevoked })
		}, "common.key_revoked"},
		{"replaces another account's key", func(r *rig) *registry.Registration {
			k := r.key(r.mustAllow(r.androidRegistration()).KeyID)
			k.Account = bob
			r.put(k)
			in := r.androidRegistration()
			in.Replaces = k.ID
			return in
		}, "common.account_mismatch"},
		{"and the phone is unlocked too", func(r *rig) *registry.Registration {
			k := r.key(r.mustAllow(r.androidRegistration()).KeyID)
			k.Account = bob
			r.put(k)
			in := r.androidRegistration(unlocked)
			in.Replaces = k.ID
			return in
		}, "common.account_mismatch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, under(t, observes))
			in := tt.make(r)
			keys := r.rows("attest_key")
			out := r.register(in)
			if out.Decision != registry.Deny || !out.Verdict.Has(tt.code) || out.KeyID != "" || out.Stage != "" || out.Advice == registry.AdviceNone {
				t.Errorf("%s, stage %q, key %q: %+v", out.Decision, out.Stage, out.KeyID, out.Verdict.Findings)
			}
			if n := r.rows("attest_key"); n != keys {
				t.Errorf("%d keys, before %d", n, keys)
			}
			if e := r.lastEntry(alice); strings.Contains(string(e.Detail), "would_deny") {
				t.Errorf("entry %s", e.Detail)
			}
		})
	}
}

// againOf registers an iPhone's key, changes what is stored of it, and attests
// the key again.
func (r *rig) againOf(change func(*registry.Key)) *registry.Registration {
	r.t.Helper()
	key := applePhone(r.t).GenerateKey()
	k := r.key(r.mustAllow(r.appleRegistration(key)).KeyID)
	change(&k)
	r.put(k)
	return r.appleRegistration(key)
}

// TestObservedChangesNoOther: evidence that rejects never changes a key in
// another state, and leaves another account's observed key alone unless
// somebody vouches for the claim.
func TestObservedChangesNoOther(t *testing.T) {
	foreign := func(d *attesttest.AppleDraft) { d.RPIDHash = make([]byte, 32) } // rejects, and the key is proved
	forged := func(d *attesttest.AppleDraft) { d.Nonce = make([]byte, 32) }     // a hard finding
	tests := []struct {
		name    string
		state   registry.State
		account account.ID
		phone   attesttest.AppleOption
		changed bool
		keyID   bool // answered
	}{
		{"active", registry.StateActive, alice, foreign, false, true},
		{"pending", registry.StatePending, alice, foreign, false, true},
		{"superseded", registry.StateSuperseded, alice, foreign, false, false},
		{"observed", registry.StateObserved, alice, foreign, true, true},
		{"observed, of another account", registry.StateObserved, bob, foreign, true, true},
		{"active, and nobody vouches", registry.StateActive, alice, forged, false, true},
		{"active, of another account, and nobody vouches", registry.StateActive, bob, forged, false, false},
		{"revoked, and nobody vouches", registry.StateRevoked, alice, forged, false, false},
		{"observed, and nobody vouches", registry.StateObserved, alice, forged, true, true},
		{"observed, of another account, and nobody vouches", registry.StateObserved, bob, forged, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, under(t, observes))
			key := applePhone(t).GenerateKey()
			k := r.key(r.mustAllow(r.appleRegistration(key)).KeyID)
			k.State, k.Account = tt.state, tt.account
			r.put(k)
			r.advance(time.Minute)
			in := r.appleRegistration(key, tt.phone)
			out := r.register(in)
			if out.Decision != registry.Allow || out.Verdict.Accept() || (out.KeyID != "") != tt.keyID {
				t.Errorf("%s, key %q: %+v", out.Decision, out.KeyID, out.Verdict.Findings)
			}
			got := r.key(k.ID)
			if !tt.changed {
				if diff := cmp.Diff(k, got); diff != "" {
					t.Errorf("changed: %s", diff)
				}
				return
			}
			if got.State != registry.StateObserved || got.Account != alice || !got.RegisteredAt.Equal(r.clock()) {
				t.Errorf("key %+v", got)
			}
		})
	}
}

// TestProofBeatsClaim: a key that was only observed stands in nobody's way. The
// account that loses it has that on its record.
func TestProofBeatsClaim(t *testing.T) {
	for name, id := range map[string]account.ID{"the same account": alice, "another account": bob} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, under(t, observes))
			key := applePhone(t).GenerateKey()
			claim := r.appleRegistration(key, func(d *attesttest.AppleDraft) { d.RPIDHash = make([]byte, 32) })
			first := r.register(claim)
			if k := r.key(first.KeyID); k.State != registry.StateObserved || k.Account != alice {
				t.Fatalf("key %+v", k)
			}
			out := r.mustAllow(r.appleOf(id, key))
			if k := r.key(out.KeyID); out.KeyID != first.KeyID || k.State != registry.StateActive || k.Account != id {
				t.Errorf("key %+v", k)
			}
			if e := r.lastEntry(alice); (e.Action == "attest.release") != (id == bob) {
				t.Errorf("alice's last entry is %+v", e)
			}
			r.mustCheck()
		})
	}
}

// TestObservedKeyHoldsOnlyWhatIsProved: of a chain that did not verify nothing
// but the key is kept.
func TestObservedKeyHoldsOnlyWhatIsProved(t *testing.T) {
	r := newRig(t, under(t, observes))
	good := r.key(r.register(r.androidRegistration(unlocked)).KeyID)
	if good.Model == "" || len(good.Serials) == 0 || len(good.Batch) == 0 || good.Provisioning == "" {
		t.Errorf("key of an authentic chain: %+v", good)
	}
	out := r.register(r.androidRegistration(revokedIssuer))
	got := r.key(out.KeyID)
	want := registry.Key{
		ID: out.KeyID, App: "demo", Account: alice, Platform: "android", SPKI: got.SPKI, Algorithm: "EC-P256", Tier: attest.TierNone,
		State: registry.StateObserved, PolicyDigest: out.Verdict.PolicyDigest, Evidence: out.Evidence, RegisteredAt: noon,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	r.mustCheck()
}

// TestCountryAndHints: the country comes from the backend, and hints fit into a
// line.
func TestCountryAndHints(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", 101)
	for name, tt := range map[string]struct {
		change func(*registry.Registration)
		ok     bool
	}{
		"country":            {func(in *registry.Registration) { in.Country = "JP" }, true},
		"country lower case": {func(in *registry.Registration) { in.Country = "jp" }, true},
		"no country":         {func(in *registry.Registration) { in.Country = "Japan" }, true}, // unknown
		"not even text":      {func(in *registry.Registration) { in.Country = "\xff" }, true},
		"hints": {func(in *registry.Registration) {
			in.Hints = registry.Hints{OSVersion: "16", AppVersion: "26.1", Model: "ソニー SOV37" + strings.Repeat("x", 80)}
		}, true},
		"long OS version":       {func(in *registry.Registration) { in.Hints.OSVersion = long }, false},
		"long app version":      {func(in *registry.Registration) { in.Hints.AppVersion = long }, false},
		"long model":            {func(in *registry.Registration) { in.Hints.Model = long }, false},
		"model with a new line": {func(in *registry.Registration) { in.Hints.Model = "SOV\n37" }, false},
		"model not in UTF-8":    {func(in *registry.Registration) { in.Hints.Model = "SOV\xff" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := r.androidRegistration()
			tt.change(in)
			_, err := r.Register(t.Context(), backend, in)
			mustBe(t, err, tt.ok, registry.ErrMalformed)
		})
	}
	for _, caller := range []account.Caller{{Kind: account.Anonymous, App: "demo"}, {Kind: account.Phone, App: "demo", Account: alice}} {
		in := r.androidRegistration()
		in.Country = "JP"
		_, err := r.Register(t.Context(), caller, in)
		mustBe(t, err, false, registry.ErrNotAllowed)
	}
}

// TestStatusChangesMeanwhile: a key does not slip in behind a list that names
// its issuer while it is verified.
func TestStatusChangesMeanwhile(t *testing.T) {
	var list *android.StatusList
	for _, mode := range []string{"enforce", "observe"} {
		r := newRig(t, under(t, func(f *attest.PolicyFile) { f.Rollout = []attest.Stage{stage(mode)} }), func(o *registry.Options) {
			list = o.Status()
			o.Status = func() *android.StatusList { return list }
			verifier := o.Verifier
			o.TestingOnlyVerify(func(ev attest.Evidence, want attest.Expect, p *attest.Policy, now time.Time) (attest.Verdict, error) {
				v, err := verifier.Verify(ev, want, p, now)
				list = android.NewStatusList("sha256:new", nil, 1, map[string]string{v.Chain[2].Serial: android.StatusRevoked})
				return v, err
			})
		})
		out := r.register(r.androidRegistration())
		if !out.Verdict.Has("android.revoked") || out.Verdict.Tier != attest.TierNone || (out.Decision == registry.Allow) != (mode == "observe") {
			t.Errorf("%s: %s: %+v", mode, out.Decision, out.Verdict.Findings)
		}
		if n := r.rows("attest_key WHERE state = 'active'"); n != 0 {
			t.Errorf("%s: %d active keys", mode, n)
		}
		r.mustCheck()
	}
}

// TestRegistrationsAreCounted: with the verdict, the stage and the country, and
// hints as claimed where the evidence says nothing.
func TestRegistrationsAreCounted(t *testing.T) {
	var seen []registry.Observation
	r := newRig(t, under(t, observes), func(o *registry.Options) {
		o.Observe = func(x registry.Observation) { seen = append(seen, x) }
	})
	good, bad := r.androidRegistration(), r.androidRegistration(unlocked)
	bad.Country = "JP"
	bad.Hints.Model = "Claimed"
	apple := r.appleRegistration(applePhone(t).GenerateKey())
	apple.Hints = registry.Hints{Model: "iPhone17,1", AppVersion: "26.1"}
	for _, in := range []*registry.Registration{good, bad, apple} {
		r.register(in)
	}
	anonymous := account.Caller{Kind: account.Anonymous, App: "demo"}
	if _, err := r.Register(t.Context(), anonymous, good); err != nil { // its challenge is used
		t.Fatal(err)
	}
	for where, want := range map[string]int{
		"verdict = 'accept' AND platform = 'android' AND country = 'ZZ' AND stage = 'rollout[0]'":          1,
		"verdict = 'would_deny' AND country = 'JP' AND stage = 'rollout[0]' AND model_source = 'attested'": 1,
		"model = 'Claimed'": 0,
		"verdict = 'accept' AND platform = 'apple' AND model = 'iPhone17,1' AND model_source = 'claimed'": 1,
		"app_version = '26.1'": 0, // the evidence says another
		"verdict = 'reject'":   0, // of the anonymous call nothing is stored
	} {
		if n := r.sum("count", "attest_stat WHERE code = '' AND "+where); n != want {
			t.Errorf("%s: %d, want %d", where, n, want)
		}
	}
	if n := r.sum("count", "attest_stat WHERE code = 'android.boot_unlocked' AND verdict = 'would_deny'"); n != 1 {
		t.Errorf("%d findings of the phone that was let in", n)
	}
	var verdicts []string
	if last := seen[len(seen)-1]; !last.Unrecorded {
		t.Errorf("observed %+v", last)
	}
	for _, x := range seen {
		verdicts = append(verdicts, x.Verdict+" "+string(x.Mode))
	}
	if diff := cmp.Diff([]string{"accept observe", "would_deny observe", "accept observe", "reject enforce"}, verdicts); diff != "" {
		t.Error(diff)
	}
}
