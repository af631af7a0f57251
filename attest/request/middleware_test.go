package request_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/request"
)

// checker answers what it is told to, and remembers what it was asked.
type checker struct {
	decision *request.Decision
	err      error
	asked    *request.Check
}

func (c *checker) CheckRequest(_ context.Context, check *request.Check) (*request.Decision, error) {
	c.asked = check
	return c.decision, c.err
}

func allow() *request.Decision {
	return &request.Decision{Allow: true, Identity: request.Identity{Key: keyID, Account: "a_1", Platform: "android", Tier: "affirming"}}
}

// seen is what reached the handler.
type seen struct {
	called   bool
	identity request.Identity
	proved   bool
	header   http.Header
	trailer  http.Header
	host     string
	length   int64
	body     string
}

// gate runs a real server with the middleware in front of a handler.
func gate(t *testing.T, c request.Checker, opts *request.Options) (url string, _ *seen) {
	t.Helper()
	s := &seen{}
	server := httptest.NewServer(request.Middleware(c, opts)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.called, s.header, s.host, s.length = true, r.Header, r.Host, r.ContentLength
		s.identity, s.proved = request.FromContext(r.Context())
		content, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.body, s.trailer = string(content), r.Trailer
	})))
	t.Cleanup(server.Close)
	return server.URL, s
}

// payment is a signed request; the Checker decides whether that is any good.
func payment(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url+"/v1/remit?dry=0", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	sign := func([]byte) ([]byte, error) { return []byte{1}, nil }
	if err := request.Sign(r, &request.Signing{KeyID: keyID, Sign: sign}); err != nil {
		t.Fatal(err)
	}
	return r
}

