package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/store/storetest"
)

// requestChallenge gets one that a request may bear as its nonce.
func (r *rig) requestChallenge(id account.ID, p registry.Purpose) string {
	r.t.Helper()
	c, err := r.CreateChallenge(r.t.Context(), backend, &registry.ChallengeRequest{App: "demo", Account: id, Purpose: p})
	if err != nil {
		r.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(c.Challenge)
}

// change alters the stored record of a key.
func (r *rig) change(id string, change func(*registry.Key)) {
	r.t.Helper()
	err := r.store.Update(r.t.Context(), func(tx storetest.Tx) error {
		k, err := tx.AttestedKey(context.Background(), id)
		if err != nil {
			return err
		}
		change(&k)
		return tx.PutAttestedKey(context.Background(), k)
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func setBody(req *http.Request, body string) {
	req.Body = io.NopCloser(strings.NewReader(body))
	req.ContentLength = int64(len(body))
	req.GetBody = nil
}

func digestOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// trial is one request of a table, from the phone to the question of the
// backend.
type trial struct {
	sign  []attesttest.RequestOption
	fresh func(*http.Request) // before the phone signs
	way   func(*http.Request) // on the way
	ask   func(*registry.RequestCheck)
}

// TestRequestBinding has the rules of attestation.md, section 8: a good payment
// on a route that demands all there is, and small changes to it, by the phone
// or on the way. A denial without a good signature consumes nothing: the good
// payment passes afterwards. One with a good signature uses it up.
func TestRequestBinding(t *testing.T) {
	input := func(old, new string) attesttest.RequestOption {
		return func(d *attesttest.RequestDraft) {
			d.SignatureInput = func(s string) string { return strings.Replace(s, old, new, 1) }
		}
	}
	by := func(change func(d *attesttest.RequestDraft)) []attesttest.RequestOption {
		return []attesttest.RequestOption{change}
	}
	none := func(*http.Request) {}
	tests := []struct {
		name     string
		trial    trial
		code     string // empty: it passes
		consumes bool
	}{
		{"good", trial{}, "", true},
		{"no signature", trial{way: func(r *http.Request) { r.Header.Del("Signature"); r.Header.Del("Signature-Input") }}, "common.signature_missing", false},
		{"another tag", trial{sign: []attesttest.RequestOption{input(`tag="staunch-v1"`, `tag="other"`)}}, "common.signature_missing", false},
		{"no tag", trial{sign: []attesttest.RequestOption{input(`;tag="staunch-v1"`, ``)}}, "common.signature_missing", false},
		{"another label", trial{sign: []attesttest.RequestOption{input(`staunch=`, `sig1=`)}}, "common.request_components", false},

		{"method is not covered", trial{sign: []attesttest.RequestOption{input(`"@method" `, ``)}}, "common.request_components", false},
		{"authority is not covered", trial{sign: []attesttest.RequestOption{input(`"@authority" `, ``)}}, "common.request_components", false},
		{"path is not covered", trial{sign: []attesttest.RequestOption{input(`"@path" `, ``)}}, "common.request_components", false},
		{"query is not covered", trial{sign: []attesttest.RequestOption{input(`"@query" `, ``)}}, "common.request_components", false},
		{"body is not covered", trial{sign: []attesttest.RequestOption{input(` "content-digest"`, ``)}}, "common.request_digest", false},
		{"unknown parameter", trial{sign: []attesttest.RequestOption{input(`;tag=`, `;x=1;tag=`)}}, "common.request_components", false},
		{"no nonce", trial{sign: []attesttest.RequestOption{input(`;nonce=`, `;x=`)}}, "common.request_components", false},
		{"short nonce", trial{sign: []attesttest.RequestOption{input(`;nonce="`, `;nonce="+`)}}, "common.request_nonce", false},

		{"another method", trial{way: func(r *http.Request) { r.Method = "PUT" }}, "common.signature_invalid", false},
		{"another path", trial{way: func(r *http.Request) { r.URL.Path = "/v1/receive" }}, "common.signature_invalid", false},
		{"another path of the same route", trial{way: func(r *http.Request) { r.URL.Path = "/v1/remit.json" }}, "common.signature_invalid", false},
		{"a path that can be read in two ways", trial{way: func(r *http.Request) { r.URL.Path = "/v1//remit" }}, "common.request_components", false},
		{"signed for a path that can be read in two ways", trial{fresh: func(r *http.Request) { r.URL.Path = "/x/../v1/remit" }}, "common.request_components", false},
		{"another query", trial{way: func(r *http.Request) { r.URL.RawQuery = "dry=1" }}, "common.signature_invalid", false},
		{"another host of ours", trial{way: func(r *http.Request) { r.Host = "bank.example.com" }}, "common.signature_invalid", false},
		{"another host", trial{way: func(r *http.Request) { r.Host = "evil.example.com" }}, "common.request_components", false},
		{"signed for another host", trial{fresh: func(r *http.Request) { r.Host = "evil.example.com" }}, "common.request_components", false},

		{"a digit of the amount", trial{way: func(r *http.Request) { setBody(r, strings.Replace(payment, "1000", "9000", 1)) }}, "common.request_digest", false},
		{"and of the digest", trial{way: func(r *http.Request) {
			body := strings.Replace(payment, "1000", "9000", 1)
			setBody(r, body)
			r.Header.Set("Content-Digest", digestOf(body))
		}}, "common.signature_invalid", false},
		{"no digest", trial{way: func(r *http.Request) { r.Header.Del("Content-Digest") }}, "common.request_digest", false},
		{"no body any more", trial{way: func(r *http.Request) { setBody(r, "") }}, "common.request_digest", false},
		{"a member twice", trial{fresh: func(r *http.Request) { setBody(r, `{"amount":1,"payee":"bob","amount":9}`) }}, "common.request_params", false},
		{"a member twice, in another case", trial{fresh: func(r *http.Request) { setBody(r, `{"amount":1,"payee":"bob","Amount":9}`) }}, "common.request_params", false},
		{"a member missing", trial{fresh: func(r *http.Request) { setBody(r, `{"amount":1}`) }}, "common.request_params", false},
		{"another type", trial{way: func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }}, "common.request_params", false},
		{"another type of JSON", trial{way: func(r *http.Request) { r.Header.Set("Content-Type", "application/x+json") }}, "common.signature_invalid", false},
		{"signed as a form", trial{fresh: func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }}, "common.request_params", false},
		{"no type", trial{fresh: func(r *http.Request) { r.Header.Del("Content-Type") }}, "common.request_components", false},
		{"type is not covered", trial{sign: []attesttest.RequestOption{input(` "content-type"`, ``)}}, "common.request_components", false},
		{"an encoding that nobody has signed", trial{way: func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }}, "common.request_components", false},
		{"a header that the route demands is not covered", trial{sign: by(func(d *attesttest.RequestDraft) { d.Fields = nil })}, "common.request_components", false},
		{"a covered header", trial{way: func(r *http.Request) { r.Header.Set("Idempotency-Key", "8") }}, "common.signature_invalid", false},

		{"as old as may be", trial{sign: by(func(d *attesttest.RequestDraft) { d.Created = d.Created.Add(-120 * time.Second) })}, "", true},
		{"too old", trial{sign: by(func(d *attesttest.RequestDraft) { d.Created = d.Created.Add(-121 * time.Second) })}, "common.request_clock", false},
		{"as early as may be", trial{sign: by(func(d *attesttest.RequestDraft) { d.Created = d.Created.Add(30 * time.Second) })}, "", true},
		{"too early", trial{sign: by(func(d *attesttest.RequestDraft) { d.Created = d.Created.Add(31 * time.Second) })}, "common.request_clock", false},
		{"expired", trial{sign: by(func(d *attesttest.RequestDraft) {
			d.Created, d.Expires = d.Created.Add(-time.Minute), d.Created.Add(-time.Second)
		})}, "common.request_clock", false},
		{"not expired", trial{sign: by(func(d *attesttest.RequestDraft) { d.Expires = d.Created.Add(time.Second) })}, "", true},

		{"the algorithm of the key", trial{sign: by(func(d *attesttest.RequestDraft) { d.Alg = "ecdsa-p256-sha256" })}, "", true},
		{"another algorithm", trial{sign: by(func(d *attesttest.RequestDraft) { d.Alg = "ed25519" })}, "common.request_components", false},
		{"unknown key", trial{sign: by(func(d *attesttest.RequestDraft) { d.KeyID = strings.Repeat("A", 43) })}, "common.key_unknown", false},
		{"no key id that could be one", trial{sign: by(func(d *attesttest.RequestDraft) { d.KeyID = "key" })}, "common.key_unknown", false},
		{"another signature", trial{sign: by(func(d *attesttest.RequestDraft) {
			d.Signature = func(sig []byte) []byte { return append(sig[32:], sig[:32]...) }
		})}, "common.signature_invalid", false},
		{"signed something else", trial{sign: by(func(d *attesttest.RequestDraft) {
			d.Base = func(b []byte) []byte { return append(b, '\n') }
		})}, "common.signature_invalid", false},

		{"a nonce that is no challenge", trial{sign: by(func(d *attesttest.RequestDraft) { d.Nonce = strings.Repeat("A", 43) })}, "common.request_nonce", true},
		{"a nonce that could be none", trial{sign: by(func(d *attesttest.RequestDraft) { d.Nonce = strings.Repeat("A", 22) })}, "common.request_nonce", false},

		{"for its account", trial{ask: forAccount(alice)}, "", true},
		{"for another account", trial{ask: forAccount(bob)}, "common.account_mismatch", true},
	}
	r := newRig(t, withPolicy(t, append(remitRoute, `"pay.example.com"]`, `"pay.example.com", "bank.example.com"]`)...))
	key := r.androidKey()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := r.rows("attest_nonce")
			nonce := r.requestChallenge(alice, registry.PurposeRequest)
			sign := func(a trial) *http.Request {
				req := remit()
				if a.fresh == nil {
					a.fresh = none
				}
				a.fresh(req)
				opts := append([]attesttest.RequestOption{func(d *attesttest.RequestDraft) {
					d.Nonce, d.Fields = nonce, []string{"idempotency-key"}
				}}, a.sign...)
				if err := key.SignRequest(r.clock(), req, opts...); err != nil {
					t.Fatal(err)
				}
				if a.way != nil {
					a.way(req)
				}
				return req
			}
			if tt.trial.ask == nil {
				tt.trial.ask = func(*registry.RequestCheck) {}
			}
			v := r.check(sign(tt.trial), tt.trial.ask)
			if tt.code == "" {
				r.mustPass(v)
			} else {
				r.mustRefuse(v, tt.code)
				if code, _ := attest.LookupCode(tt.code); code.Hard != (v.Verdict.Tier == attest.TierNone) {
					t.Errorf("tier %s", v.Verdict.Tier)
				}
			}
			stored := r.rows("attest_nonce") > before
			if stored != tt.consumes {
				t.Errorf("a nonce was stored: %v, want %v", stored, tt.consumes)
			}
			if again := r.check(sign(trial{})); !tt.consumes {
				r.mustPass(again)
			}
		})
	}
	r.mustCheck()
}

