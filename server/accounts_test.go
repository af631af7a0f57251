package server_test

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// setupAccounts writes the files of a server whose apps have accounts, each at
// APP.localhost, and listens.
func setupAccounts(t testing.TB, apps ...string) *server.Options {
	t.Helper()
	return setupAccountsIn(t, t.TempDir(), apps...)
}

// setupAccountsIn is setupAccounts in a folder that may have the files already.
func setupAccountsIn(t testing.TB, dir string, apps ...string) *server.Options {
	t.Helper()
	opts := setupIn(t, dir)
	c := opts.Config
	if port := os.Getenv(portEnv); port != "" {
		c.Listen = "127.0.0.1:" + port
	}
	var err error
	if opts.Listener, err = net.Listen("tcp", c.Listen); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opts.Listener.Close() })
	_, port, err := net.SplitHostPort(opts.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	text, err := config.Sample()
	if err != nil {
		t.Fatal(err)
	}
	policy, app, _ := strings.Cut(attesttest.DemoPolicy(), "[[app]]")
	c.Apps = nil
	for i, id := range apps {
		one, err := config.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		a, b := one.Apps[0], byte(i+1)
		a.Console = nil // that of the sample is on one host, and the apps are several
		host := id + ".localhost"
		if os.Getenv(portEnv) != "" {
			host = "localhost" // package client takes no other name without TLS
		}
		a.ID, a.Name, a.Store, a.RPID, a.Hosts, a.Origins = id, strings.ToUpper(id), id+".db", host, []string{host}, []string{"http://" + host + ":" + port}
		a.AccountsWithoutDevice = true
		a.Limit.BeginDevice.N = 10_000 // phones here sign in as often as they can
		a.RootSecretFile = write(t, filepath.Join(dir, id+".root"), strings.Repeat(string('a'+rune(i)), 64))
		a.AuditKeyFile = keyFile(t, seed(b))
		der, err := x509.MarshalPKIXPublicKey(seed(b + 100).Public())
		if err != nil {
			t.Fatal(err)
		}
		a.BackendPublicKeyFile = writePEM(t, "PUBLIC KEY", der)
		a.ServiceTokenFile, a.WebhookURL, a.LogoFile, a.Passkey.MetadataFile = "", "", "", ""
		c.Apps = append(c.Apps, a)
		policy += "\n[[app]]" + strings.ReplaceAll(app, `"demo"`, `"`+id+`"`)
	}
	write(t, c.Attest.PolicyFile, policy)
	return opts
}