// do sends r and reads the answer.
func do(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

func TestAllowed(t *testing.T) {
	c := &checker{decision: allow()}
	url, s := gate(t, c, &request.Options{
		Account: func(r *http.Request) string { return r.Header.Get("Session") },
		Country: func(*http.Request) string { return "JP" },
	})
	r := payment(t, url)
	r.Header.Set("Session", "a_1")
	if answer, text := do(t, r); answer.StatusCode != http.StatusOK || !s.called {
		t.Fatalf("%d %s", answer.StatusCode, text)
	}
	if !s.proved || s.identity != allow().Identity {
		t.Errorf("identity %+v, %t", s.identity, s.proved)
	}
	for name, want := range map[string]string{"X-Staunch-Key": keyID, "X-Staunch-Account": "a_1", "X-Staunch-Tier": "affirming"} {
		if got := s.header.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if s.body != body || s.length != int64(len(body)) {
		t.Errorf("the handler got %q of %d bytes", s.body, s.length)
	}
	if m := c.asked.Message; c.asked.Account != "a_1" || c.asked.Country != "JP" || m.Path != "/v1/remit" || m.Query != "?dry=0" ||
		"http://"+m.Authority != url || len(m.BodyMembers) != 2 || m.Fields["session"] != "" {
		t.Errorf("asked %+v, %+v", c.asked, m)
	}
	if _, err := request.Parse(c.asked.Message); err != nil {
		t.Error(err)
	}
}

// TestClaimsRemoved: nobody but the middleware says who signed.
func TestClaimsRemoved(t *testing.T) {
	for name, identity := range map[string]request.Identity{"proved": allow().Identity, "observed": {}} {
		c := &checker{decision: &request.Decision{Allow: true, Identity: identity}}
		url, s := gate(t, c, nil)
		r := payment(t, url)
		for _, name := range []string{"X-Staunch-Key", "x-staunch-account", "X-Staunch-Other", "X_Staunch_Key", "X-Staunch_Tier", "X.Staunch.Account", "X-Staunch.Key", "x~staunch+tier"} {
			r.Header[name] = []string{"forged", "twice"}
		}
		r.Header["Connection"] = []string{"X-Staunch-Key"} // a proxy behind us would remove the field
		if answer, text := do(t, r); answer.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", answer.StatusCode, text)
		}
		for field, values := range s.header {
			if strings.Contains(strings.Join(values, " "), "forged") || strings.Contains(field, "_") || field == "Connection" {
				t.Errorf("%s: the handler got %s: %q", name, field, values)
			}
		}
		if s.proved != (identity.Key != "") || s.header.Get("X-Staunch-Key") != identity.Key || len(s.header.Values("X-Staunch-Tier")) > 1 {
			t.Errorf("%s: %+v", name, s)
		}
		if s.header.Get("Content-Digest") == "" {
			t.Errorf("%s: other fields are gone", name)
		}
	}
}

func TestRefusals(t *testing.T) {
	unsigned := func(r *http.Request) { r.Header.Del("Signature") }
	away := fmt.Errorf("%w: connection refused", request.ErrUnavailable)
	tests := []struct {
		name     string
		decision *request.Decision
		err      error
		opts     request.Options
		change   func(*http.Request)
		status   int
		body     string
	}{
		{name: "zero decision", decision: &request.Decision{}, status: 403, body: `{"reason":"ATTEST_REJECTED","advice":"CONTACT"}`},
		{name: "denied", decision: &request.Decision{Advice: "NEW_KEY", Codes: []string{"common.request_replay"}}, status: 403, body: `{"reason":"ATTEST_REJECTED","advice":"NEW_KEY"}`},
		{name: "denied with a reason", decision: &request.Decision{Reason: "OTHER"}, status: 403, body: `{"reason":"OTHER","advice":"CONTACT"}`},
		{name: "denied with an identity", decision: &request.Decision{Identity: allow().Identity}, status: 403},
		{name: "no signature", decision: &request.Decision{Advice: "UPDATE_APP"}, change: unsigned, status: 401, body: `{"reason":"ATTEST_REJECTED","advice":"UPDATE_APP"}`},
		{name: "no signature, observed", decision: &request.Decision{Allow: true}, change: unsigned, status: 200},
		{name: "away", err: away, status: 503, body: `{"reason":"STAUNCH_AWAY","advice":"RETRY"}`},
		{name: "away, no signature", err: away, change: unsigned, status: 503},
		{name: "neither", status: 503},
		{name: "away, fail open", err: away, opts: request.Options{DangerousFailOpen: true}, status: 200},
		{name: "cannot tell, fail open", err: errors.New("invalid argument"), opts: request.Options{DangerousFailOpen: true}, status: 503},
		{name: "denied, fail open", decision: &request.Decision{}, opts: request.Options{DangerousFailOpen: true}, status: 403},
		{name: "both, fail open", decision: allow(), err: errors.New("x"), opts: request.Options{DangerousFailOpen: true}, status: 503},
		{name: "neither, fail open", opts: request.Options{DangerousFailOpen: true}, status: 503},
		{name: "body too large", decision: allow(), opts: request.Options{MaxBody: int64(len(body)) - 1}, status: 413, body: `{"reason":"REQUEST_TOO_LARGE","advice":"CONTACT"}`},
		{name: "body too large, fail open", err: away, opts: request.Options{MaxBody: 1, DangerousFailOpen: true}, status: 413},
		{name: "largest body", decision: allow(), opts: request.Options{MaxBody: int64(len(body))}, status: 200},
		{name: "no body allowed", decision: allow(), opts: request.Options{MaxBody: -1}, status: 413},
		{name: "large Signature", decision: allow(), opts: request.Options{DangerousFailOpen: true}, status: 403,
			change: func(r *http.Request) { r.Header.Set("Signature", strings.Repeat("a", 20000)) }},
		{name: "large path", decision: allow(), opts: request.Options{DangerousFailOpen: true}, status: 403,
			change: func(r *http.Request) { r.URL.Path = "/" + strings.Repeat("a", 9000) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, s := gate(t, &checker{decision: tt.decision, err: tt.err}, &tt.opts)
			r := payment(t, url)
			if tt.change != nil {
				tt.change(r)
			}
			answer, text := do(t, r)
			if answer.StatusCode != tt.status || tt.body != "" && strings.TrimSpace(text) != tt.body {
				t.Errorf("%d %s", answer.StatusCode, text)
			}
			if s.called != (tt.status == 200) {
				t.Errorf("the handler was called: %t", s.called)
			}
			if tt.name != "largest body" && s.proved || s.proved != (s.header.Get("X-Staunch-Key") != "") {
				t.Errorf("identity %+v", s.identity)
			}
			if s.called && s.body != body {
				t.Errorf("the handler got %q", s.body)
			}
			if tt.status == 200 {
				return
			}
			if h := answer.Header; h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" || (h.Get("Retry-After") != "") != (tt.status == 503) {
				t.Errorf("header %v", h)
			}
			want := ""
			if tt.status == 401 {
				want = `staunch=("@method" "@authority" "@path" "@query" "content-digest");created;tag="staunch-v1"`
			}
			if got := answer.Header.Get("Accept-Signature"); got != want {
				t.Errorf("Accept-Signature: %s", got)
			}
			var parsed struct{ Reason, Advice string }
			if err := json.Unmarshal([]byte(text), &parsed); err != nil || parsed.Reason == "" || parsed.Advice == "" {
				t.Errorf("%s: %v", text, err)
			}
		})
	}
}

// TestNoChecker: forgotten, it refuses.
func TestNoChecker(t *testing.T) {
	url, s := gate(t, nil, &request.Options{DangerousFailOpen: true})
	if answer, _ := do(t, payment(t, url)); answer.StatusCode != http.StatusServiceUnavailable || s.called {
		t.Errorf("%d, called %t", answer.StatusCode, s.called)
	}
}

