//go:build envoy

// Package envoy_test runs the configuration of this folder in a real Envoy,
// between a Staunch and an upstream: `make test-envoy`, which sets the build tag
// and names the Envoy. Nothing here is skipped.
package envoy_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

const (
	token = "00112233445566778899aabbccddeeff"
	owner = "a_demodemodemodemodemodemode"
)

// rig is a Staunch, an upstream, and an Envoy between.
type rig struct {
	log      bytes.Buffer // of Staunch; to be read when it has stopped
	api      string
	stop     func()            // Staunch
	ports    map[string]string // of Envoy's listeners, by variant
	http     *http.Client      // HTTP/1.1
	http2    *http.Client
	upstream struct {
		sync.Mutex
		seen []seen
	}
}

// seen is a request as it has reached the upstream.
type seen struct {
	Method, URI, Host, Body string
	Claims                  map[string][]string // X-Staunch-... and the like, X-Note, and what overrides the request line
}

// variants are the listeners that Envoy has: that of the example, and others in
// which one line is left out or wrong.
func variants() map[string][]string {
	const body = "              with_request_body:\n                max_request_bytes: 1048576\n" +
		"                allow_partial_message: false\n                pack_as_bytes: true\n"
	return map[string][]string{ // what is replaced, by what
		"example":   nil,
		"text":      {"encode_raw_headers: true", "encode_raw_headers: false"},
		"text body": {"pack_as_bytes: true", "pack_as_bytes: false"},
		"partial":   {"allow_partial_message: false", "allow_partial_message: true", "max_request_bytes: 1048576", "max_request_bytes: 10"},
		"large":     {"max_request_bytes: 1048576", "max_request_bytes: 1100000"},
		"no body":   {body, ""},
		"token":     {"STAUNCH_TOKEN", "PATH"},
		"other app": {"staunch.app: demo", "staunch.app: other"},
		"misspelt":  {"staunch.app: demo", "staunch.aap: demo"},
		"account":   {"staunch.app: demo", "staunch.account-header: x-session-account"},
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func newRig(t *testing.T) *rig {
	t.Helper()
	binary := os.Getenv("TEST_ENVOY")
	if binary == "" {
		t.Fatal("TEST_ENVOY does not name an Envoy; run make test-envoy, which downloads one")
	}
	g := &rig{ports: map[string]string{}, http: client(false), http2: client(true)}
	g.startStaunch(t)
	up := httptest.NewServer(http.HandlerFunc(g.receive))
	t.Cleanup(up.Close)
	g.startEnvoy(t, binary, up.Listener.Addr().String())
	return g
}

// client speaks one version of HTTP.
func client(two bool) *http.Client {
	p := new(http.Protocols)
	p.SetHTTP1(!two)
	p.SetUnencryptedHTTP2(two)
	return &http.Client{Transport: &http.Transport{Protocols: p}}
}

func (g *rig) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s := seen{r.Method, r.RequestURI, r.Host, string(body), map[string][]string{}}
	for name, lines := range r.Header {
		for _, part := range []string{"staunch", "note", "override"} {
			if strings.Contains(strings.ToLower(name), part) {
				s.Claims[name] = lines
			}
		}
	}
	g.upstream.Lock()
	defer g.upstream.Unlock()
	g.upstream.seen = append(g.upstream.seen, s)
	io.WriteString(w, "paid\n")
}

func (g *rig) startStaunch(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	c := config.Defaults()
	c.Listen = "127.0.0.1:0"
	c.DataDir = filepath.Join(dir, "data")
	c.Attest.PolicyFile = write("policy.toml", attesttest.DemoPolicy())
	c.Attest.StatusListFile = write("status.json", `{"entries":{}}`)
	c.Apps = []config.App{{ID: attesttest.DemoApp, RootSecretFile: write("root", strings.Repeat(token, 2)), ServiceTokenFile: write("token", token)}}
	s, err := server.New(&server.Options{Config: &c, DangerousTestRoots: true, Logger: slog.New(slog.NewTextHandler(&g.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	g.api = s.URL()
	g.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(g.stop)
}

// startEnvoy runs the example with a listener for each variant.
func (g *rig) startEnvoy(t *testing.T, binary, upstream string) {
	t.Helper()
	text, err := os.ReadFile("envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	replaced := func(text string, pairs ...string) string {
		for p := range slices.Chunk(pairs, 2) {
			if !strings.Contains(text, p[0]) {
				t.Fatalf("envoy.yaml has no %q", p[0])
			}
			text = strings.Replace(text, p[0], p[1], 1)
		}
		return text
	}
	head, rest, ok := strings.Cut(string(text), "  - name: public\n")
	listener, clusters, ok2 := strings.Cut(rest, "  clusters:\n")
	if !ok || !ok2 {
		t.Fatal("envoy.yaml has no listener called public, or no clusters behind it")
	}
	_, staunch, _ := net.SplitHostPort(strings.TrimPrefix(g.api, "http://"))
	_, pay, _ := net.SplitHostPort(upstream)
	clusters = replaced(clusters, "port_value: 8080", "port_value: "+staunch, "port_value: 9000", "port_value: "+pay)
	for i, name := range slices.Sorted(maps.Keys(variants())) {
		g.ports[name] = freePort(t)
		head += replaced("  - name: public"+strconv.Itoa(i)+"\n"+listener, append(variants()[name], "10000", g.ports[name])...)
	}
	file := filepath.Join(t.TempDir(), "envoy.yaml")
	if err := os.WriteFile(file, []byte(head+"  clusters:\n"+clusters), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command(binary, "-c", file, "--concurrency", "1", "--use-dynamic-base-id", "-l", "warn")
	cmd.Env = append(os.Environ(), "STAUNCH_TOKEN="+token)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("Envoy:\n%s", out.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		res, err := http.Get("http://127.0.0.1:" + g.ports["example"] + "/healthz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				break
			}
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("Envoy has ended: %v\n%s", err, out.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("Envoy does not answer /healthz")
		}
	}
	g.upstream.seen = nil
}
