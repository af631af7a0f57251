package attest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

func bundleOf(t testing.TB, ev attest.Evidence, want attest.Expect, p *attest.Policy) *attest.Bundle {
	t.Helper()
	b, err := attest.NewBundle(ev, want, p, judge(t, ev, want, p))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// throughJSON writes and reads a bundle.
func throughJSON(t testing.TB, b *attest.Bundle) *attest.Bundle {
	t.Helper()
	read, err := attest.ParseBundle([]byte(asJSON(t, b)))
	if err != nil {
		t.Fatal(err)
	}
	if asJSON(t, read) != asJSON(t, b) {
		t.Error("a bundle changes when it is read and written")
	}
	return read
}

// TestReplay: every row of the catalogue gives the same verdict again under its
// policy; good phones also under the other profile and the built-in policy.
func TestReplay(t *testing.T) {
	verifier := newVerifier(t)
	for _, d := range attesttest.Deviations() {
		policies := map[string]*attest.Policy{attest.ProfileGoogle: rowPolicy(t, d, attest.ProfileGoogle)}
		if d.Code == "" {
			policies[attest.ProfileStrict], policies["genuine"] = rowPolicy(t, d, attest.ProfileStrict), genuine(t, attest.ProfileGoogle)
		}
		ev, want, _ := sample(t, d)
		for name, p := range policies {
			v := rowVerdict(t, d, name)
			b, err := attest.NewBundle(ev, want, p, v)
			if err != nil {
				t.Fatal(d.Name, err)
			}
			r, err := verifier.Replay(throughJSON(t, b))
			if err != nil || !r.Equal || len(r.Differ) != 0 {
				t.Fatalf("%s, %s: %v, %v", d.Name, name, err, r)
			}
			if asJSON(t, r.NewVerdict) != asJSON(t, v) {
				t.Errorf("%s, %s: the verdict differs", d.Name, name)
			}
		}
	}
}

// TestReplayDiffers: whatever is changed shows.
func TestReplayDiffers(t *testing.T) {
	base := func() *attest.Bundle {
		want := expecting(t)
		want.UsesLeft = func(string) int { return 1 }
		ev := evidence(t, attesttest.Factory, at(1, func(c *attesttest.Certificate) { c.Extensions = nil }))
		return bundleOf(t, ev, want, policyOf(t, strict, excepting(func(e *attest.Exception) { e.MaxUsesPerDay = 5 })))
	}
	verifier := newVerifier(t)
	for _, c := range []struct {
		name string
		edit func(*attest.Bundle)
		want string // begin of a difference; empty: none
	}{
		{"nothing", func(*attest.Bundle) {}, ""},
		{"the challenge", func(b *attest.Bundle) { b.Expect.Challenge[0] ^= 1 }, "new: common.challenge_mismatch"},
		{"the evidence", func(b *attest.Bundle) { b.Evidence.Chain[0][len(b.Evidence.Chain[0])-1] ^= 1 }, "new: android.signature (reject) at position 0"},
		{"the time", func(b *attest.Bundle) { b.At = b.At.Add(30 * 365 * day) }, "gone: common.exception_used"},
		{"the list", func(b *attest.Bundle) { b.Status = nil }, "new: android.status_unavailable (reject)"},
		{"the policy", func(b *attest.Bundle) {
			b.Policy = json.RawMessage(strings.Replace(string(b.Policy), `"min_level":"tee"`, `"min_level":"strongbox"`, 1))
		}, "new: android.level_too_low (reject)"},
		{"the uses that were left", func(b *attest.Bundle) { b.Expect.UsesLeft["x1"] = 0 }, "new: common.exception_inactive"},
		{"caps that are not judged", func(b *attest.Bundle) { b.Expect.CapsJudged, b.Expect.UsesLeft = false, nil }, ""},
		{"the verdict then", func(b *attest.Bundle) { b.Verdict.Verdict = "reject" }, "verdict: was reject, is accept"},
		{"the tier then", func(b *attest.Bundle) { b.Verdict.Tier = attest.TierWarning }, "tier: was warning, is affirming"},
		{"a finding then", func(b *attest.Bundle) { b.Verdict.Findings = b.Verdict.Findings[1:] }, "new: android.ca_bit (note) at position 1"},
		{"the order of findings", func(b *attest.Bundle) { slices.Reverse(b.Verdict.Findings) }, ""},
		{"the rules then", func(b *attest.Bundle) { b.Rules = 99 }, ""},
	} {
		b := throughJSON(t, base())
		c.edit(b)
		r, err := verifier.Replay(b)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		differs := slices.ContainsFunc(r.Differ, func(s string) bool { return strings.HasPrefix(s, c.want) })
		if r.Equal != (c.want == "") || c.want != "" && !differs {
			t.Errorf("%s: %q", c.name, r.Differ)
		}
		if r.RulesThen != b.Rules || r.RulesNow != attest.Rules {
			t.Errorf("%s: rules %d, then %d", c.name, r.RulesNow, r.RulesThen)
		}
	}
}

func TestParseBundleRefuses(t *testing.T) {
	good := asJSON(t, bundleOf(t, evidence(t, attesttest.RKP), expecting(t), policyOf(t)))
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "x", "an array": "[]", "cut short": good[:len(good)-1], "something behind it": good + "{}",
		"version 0":                   strings.Replace(good, `"version":1`, `"version":0`, 1),
		"version 2":                   strings.Replace(good, `"version":1`, `"version":2`, 1),
		"an unknown member":           strings.Replace(good, `"version":1`, `"version":1,"x":1`, 1),
		"an unknown member inside":    strings.Replace(good, `"expect":{`, `"expect":{"x":1,`, 1),
		"a chain that is no base64":   strings.Replace(good, `"chain":["`, `"chain":["!`, 1),
		"a time that is none":         strings.Replace(good, `"at":"2026`, `"at":"today`, 1),
		"more than eight megabytes":   `{"version":1,"x":"` + strings.Repeat("a", 8<<20) + `"}`,
		"findings that are an object": strings.Replace(good, `"findings":[`, `"findings":[[`, 1),
	} {
		if b, err := attest.ParseBundle([]byte(text)); !malformed(err) || b != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, edit := range map[string]func(*attest.Bundle){
		"no policy":       func(b *attest.Bundle) { b.Policy = nil },
		"an empty policy": func(b *attest.Bundle) { b.Policy = json.RawMessage(`{}`) },
		"another profile": func(b *attest.Bundle) { b.Policy = json.RawMessage(`{"genuine":true,"profile":"lax"}`) },
		"not genuine":     func(b *attest.Bundle) { b.Policy = json.RawMessage(`{"genuine":false,"profile":"google"}`) },
		"no evidence":     func(b *attest.Bundle) { b.Evidence = attest.BundleEvidence{} },
		"another format":  func(b *attest.Bundle) { b.Evidence.Format = attest.FormatAppleReceipt },
	} {
		b := throughJSON(t, bundleOf(t, evidence(t, attesttest.RKP), expecting(t), policyOf(t)))
		edit(b)
		if r, err := newVerifier(t).Replay(b); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if _, err := attest.NewBundle(attest.Evidence{}, attest.Expect{}, &attest.Policy{}, attest.Verdict{}); !malformed(err) {
		t.Errorf("a bundle without policy: %v", err)
	}
	if _, err := attest.NewBundle(attest.Evidence{}, attest.Expect{}, nil, attest.Verdict{}); !malformed(err) {
		t.Errorf("a bundle of nil: %v", err)
	}
}

// TestBundleKeepsTheListedOnly: of the revocation list a bundle holds what the
// chain's serials have.
func TestBundleKeepsTheListedOnly(t *testing.T) {
	ev := evidence(t, attesttest.RKP, at(2, func(c *attesttest.Certificate) { c.Serial = []byte{0x77} }))
	at := testNow().Add(-time.Hour)
	want := expecting(t)
	want.Status = listAt(&at, map[string]string{"77": "SUSPENDED", "88": "REVOKED"})
	b := bundleOf(t, ev, want, policyOf(t))
	if len(b.Status.Listed) != 1 || b.Status.Listed["77"] != "SUSPENDED" || b.Status.Entries != 2 || !b.Status.FetchedAt.Equal(at) {
		t.Errorf("%+v", b.Status)
	}
	r, err := newVerifier(t).Replay(throughJSON(t, b))
	if err != nil || !r.Equal || !r.NewVerdict.Has("android.suspended") || *r.NewVerdict.Status != (attest.StatusInfo{Digest: want.Status.Digest, FetchedAt: r.NewVerdict.Status.FetchedAt, Entries: 2}) {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestBundleSignals: what the server knew is part of the bundle, since it is part
// of the verdict; a bundle of a release that kept none is read all the same.
func TestBundleSignals(t *testing.T) {
	p := policyOf(t, ruling(attest.RiskFile{Signal: attest.KeysPerAccount30Days, AtLeast: 3, Effect: attest.Reject}))
	want := expecting(t)
	want.Signals = map[string]uint64{attest.KeysPerAccount30Days: 3}
	b := bundleOf(t, evidence(t, attesttest.RKP), want, p)
	want.Signals[attest.KeysPerAccount30Days] = 0
	r, err := newVerifier(t).Replay(throughJSON(t, b))
	if err != nil || !r.Equal || !r.NewVerdict.Has("common.risk") {
		t.Errorf("%v: %v", err, r)
	}
	text := asJSON(t, b)
	old := strings.Replace(text, `,"signals":{"common.keys_per_account_30d":3}`, "", 1)
	if old == text {
		t.Fatal(text)
	}
	before, err := attest.ParseBundle([]byte(old))
	if err != nil || before.Expect.Signals != nil {
		t.Fatal(err)
	}
	if r, err := newVerifier(t).Replay(before); err != nil || r.Equal || r.NewVerdict.Has("common.risk") {
		t.Errorf("without signals: %v: %v", err, r)
	}
	without := expecting(t)
	if text := asJSON(t, bundleOf(t, evidence(t, attesttest.RKP), without, p)); strings.Contains(text, "signals") {
		t.Error("a bundle without signals mentions them")
	}
	ev, again := b.Inputs()
	if ev.Format != attest.FormatAndroidChain || again.Signals[attest.KeysPerAccount30Days] != 3 || string(again.Challenge) != string(challenge()) || again.Status == nil || again.UsesLeft != nil {
		t.Errorf("the inputs are others: %+v", again)
	}
}
