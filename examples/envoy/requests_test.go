//go:build envoy

package envoy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest/attesttest"
)

// TestEnvoy: what passes, what does not, and what each side gets to see.
func TestEnvoy(t *testing.T) {
	g := newRig(t)
	keys := g.enrol(t)
	for platform, key := range keys {
		t.Run("passes/"+platform, func(t *testing.T) { g.passes(t, key) })
		t.Run("refused/"+platform, func(t *testing.T) { g.refuses(t, key) })
	}
	t.Run("configured badly", func(t *testing.T) { g.configuredBadly(t, keys["android"]) })
	t.Run("account", func(t *testing.T) { g.account(t, keys["android"]) })
	t.Run("large", func(t *testing.T) { g.large(t, keys["android"]) })
	t.Run("away", func(t *testing.T) {
		r := signed(t, keys["android"])
		g.stop()
		a, got := g.send(t, "example", r)
		if d := cmp.Diff(answer{Status: http.StatusServiceUnavailable}, a); d != "" || got != nil {
			t.Errorf("%s, the upstream got %v", d, got)
		}
	})
	for _, secret := range []string{token, "dry=0", "amount"} {
		if strings.Contains(g.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if t.Failed() {
		t.Logf("Staunch:\n%s", g.log.String())
	}
}

// passes: a signed payment reaches the upstream, with exactly our fields and
// those that were signed; the same again does not.
func (g *rig) passes(t *testing.T, key signer) {
	r := remit(t, payment)
	r.Header["X-Note"] = []string{"one", "two"}
	if err := key.SignRequest(time.Now(), r, func(d *attesttest.RequestDraft) { d.Fields = []string{"x-note"} }); err != nil {
		t.Fatal(err)
	}
	again := r.Clone(t.Context())
	again.Body = io.NopCloser(strings.NewReader(payment))
	for name, value := range map[string]string{"X-Staunch-Key": "evil", "X-Staunch-Account": "evil", "X-Staunch-Admin": "evil", "x_staunch_tier": "evil",
		"x.staunch.account": "evil", "X_Note": "evil", "X-Http-Method-Override": "DELETE"} {
		r.Header[name] = []string{value, value}
	}
	a, got := g.send(t, "example", r)
	if d := cmp.Diff(answer{Status: http.StatusOK}, a); d != "" || len(got) != 1 {
		t.Fatalf("%s, the upstream got %v", d, got)
	}
	id := got[0].Claims["X-Staunch-Key"]
	want := seen{http.MethodPost, "/v1/remit?dry=0", "pay.example.com", payment,
		map[string][]string{"X-Staunch-Key": id, "X-Staunch-Account": {owner}, "X-Staunch-Tier": {"affirming"}, "X-Note": {"one, two"}}}
	if d := cmp.Diff(want, got[0]); d != "" || len(id) != 1 || len(id[0]) != 43 {
		t.Error(d, id)
	}

	a, got = g.send(t, "example", again)
	if d := cmp.Diff(answer{Status: http.StatusForbidden, Reason: "ATTEST_REJECTED", Advice: a.Advice}, a); d != "" || got != nil {
		t.Errorf("replay: %s, the upstream got %v", d, got)
	}
}

// refuses: small changes to a good payment, and the documented answers.
func (g *rig) refuses(t *testing.T, key signer) {
	body := func(text string) func(*http.Request) {
		return func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		}
	}
	tests := []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"amount", body(strings.Replace(payment, "1200", "9200", 1)), http.StatusForbidden},
		{"no body", body(""), http.StatusForbidden},
		{"path", func(r *http.Request) { r.URL.Path = "/v1/remit/" }, http.StatusForbidden},
		{"query", func(r *http.Request) { r.URL.RawQuery = "dry=1" }, http.StatusForbidden},
		{"method", func(r *http.Request) { r.Method = http.MethodPut }, http.StatusForbidden},
		{"host", func(r *http.Request) { r.Host = "pay.example.org" }, http.StatusForbidden},
		{"signature", func(r *http.Request) { r.Header.Set("Signature", "staunch=:AAAA:") }, http.StatusForbidden},
		{"unsigned", func(r *http.Request) { r.Header.Del("Signature-Input"); r.Header.Del("Signature") }, http.StatusUnauthorized},
		{"too large for Envoy", body(strings.Repeat("x", 1<<20+1)), http.StatusRequestEntityTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := signed(t, key)
			tt.change(r)
			want := answer{Status: tt.want, Reason: "ATTEST_REJECTED", Accept: tt.want == http.StatusUnauthorized}
			if tt.want == http.StatusRequestEntityTooLarge {
				want.Reason = "" // the answer is Envoy's own
			}
			a, got := g.send(t, "example", r)
			if (a.Advice != "") != (want.Reason != "") {
				t.Errorf("advice %q", a.Advice)
			}
			a.Advice = ""
			if d := cmp.Diff(want, a); d != "" || got != nil {
				t.Errorf("%s, the upstream got %v", d, got)
			}
		})
	}
}