func forAccount(id account.ID) func(*registry.RequestCheck) {
	return func(c *registry.RequestCheck) { c.Account = id }
}

// TestServerNonce: which challenges a route with server_nonce takes.
func TestServerNonce(t *testing.T) {
	r := newRig(t, withPolicy(t, remitRoute...))
	android, apple := r.androidKey(), r.appleKey()
	with := func(nonce string) attesttest.RequestOption {
		return func(d *attesttest.RequestDraft) { d.Nonce, d.Fields = nonce, []string{"idempotency-key"} }
	}
	for _, key := range []signer{android, apple} {
		for _, tt := range []struct {
			name, code string
			nonce      func() string
		}{
			{"of the account", "", func() string { return r.requestChallenge(alice, registry.PurposeRequest) }},
			{"of no account", "", func() string { return r.requestChallenge("", registry.PurposeRequest) }},
			{"of another account", "common.request_nonce", func() string { return r.requestChallenge(bob, registry.PurposeRequest) }},
			{"for registering", "common.request_nonce", func() string { return r.requestChallenge(alice, registry.PurposeRegister) }},
			{"never issued", "common.request_nonce", func() string { return base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32)) }},
			{"expired", "common.request_nonce", func() string {
				n := r.requestChallenge(alice, registry.PurposeRequest)
				r.advance(5 * time.Minute)
				return n
			}},
		} {
			v := r.check(r.sign(key, with(tt.nonce())))
			if tt.code == "" {
				r.mustPass(v)
			} else {
				r.mustRefuse(v, tt.code)
				if v.Advice != registry.AdviceNewChallenge {
					t.Errorf("%s: advice %s", tt.name, v.Advice)
				}
			}
		}
		// Used by one key, it is used for all.
		nonce := r.requestChallenge(alice, registry.PurposeRequest)
		r.mustPass(r.check(r.sign(android, with(nonce))))
		r.mustRefuse(r.check(r.sign(apple, with(nonce))), "common.request_nonce")
		r.mustRefuse(r.check(r.sign(android, with(nonce))), "common.request_replay", "common.request_nonce")
	}
	r.mustCheck()
}

