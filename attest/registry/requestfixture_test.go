package registry_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/config"
)

const payment = `{"amount": 1000, "payee": "bob", "currency": "JPY"}`

// signer is a phone's key that signs requests.
type signer interface {
	SignRequest(now time.Time, r *http.Request, opts ...attesttest.RequestOption) error
}

// policyWith is the demo policy with texts replaced, each of which must be in it.
func policyWith(t testing.TB, oldNew ...string) *attest.Policy {
	t.Helper()
	text := attesttest.DemoPolicy()
	for pair := range slices.Chunk(oldNew, 2) {
		if !strings.Contains(text, pair[0]) {
			t.Fatalf("the demo policy has no %q", pair[0])
		}
		text = strings.Replace(text, pair[0], pair[1], 1)
	}
	var f attest.PolicyFile
	if err := config.Decode([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	p, err := attest.NewPolicy(&f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// withPolicy is an option of newRig.
func withPolicy(t testing.TB, oldNew ...string) func(*registry.Options) {
	p := policyWith(t, oldNew...)
	return func(o *registry.Options) { o.Policy = func() *attest.Policy { return p } }
}

// remitRoute demands what a payment needs.
var remitRoute = []string{`# route = [`, `route = [`}

// observing lets every request pass.
var observing = []string{`salt = "", mode = "enforce"`, `salt = "", mode = "observe"`}

// androidKey registers a key of alice, of the phone that change makes.
func (r *rig) androidKey(change ...func(*attesttest.AndroidPhone)) *attesttest.AndroidKey {
	r.t.Helper()
	c := r.challenge(alice)
	phone := androidPhone(r.t)
	for _, change := range change {
		change(phone)
	}
	key, err := phone.GenerateKey(r.clock(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mustAllow(&registry.Registration{App: "demo", Account: alice, Challenge: c, CertificateChain: key.Chain()})
	return key
}

// appleKey registers one.
func (r *rig) appleKey() *attesttest.AppleKey {
	r.t.Helper()
	key := applePhone(r.t).GenerateKey()
	r.mustAllow(r.appleRegistration(key))
	return key
}

// remit is a payment that no phone has signed yet.
func remit() *http.Request {
	req, err := http.NewRequest(http.MethodPost, "https://pay.example.com/v1/remit?dry=0", strings.NewReader(payment))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Idempotency-Key", "7")
	req.Header.Set("Content-Type", "application/json")
	return req
}

// sign signs a payment, and gives what the backend receives.
func (r *rig) sign(key signer, opts ...attesttest.RequestOption) *http.Request {
	r.t.Helper()
	req := remit()
	if err := key.SignRequest(r.clock(), req, opts...); err != nil {
		r.t.Fatal(err)
	}
	return req
}

// message is what a backend tells of a request; it can be asked for again.
func message(t testing.TB, req *http.Request) *request.Message {
	t.Helper()
	m, body, err := request.FromHTTP(req, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return m
}

// check asks about a request.
func (r *rig) check(req *http.Request, change ...func(*registry.RequestCheck)) *registry.RequestVerdict {
	r.t.Helper()
	in := &registry.RequestCheck{App: "demo", Message: message(r.t, req)}
	for _, c := range change {
		c(in)
	}
	v, err := r.VerifyRequest(r.t.Context(), backend, in)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// mustPass wants the request to be accepted.
func (r *rig) mustPass(v *registry.RequestVerdict) {
	r.t.Helper()
	if v.Decision != registry.Allow || v.Advice != registry.AdviceNone || v.Key == nil || !v.Verdict.Accept() {
		r.t.Fatalf("%s, %s, key %+v: %+v", v.Decision, v.Advice, v.Key, v.Verdict.Findings)
	}
}

// mustRefuse wants exactly these codes to reject, no identity, and a denial.
func (r *rig) mustRefuse(v *registry.RequestVerdict, codes ...string) {
	r.t.Helper()
	if v.Decision != registry.Deny || v.Key != nil || v.Verdict.Accept() || !slices.Equal(rejectingCodes(v), codes) {
		r.t.Fatalf("%s, %s, key %+v, want %v: %+v", v.Decision, v.Advice, v.Key, codes, v.Verdict.Findings)
	}
}

func rejectingCodes(v *registry.RequestVerdict) (codes []string) {
	for _, f := range v.Verdict.Findings {
		if f.Effect == attest.Reject {
			codes = append(codes, f.Code)
		}
	}
	return codes
}
