package extauthz_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest/request"
	extauthzv1 "github.com/staunchid/staunch/gen/staunch/extauthz/v1"
)

// TestNotAsItMust: what an Envoy sends that is not configured as the manual
// says is never judged, though the signature is good, and the log says what to
// change.
func TestNotAsItMust(t *testing.T) {
	tests := []struct {
		name   string
		change func(*extauthzv1.CheckRequest, *extauthzv1.HttpRequest)
		want   string // in the log
	}{
		{"no attributes", func(m *extauthzv1.CheckRequest, _ *extauthzv1.HttpRequest) { m.Attributes = nil }, "no HTTP request"},
		{"no request", func(m *extauthzv1.CheckRequest, _ *extauthzv1.HttpRequest) { m.Attributes.Request = nil }, "no HTTP request"},
		{"no http", func(m *extauthzv1.CheckRequest, _ *extauthzv1.HttpRequest) { m.Attributes.Request.Http = nil }, "no HTTP request"},
		{"no raw fields", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { h.HeaderMap = nil }, "encode_raw_headers"},
		{"a field as text", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) {
			h.HeaderMap.Headers = append(h.HeaderMap.Headers, &extauthzv1.HeaderValue{Key: "x-a", Value: "b"})
		}, "encode_raw_headers"},
		{"no method", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { h.Method = "" }, ":method"},
		{"no path", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { h.Path = "" }, ":path"},
		{"no host", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { h.Host = "" }, ":authority"},
		{"no method twice", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { h.Method = ""; set(h, ":method", "") }, ":method"},
		{"no path twice", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { h.Path = ""; set(h, ":path", "") }, ":path"},
		{"no host twice", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { h.Host = ""; set(h, ":authority", "") }, ":authority"},
		{"another :method", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { set(h, ":method", "PUT") }, ":method"},
		{"another :path", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { set(h, ":path", "/v1/other") }, ":path"},
		{"another :authority", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { set(h, ":authority", "other.example") }, ":authority"},
		{"no :path", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { set(h, ":path", "") }, "allowed_headers"},
		{"two :path", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { add(h, ":path", h.Path) }, "twice"},
		{"path of another form", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) {
			h.Path = "http://pay.example.com/v1/remit?dry=0"
			set(h, ":path", h.Path)
		}, "begin with /"},
		{"query beside the path", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { h.Query = "dry=1" }, "query or fragment"},
		{"fragment beside the path", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { h.Fragment = "a" }, "query or fragment"},
		{"body as text", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) {
			h.Body, h.RawBody = string(h.RawBody), nil
		}, "pack_as_bytes"},
		{"body twice", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { h.Body = string(h.RawBody) }, "pack_as_bytes"},
		{"longer than said", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { set(h, "content-length", "14") }, "Content-Length is 14"},
		{"length twice", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { add(h, "content-length", "15") }, "Content-Length"},
		{"length is no number", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) { set(h, "content-length", "+15") }, "Content-Length"},
		{"length too large for a number", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) {
			set(h, "content-length", "18446744073709551631")
		}, "Content-Length"},
		{"mark twice", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) {
			add(h, "x-envoy-auth-partial-body", "false")
		}, "Partial-Body"},
		{"mark unknown", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) {
			set(h, "x-envoy-auth-partial-body", "no")
		}, "Partial-Body"},
		{"chunks that are not sent along", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) {
			set(h, "x-envoy-auth-partial-body", "")
			add(h, "transfer-encoding", "chunked")
		}, "with_request_body"},
		{"neither mark nor length", func(_ *extauthzv1.CheckRequest, h *extauthzv1.HttpRequest) {
			set(h, "x-envoy-auth-partial-body", "")
			set(h, "content-length", "")
		}, "with_request_body"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newRig(t)
			m := g.signed(t)
			tt.change(m, m.Attributes.Request.Http)
			got, _ := refusalOf(t, g.check(t, m))
			if d := cmp.Diff(refusal{http.StatusServiceUnavailable, "STAUNCH_AWAY", "RETRY"}, got); d != "" {
				t.Error(d)
			}
			if len(g.asked) != 0 || !strings.Contains(g.log.String(), tt.want) || !strings.Contains(g.log.String(), "ERROR") {
				t.Errorf("asked %d times; log: %s", len(g.asked), g.log.String())
			}
		})
	}
}