// TestRequestAppraisal has what is judged of a request that is signed well: all
// of it is listed, and it is used up.
func TestRequestAppraisal(t *testing.T) {
	state := func(s registry.State) func(*registry.Key) { return func(k *registry.Key) { k.State = s } }
	nothing := func(*registry.Key) {}
	tests := []struct {
		name   string
		policy []string
		change func(*registry.Key)
		ask    func(*registry.RequestCheck)
		codes  []string
		advice registry.Advice
	}{
		{"good", nil, nothing, nil, nil, registry.AdviceNone},
		{"revoked", nil, state(registry.StateRevoked), nil, []string{"common.key_revoked"}, registry.AdviceContact},
		{"superseded", nil, state(registry.StateSuperseded), nil, []string{"common.key_not_attested"}, registry.AdviceNewKey},
		{"observed", nil, state(registry.StateObserved), nil, []string{"common.key_not_attested"}, registry.AdviceNewKey},
		{"pending", nil, state(registry.StatePending), nil, []string{"common.key_unknown"}, registry.AdviceNewKey},
		{"as old as may be", nil, func(k *registry.Key) { k.RegisteredAt = noon.Add(-4320 * time.Hour) }, nil, nil, registry.AdviceNone},
		{"too old", nil, func(k *registry.Key) { k.RegisteredAt = noon.Add(-4320*time.Hour - 1000) }, nil, []string{"common.key_too_old"}, registry.AdviceNewKey},
		{"never too old", []string{`max_key_age = "4320h"`, `max_key_age = "never"`}, func(k *registry.Key) { k.RegisteredAt = noon.Add(-87600 * time.Hour) }, nil, nil, registry.AdviceNone},
		{"of another account", nil, func(k *registry.Key) { k.Account = bob }, forAccount(alice), []string{"common.account_mismatch"}, registry.AdviceContact},
		{"of another account, that is expected", nil, func(k *registry.Key) { k.Account = bob }, forAccount(bob), nil, registry.AdviceNone},
		{"everything at once", nil, func(k *registry.Key) { *k = revokedOld(*k) }, forAccount(bob),
			[]string{"common.key_revoked", "common.key_too_old", "common.account_mismatch"}, registry.AdviceContact},
	}
	for _, tt := range tests {
		for _, platform := range []string{"android", "apple"} {
			t.Run(tt.name+"/"+platform, func(t *testing.T) {
				r := newRig(t, withPolicy(t, tt.policy...))
				var key signer = r.androidKey()
				replay := "common.request_replay"
				if platform == "apple" {
					key, replay = r.appleKey(), "apple.counter_replay"
				}
				id := message(t, r.sign(key)).SignatureInput
				id = id[strings.Index(id, `keyid="`)+7:][:43]
				r.mustPass(r.check(r.sign(key))) // the key is in the cache from here on
				r.change(id, tt.change)
				if tt.ask == nil {
					tt.ask = func(*registry.RequestCheck) {}
				}
				req := r.sign(key)
				v := r.check(req, tt.ask)
				if len(tt.codes) == 0 {
					r.mustPass(v)
				} else {
					r.mustRefuse(v, tt.codes...)
				}
				if v.Advice != tt.advice {
					t.Errorf("advice %s, want %s", v.Advice, tt.advice)
				}
				if tt.name != "pending" { // unknown: it has nothing that could be used up
					r.mustRefuse(r.check(req, tt.ask), append(tt.codes, replay)...)
				}
			})
		}
	}
}

