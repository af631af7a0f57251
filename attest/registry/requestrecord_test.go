package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/store/storetest"
)

// requestEntries are the audit entries and events about requests.
func (r *rig) requestEntries() (entries []audit.Entry, events []event.Event) {
	r.t.Helper()
	entries, events = r.record()
	entries = slices.DeleteFunc(entries, func(e audit.Entry) bool { return e.Action != "attest.request" })
	events = slices.DeleteFunc(events, func(e event.Event) bool { return !strings.HasPrefix(e.Type, "attest.request") })
	return entries, events
}

type requestDetail struct {
	Decision, Platform, Tier, Key, Method, Route, Stage, Policy string
	WouldDeny                                                   bool `json:"would_deny"`
	Codes                                                       []struct{ Code, Class, Effect string }
}

// TestRequestRecord: what passes leaves no entry; a denial that somebody has
// signed is in his account's chain, and told; any other in the app's own chain.
func TestRequestRecord(t *testing.T) {
	r := newRig(t, withPolicy(t))
	key := r.androidKey()
	good := r.sign(key)
	r.mustPass(r.check(good))
	if entries, events := r.requestEntries(); len(entries)+len(events) > 0 {
		t.Errorf("a request that passed: %+v, %+v", entries, events)
	}

	v := r.check(good)
	r.mustRefuse(v, "common.request_replay")
	entries, events := r.requestEntries()
	if len(entries) != 1 || len(events) != 1 {
		t.Fatalf("%d entries, %d events", len(entries), len(events))
	}
	e := entries[0]
	if e.Account != alice || e.Subject != key.ID() || e.Reason != "common.request_replay" || e.Actor.Kind != account.Backend || len(e.Object) > 0 || !e.Time.Equal(noon) {
		t.Errorf("%+v", e)
	}
	if events[0].Type != "attest.request_denied" || events[0].Account != alice || string(events[0].Body) != string(e.Detail) {
		t.Errorf("%+v", events[0])
	}
	var d requestDetail
	if err := json.Unmarshal(e.Detail, &d); err != nil {
		t.Fatal(err)
	}
	want := requestDetail{
		Decision: "DENY", Platform: "android", Tier: "contraindicated", Key: key.ID(), Method: "POST", Stage: "rollout[0]", Policy: v.Verdict.PolicyDigest,
		Codes: []struct{ Code, Class, Effect string }{{"common.request_replay", "abuse", "reject"}},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}

	// Without a good signature: in nobody's chain, and with nothing in it that
	// anybody may write.
	const scrawl = "SCRAWLED-BY-A-STRANGER"
	hostile := r.sign(key)
	hostile.Header.Set("Signature-Input", strings.Replace(hostile.Header.Get("Signature-Input"), key.ID(), scrawl, 1))
	r.mustRefuse(r.check(hostile), "common.key_unknown")
	entries, events = r.requestEntries()
	if len(entries) != 2 || len(events) != 1 || entries[0].Account != "" || entries[0].Subject != "" || entries[0].Reason != "common.key_unknown" {
		t.Errorf("%+v, %d events", entries[0], len(events))
	}
	req := remit()
	req.Method = scrawl
	r.mustRefuse(r.check(req), "common.signature_missing")
	if entries, _ = r.requestEntries(); len(entries) != 3 || strings.Contains(string(r.files()), scrawl) {
		t.Errorf("%d entries, or a stranger has written into the record", len(entries))
	}
	if files := r.files(); strings.Contains(string(files), "/v1/remit") || strings.Contains(string(files), "dry=0") {
		t.Error("path or query of a request is in the store")
	}
	r.mustCheck()
}

