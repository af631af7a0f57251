package registry_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
)

// TestProve: a phone of each platform calls Staunch, and each call is good once.
func TestProve(t *testing.T) {
	r := newRig(t, withPolicy(t))
	for _, tt := range []struct {
		platform, replay string
		key              signer
	}{
		{"android", "common.request_replay", r.androidKey()},
		{"apple", "apple.counter_replay", r.appleKey()},
	} {
		t.Run(tt.platform, func(t *testing.T) {
			in := r.call(tt.key)
			p := r.mustProve(in)
			want := &registry.Proved{
				KeyID: p.KeyID, Account: alice, Platform: tt.platform, Tier: attest.TierAffirming, State: registry.StateActive,
				AttestedAt: noon, RegisteredAt: noon,
			}
			if d := cmp.Diff(want, p); d != "" {
				t.Error(d)
			}
			if k := r.key(p.KeyID); k.ID != p.KeyID || k.LastUsed.IsZero() {
				t.Errorf("%+v", k)
			}
			r.mustNotProve(in, tt.replay)
			r.mustProve(r.call(tt.key))
			r.mustNotProve(in, tt.replay)
		})
	}
	if n := r.rows("audit_entry WHERE action = 'attest.request'"); n != 0 {
		t.Errorf("%d audit entries about calls", n)
	}
	r.mustCheck()
}

// TestCallBinding has what a call must look like: a good one and small changes
// to it, by the phone or on the way. Nothing of what is refused is used up.
func TestCallBinding(t *testing.T) {
	input := func(old, new string) attesttest.RequestOption {
		return func(d *attesttest.RequestDraft) {
			d.SignatureInput = func(s string) string { return strings.Replace(s, old, new, 1) }
		}
	}
	created := func(ago time.Duration) attesttest.RequestOption {
		return func(d *attesttest.RequestDraft) { d.Created = d.Created.Add(-ago) }
	}
	tests := []struct {
		name  string
		fresh func(*http.Request) // before the phone signs
		sign  attesttest.RequestOption
		way   func(*http.Request) // on the way
		ask   func(*registry.ProofRequest)
		code  string // empty: it is proved
	}{
		{name: "good"},
		{name: "no session", fresh: func(r *http.Request) { r.Header.Del("Authorization") }},
		{name: "no name of the app", fresh: func(r *http.Request) { r.Header.Del("Staunch-App") }},
		{name: "no port", fresh: func(r *http.Request) { r.Host = "accounts.example.org" }},
		{name: "host in upper case", fresh: func(r *http.Request) { r.Host = "Accounts.Example.ORG:80" }},

		{name: "no signature", way: func(r *http.Request) { r.Header.Del("Signature") }, code: "common.signature_missing"},
		{name: "path is not covered", sign: input(` "@path"`, ``), code: "common.request_components"},
		{name: "body is not covered", sign: input(` "content-digest"`, ``), code: "common.request_digest"},
		{name: "session is not covered", sign: input(` "authorization"`, ``), code: "common.request_components"},
		{name: "app is not covered", sign: input(` "staunch-app"`, ``), code: "common.request_components"},
		{name: "session that was added", fresh: func(r *http.Request) { r.Header.Del("Authorization") },
			way: func(r *http.Request) { r.Header.Set("Authorization", "Staunch c3RvbGVu") }, code: "common.request_components"},
		{name: "app that was added", fresh: func(r *http.Request) { r.Header.Del("Staunch-App") },
			way: func(r *http.Request) { r.Header.Set("Staunch-App", "demo") }, code: "common.request_components"},
		{name: "another app", fresh: func(r *http.Request) { r.Header.Set("Staunch-App", "shop") }, code: "common.request_components"},
		{name: "two apps", fresh: func(r *http.Request) { r.Header.Add("Staunch-App", "demo") }, code: "common.request_components"},

		{name: "another session", way: func(r *http.Request) { r.Header.Set("Authorization", "Staunch c3RvbGVu") }, code: "common.signature_invalid"},
		{name: "no session any more", way: func(r *http.Request) { r.Header.Del("Authorization") }, code: "common.request_components"},
		{name: "another method of ours", way: func(r *http.Request) { r.URL.Path += "r" }, code: "common.signature_invalid"},
		{name: "another query", way: func(r *http.Request) { r.URL.RawQuery = "a" }, code: "common.signature_invalid"},
		{name: "another body", way: func(r *http.Request) { setBody(r, `{"why":"fun"}`) }, code: "common.request_digest"},
		{name: "another port", way: func(r *http.Request) { r.Host = "accounts.example.org:9443" }, code: "common.signature_invalid"},
		{name: "another host", fresh: func(r *http.Request) { r.Host = "accounts.example.com" }, code: "common.request_components"},
		{name: "a host below", fresh: func(r *http.Request) { r.Host = "evil.accounts.example.org" }, code: "common.request_components"},
		{name: "the backend's host", fresh: func(r *http.Request) { r.Host = "pay.example.com" }, code: "common.request_components"},
		{name: "the backend's host, that is ours too", fresh: func(r *http.Request) { r.Host = "pay.example.com" },
			ask: func(in *registry.ProofRequest) { in.Authorities = []string{"pay.example.com"} }, code: "common.request_components"},
		{name: "no hosts", ask: func(in *registry.ProofRequest) { in.Authorities = nil }, code: "common.request_components"},
		{name: "this machine", fresh: func(r *http.Request) { r.Host = "127.0.0.1:8080" }, code: "common.request_components"},
		{name: "this machine, in dev", fresh: func(r *http.Request) { r.Host = "127.0.0.1:8080" }, ask: func(in *registry.ProofRequest) { in.LoopbackToo = true }},
		{name: "another host, in dev", fresh: func(r *http.Request) { r.Host = "192.0.2.1:8080" },
			ask: func(in *registry.ProofRequest) { in.LoopbackToo = true }, code: "common.request_components"},

		{name: "as old as may be", sign: created(120 * time.Second)},
		{name: "too old", sign: created(121 * time.Second), code: "common.request_clock"},
		{name: "as early as may be", sign: created(-30 * time.Second)},
		{name: "too early", sign: created(-31 * time.Second), code: "common.request_clock"},

		{name: "another key", sign: func(d *attesttest.RequestDraft) { d.KeyID = strings.Repeat("A", 43) }, code: "common.key_unknown"},
		{name: "a key id that can be none", sign: func(d *attesttest.RequestDraft) { d.KeyID = "backend" }, code: "common.key_unknown"},
		{name: "the algorithm of the key", sign: func(d *attesttest.RequestDraft) { d.Alg = "ecdsa-p256-sha256" }},
		{name: "another algorithm", sign: func(d *attesttest.RequestDraft) { d.Alg = "ed25519" }, code: "common.request_components"},
		{name: "signed something else", sign: func(d *attesttest.RequestDraft) { d.Base = func(b []byte) []byte { return b[1:] } }, code: "common.signature_invalid"},
	}
	r := newRig(t, withPolicy(t))
	key := r.androidKey()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, before := freeze(), r.usedUp()
			if tt.fresh != nil {
				tt.fresh(req)
			}
			var opts []attesttest.RequestOption
			if tt.sign != nil {
				opts = append(opts, tt.sign)
			}
			if err := key.SignRequest(r.clock(), req, opts...); err != nil {
				t.Fatal(err)
			}
			if tt.way != nil {
				tt.way(req)
			}
			in := r.proof(req)
			if tt.ask != nil {
				tt.ask(in)
			}
			if tt.code == "" {
				r.mustProve(in)
				return
			}
			r.mustNotProve(in, tt.code)
			if r.usedUp() != before {
				t.Error("something was used up")
			}
		})
	}
}