func revokedOld(k registry.Key) registry.Key {
	k.State, k.RegisteredAt = registry.StateRevoked, noon.Add(-5000*time.Hour)
	return k
}

// TestRequestPlatformRefused: keys of a platform that the policy no longer takes.
func TestRequestPlatformRefused(t *testing.T) {
	all := attesttest.DemoPolicy()
	cut := func(from, to string) string {
		i := strings.Index(all, from)
		j := len(all)
		if to != "" {
			j = strings.Index(all, to)
		}
		if i < 0 || j < i {
			t.Fatal("the demo policy has other tables")
		}
		return all[i:j]
	}
	policy := policyWith(t)
	r := newRig(t, func(o *registry.Options) { o.Policy = func() *attest.Policy { return policy } })
	android, apple := r.androidKey(), r.appleKey()
	policy = policyWith(t, cut("[app.android]", "[app.apple]"), "")
	r.mustRefuse(r.check(r.sign(android)), "common.platform_refused")
	r.mustPass(r.check(r.sign(apple)))
	policy = policyWith(t, cut("[app.apple]", ""), "")
	r.mustPass(r.check(r.sign(android)))
	r.mustRefuse(r.check(r.sign(apple)), "common.platform_refused")
}

// TestRequestAlgorithms: which keys of Android phones sign requests. The
// algorithm is the key's, and the policy says which of them it takes.
func TestRequestAlgorithms(t *testing.T) {
	allow := func(names string) []string { return []string{`["ecdsa-p256-sha256"]`, names} }
	tests := []struct {
		name, key string
		policy    []string
		codes     []string
		tier      attest.Tier
	}{
		{"P-384", "EC-P384", allow(`["ecdsa-p384-sha384"]`), nil, attest.TierAffirming},
		{"P-384 among others", "EC-P384", allow(`["ecdsa-p256-sha256", "ecdsa-p384-sha384"]`), nil, attest.TierAffirming},
		{"P-384 is not taken", "EC-P384", nil, []string{"common.key_algorithm"}, attest.TierNone},
		{"P-256 is not taken", "EC-P256", allow(`["ed25519"]`), []string{"common.key_algorithm"}, attest.TierNone},
		{"RSA", "RSA-2048", allow(`["rsa-v1_5-sha256"]`), nil, attest.TierAffirming},
		{"RSA is not taken", "RSA-2048", nil, []string{"common.key_algorithm"}, attest.TierNone},
		{"RSA with another padding", "RSA-2048", allow(`["rsa-pss-sha512"]`), []string{"common.signature_invalid"}, attest.TierNone},
		{"P-521 signs no requests", "EC-P521", nil, []string{"common.key_algorithm"}, attest.TierNone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, withPolicy(t, tt.policy...))
			key := r.androidKey(func(p *attesttest.AndroidPhone) { p.Algorithm = tt.key })
			v := r.check(r.sign(key))
			if len(tt.codes) == 0 {
				r.mustPass(v)
			} else {
				r.mustRefuse(v, tt.codes...)
			}
			if v.Verdict.Tier != tt.tier {
				t.Errorf("tier %s, want %s", v.Verdict.Tier, tt.tier)
			}
		})
	}
}

