package server_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
	"github.com/staunchid/staunch/server"
)

const secret = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// setup writes the files of a good server and returns its options.
func setup(t testing.TB) *server.Options {
	t.Helper()
	return setupIn(t, t.TempDir())
}

// setupIn is setup in a folder that may have the files already.
func setupIn(t testing.TB, dir string) *server.Options {
	t.Helper()
	c := config.Defaults()
	c.Listen = "127.0.0.1:0"
	c.Recovery.Profile = config.ProfileNone
	c.DataDir = filepath.Join(dir, "data")
	c.Attest.PolicyFile = write(t, filepath.Join(dir, "policy.toml"), attesttest.DemoPolicy())
	c.Attest.StatusListFile = write(t, filepath.Join(dir, "status.json"), `{"entries":{}}`)
	c.Apps = []config.App{{
		ID: "demo", RootSecretFile: write(t, filepath.Join(dir, "root"), secret+"\n"),
		ServiceTokenFile: write(t, filepath.Join(dir, "token"), secret[:40]+"\n"),
	}}
	return &server.Options{Config: &c, DangerousTestRoots: true}
}

func write(t testing.TB, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// running is a server that runs until the test ends or stop is called.
type running struct {
	*server.Server
	stop func() error
}

func start(t testing.TB, opts *server.Options) running {
	t.Helper()
	s, err := server.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	r := running{s, func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}}
	t.Cleanup(func() { r.stop() })
	return r
}

