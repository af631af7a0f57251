package site_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/staunchid/staunch/web/site"
)

// TestGuard: a request that another site may have sent reaches nothing.
func TestGuard(t *testing.T) {
	header := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				if r.Header.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
					r.Header.Del(pairs[i])
				}
			}
		}
	}
	const from, origin, kind = "Sec-Fetch-Site", "Origin", "Content-Type"
	tests := []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"our page", header(), http.StatusOK},
		{"JSON with a charset", header(kind, "application/json; charset=utf-8"), http.StatusOK},
		{"an old browser at our page", header(from, ""), http.StatusOK},
		{"a program without cookies", header("Cookie", "", origin, "", from, ""), http.StatusOK},
		{"another site", header(from, "cross-site", origin, "https://evil.example"), http.StatusForbidden},
		{"a sibling host", header(from, "same-site"), http.StatusForbidden},
		{"another origin, an old browser", header(from, "", origin, "https://evil.example"), http.StatusForbidden},
		{"a cookie and no word of where from", header(origin, "", from, ""), http.StatusForbidden},
		{"a form", header(kind, "application/x-www-form-urlencoded"), http.StatusUnsupportedMediaType},
		{"text", header(kind, "text/plain"), http.StatusUnsupportedMediaType},
		{"no type", header(kind, ""), http.StatusUnsupportedMediaType},
		{"another method and a form", func(r *http.Request) { r.Method = http.MethodPut; r.Header.Set(kind, "text/plain") }, http.StatusUnsupportedMediaType},
		{"a link of another site", func(r *http.Request) { r.Method = http.MethodGet; r.Header = http.Header{from: {"cross-site"}} }, http.StatusOK},
	}
	for _, tt := range tests {
		reached := false
		h := site.Guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
		r := httptest.NewRequest(http.MethodPost, "https://accounts.example.org/act", strings.NewReader("{}"))
		header("Cookie", "a=b", from, "same-origin", origin, "https://accounts.example.org", kind, "application/json")(r)
		tt.change(r)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.want || reached != (tt.want == http.StatusOK) {
			t.Errorf("%s: %d, want %d; reached: %v", tt.name, w.Code, tt.want, reached)
		}
	}
}

// TestRules: the strict rules, and what each of the others adds.
func TestRules(t *testing.T) {
	const csp, robots, tls = "Content-Security-Policy", "X-Robots-Tag", "Strict-Transport-Security"
	const start = "default-src 'none'; script-src 'self'"
	const end = "; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
	for _, tt := range []struct {
		rules site.Rules
		want  map[string]string
	}{
		{site.Rules{}, map[string]string{
			csp: start + end, robots: "", tls: "", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
		}},
		{site.Rules{TLS: true}, map[string]string{csp: start + end, tls: "max-age=63072000", robots: ""}},
		{site.Rules{Hidden: true}, map[string]string{csp: start + end, tls: "", robots: "noindex"}},
		{site.Rules{WebAssembly: true}, map[string]string{csp: start + " 'wasm-unsafe-eval'" + end}},
	} {
		h := http.Header{}
		tt.rules.Set(h)
		for name, want := range tt.want {
			if got := h.Get(name); got != want {
				t.Errorf("%+v: %s: %q, want %q", tt.rules, name, got, want)
			}
		}
	}
}

// TestRead: one value, and no member that nobody reads.
func TestRead(t *testing.T) {
	for body, want := range map[string]bool{
		`{"name":"mika"}`: true, ` {"name":"mika"} ` + "\n": true, `{}`: true,
		`{"name":"mika","role":"admin"}`: false, `{"name":"mika"}{}`: false, `{"name":1}`: false, `x`: false, ``: false,
		`{"name":"` + strings.Repeat("m", 100) + `"}`: false,
	} {
		var in struct {
			Name string `json:"name"`
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		err := site.Read(httptest.NewRecorder(), r, 64, &in)
		if (err == nil) != want || err != nil && !errors.Is(err, site.ErrRequest) {
			t.Errorf("%.40s: %v", body, err)
		}
	}
}

// TestHost: an origin is https, or http where the traffic leaves no machine.
func TestHost(t *testing.T) {
	for origin, want := range map[string]string{
		"https://accounts.example.org": "accounts.example.org", "https://a.example:8443": "a.example:8443",
		"http://localhost:8080": "localhost:8080", "http://console.localhost:1": "console.localhost:1",
		"http://accounts.example.org": "", "http://notlocalhost": "", "http://localhost.example.org": "", "https://a.example/": "", "https://a.example/x": "",
		"https://u@a.example": "", "a.example": "", "https://": "", "": "", "ftp://localhost": "", "https://a.example?x": "",
	} {
		if got, err := site.Host(origin); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", origin, got, err)
		}
	}
}

