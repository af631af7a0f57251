package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/web/console"
)

const (
	host     = "console.example.org"
	origin   = "https://console.example.org"
	ceremony = "y_abcdefghijklmnopqrstuvwxy2"
	owner    = "a_abcdefghijklmnopqrstuvwxy2"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fake is operators who say yes, note what they were asked, and can be told to
// fail, and a reader with little to read. Methods that no test wants are those of
// the nil interfaces, and panic.
type fake struct {
	console.Operators
	console.Reader
	token   operator.Secret // that counts
	err     error           // of the next call that acts
	away    error           // of what is read
	calls   []string
	browser operator.Browser
	link    operator.Secret
	ended   []operator.Secret
	vaults  *console.Vaults
	queue   *console.Queue
	home    console.Overview
}

func newFake() *fake {
	return &fake{
		token: bytes.Repeat([]byte{7}, 32),
		home:  console.Overview{Since: now.Add(-time.Hour), Version: "v1", PolicyDigest: "sha256:abc", Seal: console.Seal{Number: 7, At: now.Add(-time.Minute)}},
	}
}

func (f *fake) Check(_ context.Context, token operator.Secret) (account.Caller, error) {
	if !bytes.Equal(token, f.token) {
		return account.Caller{}, operator.ErrSession
	}
	return account.Caller{Kind: account.Operator, App: "demo", Session: "s_1", Name: "mika"}, nil
}

func (f *fake) called(name string, b operator.Browser) error {
	f.calls = append(f.calls, name)
	f.browser = b
	return f.err
}

func (f *fake) begun() *operator.Begun {
	return &operator.Begun{Ceremony: ceremony, Options: json.RawMessage(`{"challenge":"AAAA"}`), Name: "mika"}
}

func (f *fake) signed() *operator.Signed {
	return &operator.Signed{Operator: "o_1", Name: "mika", Token: f.token, Until: now.Add(8 * time.Hour)}
}

func (f *fake) BeginEnrol(_ context.Context, link operator.Secret, b operator.Browser) (*operator.Begun, error) {
	f.link = link
	return f.begun(), f.called("BeginEnrol", b)
}

func (f *fake) FinishEnrol(_ context.Context, in *operator.Answer) (*operator.Signed, error) {
	return f.signed(), f.called("FinishEnrol", in.Browser)
}

func (f *fake) BeginSignIn(_ context.Context, b operator.Browser) (*operator.Begun, error) {
	return f.begun(), f.called("BeginSignIn", b)
}

func (f *fake) FinishSignIn(_ context.Context, in *operator.Answer) (*operator.Signed, error) {
	return f.signed(), f.called("FinishSignIn", in.Browser)
}

func (f *fake) SignOut(_ context.Context, token operator.Secret) error {
	f.calls, f.ended = append(f.calls, "SignOut"), append(f.ended, token)
	return f.err
}

func (f *fake) Overview(context.Context) (*console.Overview, error) { return &f.home, f.away }
func (f *fake) Vaults(context.Context) (*console.Vaults, error)     { return f.vaults, f.away }
func (f *fake) Queue(context.Context) (*console.Queue, error)       { return f.queue, f.away }

func newSite(t *testing.T, f *fake, with ...func(*console.Options)) *console.Site {
	t.Helper()
	o := &console.Options{App: "demo", Name: "Demo", Origin: origin, Operators: f, Reader: f, Now: func() time.Time { return now }}
	for _, change := range with {
		change(o)
	}
	s, err := console.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends a request as a browser of an operator does; a body makes it a POST.
func ask(t *testing.T, s http.Handler, path, body string, with ...func(*http.Request)) *http.Response {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	r := httptest.NewRequest(method, origin+path, strings.NewReader(body))
	r.Host = host
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, change := range with {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

func signedIn(r *http.Request) { cookie("__Host-staunch-console", bytes.Repeat([]byte{7}, 32))(r) }

func cookie(name string, secret operator.Secret) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: secret.Text()}) }
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// reason is that of an answer that is not the one asked for.
func reason(t *testing.T, r *http.Response) string {
	t.Helper()
	var p struct{ Reason, Message string }
	if err := json.Unmarshal([]byte(text(t, r)), &p); err != nil {
		t.Fatal(err)
	}
	return p.Reason
}
