package demo_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/staunchid/staunch/web/demo"
)

// TestNewRefuses: the demo is nowhere but on this machine.
func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*demo.Options){
		"good":                     func(*demo.Options) {},
		"no app":                   func(o *demo.Options) { o.App = "" },
		"no name":                  func(o *demo.Options) { o.Name = "" },
		"no server":                func(o *demo.Options) { o.Server = nil },
		"no origin":                func(o *demo.Options) { o.Origins = nil },
		"an address of others":     func(o *demo.Options) { o.Origins = []string{"http://demo.example.com"} },
		"https elsewhere":          func(o *demo.Options) { o.Origins = []string{"https://demo.example.com"} },
		"looks like localhost":     func(o *demo.Options) { o.Origins = []string{"http://notlocalhost:8080"} },
		"a page and not an origin": func(o *demo.Options) { o.Origins = []string{"http://localhost:8080/demo"} },
	} {
		o := &demo.Options{App: "demo", Name: "Demo", Origins: []string{"http://" + host}, Server: &fakeServer{}}
		change(o)
		if _, err := demo.New(o); (err == nil) != (name == "good") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhoMayAsk is a good request and small changes to it.
func TestWhoMayAsk(t *testing.T) {
	s := newSite(t, &fakeServer{})
	good := `{"account":"` + string(marie) + `","vault":"v1"}`
	for name, tt := range map[string]struct {
		body   string
		change func(*http.Request)
		want   int
	}{
		"good":                         {good, func(*http.Request) {}, 200},
		"a program":                    {good, func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") }, 200},
		"another site":                 {good, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"another port":                 {good, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
		"another origin, old browser":  {good, func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "http://evil.example") }, 403},
		"a form":                       {good, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415},
		"a name that points here":      {good, func(r *http.Request) { r.Host = "evil.example:8080" }, 421},
		"another port of this machine": {good, func(r *http.Request) { r.Host = "localhost:9090" }, 421},
		"the address as a number":      {good, func(r *http.Request) { r.Host = "127.0.0.1:8080" }, 421},
		"another member":               {`{"account":"` + string(marie) + `","vault":"v1","x":1}`, func(*http.Request) {}, 400},
		"two values":                   {good + good, func(*http.Request) {}, 400},
		"no account":                   {`{"account":"marie","vault":"v1"}`, func(*http.Request) {}, 400},
		"no such record":               {`{"account":"` + string(marie) + `","vault":"v9"}`, func(*http.Request) {}, 404},
		"more than there can be":       {`{"vault":"` + strings.Repeat("x", 300<<10) + `"}`, func(*http.Request) {}, 400},
	} {
		w := send(s, http.MethodPost, "/demo/insider/copy", tt.body, tt.change)
		if w.Code != tt.want {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, tt.want, w.Body)
		}
		if w.Header().Get("Content-Security-Policy") == "" || strings.Contains(w.Header().Get("Content-Security-Policy"), "unsafe-inline") {
			t.Errorf("%s: policy %q", name, w.Header().Get("Content-Security-Policy"))
		}
	}
	w := send(s, http.MethodGet, "/demo?x=1", "", func(r *http.Request) { r.Host = "127.0.0.1:8080" })
	if w.Code != http.StatusTemporaryRedirect || w.Header().Get("Location") != "http://localhost:8080/demo?x=1" {
		t.Errorf("the number is sent to %d %q", w.Code, w.Header().Get("Location"))
	}
}
