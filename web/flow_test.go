package web_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

func answer(next string) string {
	return `{"ceremony":"` + ceremony + `","response":{},"next":"` + next + `"}`
}

// TestCookies: both have the prefix and the attributes that the design wants.
func TestCookies(t *testing.T) {
	f := newFake()
	s := newSite(t, f)
	c := cookie(ask(t, s, http.MethodPost, "/signin/begin", `{"mediation":"conditional"}`), "__Host-staunch-c")
	if c == nil || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteStrictMode || c.MaxAge != 600 || len(c.Value) != 43 {
		t.Fatalf("ceremony: %+v", c)
	}
	if len(f.browser.Cookie) != 32 || f.browser.Origin != origin || f.browser.Label != "Chromium on Linux" {
		t.Errorf("%+v", f.browser)
	}
	first := f.browser.Cookie

	again := cookie(ask(t, s, http.MethodPost, "/signin/begin", "{}", func(r *http.Request) { r.AddCookie(c) }), "__Host-staunch-c")
	if again == nil || again.Value != c.Value {
		t.Errorf("a second tab undoes the first: %v", again)
	}
	res := ask(t, s, http.MethodPost, "/signin/finish", answer("/account/devices"), func(r *http.Request) { r.AddCookie(c) })
	if !slices.Equal(f.browser.Cookie, first) {
		t.Error("the ceremony is not finished with the cookie that it was begun with")
	}
	token := cookie(res, "__Host-staunch")
	if token == nil || !token.Secure || !token.HttpOnly || token.Path != "/" || token.Domain != "" || token.SameSite != http.SameSiteLaxMode || token.MaxAge != 30*24*3600 {
		t.Fatalf("session: %+v", token)
	}
	if body := text(t, res); !strings.Contains(body, `"next":"/account/devices"`) || strings.Contains(body, token.Value) {
		t.Error(body)
	}
	ask(t, s, http.MethodPost, "/signin/finish", answer(""))
	if f.browser.Cookie != nil {
		t.Error("a ceremony is finished by a browser without its cookie")
	}
	up := cookie(ask(t, s, http.MethodPost, "/account/step-up/finish", answer(""), signedIn), "__Host-staunch")
	if up == nil || up.Value == token.Value {
		t.Error("no new token although the class rose")
	}
}

// TestCookieTwice: of two cookies of a name, none counts.
func TestCookieTwice(t *testing.T) {
	res := ask(t, newSite(t, newFake()), http.MethodPost, "/account/freeze", "{}", signedIn, signedIn)
	if res.StatusCode != http.StatusUnauthorized {
		t.Error(res.StatusCode)
	}
}

func TestNext(t *testing.T) {
	for in, want := range map[string]string{
		"/account": "/account", "/account/approve/" + approval: "/account/approve/" + approval, "": "/account",
		"https://evil.example": "/account", "//evil.example": "/account", "/account/../x": "/account", "/account\\\\evil": "/account",
		"/accounts": "/account", "/account?x": "/account", "/signin": "/account", "/account\\n": "/account",
	} {
		body := text(t, ask(t, newSite(t, newFake()), http.MethodPost, "/signin/finish", answer(in)))
		if !strings.Contains(body, `"next":"`+want+`"`) {
			t.Errorf("%q leads to %s", in, body)
		}
	}
}

// TestRefusals: an error reaches a person as its reason and as words, and what
// nobody expected as neither.
func TestRefusals(t *testing.T) {
	tests := []struct {
		err    error
		status int
		want   string
	}{
		{passkey.ErrUnknown, http.StatusUnauthorized, `"reason":"PASSKEY_UNKNOWN"`},
		{passkey.ErrRefused, http.StatusUnauthorized, `"reason":"PASSKEY_REFUSED"`},
		{&integrity.RateLimited{RetryAt: time.Now()}, http.StatusTooManyRequests, `"reason":"RATE_LIMITED"`},
		{&account.Refused{Why: account.WhyStepUp, Need: account.Fresh}, http.StatusForbidden, `"need":"fresh"`},
		{&account.Refused{Why: account.WhyAccountFrozen}, http.StatusPreconditionFailed, `"reason":"ACCOUNT_FROZEN"`},
		{errors.New("sqlite: secret detail"), http.StatusInternalServerError, `"reason":"INTERNAL"`},
	}
	for _, tt := range tests {
		f := newFake()
		f.err = tt.err
		res := ask(t, newSite(t, f), http.MethodPost, "/signin/finish", answer(""))
		body := text(t, res)
		if res.StatusCode != tt.status || !strings.Contains(body, tt.want) || strings.Contains(body, "secret detail") {
			t.Errorf("%v: %d %s", tt.err, res.StatusCode, body)
		}
		if cookie(res, "__Host-staunch") != nil {
			t.Errorf("%v: a session all the same", tt.err)
		}
	}
}

