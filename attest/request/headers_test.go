package request_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest/request"
)

// reached sends r through the middleware, with more lines than were signed, and
// gives those header fields that the handler got and that are no others'.
func reached(t *testing.T, c request.Checker, opts *request.Options, r *http.Request, more http.Header) http.Header {
	t.Helper()
	got := http.Header{}
	h := request.Middleware(c, opts)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for name, lines := range r.Header {
			if !strings.HasPrefix(name, "Signature") && !strings.HasPrefix(name, "X-Staunch-") && name != "Content-Digest" {
				got[name] = lines
			}
		}
	}))
	in := httptest.NewRequest(r.Method, r.URL.String(), r.Body)
	in.Header = r.Header
	for name, lines := range more {
		in.Header[name] = lines
	}
	answer := httptest.NewRecorder()
	if h.ServeHTTP(answer, in); answer.Code != http.StatusOK {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	return got
}

// TestAsSigned: what a handler reads of the header is what was signed, whether
// it reads the first line, the last or all, and however it spells names.
func TestAsSigned(t *testing.T) {
	tests := []struct {
		name    string
		covered []string // besides content-type
		more    http.Header
		want    http.Header // besides content-type
	}{
		{"nothing to do", nil, http.Header{"X-Note": {"a", "b"}, "Accept": {"*/*"}}, http.Header{"X-Note": {"a", "b"}, "Accept": {"*/*"}}},
		{"one line", []string{"X-Payee"}, http.Header{"X-Payee": {"bob, mallory"}}, http.Header{"X-Payee": {"bob, mallory"}}},
		{"the same in two lines", []string{"X-Payee"}, http.Header{"X-Payee": {"bob", " mallory\t"}}, http.Header{"X-Payee": {"bob, mallory"}}},
		{"other spellings", []string{"X-Payee"}, http.Header{"X-Payee": {"bob"}, "X_payee": {"mallory"}, "X.payee": {"mallory"}, "x-Payee": {"mallory"}},
			http.Header{"X-Payee": {"bob"}}},
		{"two spellings, both signed", []string{"X-Payee", "X_payee"}, http.Header{"X-Payee": {"bob"}, "X_payee": {"eve"}}, http.Header{"X-Payee": {"bob"}, "X_payee": {"eve"}}},
		{"other types and encodings", nil, http.Header{"Content_type": {"text/plain"}, "Content.encoding": {"gzip"}}, http.Header{}},
		{"a proxy is to remove what was signed", []string{"X-Payee"}, http.Header{"X-Payee": {"bob"}, "Connection": {"close, X-Payee"}}, http.Header{"X-Payee": {"bob"}}},
		{"a proxy is to remove the type", nil, http.Header{"Connection": {"content-type"}}, http.Header{}},
		{"a proxy is to remove something else", []string{"X-Payee"}, http.Header{"X-Payee": {"bob"}, "Connection": {"upgrade"}}, http.Header{"X-Payee": {"bob"}, "Connection": {"upgrade"}}},
		{"another request line", nil, http.Header{
			"X-Http-Method-Override": {"DELETE"}, "X-Http-Method": {"DELETE"}, "X-Method-Override": {"DELETE"}, "X-Original-Url": {"/v1/other"}, "X-Rewrite-Url": {"/v1/other"},
			"X_http_method_override": {"DELETE"}, "X.original.url": {"/v1/other"},
		}, http.Header{}},
		{"another request line, signed", []string{"X-Http-Method-Override"}, http.Header{"X-Http-Method-Override": {"PATCH"}, "X-Method-Override": {"DELETE"}},
			http.Header{"X-Http-Method-Override": {"PATCH"}}},
		{"what proxies say", nil, http.Header{"X-Forwarded-Host": {"a"}, "Forwarded": {"host=a"}}, http.Header{"X-Forwarded-Host": {"a"}, "Forwarded": {"host=a"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, mode := range []struct {
				name string
				c    *checker
				opts request.Options
			}{
				{"allowed", &checker{decision: allow()}, request.Options{}},
				{"handed on unchecked", &checker{err: request.ErrUnavailable}, request.Options{DangerousFailOpen: true}},
			} {
				r := outgoing(t, http.MethodPost, "https://pay.example.com/v1/remit", body)
				r.Header.Set("Content-Type", "application/json")
				s := signing()
				for _, name := range tt.covered {
					r.Header[name], s.Fields = tt.more[name], append(s.Fields, name)
				}
				if err := request.Sign(r, s); err != nil {
					t.Fatal(err)
				}
				want := tt.want.Clone()
				want.Set("Content-Type", "application/json")
				if diff := cmp.Diff(want, reached(t, mode.c, &mode.opts, r, tt.more)); diff != "" {
					t.Errorf("%s: %s", mode.name, diff)
				}
			}
		})
	}
}
