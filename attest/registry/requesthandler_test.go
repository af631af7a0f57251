package registry_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
)

// TestHandlerReadsWhatWasSigned: somebody on the way leaves the signature whole
// and has a handler behind the middleware read something else.
func TestHandlerReadsWhatWasSigned(t *testing.T) {
	const twofold = `{"amount":1,"note":"&amount=1000000&x="}`
	r := newRig(t, under(t, func(f *attest.PolicyFile) {
		f.Route = []attest.RouteFile{{Path: "/v1/remit", Params: []string{"amount"}}}
	}))
	key := r.androidKey()
	tests := []struct {
		name   string
		way    func(http.Header)
		status int
	}{
		{"nothing", func(http.Header) {}, http.StatusOK},
		{"a form", func(h http.Header) { h.Set("Content-Type", "application/x-www-form-urlencoded") }, http.StatusForbidden},
		{"a form beside it", func(h http.Header) { h.Add("Content-Type", "application/x-www-form-urlencoded") }, http.StatusForbidden},
		{"a form in another spelling", func(h http.Header) { h["Content_type"] = []string{"application/x-www-form-urlencoded"} }, http.StatusOK},
		{"an encoding", func(h http.Header) { h.Set("Content-Encoding", "gzip") }, http.StatusForbidden},
		{"two payees", func(h http.Header) { h["X-Payee"] = []string{"bob", "mallory"} }, http.StatusOK},
		{"another spelling", func(h http.Header) { h["X_payee"] = []string{"mallory"} }, http.StatusOK},
		{"another method", func(h http.Header) { h.Set("X-Http-Method-Override", "DELETE") }, http.StatusOK},
		{"somebody else", func(h http.Header) { h["X.staunch.account"] = []string{"a_mallory"} }, http.StatusOK},
	}
	for _, tt := range tests {
		req := remit()
		setBody(req, twofold)
		req.Header.Set("X-Payee", "bob, mallory")
		if err := key.SignRequest(r.clock(), req, func(d *attesttest.RequestDraft) { d.Fields = []string{"x-payee"} }); err != nil {
			t.Fatal(err)
		}
		in := httptest.NewRequest(req.Method, "https://pay.example.com/v1/remit?dry=0", strings.NewReader(twofold))
		in.RequestURI, in.Header = "/v1/remit?dry=0", req.Header.Clone()
		tt.way(in.Header)
		var amount string
		var got http.Header
		h := request.Middleware(r.Checker(backend, nil), nil)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			amount, got = r.FormValue("amount"), r.Header
		}))
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, in)
		if answer.Code != tt.status || amount != "" {
			t.Errorf("%s: %d, the handler reads amount %q", tt.name, answer.Code, amount)
		}
		if tt.status != http.StatusOK {
			continue
		}
		want := req.Header.Clone()
		want.Set("X-Staunch-Key", key.ID())
		want.Set("X-Staunch-Account", string(alice))
		want.Set("X-Staunch-Tier", "affirming")
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}