// TestAppleRequests has what only assertions can be.
func TestAppleRequests(t *testing.T) {
	assertion := func(opts ...attesttest.AppleOption) attesttest.RequestOption {
		return func(d *attesttest.RequestDraft) { d.Assertion = opts }
	}
	tests := []struct {
		name  string
		sign  attesttest.RequestOption
		codes []string
	}{
		{"good", assertion(), nil},
		{"no assertion", func(d *attesttest.RequestDraft) { d.Signature = func([]byte) []byte { return []byte("no CBOR") } }, []string{"apple.assertion_signature"}},
		{"over something else", func(d *attesttest.RequestDraft) { d.Base = func(b []byte) []byte { return append(b, ' ') } }, []string{"apple.assertion_signature"}},
		{"an alg", func(d *attesttest.RequestDraft) { d.Alg = "ecdsa-p256-sha256" }, []string{"common.request_components"}},
		{"of another app", assertion(func(d *attesttest.AppleDraft) { d.RPIDHash = make([]byte, 32) }), []string{"apple.app_id_mismatch"}},
		{"of a side-loaded app", assertion(func(d *attesttest.AppleDraft) {
			d.Map["apple_validation_category_01"] = []byte{9, 0, 0, 0}
		}), []string{"apple.category_refused"}},
		{"counter 0", assertion(func(d *attesttest.AppleDraft) { d.Counter = 0 }), []string{"apple.counter_replay"}},
		{"counter ahead", assertion(func(d *attesttest.AppleDraft) { d.Counter = 1 << 31 }), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, withPolicy(t))
			v := r.check(r.sign(r.appleKey(), tt.sign))
			if len(tt.codes) == 0 {
				r.mustPass(v)
			} else {
				r.mustRefuse(v, tt.codes...)
			}
		})
	}
}