// TestRequestFlood: refusals that nobody has signed fill the record no faster
// than the budget says. All of them are answered, and told to who observes.
func TestRequestFlood(t *testing.T) {
	told, unrecorded := 0, 0
	r := newRig(t, withPolicy(t), func(o *registry.Options) {
		o.Observe = func(o registry.Observation) {
			told++
			if o.Unrecorded {
				unrecorded++
			}
		}
	})
	key := r.androidKey()
	registered := told
	const burst = 100
	for range burst + 20 {
		r.mustRefuse(r.check(remit()), "common.signature_missing")
	}
	if entries, _ := r.requestEntries(); len(entries) != burst {
		t.Errorf("%d entries at once", len(entries))
	}
	if told-registered != burst+20 || unrecorded != 20 {
		t.Errorf("%d told, %d unrecorded", told-registered, unrecorded)
	}
	r.advance(time.Second)
	for range 20 {
		r.mustRefuse(r.check(remit()), "common.signature_missing")
	}
	if entries, _ := r.requestEntries(); len(entries) != burst+10 {
		t.Errorf("%d entries a second later", len(entries))
	}
	good := r.sign(key)
	r.mustPass(r.check(good))
	r.mustRefuse(r.check(good), "common.request_replay") // signed: there is room for each key
	if entries, _ := r.requestEntries(); len(entries) != burst+11 {
		t.Errorf("%d entries after a replay", len(entries))
	}
}

// TestSignedFlood: who has captured a request, or holds a key that was revoked,
// fills neither the record of its owner nor the outbox. Another key has room of
// its own.
func TestSignedFlood(t *testing.T) {
	told, unrecorded := 0, 0
	r := newRig(t, withPolicy(t), func(o *registry.Options) {
		o.Observe = func(o registry.Observation) {
			if told++; o.Unrecorded {
				unrecorded++
			}
		}
	})
	captured, stolen, other := r.androidKey(), r.androidKey(), r.appleKey()
	replay := r.sign(captured)
	r.mustPass(r.check(replay))
	if _, err := r.RevokeKey(t.Context(), backend, "demo", stolen.ID(), "stolen"); err != nil {
		t.Fatal(err)
	}
	told = 0
	for range 10 {
		r.mustRefuse(r.check(replay), "common.request_replay")
		r.mustRefuse(r.check(r.sign(stolen)), "common.key_revoked")
	}
	entries, events := r.requestEntries()
	if len(entries) != 2*5 || len(events) != 2*5 || told != 20 || unrecorded != 10 {
		t.Errorf("%d entries, %d events; told of %d, %d of them unrecorded", len(entries), len(events), told, unrecorded)
	}
	if n := r.sum("count", "attest_stat WHERE code = 'common.request_replay'"); n != 10 {
		t.Errorf("%d are counted", n)
	}
	r.mustRefuse(r.check(r.sign(other), forAccount(bob)), "common.account_mismatch")
	if entries, _ = r.requestEntries(); len(entries) != 2*5+1 {
		t.Errorf("%d entries after another key's", len(entries))
	}
	r.advance(12 * time.Second)
	for range 3 {
		r.mustRefuse(r.check(replay), "common.request_replay")
	}
	if entries, events = r.requestEntries(); len(entries) != 2*5+2 || len(events) != 2*5+2 {
		t.Errorf("%d entries and %d events 12 s later", len(entries), len(events))
	}
	r.mustCheck()
}

// TestObservedFlood: the same where the rollout observes.
func TestObservedFlood(t *testing.T) {
	r := newRig(t, withPolicy(t, observing...))
	replay := r.sign(r.androidKey())
	for range 10 {
		r.check(replay)
	}
	if entries, events := r.requestEntries(); len(entries) != 5 || len(events) != 0 {
		t.Errorf("%d entries, %d events", len(entries), len(events))
	}
}