// TestLocal: 127.0.0.1 leads to localhost, if pages are there, and nothing else does.
func TestLocal(t *testing.T) {
	origins := map[string]string{"localhost:8080": "http://localhost:8080"}
	for host, want := range map[string]string{
		"127.0.0.1:8080": "http://localhost:8080/a?b", "[::1]:8080": "http://localhost:8080/a?b", "127.0.0.1:9": "", "127.0.0.1": "",
		"192.0.2.1:8080": "", "evil.example:8080": "", "localhost:8080": "",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, w := httptest.NewRequest(method, "/a?b", nil), httptest.NewRecorder()
			r.Host = host
			to := ""
			if site.Local(w, r, origins) {
				to = w.Header().Get("Location")
			}
			if method == http.MethodGet && to != want || method == http.MethodPost && to != "" {
				t.Errorf("%s %s leads to %q, want %q", method, host, to, want)
			}
		}
	}
}

// TestAssets: a file is at an address that is its content's, and nothing else is there.
func TestAssets(t *testing.T) {
	a := site.NewAssets("/assets")
	at, err := a.AddAll(fstest.MapFS{"assets/page.js": {Data: []byte("a()")}, "assets/style.css": {Data: []byte("a{}")}}, "assets")
	if err != nil || len(at) != 2 {
		t.Fatalf("%v, %v", at, err)
	}
	if other := site.NewAssets("/assets").Add(".js", "text/javascript", []byte("b()")); other == at["page.js"] {
		t.Error("one address for two contents")
	}
	for path, want := range map[string]int{at["page.js"]: 200, at["style.css"]: 200, "/assets/page.js": 404, "/assets/": 404} {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		kept := strings.Contains(w.Header().Get("Cache-Control"), "immutable")
		if w.Code != want || kept != (want == 200) {
			t.Errorf("%s: %d, kept %v", path, w.Code, kept)
		}
	}
	if _, err := site.NewAssets("/assets").AddAll(fstest.MapFS{"assets/x.html": {}}, "assets"); err == nil || !strings.Contains(err.Error(), "x.html") {
		t.Errorf("a file of no known kind: %v", err)
	}
}

// TestPages: what base.html and parts define is for every page.
func TestPages(t *testing.T) {
	files := fstest.MapFS{
		"t/base.html":       {Data: []byte(`{{define "begin"}}<h1>{{.}}</h1>{{end}}`)},
		"t/parts/more.html": {Data: []byte(`{{define "more"}}{{shout .}}{{end}}`)},
		"t/one.html":        {Data: []byte(`{{template "begin" .}}{{template "more" .}}`)},
		"t/two.html":        {Data: []byte(`{{template "begin" .}}{{.Missing}}`)},
	}
	p, err := site.ParsePages(files, "t", map[string]any{"shout": strings.ToUpper})
	if err != nil || len(p) != 2 {
		t.Fatalf("%v, %v", p, err)
	}
	w := httptest.NewRecorder()
	if err := p.Render(w, http.StatusTeapot, "one", "<mika>"); err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(w.Body); string(body) != "<h1>&lt;mika&gt;</h1>&lt;MIKA&gt;" || w.Code != http.StatusTeapot || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d, %s", w.Code, body)
	}
	for _, name := range []string{"two", "three"} { // one that fails half-way, and one that is not there
		w := httptest.NewRecorder()
		if err := p.Render(w, http.StatusOK, name, "mika"); err == nil || w.Body.Len() > 0 {
			t.Errorf("%s: %v, %s", name, err, w.Body)
		}
	}
}