// TestAccountsRefused: what only the files, and the other packages, can tell of
// the configuration of accounts.
func TestAccountsRefused(t *testing.T) {
	file := func(change func(a *config.App, file string), text string) func(*testing.T, *config.App) {
		return func(t *testing.T, a *config.App) {
			change(a, write(t, filepath.Join(t.TempDir(), "file"), text))
		}
	}
	direct := func(a *config.App, file string) {
		a.Passkey.Attestation, a.Passkey.MetadataFile = "direct", file
	}
	private, err := x509.MarshalPKCS8PrivateKey(seed(9))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*testing.T, *config.App)
		want   string // empty: good
	}{
		{"good", func(*testing.T, *config.App) {}, ""},
		{"an action that there is not", func(_ *testing.T, a *config.App) { a.SyncedOK = []string{"register", "device.ad"} }, `app[0].synced_ok[1]: there is no action "device.ad"`},
		{"actions", func(_ *testing.T, a *config.App) {
			a.SyncedOK = []string{"register", "sign_in", "step_up", "device.add", "app.pay"}
		}, ""},
		{"no key of the backend", func(_ *testing.T, a *config.App) { a.BackendPublicKeyFile += "x" }, "app[0].backend_public_key_file: "},
		{"the backend's private key", file(func(a *config.App, f string) { a.BackendPublicKeyFile = f }, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))), `not a "PUBLIC KEY"`},
		{"no logo", func(_ *testing.T, a *config.App) { a.LogoFile = "nowhere.png" }, "app[0].logo_file: open nowhere.png"},
		{"a logo too large", file(func(a *config.App, f string) { a.LogoFile = f }, strings.Repeat("x", 256<<10+1)), "app[0].logo_file: "},
		{"a logo that may hold a script", file(func(a *config.App, f string) { a.LogoFile = f }, "<svg/>"), "logo: want a PNG"},
		{"no metadata", file(func(a *config.App, f string) { direct(a, f+"x") }, ""), "app[0].passkey.metadata_file: "},
		{"metadata that nobody signed", file(direct, "a.b.c"), "download it anew from https://mds3.fidoalliance.org/"},
		{"models without metadata", func(_ *testing.T, a *config.App) {
			a.Passkey.Attestation, a.Passkey.DenyModels = "direct", []string{"ee882879-721c-4913-9775-3dfcce97072a"}
		}, ""},
		{"an effect", func(_ *testing.T, a *config.App) { a.Passkey.PRFMissing = "ignore" }, "this app cannot be a Relying Party"},
		{"a wait too short", func(_ *testing.T, a *config.App) { a.Hold.Add.Duration = 1 }, "app[0].rp_id: policy: hold.add is 1ns"},
		{"no values", func(_ *testing.T, a *config.App) { a.Limit = nil }, "app[0].rp_id: session, hold, wait, passkey and limit are needed"},
		{"no audit key", func(_ *testing.T, a *config.App) { a.AuditKeyFile = "" }, "app[0].audit_key_file: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := setupAccounts(t, "demo")
			tt.change(t, &opts.Config.Apps[0])
			s, err := server.New(opts)
			if err == nil {
				s.Close()
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// page asks the server for a path at a host.
func page(t testing.TB, s running, host, path string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.Addr().String())
	r.Host = net.JoinHostPort(host, port)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body := make([]byte, 64<<10)
	n, _ := res.Body.Read(body)
	return res.StatusCode, string(body[:n]), res.Header
}

// TestPagesByHost: the host says which app a page is of, and no header does.
func TestPagesByHost(t *testing.T) {
	s := start(t, setupAccounts(t, "demo", "chat"))
	for host, name := range map[string]string{"demo.localhost": "DEMO", "chat.localhost": "CHAT"} {
		code, body, h := page(t, s, host, "/signin")
		if code != http.StatusOK || !strings.Contains(body, name) || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d %s", host, code, body)
		}
		if code, body, _ := page(t, s, host, "/.well-known/webauthn"); code != http.StatusOK || !strings.Contains(body, "http://"+host) || strings.Count(body, "http://") != 1 {
			t.Errorf("related origins of %s: %d %s", host, code, body)
		}
	}
	for _, host := range []string{"localhost", "other.localhost", "127.0.0.1"} {
		if code, body, _ := page(t, s, host, "/signin"); code != http.StatusNotFound {
			t.Errorf("%s has a page: %d %s", host, code, body)
		}
	}
	if code, body, _ := page(t, s, "127.0.0.1", "/"); code != http.StatusOK || !strings.Contains(body, "/healthz") {
		t.Errorf("the server's own page: %d %s", code, body)
	}
	if code, _, _ := page(t, s, "demo.localhost", "/healthz"); code != http.StatusOK {
		t.Errorf("healthz: %d", code)
	}
	if code, _, _ := page(t, s, "other.localhost", "/v1/alerts/stream"); code != http.StatusUnauthorized {
		t.Errorf("the stream of nobody: %d", code)
	}
}

// TestStoreOfAnotherApp: the store of one app is never opened for another.
func TestStoreOfAnotherApp(t *testing.T) {
	opts := setupAccounts(t, "demo", "chat")
	data := opts.Config.DataDir
	start(t, opts).stop()
	for _, name := range []string{"demo.db", "chat.db"} {
		if _, err := os.Stat(filepath.Join(data, name)); err != nil {
			t.Fatal(err)
		}
	}
	again := setupAccounts(t, "chat", "demo")
	again.Config.DataDir = data
	again.Config.Apps[0].Store, again.Config.Apps[1].Store = "demo.db", "chat.db"
	s, err := server.New(again)
	if err == nil {
		s.Close()
		t.Fatal("it starts")
	}
	if !strings.Contains(err.Error(), "belongs to another app") {
		t.Error(err)
	}
}
