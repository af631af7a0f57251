package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/web/console"
)

// TestSignInAndOut: the cookies, the browser's binding, and where it leads.
func TestSignInAndOut(t *testing.T) {
	f := newFake()
	s := newSite(t, f)
	res := ask(t, s, "/signin/begin", "{}")
	c := res.Cookies()
	if res.StatusCode != http.StatusOK || len(c) != 1 || c[0].Name != "__Host-staunch-console-c" || !c[0].HttpOnly || !c[0].Secure || c[0].SameSite != http.SameSiteStrictMode || c[0].Path != "/" || c[0].Domain != "" {
		t.Fatalf("%d, %+v", res.StatusCode, c)
	}
	if f.browser.Origin != origin || len(f.browser.Cookie) != 32 {
		t.Errorf("browser: %+v", f.browser)
	}
	bound := f.browser.Cookie
	answer := func(to string) string {
		return fmt.Sprintf(`{"ceremony":%q,"response":{},"next":%q}`, ceremony, to)
	}
	res = ask(t, s, "/signin/finish", answer("/vaults?x=1"), cookie("__Host-staunch-console-c", bound))
	c = res.Cookies()
	if res.StatusCode != http.StatusOK || len(c) != 1 || c[0].Name != "__Host-staunch-console" || c[0].MaxAge != 8*3600 || !c[0].HttpOnly || !c[0].Secure || c[0].SameSite != http.SameSiteStrictMode || c[0].Domain != "" {
		t.Fatalf("%d, %+v", res.StatusCode, c)
	}
	if body := text(t, res); !strings.Contains(body, `"next":"/vaults?x=1"`) || strings.Contains(body, f.token.Text()) {
		t.Errorf("%s", body)
	}
	if string(f.browser.Cookie) != string(bound) {
		t.Error("the ceremony was finished by another browser")
	}
	for _, to := range []string{"https://evil.example/", "//evil.example", "////evil.example", "/\\evil.example", "/signin", "/enrol", "x", "", "/%0d%0aX: y"} {
		body := text(t, ask(t, s, "/signin/finish", answer(to)))
		if strings.Contains(body, "evil") || strings.Contains(body, "signin") || strings.Contains(body, "enrol") {
			t.Errorf("next %q: %s", to, body)
		}
	}
	// Who signs in anew leaves no session behind that nobody sees.
	former := operator.Secret(make([]byte, 32))
	ask(t, s, "/signin/finish", answer(""), cookie("__Host-staunch-console", former))
	if len(f.ended) != 1 || string(f.ended[0]) != string(former) {
		t.Errorf("ended: %d", len(f.ended))
	}
	res = ask(t, s, "/sign-out", "{}", signedIn)
	if c := res.Cookies(); res.StatusCode != http.StatusOK || len(c) != 1 || c[0].MaxAge >= 0 || len(f.ended) != 2 {
		t.Errorf("sign-out: %d, %+v", res.StatusCode, c)
	}
	if res := ask(t, s, "/sign-out", "{}"); reason(t, res) != "SESSION_ENDED" {
		t.Errorf("sign-out of nobody: %d", res.StatusCode)
	}
}

// TestEnrolment: the link's secret comes in a POST, whole.
func TestEnrolment(t *testing.T) {
	f := newFake()
	s := newSite(t, f)
	link := operator.Secret(make([]byte, 32))
	res := ask(t, s, "/enrol/begin", `{"link":"`+link.Text()+`"}`)
	if res.StatusCode != http.StatusOK || string(f.link) != string(link) {
		t.Errorf("%d, %x", res.StatusCode, []byte(f.link))
	}
	f.calls = nil
	for _, bad := range []string{`{"link":""}`, `{"link":"AAAA"}`, `{"link":"` + link.Text() + `="}`, `{"lnk":"x"}`, `{}{}`, `x`} {
		res := ask(t, s, "/enrol/begin", bad)
		if r := reason(t, res); r != "OPERATOR_INVITATION" && r != "REQUEST_MALFORMED" || len(f.calls) != 0 {
			t.Errorf("%s: %s, called %v", bad, r, f.calls)
		}
	}
	if res := ask(t, s, "/enrol/finish", `{"ceremony":"`+ceremony+`","response":{}}`); res.StatusCode != http.StatusOK || len(res.Cookies()) != 1 {
		t.Errorf("finish: %d, %v", res.StatusCode, res.Cookies())
	}
	if res := ask(t, s, "/enrol/finish", `{"ceremony":"x","response":{}}`); reason(t, res) != "REQUEST_MALFORMED" {
		t.Errorf("no ceremony: %d", res.StatusCode)
	}
}

// TestLimit: a network begins so many ceremonies a minute, whatever another does.
func TestLimit(t *testing.T) {
	f := newFake()
	clock := now
	s := newSite(t, f, func(o *console.Options) { o.Now = func() time.Time { return clock } })
	begin := func(address string) string {
		return reason(t, ask(t, s, "/signin/begin", "{}", func(r *http.Request) { r.RemoteAddr = address + ":1" }))
	}
	for i := range 30 {
		if why := begin(fmt.Sprintf("192.0.2.%d", i)); why != "" {
			t.Fatalf("%d: %s", i, why)
		}
	}
	if why := begin("192.0.2.99"); why != "RATE_LIMITED" {
		t.Errorf("one too many: %s", why)
	}
	if why := reason(t, ask(t, s, "/enrol/begin", `{"link":"`+f.token.Text()+`"}`)); why != "RATE_LIMITED" { // httptest's address is of the same network
		t.Errorf("an enrolment beside: %s", why)
	}
	if why := begin("198.51.100.1"); why != "" {
		t.Errorf("another network: %s", why)
	}
	clock = clock.Add(2 * time.Second)
	if why := begin("192.0.2.1"); why != "" {
		t.Errorf("two seconds later: %s", why)
	}
	if why := begin("192.0.2.1"); why != "RATE_LIMITED" {
		t.Errorf("and once more: %s", why)
	}
}
