package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/web"
)

func TestNew(t *testing.T) {
	tests := []struct {
		name   string
		change func(*web.Options)
		want   string
	}{
		{"good", func(*web.Options) {}, ""},
		{"no app", func(o *web.Options) { o.App = "" }, "Options.App"},
		{"no service", func(o *web.Options) { o.Service = nil }, "Options.Service"},
		{"no name", func(o *web.Options) { o.Name = " " }, "Options.Name"},
		{"no origin", func(o *web.Options) { o.Origins = nil }, "Options.Origins"},
		{"http elsewhere", func(o *web.Options) { o.Origins = []string{"http://example.org"} }, "is no origin"},
		{"a path", func(o *web.Options) { o.Origins = []string{"https://example.org/"} }, "is no origin"},
		{"colour with more", func(o *web.Options) { o.Accent = "#123456;}body{display:none" }, "web: colour"},
		{"colour in upper case", func(o *web.Options) { o.Accent = "#ABCDEF" }, "web: colour"},
		{"colour and a line", func(o *web.Options) { o.Accent = "#abcdef\n" }, "web: colour"},
		{"logo that can hold a script", func(o *web.Options) { o.Logo = []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`) }, "web: logo"},
		{"logo too large", func(o *web.Options) { o.Logo = make([]byte, 1<<20) }, "web: logo"},
	}
	for _, tt := range tests {
		o := &web.Options{App: "demo", Name: "Demo", Service: newFake(), Origins: []string{origin}}
		tt.change(o)
		_, err := web.New(o)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestHeaders(t *testing.T) {
	s := newSite(t, newFake())
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
	}
	for _, path := range []string{"/signin", "/signup", "/join", "/freeze", "/account", "/nothing", "/assets/none.js"} {
		res := ask(t, s, http.MethodGet, path, "", signedIn)
		for name, value := range want {
			if got := res.Header.Get(name); got != value {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		if res.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: no HSTS over TLS", path)
		}
		if !strings.HasPrefix(path, "/assets/") && res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, res.Header.Get("Cache-Control"))
		}
	}
	local := ask(t, s, http.MethodGet, "/signin", "", func(r *http.Request) { r.Host = "localhost:8080" })
	if local.StatusCode != http.StatusOK || local.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("without TLS: %d, HSTS %q", local.StatusCode, local.Header.Get("Strict-Transport-Security"))
	}
}

// TestNothingInline: no page has a script, a style or a handler in its markup.
func TestNothingInline(t *testing.T) {
	s := newSite(t, newFake())
	for _, path := range []string{"/signin", "/signup", "/join", "/freeze", "/account", "/account/approve/" + approval} {
		page := text(t, ask(t, s, http.MethodGet, path, "", signedIn))
		if !strings.Contains(page, `<script type="module" src="/assets/`) {
			t.Errorf("%s has no script:\n%.400s", path, page)
		}
		for _, bad := range []string{"<style", " style=", " onclick", " onload", "<script>", "javascript:", "http://", "https://"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s has %q", path, bad)
			}
		}
	}
}

// TestSettingsCannotInjectMarkup: what an app or a person calls itself is text
// on every page (GHSA-6rx5-m2rc-hmf7).
func TestSettingsCannotInjectMarkup(t *testing.T) {
	const evil = `</script><img src=x onerror=alert(1)>"'`
	f := newFake()
	f.text = evil
	f.alerts = []integrity.AlertRow{{Seq: 1, Kind: evil}}
	f.moves = []*transfer.View{{ID: moveID, State: transfer.Held, Opens: time.Now().Add(time.Hour), At: time.Now(), Peer: evil, Place: evil}}
	f.status.Rest.OthersHeld = []integrity.HeldDevice{{Device: device, Name: evil, MayVeto: true, Hold: account.Hold{Reason: account.HoldNew, Until: time.Now().Add(time.Hour)}}}
	s := newSite(t, f, func(o *web.Options) { o.Name = evil })
	for _, path := range []string{"/signin", "/signup", "/join", "/freeze", "/account", "/account/alerts", "/account/approve/" + approval, "/nothing"} {
		page := text(t, ask(t, s, http.MethodGet, path, "", signedIn))
		if strings.Contains(page, "<img src=x") || strings.Count(page, "</script>") > 2 {
			t.Errorf("%s has markup that a setting brought:\n%s", path, page)
		}
		if !strings.Contains(page, "onerror") {
			t.Errorf("%s does not show the setting at all", path)
		}
	}
}

