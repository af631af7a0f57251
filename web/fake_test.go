package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/web"
)

const (
	host     = "accounts.example.org"
	origin   = "https://accounts.example.org"
	ceremony = "y_abcdefghijklmnopqrstuvwxy2"
	approval = "v_abcdefghijklmnopqrstuvwxy2"
	device   = "d_abcdefghijklmnopqrstuvwxy2"
	owner    = "a_abcdefghijklmnopqrstuvwxy2"
	session  = "s_abcdefghijklmnopqrstuvwxy2"
	moveID   = "t_abcdefghijklmnopqrstuvwxy2"
)

// fake is a service that says yes, notes what it was asked, and can be told to
// fail. Methods that no test wants are those of the nil Service, and panic.
type fake struct {
	web.Service
	err     error // of the next call that acts
	calls   []string
	token   []byte // that counts
	browser *integrity.Browser
	status  integrity.Status
	text    string // of approvals
	action  account.Action
	alerts  []integrity.AlertRow
	params  string
	seen    uint64
	moves   []*transfer.View
	away    error // of Moves
}

func newFake() *fake {
	return &fake{
		token: bytes.Repeat([]byte{7}, 32), text: "Pay 10.00 EUR to Bob",
		status: integrity.Status{Account: owner, AccountState: account.Active, Class: account.Person, At: time.Now(), Rest: &integrity.StatusRest{Passkeys: 1, Advice: []string{"add_second_passkey", "set_recovery_pin"}}},
	}
}

func (f *fake) called(name string, b *integrity.Browser) error {
	f.calls = append(f.calls, name)
	f.browser = b
	return f.err
}

func (f *fake) Network(string) string { return "net" }

func (f *fake) BrowserCaller(_ context.Context, t integrity.Token, _, _ string) (account.Caller, error) {
	if !bytes.Equal(t, f.token) {
		return account.Caller{}, integrity.ErrSessionEnded
	}
	return account.Caller{Kind: account.Browser, App: "demo", Account: owner, Session: session}, nil
}

func (f *fake) begun() *integrity.Begun {
	return &integrity.Begun{Ceremony: ceremony, Options: json.RawMessage(`{"challenge":"AAAA","rpId":"example.org"}`)}
}

func (f *fake) signed() integrity.Signed {
	return integrity.Signed{Account: owner, Session: session, Token: f.token, Until: time.Now().Add(60 * 24 * time.Hour)}
}

func (f *fake) BeginSignIn(_ context.Context, c account.Caller, in *integrity.SignInStart) (*integrity.Begun, error) {
	return f.begun(), f.called("BeginSignIn "+string(c.Kind), in.Browser)
}

func (f *fake) FinishSignIn(_ context.Context, _ account.Caller, in *integrity.SignInAnswer) (*integrity.SignInResult, error) {
	if err := f.called("FinishSignIn", in.Browser); err != nil {
		return nil, err
	}
	s := f.signed()
	return &integrity.SignInResult{Signed: &s}, nil
}

func (f *fake) BeginEnrol(_ context.Context, _ account.Caller, b *integrity.Browser) (*integrity.Begun, error) {
	return f.begun(), f.called("BeginEnrol", b)
}

func (f *fake) FinishEnrol(_ context.Context, _ account.Caller, in *integrity.EnrolAnswer) (*integrity.Enrolled, error) {
	return &integrity.Enrolled{Signed: f.signed()}, f.called("FinishEnrol", in.Browser)
}

func (f *fake) FinishStepUp(_ context.Context, _ account.Caller, in *integrity.StepUpAnswer) (*integrity.Signed, error) {
	s := f.signed()
	s.Token = bytes.Repeat([]byte{8}, 32)
	return &s, f.called("FinishStepUp", in.Browser)
}

func (f *fake) Freeze(context.Context, account.Caller) (*integrity.Frozen, error) {
	return &integrity.Frozen{State: account.Frozen, Changed: true}, f.called("Freeze", nil)
}

func (f *fake) FreezeByCode(_ context.Context, c account.Caller, code string) error {
	return f.called(fmt.Sprintf("FreezeByCode %s, kind %q, session %q", code, c.Kind, c.Session), nil)
}

func (f *fake) SignOut(context.Context, account.Caller) (*integrity.Ended, error) {
	return &integrity.Ended{Sessions: 1}, f.called("SignOut", nil)
}

func (f *fake) AckAlerts(_ context.Context, _ account.Caller, seq uint64) error {
	f.seen = seq
	return f.called("AckAlerts", nil)
}