func TestStrictJSON(t *testing.T) {
	for _, body := range []string{"", "{", "[]", `{"x":1}`, `{}{}`, `{"ceremony":"` + ceremony + `","response":{},"account":"` + owner + `"}`, `{"ceremony":"` + ceremony + `","response":{}} x`, `{"response":"` + strings.Repeat("x", 100<<10) + `"}`} {
		f := newFake()
		res := ask(t, newSite(t, f), http.MethodPost, "/signin/finish", body)
		if res.StatusCode != http.StatusBadRequest || len(f.calls) > 0 {
			t.Errorf("%.40s: %d, calls %v", body, res.StatusCode, f.calls)
		}
	}
}

// TestSignOutFailsOnStoreError: who was not signed out keeps the cookie and is
// told so (GHSA-7mqr-2v3q-v2wm).
func TestSignOutFailsOnStoreError(t *testing.T) {
	f := newFake()
	f.err = errors.New("disk full")
	res := ask(t, newSite(t, f), http.MethodPost, "/account/sign-out", "{}", signedIn)
	if res.StatusCode != http.StatusInternalServerError || cookie(res, "__Host-staunch") != nil {
		t.Errorf("%d, %v", res.StatusCode, res.Cookies())
	}
	f.err = nil
	res = ask(t, newSite(t, f), http.MethodPost, "/account/sign-out", "{}", signedIn)
	if c := cookie(res, "__Host-staunch"); res.StatusCode != http.StatusOK || c == nil || c.MaxAge >= 0 {
		t.Errorf("%d, %v", res.StatusCode, c)
	}
}

// TestSignedOutPages: no page of an account without a session that may read.
func TestSignedOutPages(t *testing.T) {
	f := newFake()
	s := newSite(t, f)
	for _, path := range []string{"/account", "/account/devices", "/account/passkeys", "/account/alerts", "/account/approve/" + approval} {
		res := ask(t, s, http.MethodGet, path, "")
		if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), "/signin?next=%2Faccount") {
			t.Errorf("%s: %d %s", path, res.StatusCode, res.Header.Get("Location"))
		}
	}
	f.status.Rest = nil // a browser's session that is too old to read
	if res := ask(t, s, http.MethodGet, "/account", "", signedIn); res.StatusCode != http.StatusSeeOther {
		t.Errorf("decayed: %d", res.StatusCode)
	}
	f.status.AccountState = account.Locked
	if res := ask(t, s, http.MethodGet, "/account", "", signedIn); res.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("locked: %d", res.StatusCode)
	}
}

// TestPropose: only what pages offer, in the parameters that the flows read.
func TestPropose(t *testing.T) {
	for body, want := range map[string]string{
		`{"action":"device.remove","device":"` + device + `"}`:              `device.remove {"device":"` + device + `"}`,
		`{"action":"device.add","code":"phone.x","number":"42"}`:            `device.add {"join":"j_abcdefghijklmnopqrstuvwxy2","number":"42"}`,
		`{"action":"device.add","code":"guest.x","number":"42"}`:            `guest.approve {"join":"j_abcdefghijklmnopqrstuvwxy2","number":"42"}`,
		`{"action":"account.unfreeze"}`:                                     `account.unfreeze {}`,
		`{"action":"sealing.rotate"}`:                                       "",
		`{"action":"app.pay"}`:                                              "",
		`{"action":"device.remove","device":"d","account":"` + owner + `"}`: "",
	} {
		f := newFake()
		res := ask(t, newSite(t, f), http.MethodPost, "/account/propose", body, signedIn)
		got := ""
		if len(f.calls) > 0 {
			got = strings.TrimPrefix(f.calls[0], "Propose ") + " " + f.params
		}
		if got != want || (res.StatusCode == http.StatusOK) != (want != "") {
			t.Errorf("%s: %d, %q", body, res.StatusCode, got)
		}
	}
}