// TestGuard: a request that another site may have sent is refused.
func TestGuard(t *testing.T) {
	tests := []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"our page", func(*http.Request) {}, http.StatusOK},
		{"a program without cookies", func(r *http.Request) {
			r.Header.Del("Cookie")
			r.Header.Del("Origin")
			r.Header.Del("Sec-Fetch-Site")
		}, http.StatusUnauthorized},
		{"another site", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Origin", "https://evil.example")
		}, http.StatusForbidden},
		{"a sibling host", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, http.StatusForbidden},
		{"another origin, an old browser", func(r *http.Request) {
			r.Header.Del("Sec-Fetch-Site")
			r.Header.Set("Origin", "https://evil.example")
		}, http.StatusForbidden},
		{"a cookie and no word of where from", func(r *http.Request) {
			r.Header.Del("Origin")
			r.Header.Del("Sec-Fetch-Site")
		}, http.StatusForbidden},
		{"a form", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, http.StatusUnsupportedMediaType},
		{"text", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, http.StatusUnsupportedMediaType},
		{"no type", func(r *http.Request) { r.Header.Del("Content-Type") }, http.StatusUnsupportedMediaType},
		{"JSON with a charset", func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }, http.StatusOK},
	}
	for _, tt := range tests {
		f := newFake()
		res := ask(t, newSite(t, f), http.MethodPost, "/account/freeze", "{}", signedIn, tt.change)
		if res.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d: %s", tt.name, res.StatusCode, tt.want, text(t, res))
		}
		if frozen := len(f.calls) > 0; frozen != (tt.want == http.StatusOK) {
			t.Errorf("%s: calls %v", tt.name, f.calls)
		}
	}
	if res := ask(t, newSite(t, newFake()), http.MethodGet, "/account/freeze", "", signedIn); res.StatusCode != http.StatusNotFound {
		t.Errorf("freeze by GET: %d", res.StatusCode)
	}
}

// TestHosts: a page is served under the names of the configuration only.
func TestHosts(t *testing.T) {
	s := newSite(t, newFake())
	for name, want := range map[string]int{
		host: http.StatusOK, "localhost:8080": http.StatusOK, "evil.example": http.StatusMisdirectedRequest,
		"localhost": http.StatusMisdirectedRequest, "127.0.0.1:8080": http.StatusTemporaryRedirect, "127.0.0.1:9": http.StatusMisdirectedRequest,
	} {
		res := ask(t, s, http.MethodGet, "/signin?next=%2Faccount", "", func(r *http.Request) { r.Host = name })
		if res.StatusCode != want {
			t.Errorf("%s: %d, want %d", name, res.StatusCode, want)
		}
		if want == http.StatusTemporaryRedirect && res.Header.Get("Location") != "http://localhost:8080/signin?next=%2Faccount" {
			t.Errorf("%s leads to %s", name, res.Header.Get("Location"))
		}
	}
}

func TestWellKnown(t *testing.T) {
	s := newSite(t, newFake())
	res := ask(t, s, http.MethodGet, "/.well-known/webauthn", "")
	if body := text(t, res); body != `{"origins":["`+origin+`"]}` || res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s, %s", body, res.Header.Get("Content-Type"))
	}
	if body := text(t, ask(t, s, http.MethodGet, "/.well-known/passkey-endpoints", "")); !strings.Contains(body, `"enroll":"`+origin+`/account/passkeys"`) {
		t.Error(body)
	}
}

func TestSignUpOff(t *testing.T) {
	s := newSite(t, newFake(), func(o *web.Options) { o.SignUp = false })
	for path, method := range map[string]string{"/signup": http.MethodGet, "/signup/begin": http.MethodPost, "/signup/finish": http.MethodPost} {
		if res := ask(t, s, method, path, "{}"); res.StatusCode == http.StatusOK {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	if strings.Contains(text(t, ask(t, s, http.MethodGet, "/signin", "")), "/signup") {
		t.Error("the sign-in page offers what there is not")
	}
}