func (f *fake) Status(context.Context, account.Caller) (*integrity.Status, error) {
	return &f.status, f.err
}

func (f *fake) Account(context.Context, account.Caller) (*integrity.AccountView, error) {
	return &integrity.AccountView{Account: account.Account{ID: owner, Handle: "marie"}}, nil
}

func (f *fake) Approvals(context.Context, account.Caller) ([]integrity.ApprovalRow, error) {
	return []integrity.ApprovalRow{{ID: approval, Action: f.action, Text: f.text, ExpiresAt: time.Now().Add(time.Minute)}}, nil
}

func (f *fake) Alerts(_ context.Context, _ account.Caller, after uint64, limit int) ([]integrity.AlertRow, error) {
	var out []integrity.AlertRow
	for _, a := range f.alerts {
		if a.Seq > after && len(out) < limit {
			out = append(out, a)
		}
	}
	return out, nil
}

func (f *fake) Moves(context.Context, account.Caller) ([]*transfer.View, error) {
	return f.moves, f.away
}

func (f *fake) CancelMove(_ context.Context, c account.Caller, id transfer.ID, token [32]byte, why transfer.Reason) (*transfer.View, error) {
	return &transfer.View{}, f.called(fmt.Sprintf("CancelMove %s %s %t %s", c.Session, id, token == [32]byte{}, why), nil)
}

func (f *fake) AlertText(a integrity.AlertRow) string { return a.Kind }

func (f *fake) Join(_ context.Context, _ account.Caller, _ account.JoinID, code string) (*integrity.JoinView, error) {
	kind, _, _ := strings.Cut(code, ".")
	return &integrity.JoinView{Join: "j_abcdefghijklmnopqrstuvwxy2", Kind: kind}, nil
}

func (f *fake) proposed(action account.Action) *integrity.Proposed {
	return &integrity.Proposed{
		Approval: integrity.ApprovalRow{ID: approval, Text: f.text, ExpiresAt: time.Now().Add(time.Minute)},
		Preimage: passkey.Approval{App: "demo", Account: owner, ID: approval, Action: action, Parameters: []byte(`{}`), Text: f.text, Nonce: bytes.Repeat([]byte{1}, 32), Expires: time.Unix(1785585900, 0)},
		Options:  json.RawMessage(`{"challenge":"AAAA"}`),
	}
}

func (f *fake) Propose(_ context.Context, _ account.Caller, in *integrity.Proposal, b *integrity.Browser) (*integrity.Proposed, error) {
	f.params = string(in.Params)
	return f.proposed(in.Action), f.called("Propose "+string(in.Action), b)
}

func (f *fake) Deny(_ context.Context, _ account.Caller, id account.ApprovalID) error {
	return f.called("Deny "+string(id), nil)
}

func (f *fake) OpenApproval(_ context.Context, _ account.Caller, _ account.ApprovalID, b *integrity.Browser) (*integrity.Proposed, error) {
	return f.proposed("app.pay"), f.called("OpenApproval", b)
}

func (f *fake) Confirm(_ context.Context, _ account.Caller, in *integrity.Confirmation) (*integrity.Confirmed, error) {
	return &integrity.Confirmed{Action: account.RenewFreezeCode, Result: json.RawMessage(`{"freeze_code":"aaaa-bbbb-cccc-dddd"}`)}, f.called("Confirm", &integrity.Browser{Cookie: in.Cookie})
}

// newSite makes a site over f; change may alter its options.
func newSite(t testing.TB, f *fake, change ...func(*web.Options)) *web.Site {
	t.Helper()
	o := &web.Options{App: "demo", Name: "Demo", Service: f, Origins: []string{origin, "http://localhost:8080"}, SignUp: true, RelatedOrigins: []byte(`{"origins":["` + origin + `"]}`)}
	for _, c := range change {
		c(o)
	}
	s, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends a request as a browser on our own page would; change may alter it.
func ask(t testing.TB, h http.Handler, method, path, body string, change ...func(*http.Request)) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = host
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36")
	if method == http.MethodPost {
		r.Header.Set("Origin", origin)
		r.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t testing.TB, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// signedIn adds the cookie of the session that counts.
func signedIn(r *http.Request) {
	r.AddCookie(&http.Cookie{Name: "__Host-staunch", Value: "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"})
}

func cookie(res *http.Response, name string) *http.Cookie {
	for _, c := range res.Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}
