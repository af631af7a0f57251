package demo_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/web/demo"
)

const (
	host              = "localhost:8080"
	marie  account.ID = "a_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	sample            = "a_bbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// fakeServer is a server of which the test says what it has recorded.
type fakeServer struct {
	entries []audit.Entry
	checker checker
}

type checker struct{ decision request.Decision }

func (c checker) CheckRequest(context.Context, *request.Check) (*request.Decision, error) {
	return &c.decision, nil
}

func (f *fakeServer) Vaults(context.Context) (*demo.Vaults, error) {
	return &demo.Vaults{
		Profile: "kr1-2of3", Limit: 10, Threshold: 2, PINMin: 6, SetVersion: 1, ReleaseK: 1,
		Release: [][]byte{{1, 2, 3}}, Members: []demo.Member{{ID: "v1", Operator: "local"}},
	}, nil
}

func (f *fakeServer) Holdings(_ context.Context, id account.ID) (*demo.Holdings, error) {
	if id != marie {
		return nil, nil
	}
	return &demo.Holdings{Limit: 10, Remaining: 8, Assurance: "process", Vaults: []demo.Holding{
		{Member: demo.Member{ID: "v1"}, Answers: true, Has: true, State: "active", Used: 2, Version: 5, At: time.Unix(1, 0)}, {Member: demo.Member{ID: "v2"}},
	}}, nil
}

func (f *fakeServer) Recorded(_ context.Context, since time.Time, yield func(audit.Entry)) error {
	for i := range f.entries { // newest first, as the store gives them
		if e := f.entries[len(f.entries)-1-i]; !e.Time.Before(since) {
			yield(e)
		}
	}
	return nil
}

func (f *fakeServer) Checker() request.Checker { return f.checker }

func (f *fakeServer) CopyRecord(_ context.Context, _ account.ID, vault string) (*demo.Record, error) {
	if vault != "v1" {
		return nil, demo.ErrNoRecord
	}
	return &demo.Record{Version: 5, Used: 2}, nil
}

func (f *fakeServer) RestoreRecord(ctx context.Context, id account.ID, vault string) (*demo.Record, error) {
	return f.CopyRecord(ctx, id, vault)
}

func newSite(t *testing.T, f *fakeServer) *demo.Site {
	t.Helper()
	s, err := demo.New(&demo.Options{App: "demo", Name: "Demo", Origins: []string{"http://" + host}, Server: f})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// send makes a request as the page would; change may make it another's.
func send(s http.Handler, method, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = host
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, fn := range change {
		fn(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func read[T any](t *testing.T, w *httptest.ResponseRecorder) (out T) {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return out
}

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

// TestPage: the page names its own files, and no other origin's.
func TestPage(t *testing.T) {
	s := newSite(t, &fakeServer{})
	html := send(s, http.MethodGet, "/demo", "").Body.String()
	if strings.Contains(html, "http://") || strings.Contains(html, "https://") || strings.Contains(html, "<style") || strings.Contains(html, "onclick") {
		t.Error("the page has something of elsewhere, or inline")
	}
	n := 0
	for _, part := range strings.Split(html, `"/demo/assets/`)[1:] {
		path, _, _ := strings.Cut(part, `"`)
		w := send(s, http.MethodGet, "/demo/assets/"+path, "")
		if n++; w.Code != 200 || w.Body.Len() == 0 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %d bytes", path, w.Code, w.Body.Len())
		}
	}
	if n != 3 {
		t.Errorf("%d files", n)
	}
	for _, path := range []string{"/demo/nothing", "/demo/assets/demo.js", "/demo/assets/../demo.go"} {
		if w := send(s, http.MethodGet, path, ""); w.Code == 200 {
			t.Errorf("%s is there", path)
		}
	}
	if got := send(s, http.MethodGet, "/demo/settings", "").Body.String(); !strings.Contains(got, `"keys":["AQID"]`) || !strings.Contains(got, `"rpId":"localhost"`) {
		t.Errorf("settings %s", got)
	}
}

// TestVaults: what the boxes show.
func TestVaults(t *testing.T) {
	s := newSite(t, &fakeServer{})
	got := read[struct {
		Limit, Remaining int
		Vaults           []struct {
			ID, State, At string
			Has           bool
			Used, Limit   int
		}
	}](t, send(s, http.MethodGet, "/demo/vaults?account="+string(marie), ""))
	if got.Limit != 10 || got.Remaining != 8 || len(got.Vaults) != 2 {
		t.Fatalf("%+v", got)
	}
	if v := got.Vaults[0]; !v.Has || v.Used != 2 || v.Limit != 10 || v.At != "1970-01-01T00:00:01Z" {
		t.Errorf("%+v", v)
	}
	if v := got.Vaults[1]; v.Has || v.State != "" || v.At != "" {
		t.Errorf("%+v", v)
	}
	if w := send(s, http.MethodGet, "/demo/vaults?account="+sample, ""); w.Code != 404 {
		t.Errorf("without vaults: %d", w.Code)
	}
}

// TestPay: the payment service pays for what the gate has let through, and for
// nothing else.
func TestPay(t *testing.T) {
	f := &fakeServer{}
	for name, tt := range map[string]struct {
		decision request.Decision
		body     string
		want     int
	}{
		"good":           {request.Decision{Allow: true, Identity: request.Identity{Key: "k", Account: string(marie)}}, `{"amount":5,"payee":"x"}`, 200},
		"refused":        {request.Decision{Codes: []string{"common.request_replay"}}, `{"amount":5,"payee":"x"}`, 401}, // it bears no signature at all
		"signed by none": {request.Decision{Allow: true}, `{"amount":5,"payee":"x"}`, 403},
		"nothing to pay": {request.Decision{Allow: true, Identity: request.Identity{Key: "k"}}, `{"amount":0,"payee":"x"}`, 400},
		"to nobody":      {request.Decision{Allow: true, Identity: request.Identity{Key: "k"}}, `{"amount":5}`, 400},
	} {
		f.checker.decision = tt.decision
		if w := send(newSite(t, f), http.MethodPost, "/demo/pay/v1/remit", tt.body); w.Code != tt.want {
			t.Errorf("%s: status %d, want %d: %s", name, w.Code, tt.want, w.Body)
		}
	}
}

func spki(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(der)
}

// TestPhones: the page's phones are what they were asked to be, and the pinned
// policy takes the genuine one alone, for its own key and challenge.
func TestPhones(t *testing.T) {
	s := newSite(t, &fakeServer{})
	key, challenge := spki(t), base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	other := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{8}, 32))
	chain := func(kind string) string {
		w := send(s, http.MethodPost, "/demo/attest", fmt.Sprintf(`{"platform":"android","kind":%q,"spki":%q,"challenge":%q}`, kind, key, challenge))
		text, err := json.Marshal(read[struct{ CertificateChain []string }](t, w).CertificateChain)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, tt := range map[string]struct {
		kind, key, challenge, code string
		want                       bool
	}{
		"good":              {"genuine", key, challenge, "", true},
		"another key":       {"genuine", spki(t), challenge, "", false},
		"another challenge": {"genuine", key, other, "common.challenge_mismatch", false},
		"repackaged":        {"repackaged", key, challenge, "android.app_signer", false},
		"emulator":          {"emulator", key, challenge, "android.software_root", false},
		"unlocked":          {"unlocked", key, challenge, "android.boot_unlocked", false},
		"forged":            {"forged", key, challenge, "android.signature", false},
		"software":          {"software", key, challenge, "android.level_software", false},
		"replayed":          {"replayed", key, challenge, "common.challenge_mismatch", false},
	} {
		t.Run(name, func(t *testing.T) {
			body := fmt.Sprintf(`{"evidence":{"platform":"android","chain":%s},"challenge":%q,"spki":%q}`, chain(tt.kind), tt.challenge, tt.key)
			got := read[struct {
				Accepted bool
				Key      string
				Findings []struct{ Code string }
			}](t, send(s, http.MethodPost, "/demo/verify", body))
			if got.Accepted != tt.want || tt.want && got.Key != key {
				t.Errorf("%+v", got)
			}
			if found := fmt.Sprint(got.Findings); !strings.Contains(found, tt.code) || tt.want && len(got.Findings) > 0 {
				t.Errorf("findings %s, want %s", found, tt.code)
			}
		})
	}
	for name, body := range map[string]string{
		"an iPhone":       fmt.Sprintf(`{"platform":"ios","kind":"genuine","spki":%q,"challenge":%q}`, key, challenge),
		"an unknown kind": fmt.Sprintf(`{"platform":"android","kind":"android-rsa-key","spki":%q,"challenge":%q}`, key, challenge),
		"no challenge":    fmt.Sprintf(`{"platform":"android","kind":"genuine","spki":%q,"challenge":""}`, key),
		"no key":          fmt.Sprintf(`{"platform":"android","kind":"genuine","spki":"AAAA","challenge":%q}`, challenge),
	} {
		if w := send(s, http.MethodPost, "/demo/attest", body); w.Code != 400 {
			t.Errorf("%s: status %d: %s", name, w.Code, w.Body)
		}
	}
}