// TestApprovalPreimage: a page gets all that the challenge is the hash of, and
// shows the text as it is.
func TestApprovalPreimage(t *testing.T) {
	f := newFake()
	page := text(t, ask(t, newSite(t, f), http.MethodGet, "/account/approve/"+approval, "", signedIn))
	_, rest, _ := strings.Cut(page, `<script type="application/json" id="data">`)
	data, _, _ := strings.Cut(rest, "</script>")
	var got struct {
		Approval map[string]any `json:"approval"`
	}
	if err := json.Unmarshal([]byte(data), &got); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	for name, want := range map[string]any{
		"approval": approval, "app": "demo", "account": owner, "action": "app.pay", "text": f.text, "expires": 1785585900.0,
		"nonce": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE", "params_sha256": "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o",
	} {
		if got.Approval[name] != want {
			t.Errorf("%s: %v, want %v", name, got.Approval[name], want)
		}
	}
	if !strings.Contains(page, `<blockquote id="text">`+f.text+`</blockquote>`) {
		t.Error("the page does not show the text")
	}
	res := ask(t, newSite(t, f), http.MethodPost, "/account/confirm", `{"approval":"`+approval+`","response":{}}`, signedIn)
	if body := text(t, res); !strings.Contains(body, `"freeze_code":"aaaa-bbbb-cccc-dddd"`) {
		t.Error(body)
	}
}

func TestJoinQR(t *testing.T) {
	s := newSite(t, newFake())
	for path, want := range map[string]int{
		"/join/qr/staunch-join:j_abcdefghijklmnopqrstuvwxy2.AAECAwQFBgcICQoLDA0ODw.png": http.StatusOK,
		"/join/qr/https:%2F%2Fevil.example.png":                                         http.StatusNotFound,
		"/join/qr/staunch-join:j_abcdefghijklmnopqrstuvwxy2.png":                        http.StatusNotFound,
		"/join/qr/staunch-join:j_abcdefghijklmnopqrstuvwxy2.<svg>.png":                  http.StatusNotFound,
	} {
		res := ask(t, s, http.MethodGet, path, "")
		if res.StatusCode != want || want == http.StatusOK && !strings.HasPrefix(text(t, res), "\x89PNG") {
			t.Errorf("%s: %d %s", path, res.StatusCode, res.Header.Get("Content-Type"))
		}
	}
}

// TestAlertsNewestFirst: all of them are read, however many a page of the
// service has, and the newest stand on top.
func TestAlertsNewestFirst(t *testing.T) {
	f := newFake()
	for i := range uint64(450) {
		f.alerts = append(f.alerts, integrity.AlertRow{Seq: i + 1, Kind: "alert-" + strings.Repeat("i", int(i%7)), At: time.Now()})
	}
	f.alerts[449].Kind = "the last"
	page := text(t, ask(t, newSite(t, f), http.MethodGet, "/account/alerts", "", signedIn))
	if n := strings.Count(page, "<li><span class=\"icon\">"); n != 201 { // and the template's one
		t.Errorf("%d rows", n)
	}
	if _, list, _ := strings.Cut(page, `id="alerts"`); !strings.Contains(list[:900], "the last") {
		t.Error("the newest is not on top")
	}
	if !strings.Contains(page, `"after":450`) {
		t.Error("the page does not know after which alert to listen")
	}
	ask(t, newSite(t, f), http.MethodPost, "/account/seen", `{"seq":450}`, signedIn)
	if f.seen != 450 {
		t.Error(f.seen)
	}
}

// TestFormerSessionEnds: who signs in anew leaves no session behind that this
// browser had.
func TestFormerSessionEnds(t *testing.T) {
	f := newFake()
	ask(t, newSite(t, f), http.MethodPost, "/signin/finish", answer(""), signedIn)
	if !slices.Equal(f.calls, []string{"FinishSignIn", "SignOut"}) {
		t.Error(f.calls)
	}
	f = newFake()
	f.err = passkey.ErrRefused
	ask(t, newSite(t, f), http.MethodPost, "/signin/finish", answer(""), signedIn)
	if !slices.Equal(f.calls, []string{"FinishSignIn"}) {
		t.Errorf("a sign-in that failed: %v", f.calls)
	}
}
