package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/passkey/passkeytest"
	"github.com/staunchid/staunch/server"
)

// withConsoles is a server with two apps that have consoles.
func withConsoles(t *testing.T) *server.Options {
	t.Helper()
	o := setup(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Listener = l
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(o.Config.DataDir)
	name := filepath.Join(dir, "policy.toml")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	policy := string(b)
	write(t, name, policy+strings.Replace(policy[strings.Index(policy, "\n[[app]]"):], `"demo"`, `"two"`, 1))
	o.Config.Apps = append(o.Config.Apps, config.App{ID: "two", RootSecretFile: write(t, filepath.Join(dir, "root2"), strings.Repeat("ab", 32)+"\n")})
	for i, host := range []string{"console.localhost", "console.two.localhost"} {
		o.Config.Apps[i].Console = &config.Console{Host: host, Origin: "http://" + host + ":" + port, RPID: host}
	}
	return o
}

// visitor is a browser at a console.
type visitor struct {
	t       *testing.T
	url     string // of the server
	host    string // of the console, with port
	cookies map[string]string
}

func (v *visitor) do(method, path, body string) (int, string) {
	v.t.Helper()
	r, err := http.NewRequest(method, v.url+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Host = v.host
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", "application/json")
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		v.cookies[c.Name] = c.Value
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// enter makes a passkey by a link.
func (v *visitor) enter(link string) {
	v.t.Helper()
	key, err := passkeytest.New(&passkeytest.Options{})
	if err != nil {
		v.t.Fatal(err)
	}
	_, secret, _ := strings.Cut(link, "#")
	code, text := v.do(http.MethodPost, "/enrol/begin", fmt.Sprintf(`{"link":%q}`, secret))
	var c struct {
		Ceremony string
		Options  json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &c); code != http.StatusOK || err != nil {
		v.t.Fatalf("%d, %s, %v", code, text, err)
	}
	response, err := key.Create(c.Options, "http://"+v.host)
	if err != nil {
		v.t.Fatal(err)
	}
	if code, text := v.do(http.MethodPost, "/enrol/finish", fmt.Sprintf(`{"ceremony":%q,"response":%s}`, c.Ceremony, response)); code != http.StatusOK {
		v.t.Fatalf("%d, %s", code, text)
	}
}

// TestConsole: an operator is invited beside the running server, comes in, reads one
// app and nothing else, and is out when he is removed.
func TestConsole(t *testing.T) {
	o := withConsoles(t)
	s := start(t, o)
	ctx := t.Context()
	if _, err := server.OpenOperators(ctx, o.Config, "", "test"); err == nil || !strings.Contains(err.Error(), "name one") {
		t.Errorf("one of two: %v", err)
	}
	people, err := server.OpenOperators(ctx, o.Config, "demo", "local:test")
	if err != nil {
		t.Fatal(err)
	}
	defer people.Close()
	_, link, err := people.Invite(ctx, "mika")
	if err != nil {
		t.Fatal(err)
	}
	at := func(i int) string { return strings.TrimPrefix(o.Config.Apps[i].Console.Origin, "http://") }
	v := &visitor{t: t, url: s.URL(), host: at(0), cookies: map[string]string{}}
	if code, _ := v.do(http.MethodGet, "/", ""); code != http.StatusSeeOther {
		t.Errorf("a stranger: %d", code)
	}
	v.enter(link)
	code, page := v.do(http.MethodGet, "/", "")
	if code != http.StatusOK || !strings.Contains(page, "mika") || !strings.Contains(page, "Recovery by PIN</dt><dd>off") || !strings.Contains(page, "sha256:") {
		t.Errorf("%d\n%s", code, page)
	}
	if code, page := v.do(http.MethodGet, "/vaults", ""); code != http.StatusOK || !strings.Contains(page, "Nothing is brought back") {
		t.Errorf("/vaults: %d\n%s", code, page)
	}
	if code, page := v.do(http.MethodGet, "/queue", ""); code != http.StatusOK || !strings.Contains(page, "There is no queue") {
		t.Errorf("/queue: %d\n%s", code, page)
	}

	// Nothing else is served on its host, and the rest is where it was.
	for _, path := range []string{"/metrics", "/healthz", "/signup", "/staunch.attest.v1.AttestService/GetKey"} {
		if code, page := v.do(http.MethodGet, path, ""); code != http.StatusNotFound || !strings.Contains(page, "There is nothing here") {
			t.Errorf("%s on the console's host: %d\n%s", path, code, page)
		}
	}
	if code, page := v.do(http.MethodPost, "/staunch.attest.v1.AttestService/CreateChallenge", `{"purpose":"PURPOSE_REGISTER"}`); code == http.StatusOK {
		t.Errorf("the API is on the console's host: %s", page)
	}
	for _, path := range []string{"/metrics", "/healthz"} {
		if code, _ := get(t, s.URL()+path); code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
	}

	// The other app's console knows neither the session nor the link.
	other := &visitor{t: t, url: s.URL(), host: at(1), cookies: v.cookies}
	if code, _ := other.do(http.MethodGet, "/", ""); code != http.StatusSeeOther {
		t.Errorf("at the other console: %d", code)
	}
	if _, link, err = people.Invite(ctx, "aki"); err != nil {
		t.Fatal(err)
	}
	_, secret, _ := strings.Cut(link, "#")
	if code, text := other.do(http.MethodPost, "/enrol/begin", fmt.Sprintf(`{"link":%q}`, secret)); code != http.StatusNotFound {
		t.Errorf("the link at the other console: %d, %s", code, text)
	}

	if _, err := people.Remove(ctx, "mika"); err != nil {
		t.Fatal(err)
	}
	if code, _ := v.do(http.MethodGet, "/", ""); code != http.StatusSeeOther {
		t.Errorf("after the removal: %d", code)
	}
	if r, err := server.CheckApp(ctx, o.Config, "demo"); err != nil || !r.OK() {
		t.Errorf("check: %+v, %v", r, err)
	}
}

// TestConsoleHosts: a program whose configuration no file was may not put a console
// onto the host of pages, or another's.
func TestConsoleHosts(t *testing.T) {
	o := withConsoles(t)
	o.Config.Apps[1].Console.Host, o.Config.Apps[1].Console.Origin = o.Config.Apps[0].Console.Host, o.Config.Apps[0].Console.Origin
	if s, err := server.New(o); err == nil || !strings.Contains(err.Error(), "is used already") {
		t.Errorf("two on one host: %v, %v", s, err)
	}
	o = setupAccounts(t, "demo")
	o.Config.Apps[0].Console = &config.Console{Host: "demo.localhost", Origin: "http://demo.localhost", RPID: "demo.localhost"}
	if s, err := server.New(o); err == nil || !strings.Contains(err.Error(), "is used already") {
		t.Errorf("on the host of pages: %v, %v", s, err)
	}
}