// TestAcceptSignature: a GET need not cover a digest.
func TestAcceptSignature(t *testing.T) {
	url, _ := gate(t, &checker{decision: &request.Decision{}}, nil)
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := do(t, r)
	if got := answer.Header.Get("Accept-Signature"); answer.StatusCode != http.StatusUnauthorized || got != `staunch=("@method" "@authority" "@path" "@query");created;tag="staunch-v1"` {
		t.Errorf("%d %s", answer.StatusCode, got)
	}
	r.Header.Set("Content-Type", "text/plain")
	r.Header.Set("Content-Encoding", "gzip")
	answer, _ = do(t, r)
	if got := answer.Header.Get("Accept-Signature"); got != `staunch=("@method" "@authority" "@path" "@query" "content-type" "content-encoding");created;tag="staunch-v1"` {
		t.Errorf("with what says what the content is: %s", got)
	}
}

// TestAuthority: the name that the phone used, where a proxy rewrites Host.
func TestAuthority(t *testing.T) {
	c := &checker{decision: allow()}
	url, s := gate(t, c, &request.Options{Authority: "pay.example.com"})
	if answer, _ := do(t, payment(t, url)); answer.StatusCode != http.StatusOK || c.asked.Message.Authority != "pay.example.com" || s.host != "pay.example.com" {
		t.Errorf("asked for %s, the handler got %s", c.asked.Message.Authority, s.host)
	}
}

// TestClientGone: who hangs up does not get his request handed on unchecked.
func TestClientGone(t *testing.T) {
	for name, gone := range map[string]bool{"gone": true, "waiting": false} {
		called := false
		h := request.Middleware(&checker{err: request.ErrUnavailable}, &request.Options{DangerousFailOpen: true})(
			http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if gone {
			cancel()
		}
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(body)))
		if called == gone {
			t.Errorf("%s: called %t", name, called)
		}
	}
}

// TestHandedOn: chunks and trailers do not reach the handler, and the request of
// whoever is in front stays as it is.
func TestHandedOn(t *testing.T) {
	url, s := gate(t, &checker{decision: allow()}, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Trailer: X-Staunch-Key, X-A", "",
		"3", "abc", "0", "X-Staunch-Key: forged", "X-A: b", "", "")); err != nil {
		t.Fatal(err)
	}
	if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
		t.Fatal(err)
	}
	if s.body != "abc" || s.length != 3 || len(s.trailer) != 0 {
		t.Errorf("%+v", s)
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Staunch-Key", "in front")
	host := r.Host
	request.Middleware(&checker{decision: allow()}, &request.Options{Authority: "pay.example.com"})(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	if r.Header.Get("X-Staunch-Key") != "in front" || r.Host != host {
		t.Errorf("the request in front has become %+v", r)
	}
}

// TestContinue: a client that asks first is not told to send what is too large.
func TestContinue(t *testing.T) {
	url, s := gate(t, &checker{decision: allow()}, &request.Options{MaxBody: 10})
	for length, want := range map[string]int{"10": 100, "11": 413} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(conn, crlf("POST / HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: "+length, "", "")); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != want {
			t.Errorf("%s bytes: %v, %v", length, answer, err)
		}
	}
	if s.called {
		t.Error("the handler was called")
	}
}

// TestBrokenBody: a body that breaks off is 400, also when open to failures.
func TestBrokenBody(t *testing.T) {
	url, s := gate(t, &checker{decision: allow()}, &request.Options{DangerousFailOpen: true})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "zz", "")); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || answer.StatusCode != http.StatusBadRequest || s.called {
		t.Errorf("%v, %v", answer, err)
	}
}

// TestLog: a line a refusal, with the codes, and without what is nobody's
// business.
func TestLog(t *testing.T) {
	var out bytes.Buffer
	opts := &request.Options{Logger: slog.New(slog.NewJSONHandler(&out, nil))}
	url, _ := gate(t, &checker{decision: &request.Decision{Codes: []string{"common.request_replay"}}}, opts)
	r := payment(t, url)
	r.URL.RawQuery = "token=secret"
	do(t, r)
	var line struct {
		Msg, Method, Path, Reason string
		Status                    int
		Codes                     []string
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", out.String(), err)
	}
	if line.Msg != "request refused" || line.Method != http.MethodPost || line.Path != "/v1/remit" || line.Reason != "ATTEST_REJECTED" || line.Status != 403 ||
		len(line.Codes) != 1 || line.Codes[0] != "common.request_replay" {
		t.Errorf("%s", out.String())
	}
	for _, secret := range []string{"secret", "1200", keyID, nonce} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the log holds %s: %s", secret, out.String())
		}
	}
	out.Reset()
	url, _ = gate(t, &checker{err: fmt.Errorf("%w: refused", request.ErrUnavailable)}, &request.Options{Logger: opts.Logger, DangerousFailOpen: true})
	do(t, payment(t, url))
	if !strings.Contains(out.String(), "request handed on unchecked") || !strings.Contains(out.String(), "refused") {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	url, _ = gate(t, &checker{decision: allow()}, opts)
	do(t, payment(t, url))
	if out.Len() != 0 {
		t.Errorf("an allowed request is logged: %s", out.String())
	}
}

func TestFromContext(t *testing.T) {
	if id, ok := request.FromContext(t.Context()); ok || id != (request.Identity{}) {
		t.Errorf("%+v, %t", id, ok)
	}
}