// TestObservedRequests: where the rollout observes, everything passes and is on
// record as what it is. Nobody is named who was not proved, and the guard uses
// up what is signed as always.
func TestObservedRequests(t *testing.T) {
	r := newRig(t, withPolicy(t, observing...))
	key := r.androidKey()
	passes := func(v *registry.RequestVerdict, code string) {
		t.Helper()
		if v.Decision != registry.Allow || v.Advice != registry.AdviceNone || v.Stage != "rollout[0]" {
			t.Errorf("%s, %s, stage %q", v.Decision, v.Advice, v.Stage)
		}
		if named := v.Key != nil; named != (code == "") || v.Verdict.Accept() != named {
			t.Errorf("key %+v, accept %v: %+v", v.Key, v.Verdict.Accept(), v.Verdict.Findings)
		}
		if code != "" && !slices.Contains(rejectingCodes(v), code) {
			t.Errorf("want %s: %+v", code, v.Verdict.Findings)
		}
	}
	passes(r.check(remit()), "common.signature_missing")
	altered := r.sign(key)
	altered.URL.RawQuery = "dry=1"
	passes(r.check(altered), "common.signature_invalid")
	altered.URL.RawQuery = "dry=0"
	passes(r.check(altered), "") // the bad signature has consumed nothing
	passes(r.check(altered), "common.request_replay")
	passes(r.check(r.sign(key), forAccount(bob)), "common.account_mismatch")
	if _, err := r.RevokeKey(t.Context(), backend, "demo", key.ID(), "lost"); err != nil {
		t.Fatal(err)
	}
	revoked := r.sign(key)
	passes(r.check(revoked), "common.key_revoked")
	v := r.check(revoked)
	if want := []string{"common.key_revoked", "common.request_replay"}; !slices.Equal(rejectingCodes(v), want) {
		t.Errorf("observed, and not used up: %+v", v.Verdict.Findings)
	}

	entries, events := r.requestEntries()
	var reasons []string
	for _, e := range entries {
		var d requestDetail
		if err := json.Unmarshal(e.Detail, &d); err != nil {
			t.Fatal(err)
		}
		if !d.WouldDeny || d.Decision != "ALLOW" || len(d.Codes) == 0 {
			t.Errorf("%s", e.Detail)
		}
		reasons = append(reasons, e.Reason)
	}
	want := []string{"common.signature_missing", "common.signature_invalid",
		"common.request_replay", "common.account_mismatch", "common.key_revoked", "common.key_revoked common.request_replay"}
	if !slices.Equal(reasons, want) || len(events) > 0 {
		t.Errorf("record: %q, events %+v", reasons, events)
	}
	r.mustCheck()
}

// TestRequestStages: the first stage that matches decides, by country, by the
// codes of the final verdict, and by the key's bucket.
func TestRequestStages(t *testing.T) {
	r := newRig(t, withPolicy(t, `{ app = "demo", platform = "any", operation = "any", countries = ["*"], percent = 100, salt = "", mode = "enforce" },`,
		`{ app = "demo", platform = "any", operation = "register", countries = ["*"], percent = 100, salt = "", mode = "enforce" },
		 { app = "demo", platform = "any", operation = "request", countries = ["JP"], percent = 100, salt = "", mode = "enforce" },
		 { app = "demo", platform = "apple", operation = "request", countries = ["*"], percent = 100, salt = "", mode = "enforce" },
		 { app = "demo", platform = "any", operation = "any", countries = ["*"], percent = 100, salt = "", mode = "enforce", codes = ["common.request_replay"] },
		 { app = "demo", platform = "any", operation = "any", countries = ["*"], percent = 100, salt = "", mode = "observe" },`))
	android, apple := r.androidKey(), r.appleKey()
	in := func(country string) func(*registry.RequestCheck) {
		return func(c *registry.RequestCheck) { c.Country = country }
	}
	used := r.sign(android)
	r.mustPass(r.check(used))
	broken := func(key signer) *http.Request {
		req := r.sign(key)
		req.URL.RawQuery = "dry=1"
		return req
	}
	for _, tt := range []struct {
		name     string
		req      *http.Request
		country  string
		decision registry.Decision
		stage    string
	}{
		{"enforced in Japan", broken(android), "JP", registry.Deny, "rollout[1]"},
		{"enforced in Japan, in small letters", broken(android), "jp", registry.Deny, "rollout[1]"},
		{"observed behind Tor", broken(android), "T1", registry.Allow, "rollout[4]"},
		{"observed in no country", broken(android), "Japan", registry.Allow, "rollout[4]"},
		{"enforced for Apple", broken(apple), "TW", registry.Deny, "rollout[2]"},
		{"enforced for a code", used, "TW", registry.Deny, "rollout[3]"},
		{"observed elsewhere", broken(android), "TW", registry.Allow, "rollout[4]"},
		{"observed where nobody knows", broken(android), "", registry.Allow, "rollout[4]"},
		{"accepted", r.sign(android), "TW", registry.Allow, "rollout[4]"},
		{"no key, no platform", remit(), "TW", registry.Allow, "rollout[4]"},
	} {
		if v := r.check(tt.req, in(tt.country)); v.Decision != tt.decision || v.Stage != tt.stage {
			t.Errorf("%s: %s by %q: %+v", tt.name, v.Decision, v.Stage, v.Verdict.Findings)
		}
	}
}