// TestRequestCallers: the app's backend asks, and nobody else; and what no
// backend should send is an error, which consumes nothing.
func TestRequestCallers(t *testing.T) {
	r := newRig(t, withPolicy(t))
	m := message(t, r.sign(r.androidKey()))
	for _, c := range []account.Caller{
		{}, {Kind: account.Anonymous, App: "demo"}, {Kind: account.Phone, App: "demo", Account: alice},
		{Kind: account.Operator, App: "demo"}, {Kind: account.Backend, App: "other"},
	} {
		if v, err := r.VerifyRequest(t.Context(), c, &registry.RequestCheck{App: "demo", Message: m}); !errors.Is(err, registry.ErrNotAllowed) {
			t.Errorf("%+v: %+v, %v", c, v, err)
		}
	}
	short := *m
	short.BodySHA256 = short.BodySHA256[:31]
	for name, tt := range map[string]struct {
		in  registry.RequestCheck
		err error
	}{
		"another app":       {registry.RequestCheck{App: "other", Message: m}, registry.ErrAppUnknown},
		"no message":        {registry.RequestCheck{App: "demo"}, registry.ErrMalformed},
		"no account":        {registry.RequestCheck{App: "demo", Message: m, Account: "bob"}, registry.ErrMalformed},
		"a hash of 31":      {registry.RequestCheck{App: "demo", Message: &short}, registry.ErrMalformed},
		"and says the same": {registry.RequestCheck{App: "demo", Message: &short}, request.ErrMalformed},
	} {
		if v, err := r.VerifyRequest(t.Context(), backend, &tt.in); !errors.Is(err, tt.err) || v != nil {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	v, err := r.VerifyRequest(t.Context(), backend, &registry.RequestCheck{App: "demo", Message: m})
	if err != nil {
		t.Fatal(err)
	}
	r.mustPass(v)
}