func get(t testing.TB, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

func TestNewRefuses(t *testing.T) {
	replace := func(file, old, new string) func(*testing.T, *server.Options) {
		return func(t *testing.T, o *server.Options) {
			name := filepath.Join(filepath.Dir(o.Config.DataDir), file)
			data, err := os.ReadFile(name)
			if err != nil || !strings.Contains(string(data), old) {
				t.Fatalf("%s lacks %q: %v", file, old, err)
			}
			write(t, name, strings.ReplaceAll(string(data), old, new))
		}
	}
	tests := []struct {
		name   string
		change func(*testing.T, *server.Options)
		want   string // empty: good
	}{
		{"good", func(*testing.T, *server.Options) {}, ""},
		{"no config", func(_ *testing.T, o *server.Options) { o.Config = nil }, "no Config"},
		{"test roots", func(_ *testing.T, o *server.Options) { o.DangerousTestRoots = false }, "android.dangerous_extra_roots: this policy trusts roots"},
		{"no policy", func(_ *testing.T, o *server.Options) { o.Config.Attest.PolicyFile += "x" }, "attest.policy_file"},
		{"typo in the policy", replace("policy.toml", "challenge_lifetime", "challenge_life"), "app[0].challenge_life: unknown key"},
		{"wrong value in the policy", replace("policy.toml", `challenge_lifetime = "5m"`, `challenge_lifetime = "5d"`), "app[0].challenge_lifetime: "},
		{"policy of another app", replace("policy.toml", `"demo"`, `"other"`), `no [[app]] has the id "demo"`},
		{"no status list", func(_ *testing.T, o *server.Options) { o.Config.Attest.StatusListFile += "x" }, "attest.status_list_file"},
		{"bad status list", replace("status.json", "{}", `{"nothex": {"status": "REVOKED"}}`), "attest.status_list_file"},
		{"no token file", func(_ *testing.T, o *server.Options) { o.Config.Apps[0].ServiceTokenFile += "x" }, "app[0].service_token_file"},
		{"short token", replace("token", secret[:10], ""), "app[0].service_token_file"},
		{"no root secret", func(_ *testing.T, o *server.Options) { o.Config.Apps[0].RootSecretFile += "x" }, "app[0].root_secret_file"},
		{"short root secret", replace("root", secret, secret[:31]), "holds 31 characters"},
		{"root secret of another app", func(_ *testing.T, o *server.Options) {
			a := o.Config.Apps[0]
			a.ID = "other"
			o.Config.Apps = append(o.Config.Apps, a)
		}, "the root secret of app other is also the root secret of app demo"},
		{"one file for token and root secret", func(_ *testing.T, o *server.Options) {
			o.Config.Apps[0].ServiceTokenFile = o.Config.Apps[0].RootSecretFile
		}, "app[0].service_token_file: the service token of app demo is also the root secret of app demo"},
		{"token of one app is the root secret of another", func(t *testing.T, o *server.Options) {
			o.Config.Apps = append(o.Config.Apps, config.App{
				ID: "other", RootSecretFile: write(t, o.Config.Apps[0].RootSecretFile+"2", "\n "+secret[:40]),
			})
		}, "app[1].root_secret_file: the root secret of app other is also the service token of app demo"},
		{"one token for two apps", func(t *testing.T, o *server.Options) {
			o.Config.Apps = append(o.Config.Apps, config.App{
				ID: "other", RootSecretFile: write(t, o.Config.Apps[0].RootSecretFile+"2", secret[1:]), ServiceTokenFile: o.Config.Apps[0].ServiceTokenFile,
			})
		}, "app[1].service_token_file: the service token of app other is also the service token of app demo"},
		{"bad app id", func(_ *testing.T, o *server.Options) { o.Config.Apps[0].ID = "../x" }, "app[0].id"},
		{"no certificate", func(_ *testing.T, o *server.Options) { o.Config.TLSCertFile, o.Config.TLSKeyFile = "none", "none" }, "tls_cert_file"},
		{"data_dir is a file", func(_ *testing.T, o *server.Options) { o.Config.DataDir = o.Config.Attest.PolicyFile }, "data_dir"},
		{"store of another app", func(t *testing.T, o *server.Options) {
			s, err := server.New(o)
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
			if err := os.Rename(filepath.Join(o.Config.DataDir, "demo.db"), filepath.Join(o.Config.DataDir, "other.db")); err != nil {
				t.Fatal(err)
			}
			replace("policy.toml", `"demo"`, `"other"`)(t, o)
			o.Config.Apps[0].ID = "other"
		}, "another app"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := setup(t)
			tt.change(t, opts)
			s, err := server.New(opts)
			if err == nil {
				defer s.Close()
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), secret[:31]) {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	opts := setup(t)
	if _, err := server.Check(opts.Config, time.Now()); !errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), "apple.dangerous_extra_roots") {
		t.Errorf("test roots: %v", err)
	}
	if _, err := os.Stat(opts.Config.DataDir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a check makes the data_dir: %v", err)
	}
}

func TestOneServerADir(t *testing.T) {
	opts := setup(t)
	first, err := server.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.New(opts); !errors.Is(err, server.ErrInUse) {
		t.Errorf("second server: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := server.New(opts)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestBusyAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	opts := setup(t)
	opts.Config.Listen = l.Addr().String()
	if _, err := server.New(opts); err == nil || !strings.Contains(err.Error(), "server: listen: ") {
		t.Errorf("err = %v", err)
	}
	opts.Config.Listen = "127.0.0.1:0" // what was opened before has been closed
	s, err := server.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestServes(t *testing.T) {
	s := start(t, setup(t))
	if code, body := get(t, s.URL()+"/healthz"); code != http.StatusOK || body != "ok\n" {
		t.Errorf("healthz: %d %s", code, body)
	}
	if code, _ := get(t, s.URL()+"/else"); code != http.StatusNotFound {
		t.Errorf("unknown path: %d", code)
	}
	// gRPC over unencrypted HTTP/2.
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	tr := &http.Transport{Protocols: p}
	defer tr.CloseIdleConnections()
	client := attestv1connect.NewAttestServiceClient(&http.Client{Transport: tr}, s.URL(), connect.WithGRPC())
	res, err := client.CreateChallenge(context.Background(), connect.NewRequest(&attestv1.CreateChallengeRequest{Purpose: attestv1.Purpose_PURPOSE_REGISTER}))
	if err != nil || len(res.Msg.GetChallenge()) != 32 {
		t.Fatalf("challenge %v: %v", res, err)
	}
	if d := res.Msg.GetExpiresAt().AsTime().Sub(res.Msg.GetServerTime().AsTime()); d != 5*time.Minute {
		t.Errorf("the challenge lives %s", d)
	}
	_, body := get(t, s.URL()+"/metrics")
	for _, want := range []string{
		`staunch_rpc_calls_total{code="ok",procedure="/staunch.attest.v1.AttestService/CreateChallenge",reason=""} 1`,
		`staunch_rpc_duration_seconds_count{procedure="/staunch.attest.v1.AttestService/CreateChallenge"} 1`,
		"go_goroutines",
		"staunch_attest_status_list_entries 0",
		"staunch_attest_status_list_age_seconds ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	if err := s.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := http.Get(s.URL() + "/healthz"); err == nil {
		t.Error("it answers after it has stopped")
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close after Run: %v", err)
	}
}

// enter sends the head of a call and returns when the server reads its body.
func enter(t *testing.T, s running, length string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_, err = io.WriteString(conn, "POST "+attestv1connect.AttestServiceCreateChallengeProcedure+" HTTP/1.1\r\nHost: x\r\n"+
		"Content-Type: application/json\r\nContent-Length: "+length+"\r\nExpect: 100-continue\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	if line, err := r.ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
		t.Fatalf("%q, %v", line, err)
	}
	return conn, r
}

// TestDrains: a call that runs when the server is stopped gets its answer.
func TestDrains(t *testing.T) {
	s := start(t, setup(t))
	const body = `{"purpose":"PURPOSE_REGISTER"}`
	conn, r := enter(t, s, strconv.Itoa(len(body)))
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	select {
	case err := <-stopped:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(r)
	if err != nil || !strings.Contains(string(answer), "HTTP/1.1 200 ") || !strings.Contains(string(answer), "challenge") {
		t.Errorf("answer %q: %v", answer, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestGraceEnds(t *testing.T) {
	opts := setup(t)
	opts.Config.ShutdownGrace.Duration = 50 * time.Millisecond
	s := start(t, opts)
	enter(t, s, "30") // and never send the body
	began := time.Now()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if d := time.Since(began); d > 20*time.Second { // without the bound it takes ReadTimeout, 30 s
		t.Errorf("stopping took %s", d)
	}
}

func TestBounds(t *testing.T) {
	s := start(t, setup(t))
	req, err := http.NewRequest(http.MethodGet, s.URL()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Large", strings.Repeat("x", 64<<10))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", res.StatusCode)
	}
}

func TestReload(t *testing.T) {
	opts := setup(t)
	var log strings.Builder
	opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := start(t, opts)
	lifetime := func() time.Duration {
		client := attestv1connect.NewAttestServiceClient(http.DefaultClient, s.URL())
		res, err := client.CreateChallenge(context.Background(), connect.NewRequest(&attestv1.CreateChallengeRequest{Purpose: attestv1.Purpose_PURPOSE_REGISTER}))
		if err != nil {
			t.Fatal(err)
		}
		return res.Msg.GetExpiresAt().AsTime().Sub(res.Msg.GetServerTime().AsTime())
	}
	entries := func() int {
		r, err := server.CheckStore(context.Background(), opts.Config.DataDir, "demo")
		if err != nil || !r.OK() {
			t.Fatalf("%+v: %v", r, err)
		}
		return r.Entries
	}
	policy := attesttest.DemoPolicy()
	write(t, opts.Config.Attest.PolicyFile, strings.Replace(policy, `challenge_lifetime = "5m"`, `challenge_lifetime = "6m"`, 1))
	if entries() != 1 {
		t.Errorf("%d entries after the start, which tells of the first policy", entries())
	}
	if err := s.Reload(context.Background()); err != nil || lifetime() != 6*time.Minute || entries() != 2 {
		t.Errorf("new policy: %v, %s, %d entries", err, lifetime(), entries())
	}
	if err := s.Reload(context.Background()); err != nil || entries() != 2 {
		t.Errorf("same policy: %v, %d entries", err, entries())
	}
	write(t, opts.Config.Attest.PolicyFile, policy+"\nnonsense = 1\n")
	if err := s.Reload(context.Background()); !errors.Is(err, config.ErrInvalid) || lifetime() != 6*time.Minute {
		t.Errorf("bad policy: %v, %s", err, lifetime())
	}
	write(t, opts.Config.Attest.PolicyFile, policy)
	write(t, opts.Config.Attest.StatusListFile, "{")
	if err := s.Reload(context.Background()); err == nil || lifetime() != 6*time.Minute {
		t.Errorf("bad list: %v, %s; all or nothing", err, lifetime())
	}
}

func TestUnhealthy(t *testing.T) {
	opts := setup(t)
	s := start(t, opts)
	db := openDB(t, opts)
	if _, err := db.Exec(`ALTER TABLE attest_challenge RENAME TO gone`); err != nil {
		t.Fatal(err)
	}
	if code, body := get(t, s.URL()+"/healthz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "app demo") || strings.Contains(body, "SQL") {
		t.Errorf("healthz: %d %s", code, body)
	}
}

func openDB(t *testing.T, opts *server.Options) *sql.DB {
	t.Helper()
	return openStore(t, opts, "demo")
}

func openStore(t *testing.T, opts *server.Options, app string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(opts.Config.DataDir, app+".db")+"?_pragma=busy_timeout(5000)") // a server writes meanwhile
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestCheckStore(t *testing.T) {
	opts := setup(t)
	s := start(t, opts)
	write(t, opts.Config.Attest.PolicyFile, strings.Replace(attesttest.DemoPolicy(), `"5m"`, `"6m"`, 1))
	if err := s.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	dir := opts.Config.DataDir
	if ids, err := server.Stores(dir); err != nil || len(ids) != 1 || ids[0] != "demo" {
		t.Errorf("stores %v: %v", ids, err)
	}
	db := openDB(t, opts)
	if _, err := db.Exec(`UPDATE audit_entry SET reason = 'changed'`); err != nil {
		t.Fatal(err)
	}
	if r, err := server.CheckStore(context.Background(), dir, "demo"); err != nil || r.OK() {
		t.Errorf("a changed entry is not found: %+v, %v", r, err)
	}
	for _, app := range []string{"other", "../demo", ""} {
		if _, err := server.CheckStore(context.Background(), dir, app); err == nil {
			t.Errorf("app %q has a store", app)
		}
	}
}

// certificate makes one for 127.0.0.1.
func certificate(t *testing.T, serial int64, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
}

func TestTLS(t *testing.T) {
	opts := setup(t)
	dir := filepath.Dir(opts.Config.DataDir)
	opts.Config.TLSCertFile, opts.Config.TLSKeyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certificate(t, 1, opts.Config.TLSCertFile, opts.Config.TLSKeyFile)
	s := start(t, opts)
	serial := func() (int64, string) {
		tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
		defer tr.CloseIdleConnections()
		res, err := (&http.Client{Transport: tr}).Get(s.URL() + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.TLS.PeerCertificates[0].SerialNumber.Int64(), res.Proto
	}
	if n, proto := serial(); n != 1 || proto != "HTTP/2.0" {
		t.Errorf("serial %d, %s", n, proto)
	}
	certificate(t, 2, opts.Config.TLSCertFile, opts.Config.TLSKeyFile)
	if err := s.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n, _ := serial(); n != 2 {
		t.Errorf("after a reload: serial %d", n)
	}
	if _, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
}