// TestCallStates has what a good signature is worth, by the state of its key and
// the policy in force. It is used up, whatever it is worth.
func TestCallStates(t *testing.T) {
	state := func(s registry.State) func(*registry.Key) { return func(k *registry.Key) { k.State = s } }
	old := func(k *registry.Key) { k.RegisteredAt = noon.Add(-4320*time.Hour - 1000) }
	revokedToo := func(in *registry.ProofRequest) { in.AllowRevoked = true }
	pendingToo := func(in *registry.ProofRequest) { in.Pending = true }
	both := func(in *registry.ProofRequest) { in.AllowRevoked, in.Pending = true, true }
	tests := []struct {
		name   string
		policy []string
		change func(*registry.Key)
		ask    func(*registry.ProofRequest)
		code   string
	}{
		{"active", nil, state(registry.StateActive), nil, ""},
		{"active, with both", nil, state(registry.StateActive), both, ""},
		{"revoked", nil, state(registry.StateRevoked), nil, "common.key_revoked"},
		{"revoked, observing", observing, state(registry.StateRevoked), pendingToo, "common.key_revoked"},
		{"revoked, for its own state", nil, state(registry.StateRevoked), revokedToo, ""},
		{"pending", nil, state(registry.StatePending), revokedToo, "common.key_unknown"},
		{"pending, observing", observing, state(registry.StatePending), nil, "common.key_unknown"},
		{"pending, in its flow", nil, state(registry.StatePending), pendingToo, ""},
		{"superseded", nil, state(registry.StateSuperseded), both, "common.key_not_attested"},
		{"superseded, observing", observing, state(registry.StateSuperseded), both, "common.key_not_attested"},
		{"observed", nil, state(registry.StateObserved), both, "common.key_not_attested"},
		{"observed, observing", observing, state(registry.StateObserved), nil, ""},
		{"too old", nil, old, nil, "common.key_too_old"},
		{"too old, observing", observing, old, nil, ""},
		{"too old and revoked, observing", observing, func(k *registry.Key) { *k = revokedOld(*k) }, nil, "common.key_revoked"},
	}
	for _, tt := range tests {
		for _, platform := range []string{"android", "apple"} {
			t.Run(tt.name+"/"+platform, func(t *testing.T) {
				r := newRig(t, withPolicy(t, tt.policy...))
				key, replay := signer(r.androidKey()), "common.request_replay"
				if platform == "apple" {
					key, replay = r.appleKey(), "apple.counter_replay"
				}
				id := r.mustProve(r.call(key)).KeyID // in the cache from here on
				r.change(id, tt.change)
				in := r.call(key)
				if tt.ask != nil {
					tt.ask(in)
				}
				if tt.code != "" {
					r.mustNotProve(in, tt.code)
				} else if p := r.mustProve(in); p.State != r.key(id).State {
					t.Errorf("%+v", p)
				}
				r.change(id, func(k *registry.Key) { k.State, k.RegisteredAt = registry.StateActive, noon })
				if r.mustNotProve(in, replay); t.Failed() {
					t.Error("it was not used up")
				}
			})
		}
	}
}