// TestWhole: what must be known of a body before a signature over none, or
// over this one, is worth anything.
func TestWhole(t *testing.T) {
	const unknown = http.StatusServiceUnavailable
	tests := []struct {
		name, method, mark, length, body string
		want                             int // 0: allowed
		chunked                          bool
	}{
		{name: "DELETE with chunks", method: "DELETE", chunked: true, want: unknown},
		{name: "GET with chunks", method: "GET", chunked: true, want: unknown},
		{name: "DELETE with chunks, length said", method: "DELETE", length: "0", chunked: true, want: unknown},
		{name: "DELETE with chunks, marked", method: "DELETE", mark: "false", body: "body", chunked: true},
		{name: "DELETE with chunks, marked, empty", method: "DELETE", mark: "false", chunked: true},
		{name: "DELETE", method: "DELETE"},
		{"marked", "POST", "false", "", "body", 0, false},
		{"marked, length said", "POST", "false", "4", "body", 0, false},
		{"length said", "POST", "", "4", "body", 0, false},
		{"neither", "POST", "", "", "body", unknown, false},
		{"marked, empty", "POST", "false", "", "", 0, false},
		{"length 0", "POST", "", "0", "", 0, false},
		{"neither, empty POST", "POST", "", "", "", unknown, false},
		{"neither, empty PUT", "PUT", "", "", "", unknown, false},
		{"neither, empty PATCH", "PATCH", "", "", "", unknown, false},
		{"neither, GET", "GET", "", "", "", 0, false},
		{"neither, GET with a body", "GET", "", "", "body", unknown, false},
		{"marked, GET with a body", "GET", "false", "", "body", 0, false},
		{"GET whose body is not sent along", "GET", "", "4", "", http.StatusRequestEntityTooLarge, false},
		{"cut, length fits", "POST", "true", "4", "body", http.StatusRequestEntityTooLarge, false},
		{"cut to nothing", "POST", "true", "", "", http.StatusRequestEntityTooLarge, false},
	}
	for _, tt := range tests {
		g := newRig(t)
		r, err := http.NewRequest(tt.method, "https://pay.example.com/v1/remit", strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if err := request.Sign(r, &request.Signing{KeyID: g.key.ID(), Sign: g.key.Sign}); err != nil {
			t.Fatal(err)
		}
		m := described(t, r)
		set(m.Attributes.Request.Http, "content-length", tt.length)
		set(m.Attributes.Request.Http, "x-envoy-auth-partial-body", tt.mark)
		if tt.chunked {
			add(m.Attributes.Request.Http, "transfer-encoding", "chunked")
		}
		res := g.check(t, m)
		if got := res.GetDeniedResponse().GetStatus().GetCode(); int(got) != tt.want || (got == 0) != (res.GetOkResponse() != nil) {
			t.Errorf("%s: %v\n%s", tt.name, res, g.log.String())
		}
	}
}

// TestRoute: account and country come from where the route says, and from
// nowhere else.
func TestRoute(t *testing.T) {
	const rejected, unknown = http.StatusForbidden, http.StatusServiceUnavailable
	type ext = map[string]string
	tests := []struct {
		name             string
		ext              ext
		fields           []string // name, value ...
		want             int      // 0: allowed
		account, country string
	}{
		{"nothing said", nil, []string{"x-account", "a_other", "x-country", "JP"}, 0, "", ""},
		{"keys of others", ext{"virtual_host": "pay"}, nil, 0, "", ""},
		{"unknown key of ours", ext{"staunch.acount-header": "x-account"}, nil, unknown, "", ""},
		{"app", ext{"staunch.app": "chat"}, nil, 0, "", ""},
		{"another app", ext{"staunch.app": "other"}, nil, unknown, "", ""},
		{"empty app", ext{"staunch.app": ""}, nil, unknown, "", ""},
		{"account", ext{"staunch.account-header": "x-account"}, []string{"x-account", "a_owner"}, 0, "a_owner", ""},
		{"account, name in capitals", ext{"staunch.account-header": "X-Account"}, []string{"x-account", "a_owner"}, 0, "a_owner", ""},
		{"another's account", ext{"staunch.account-header": "x-account"}, []string{"x-account", "a_other"}, rejected, "a_other", ""},
		{"no account", ext{"staunch.account-header": "x-account"}, nil, unknown, "", ""},
		{"empty account", ext{"staunch.account-header": "x-account"}, []string{"x-account", ""}, unknown, "", ""},
		{"two accounts", ext{"staunch.account-header": "x-account"}, []string{"x-account", "a_owner", "x-account", "a_owner"}, unknown, "", ""},
		{"account field without a name", ext{"staunch.account-header": ""}, nil, unknown, "", ""},
		{"account field is no field", ext{"staunch.account-header": ":path"}, nil, unknown, "", ""},
		{"country", ext{"staunch.country-header": "x-country"}, []string{"x-country", "jp"}, 0, "", "jp"},
		{"no field", ext{"staunch.country-header": "x-country"}, nil, 0, "", ""},
		{"no country", ext{"staunch.country-header": "x-country"}, []string{"x-country", "T1"}, 0, "", "T1"},
		{"two countries", ext{"staunch.country-header": "x-country"}, []string{"x-country", "JP", "x-country", "JP"}, unknown, "", ""},
	}
	for _, tt := range tests {
		g := newRig(t)
		m := g.signed(t)
		m.Attributes.ContextExtensions = tt.ext
		for f := range slices.Chunk(tt.fields, 2) {
			add(m.Attributes.Request.Http, f[0], f[1])
		}
		res := g.check(t, m)
		if got := res.GetDeniedResponse().GetStatus().GetCode(); int(got) != tt.want || (got == 0) != (res.GetOkResponse() != nil) {
			t.Errorf("%s: %v\n%s", tt.name, res, g.log.String())
		}
		if len(g.asked) == 0 != (tt.want == unknown) {
			t.Errorf("%s: asked %d times", tt.name, len(g.asked))
		} else if tt.want != unknown && (g.asked[0].Account != tt.account || g.asked[0].Country != tt.country) {
			t.Errorf("%s: asked for account %q, country %q", tt.name, g.asked[0].Account, g.asked[0].Country)
		}
	}
}

// TestFieldsOfNetHTTP: Host and Transfer-Encoding are no fields, as in net/http,
// so a signature that covers them is none.
func TestFieldsOfNetHTTP(t *testing.T) {
	for _, name := range []string{"Host", "Transfer-Encoding"} {
		g := newRig(t)
		r := payment(t)
		r.Header.Set(name, "x")
		if err := request.Sign(r, &request.Signing{KeyID: g.key.ID(), Sign: g.key.Sign, Fields: []string{name}}); err != nil {
			t.Fatal(err)
		}
		if got, _ := refusalOf(t, g.check(t, described(t, r))); got.Status != http.StatusForbidden {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
