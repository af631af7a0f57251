package console_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/staunchid/staunch/web/console"
)

func TestNew(t *testing.T) {
	tests := []struct {
		name   string
		change func(*console.Options)
		want   string
	}{
		{"good", func(*console.Options) {}, ""},
		{"on this machine", func(o *console.Options) { o.Origin = "http://console.localhost:8080" }, ""},
		{"no app", func(o *console.Options) { o.App = "" }, "Options.App"},
		{"no operators", func(o *console.Options) { o.Operators = nil }, "Options.Operators"},
		{"no reader", func(o *console.Options) { o.Reader = nil }, "Options.Operators"},
		{"no name", func(o *console.Options) { o.Name = " " }, "Options.Name"},
		{"no origin", func(o *console.Options) { o.Origin = "" }, "is no origin"},
		{"http elsewhere", func(o *console.Options) { o.Origin = "http://console.example.org" }, "is no origin"},
		{"a path", func(o *console.Options) { o.Origin = origin + "/" }, "is no origin"},
	}
	for _, tt := range tests {
		o := &console.Options{App: "demo", Name: "Demo", Origin: origin, Operators: newFake(), Reader: newFake()}
		tt.change(o)
		_, err := console.New(o)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestClosed: without a session no page but the two ways in is shown, whatever its
// address, and nothing is read.
func TestClosed(t *testing.T) {
	f := newFake()
	s := newSite(t, f)
	for _, path := range []string{
		"/", "/vaults", "/queue", "/health", "/health/suspects", "/health/exceptions", "/health/stages", "/accounts", "/accounts/" + owner, "/audit", "/nothing",
	} {
		for name, with := range map[string]func(*http.Request){
			"without a cookie": func(*http.Request) {},
			"another token":    cookie("__Host-staunch-console", make([]byte, 32)),
			"a short token":    cookie("__Host-staunch-console", []byte{7}),
			"the token twice":  func(r *http.Request) { signedIn(r); signedIn(r) },
			"another cookie":   cookie("__Host-staunch", f.token),
		} {
			res := ask(t, s, path, "", with)
			if to := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/signin?next=") {
				t.Errorf("%s, %s: %d to %q", path, name, res.StatusCode, to)
			}
			if body := text(t, res); strings.Contains(body, "mika") {
				t.Errorf("%s, %s: %s", path, name, body)
			}
		}
	}
	for _, path := range []string{"/signin", "/enrol"} {
		if res := ask(t, s, path, ""); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

// TestCrossSite: whom another site brings looks at nothing before he has clicked, also
// where it is one of the same domain, whose links bring his cookie.
func TestCrossSite(t *testing.T) {
	f := newReading()
	s := readingSite(t, f)
	for _, site := range []string{"cross-site", "same-site"} {
		from := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", site) }
		page := text(t, ask(t, s, "/accounts/"+owner+"?n=1", "", from, signedIn))
		if !strings.Contains(page, `href="/accounts/`+owner+`?n=1"`) || !strings.Contains(page, "another site") || len(f.reads) > 0 {
			t.Errorf("%s: read %q\n%s", site, f.reads, page)
		}
		page = text(t, ask(t, s, "/signin?next=/accounts/"+owner, "", from))
		if strings.Contains(page, owner) || !strings.Contains(page, `{"next":"/"}`) {
			t.Errorf("%s says what is looked at after the sign-in\n%s", site, page)
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
		"Permissions-Policy":        "publickey-credentials-get=(self), publickey-credentials-create=(self)",
		"Strict-Transport-Security": "max-age=63072000", "X-Robots-Tag": "noindex",
	}
	for _, path := range []string{"/signin", "/enrol", "/", "/nothing", "/assets/none.js"} {
		res := ask(t, s, path, "", signedIn)
		for name, value := range want {
			if got := res.Header.Get(name); got != value {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		if !strings.HasPrefix(path, "/assets/") && res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, res.Header.Get("Cache-Control"))
		}
		page := text(t, res)
		for _, bad := range []string{"<style", " style=", " onclick", " onload", "<script>", "javascript:", "https://"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s has %q", path, bad)
			}
		}
	}
	other := ask(t, s, "/signin", "", func(r *http.Request) { r.Host = "accounts.example.org" })
	if other.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another host: %d", other.StatusCode)
	}
	plain := newSite(t, newFake(), func(o *console.Options) { o.Origin = "http://" + host[:7] + ".localhost:1" })
	res := ask(t, plain, "/signin", "", func(r *http.Request) { r.Host = "console.localhost:1" })
	if res.StatusCode != http.StatusOK || res.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("without TLS: %d, HSTS %q", res.StatusCode, res.Header.Get("Strict-Transport-Security"))
	}
}

// TestForged: what another site can make a browser send does nothing.
func TestForged(t *testing.T) {
	for name, with := range map[string]func(*http.Request){
		"another site":             func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"a sibling":                func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"another origin":           func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "https://evil.example") },
		"a browser that is silent": func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") },
		"a form":                   func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"no type":                  func(r *http.Request) { r.Header.Del("Content-Type") },
	} {
		f := newFake()
		for _, path := range []string{"/sign-out", "/signin/begin", "/signin/finish", "/enrol/begin", "/enrol/finish"} {
			res := ask(t, newSite(t, f), path, "{}", signedIn, with)
			if res.StatusCode < 400 || len(f.calls) != 0 {
				t.Errorf("%s, %s: %d, called %v", name, path, res.StatusCode, f.calls)
			}
		}
	}
}

// TestNames: pages and assets are of the same names, so that none is forgotten.
func TestNames(t *testing.T) {
	for _, name := range []string{"signin.js", "enrol.js", "page.js", "style.css", "icon.svg"} {
		if _, err := os.Stat(filepath.Join("assets", name)); err != nil {
			t.Error(err)
		}
	}
}