// TestCallFindings: what is found is told, and what only warns lets through.
func TestCallFindings(t *testing.T) {
	r := newRig(t, under(t, observes, func(f *attest.PolicyFile) {
		f.Risk = []attest.RiskFile{{Signal: attest.RiskMetric, AtLeast: 4, Effect: attest.Warn}}
	}))
	metric := uint32(4)
	for _, tt := range []struct {
		name   string
		change func(*registry.Key)
		metric *uint32
		warned bool
		codes  string
	}{
		{"nothing", func(*registry.Key) {}, nil, false, ""},
		{"warned of when it was attested", func(k *registry.Key) { k.Tier = attest.TierWarning }, nil, true, ""},
		{"warned of by the last receipt", func(*registry.Key) {}, &metric, true, "common.risk"},
		{"observed", func(k *registry.Key) { k.State = registry.StateObserved }, nil, false, "common.key_not_attested"},
	} {
		key := r.appleKey()
		id := base64.RawURLEncoding.EncodeToString(key.ID())
		r.change(id, tt.change)
		if tt.metric != nil {
			r.changeReceipt(id, func(receipt *registry.Receipt) { receipt.Metric, receipt.MetricAt = tt.metric, noon })
		}
		p := r.mustProve(r.call(key))
		var codes []string
		for _, f := range p.Findings {
			codes = append(codes, f.Code)
		}
		if p.Warned != tt.warned || strings.Join(codes, " ") != tt.codes {
			t.Errorf("%s: %+v", tt.name, p)
		}
	}
}

// TestCallOfAnotherApp: what is of another app is unknown here, and an app that
// is not this service's is nobody's.
func TestCallOfAnotherApp(t *testing.T) {
	r, other := newRig(t, withPolicy(t)), newRig(t, withPolicy(t))
	in := other.call(other.androidKey())
	r.mustNotProve(in, "common.key_unknown")
	other.mustProve(in)

	in = r.call(r.androidKey())
	in.App = "shop"
	_, err := r.Prove(t.Context(), in)
	mustBe(t, err, false, registry.ErrAppUnknown)
	in.App, in.Message = "demo", nil
	_, err = r.Prove(t.Context(), in)
	mustBe(t, err, false, registry.ErrMalformed)
	mustBe(t, err, false, request.ErrMalformed)
}

// TestCallUnfit: a key whose signatures the policy does not take proves nothing,
// and nothing is verified; not where the rollout only observes either.
func TestCallUnfit(t *testing.T) {
	r := newRig(t, withPolicy(t, append(observing, `request_algorithms = ["ecdsa-p256-sha256"]`, `request_algorithms = ["ed25519"]`)...))
	r.mustNotProve(r.call(r.androidKey()), "common.key_algorithm")
}

// TestCallByKeyThatChanged: an iPhone's key that is kept as another app's is
// judged anew.
func TestCallByKeyThatChanged(t *testing.T) {
	r := newRig(t, withPolicy(t))
	key := r.appleKey()
	id := r.mustProve(r.call(key)).KeyID
	r.change(id, func(k *registry.Key) { k.AppID = "TEAM123456.com.example.other" })
	r.mustNotProve(r.call(key), "common.key_unknown")
	r.mustNotProve(r.call(key), "apple.app_id_mismatch")
}

// TestConcurrentCalls: of many that bring the same call, one is proved.
func TestConcurrentCalls(t *testing.T) {
	r := newRig(t, withPolicy(t))
	for _, key := range []signer{r.androidKey(), r.appleKey()} {
		in := r.call(key)
		var proved, refused atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				switch _, err := r.Prove(t.Context(), in); {
				case err == nil:
					proved.Add(1)
				case errors.Is(err, registry.ErrProofRefused):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		if all.Wait(); proved.Load() != 1 || refused.Load() != 7 {
			t.Errorf("%d proved, %d refused", proved.Load(), refused.Load())
		}
	}
}
