package server_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/staunchid/staunch/server"
)

// setupDemo is a server whose pages are at localhost, where the demo may be.
func setupDemo(t *testing.T) (o *server.Options, page string) {
	t.Helper()
	o = setupAccounts(t, "demo")
	_, port, err := net.SplitHostPort(o.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	page, a := "http://localhost:"+port, &o.Config.Apps[0]
	a.RPID, a.Hosts, a.Origins = "localhost", []string{"localhost"}, []string{page}
	o.Demo = true
	return o, page
}

// ask makes a request at a server as a program would, and gives status and body.
func ask(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
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

// TestDemoOnlyWhereAsked: without Options.Demo nothing of the demo is there, and
// with it nothing where real phones could be concerned.
func TestDemoOnlyWhereAsked(t *testing.T) {
	opts, page := setupDemo(t)
	opts.Demo = false
	start(t, opts)
	for path, body := range map[string]string{
		"/demo": "", "/demo/": "", "/demo/settings": "", "/demo/records": "", "/demo/vaults": "",
		"/demo/attest": "{}", "/demo/verify": "{}", "/demo/insider/copy": "{}", "/demo/insider/restore": "{}", "/demo/pay/v1/remit": "{}",
	} {
		method, want := http.MethodGet, http.StatusNotFound
		if body != "" { // the pages answer GET for what they do not have
			method, want = http.MethodPost, http.StatusMethodNotAllowed
		}
		if code, text := ask(t, method, page+path, body); code != want {
			t.Errorf("%s: status %d, want %d: %s", path, code, want, text)
		}
	}
}

// TestDemo: the demo is at the printed address, and sees what the server refuses.
func TestDemo(t *testing.T) {
	opts, page := setupDemo(t)
	s := start(t, opts)
	if code, text := ask(t, http.MethodGet, s.URL()+"/", ""); code != http.StatusOK || !strings.Contains(text, "a thief") {
		t.Errorf("/: status %d: %s", code, text)
	}
	if code, text := ask(t, http.MethodGet, page+"/demo/settings", ""); code != http.StatusOK || !strings.Contains(text, `"recovery":null`) {
		t.Errorf("settings: status %d: %s", code, text)
	}
	if code, text := ask(t, http.MethodPost, page+"/demo/pay/v1/remit", "{}"); code != http.StatusUnauthorized {
		t.Errorf("an unsigned payment: status %d: %s", code, text)
	}
	if code, text := ask(t, http.MethodPost, page+"/staunch.account.v1.AccountService/GetAccount", "{}"); code != http.StatusUnauthorized {
		t.Errorf("an unsigned call: status %d: %s", code, text)
	}
	code, text := ask(t, http.MethodGet, page+"/demo/records", "")
	for _, want := range []string{`"action":"attest.request"`, `"code":"common.signature_missing"`, `"action":"GetAccount"`, `"action":"attest.policy"`} {
		if code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("records: status %d, without %s: %s", code, want, text)
		}
	}
	if code, text := ask(t, http.MethodGet, page+"/signin", ""); code != http.StatusOK {
		t.Errorf("the app's own pages: status %d: %s", code, text)
	}
	if code, _ := ask(t, http.MethodGet, page+"/demo/vaults?account=a_aaaaaaaaaaaaaaaaaaaaaaaaaa", ""); code != http.StatusNotFound {
		t.Errorf("vaults of a server that has none: status %d", code)
	}
}

// TestDemoRefused is a server with a demo and small changes to it.
func TestDemoRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*server.Options)
		want   string
	}{
		"real phones":         {func(o *server.Options) { o.DangerousTestRoots = false }, "DangerousTestRoots"},
		"everybody's address": {func(o *server.Options) { o.Config.Listen = "0.0.0.0:0" }, "loopback"},
		"everybody's listener": {func(o *server.Options) {
			l, err := net.Listen("tcp", "0.0.0.0:0")
			if err != nil {
				t.Fatal(err)
			}
			o.Listener = l
		}, "loopback"},
		"no accounts": {func(o *server.Options) { o.Config = setup(t).Config }, "http://localhost"},
		"pages elsewhere": {func(o *server.Options) {
			o.Config.Apps[0].Hosts, o.Config.Apps[0].Origins = []string{"demo.localhost"}, []string{"http://demo.localhost:1"}
		}, "http://localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			opts, _ := setupDemo(t)
			tt.change(opts)
			s, err := server.New(opts)
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}