// TestRequestRisk: the metric of the last receipt passes the risk rules.
func TestRequestRisk(t *testing.T) {
	r := newRig(t, withPolicy(t, `rollout = [`, "\nrollout = ["), func(o *registry.Options) {
		text := attesttest.DemoPolicy()
		i := strings.Index(text, "\nrisk = ")
		line := text[i+1 : i+1+strings.Index(text[i+1:], "\n")]
		p := policyWith(t, line, `risk = [{ signal = "apple.risk_metric", at_least = 4, effect = "warn" }, { signal = "apple.risk_metric", at_least = 9, effect = "reject" }]`)
		o.Policy = func() *attest.Policy { return p }
	})
	key := r.appleKey()
	id := r.check(r.sign(key)).Key.ID
	for _, tt := range []struct {
		metric string
		tier   attest.Tier
		codes  []string
	}{
		{"NULL", attest.TierAffirming, nil}, {"3", attest.TierAffirming, nil}, {"4", attest.TierWarning, nil}, {"8", attest.TierWarning, nil},
		{"9", attest.TierContraindicated, []string{"common.risk"}},
	} {
		r.rows("attest_key") // opens the database beside the store
		if _, err := r.db.Exec(`INSERT OR REPLACE INTO attest_receipt (key_id, account, team, environment, receipt, created_at, metric, state, failures, result)
			VALUES (?, ?, 'T', 'production', x'00', 0, `+tt.metric+`, 'parked', 0, '')`, id, string(alice)); err != nil {
			t.Fatal(err)
		}
		v := r.check(r.sign(key))
		if v.Verdict.Tier != tt.tier || !slices.Equal(rejectingCodes(v), tt.codes) {
			t.Errorf("metric %s: %s: %+v", tt.metric, v.Verdict.Tier, v.Verdict.Findings)
		}
	}
}

// TestNoncesAreCleaned: nonces are deleted when their requests are too old, and
// what is behind the newest of them is refused for ever: also when a new policy
// takes older requests, and when the clock is set back.
func TestNoncesAreCleaned(t *testing.T) {
	policy := policyWith(t)
	r := newRig(t, func(o *registry.Options) { o.Policy = func() *attest.Policy { return policy } })
	key := r.androidKey()
	old := r.sign(key)
	r.mustPass(r.check(old))
	r.advance(150 * time.Second) // max_age and future_skew
	r.mustPass(r.check(r.sign(key)))
	if n := r.rows("attest_nonce"); n != 2 {
		t.Errorf("%d groups of nonces are left: one was deleted too early", n)
	}
	r.advance(time.Second)
	r.mustPass(r.check(r.sign(key)))
	if n := r.rows("attest_nonce"); n != 2 {
		t.Errorf("%d groups of nonces are left", n)
	}
	policy = policyWith(t, `max_age = "120s"`, `max_age = "1h"`)
	r.mustRefuse(r.check(old), "common.request_clock")
	r.mustRefuse(r.check(r.sign(key, func(d *attesttest.RequestDraft) { d.Created = noon })), "common.request_clock")
	r.mustPass(r.check(r.sign(key, func(d *attesttest.RequestDraft) { d.Created = noon.Add(time.Second) })))

	policy = policyWith(t)
	r.advance(-151 * time.Second)
	r.mustRefuse(r.check(old), "common.request_clock")
	r.advance(time.Second)
	r.mustPass(r.check(r.sign(key)))
	r.mustCheck()
}

