package site_test

import (
	"bytes"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/web/site"
)

// TestCookie: what a browser gets, and what of it counts when it comes back.
func TestCookie(t *testing.T) {
	secret := bytes.Repeat([]byte{7}, site.SecretSize)
	for _, c := range []site.Cookie{{Name: "__Host-a"}, {Name: "__Host-a", Lax: true}} {
		w := httptest.NewRecorder()
		c.Put(w, secret, time.Hour)
		c.Drop(w)
		got := w.Result().Cookies()
		if len(got) != 2 || got[0].MaxAge != 3600 || got[1].MaxAge >= 0 || got[1].Value != "" {
			t.Fatalf("%+v", got)
		}
		for _, g := range got {
			if g.Name != "__Host-a" || !g.Secure || !g.HttpOnly || g.Path != "/" || g.Domain != "" || (g.SameSite == http.SameSiteStrictMode) == c.Lax || (g.SameSite == http.SameSiteLaxMode) != c.Lax {
				t.Errorf("%+v", g)
			}
		}
	}
	c := site.Cookie{Name: "__Host-a"}
	good := "__Host-a=" + base64.RawURLEncoding.EncodeToString(secret)
	for header, want := range map[string][]byte{
		good: secret, "b=c; " + good: secret, "": nil, good + "; " + good: nil, strings.Replace(good, "Host", "host", 1): nil,
		"__Host-a=BwcH": nil, good + "BwcH": nil, good + "=": nil, "__Host-a=": nil,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", header)
		if got := c.Secret(r); !bytes.Equal(got, want) {
			t.Errorf("%q: %x", header, got)
		}
	}
}

// TestBind: a browser has one secret, whatever is begun in it, and no other has it.
func TestBind(t *testing.T) {
	c := site.Cookie{Name: "__Host-a"}
	r, w := httptest.NewRequest(http.MethodPost, "/", nil), httptest.NewRecorder()
	first := c.Bind(w, r, time.Minute)
	if other := c.Bind(httptest.NewRecorder(), r, time.Minute); len(first) != site.SecretSize || bytes.Equal(first, other) {
		t.Errorf("%x, and another browser has %x", first, other)
	}
	r.AddCookie(w.Result().Cookies()[0])
	w = httptest.NewRecorder()
	if again := c.Bind(w, r, time.Minute); !bytes.Equal(first, again) || len(w.Result().Cookies()) != 1 || w.Result().Cookies()[0].MaxAge != 60 {
		t.Errorf("again: %x, %v", again, w.Result().Cookies())
	}
}

// TestLog: a line has the route and never the path, which holds identifiers.
func TestLog(t *testing.T) {
	var out bytes.Buffer
	l := site.Log{Logger: slog.New(slog.NewTextHandler(&out, nil)), Text: "page", App: "demo", Who: "account"}
	for _, status := range []int{0, http.StatusTeapot} {
		out.Reset()
		w := httptest.NewRecorder()
		l.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			*site.Noted(r.Context()) = site.Note{Pattern: "GET /a/{id}", Who: "a_1", Reason: "WHY"}
			if status != 0 {
				w.WriteHeader(status)
			}
			_, _ = w.Write([]byte("x"))
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
		}), w, httptest.NewRequest(http.MethodGet, "/a/secret", nil))
		want := ` msg=page method=GET pattern="GET /a/{id}" app=demo account=a_1 status=200 reason=WHY duration=`
		if status != 0 {
			want = strings.Replace(want, "200", "418", 1)
		}
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "secret") {
			t.Errorf("%s, want %s", out.String(), want)
		}
	}
	if n := site.Noted(t.Context()); n == nil || n.Pattern != "" {
		t.Errorf("without a Log: %+v", n)
	}
}

// TestLabel: what people know a browser by.
func TestLabel(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36":                        "Chromium on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":        "Edge on Windows",
		"Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/140.0.0.0 Mobile Safari/537.36":     "Samsung Internet on Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/60": "Safari on iPhone",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0":                                                 "Firefox on macOS",
		"<script>": "Browser on an unknown system",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("User-Agent", agent)
		if got := site.Label(r); got != want {
			t.Errorf("%s: %q, want %q", agent, got, want)
		}
	}
}