// configuredBadly: a good payment does not pass where Staunch does not see
// what the upstream would, and no body passes that nobody has signed.
func (g *rig) configuredBadly(t *testing.T, key signer) {
	away := answer{Status: http.StatusServiceUnavailable, Reason: "STAUNCH_AWAY", Advice: "RETRY"}
	cut := answer{Status: http.StatusRequestEntityTooLarge, Reason: "REQUEST_TOO_LARGE", Advice: "CONTACT"}
	unsized := func(r *http.Request) { r.ContentLength = -1 } // chunked; over HTTP/2 just without Content-Length
	for _, tt := range []struct {
		variant string
		change  func(*http.Request)
		want    answer
	}{
		{"text", nil, away},
		{"text body", nil, away},
		{"partial", nil, cut},
		{"no body", nil, cut},
		{"no body", unsized, away},
		{"other app", nil, away},
		{"misspelt", nil, away},
		{"token", nil, answer{Status: http.StatusServiceUnavailable}}, // Envoy's own answer
	} {
		for _, client := range []*http.Client{g.http, g.http2} {
			r := signed(t, key)
			if tt.change != nil {
				tt.change(r)
			}
			a, got := g.sendBy(t, client, tt.variant, r)
			if d := cmp.Diff(tt.want, a); d != "" || got != nil {
				t.Errorf("%s: %s, the upstream got %v", tt.variant, d, got)
			}
		}
	}

	// The phone has signed that there is no body; somebody on the way adds one.
	r := remit(t, "")
	if err := key.SignRequest(time.Now(), r); err != nil {
		t.Fatal(err)
	}
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(payment)), -1
	for variant, want := range map[string]int{"example": http.StatusForbidden, "no body": http.StatusServiceUnavailable} {
		again := r.Clone(t.Context())
		again.Body = io.NopCloser(strings.NewReader(payment))
		a, got := g.sendBy(t, g.http2, variant, again)
		if a.Status != want || got != nil {
			t.Errorf("%s: a body that nobody has signed: %v, the upstream got %v", variant, a, got)
		}
	}
}

// account: a route that says whose key it must be.
func (g *rig) account(t *testing.T, key signer) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  int
	}{
		{"owner", []string{owner}, http.StatusOK},
		{"other", []string{"a_otherotherotherotherother2"}, http.StatusForbidden},
		{"none", nil, http.StatusServiceUnavailable},
		{"two", []string{owner, owner}, http.StatusServiceUnavailable},
	} {
		r := signed(t, key)
		r.Header["X-Session-Account"] = tt.lines
		a, got := g.send(t, "account", r)
		if a.Status != tt.want || (len(got) == 1) != (tt.want == http.StatusOK) {
			t.Errorf("%s: %v, the upstream got %v", tt.name, a, got)
		}
	}
}

// large: a body that Envoy lets through and Staunch does not judge.
func (g *rig) large(t *testing.T, key signer) {
	r := remit(t, strings.Repeat("x", 1<<20+1))
	if err := key.SignRequest(time.Now(), r); err != nil {
		t.Fatal(err)
	}
	a, got := g.send(t, "large", r)
	if d := cmp.Diff(answer{Status: http.StatusRequestEntityTooLarge, Reason: "REQUEST_TOO_LARGE", Advice: "CONTACT"}, a); d != "" || got != nil {
		t.Errorf("%s, the upstream got %d requests", d, len(got))
	}
	r = remit(t, strings.Repeat("x", 1<<20))
	if err := key.SignRequest(time.Now(), r); err != nil {
		t.Fatal(err)
	}
	if a, got := g.send(t, "large", r); a.Status != http.StatusOK || len(got) != 1 {
		t.Errorf("1 MiB: %v", a)
	}
}