// TestChecker: the middleware asks the service in process.
func TestChecker(t *testing.T) {
	r := newRig(t, withPolicy(t))
	key := r.androidKey()
	var who request.Identity
	handler := request.Middleware(r.Checker(backend, nil), &request.Options{})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ = request.FromContext(r.Context())
		w.WriteHeader(http.StatusNoContent)
	}))
	serve := func(req *http.Request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		req.RequestURI = req.URL.RequestURI()
		handler.ServeHTTP(w, req)
		return w
	}
	if w := serve(r.sign(key)); w.Code != http.StatusNoContent {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	want := request.Identity{Key: key.ID(), Account: string(alice), Platform: "android", Tier: "affirming", RegisteredAt: noon}
	if diff := cmp.Diff(want, who); diff != "" {
		t.Error(diff)
	}
	if w := serve(remit()); w.Code != http.StatusUnauthorized {
		t.Errorf("not signed: %d %s", w.Code, w.Body)
	}
	bad := r.sign(key)
	bad.URL.RawQuery = "dry=1"
	if w := serve(bad); w.Code != http.StatusForbidden || strings.TrimSpace(w.Body.String()) != `{"reason":"ATTEST_REJECTED","advice":"CONTACT"}` {
		t.Errorf("altered: %d %s", w.Code, w.Body)
	}

	// What is no doing of the request's says so, and nothing else does.
	m := message(t, r.sign(key))
	isAway := func(err error) bool { return errors.Is(err, storetest.ErrFault) }
	expired, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for name, tt := range map[string]struct {
		ctx  context.Context
		away func(error) bool
		want bool
	}{
		"store away":                {t.Context(), isAway, true},
		"another error":             {t.Context(), func(error) bool { return false }, false},
		"nobody knows what away is": {t.Context(), nil, false},
		"store away, nobody waits":  {expired, isAway, false},
	} {
		d, err := r.service(storetest.NewFaulty(r.store, 1, storetest.Before)).Checker(backend, tt.away).CheckRequest(tt.ctx, &request.Check{Message: m})
		if err == nil || errors.Is(err, request.ErrUnavailable) != tt.want || d != nil {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	o := *r.opts
	o.Update, o.View = storetest.Registry(r.store)
	o.Update = func(context.Context, func(registry.Tx) error) error {
		return fmt.Errorf("commit: %w", context.DeadlineExceeded)
	}
	slow, err := registry.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := slow.Checker(backend, nil).CheckRequest(t.Context(), &request.Check{Message: m}); !errors.Is(err, request.ErrUnavailable) || d != nil {
		t.Errorf("the time of a commit is over: %+v, %v", d, err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tt := range map[string]struct {
		ctx    context.Context
		caller account.Caller
		check  request.Check
		want   error
	}{
		"no message":  {t.Context(), backend, request.Check{}, registry.ErrMalformed},
		"no backend":  {t.Context(), account.Caller{}, request.Check{Message: m}, registry.ErrNotAllowed},
		"no account":  {t.Context(), backend, request.Check{Message: m, Account: "bob"}, registry.ErrMalformed},
		"nobody asks": {cancelled, backend, request.Check{Message: m}, context.Canceled},
	} {
		if d, err := r.Checker(tt.caller, isAway).CheckRequest(tt.ctx, &tt.check); !errors.Is(err, tt.want) || errors.Is(err, request.ErrUnavailable) || d != nil {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}

	// A request that is let through all the same names nobody.
	observed := newRig(t, withPolicy(t, observing...))
	d, err := observed.Checker(backend, nil).CheckRequest(t.Context(), &request.Check{Message: message(t, remit())})
	if err != nil || !d.Allow || d.Identity != (request.Identity{}) || !slices.Equal(d.Codes, []string{"common.signature_missing"}) {
		t.Errorf("observed: %+v, %v", d, err)
	}
}
