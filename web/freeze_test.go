package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// TestFreezeByCode: whoever has the code need be nobody, and what has not its form
// goes nowhere.
func TestFreezeByCode(t *testing.T) {
	const code = "aaaa-bbbb-cccc-dddd"
	for _, tt := range []struct {
		name, body string
		err        error
		status     int
		want       string
	}{
		{"as it was given", `{"code":"` + code + `"}`, nil, http.StatusOK, "If that is the freeze code"},
		{"as people type", `{"code":" AAAA BBBB CCCC DDDD"}`, nil, http.StatusOK, "If that is the freeze code"},
		{"too short", `{"code":"aaaa-bbbb-cccc"}`, nil, http.StatusBadRequest, "four groups of four"},
		{"none", `{}`, nil, http.StatusBadRequest, "four groups of four"},
		{"and an account", `{"code":"` + code + `","account":"x"}`, nil, http.StatusBadRequest, "Load it again"},
		{"too often", `{"code":"` + code + `"}`, &integrity.RateLimited{RetryAt: time.Now()}, http.StatusTooManyRequests, "RATE_LIMITED"},
	} {
		f := newFake()
		f.err = tt.err
		res := ask(t, newSite(t, f), http.MethodPost, "/freeze/code", tt.body, signedIn) // whose browser it is says nothing of whose code it is
		body := text(t, res)
		if res.StatusCode != tt.status || !strings.Contains(body, tt.want) || strings.Contains(strings.ToLower(body), "bbbb") {
			t.Errorf("%s: %d %s", tt.name, res.StatusCode, body)
		}
		called := strings.Join(f.calls, "; ")
		if reached := strings.Contains(called, `, kind "`+string(account.Anonymous)+`", session ""`); reached != (tt.status != http.StatusBadRequest) || !reached && called != "" {
			t.Errorf("%s: called %q", tt.name, called)
		}
		if len(res.Cookies()) > 0 {
			t.Errorf("%s: cookies %v", tt.name, res.Cookies())
		}
	}
}

// TestStopping: what waits says how the owner stops it, in words that fit it.
func TestStopping(t *testing.T) {
	for action, want := range map[account.Action][]string{
		account.DeleteAccount:   {"Your account will be deleted", "thought better of it", "Keep my account", "Your account stays."},
		account.UnfreezeAccount: {"will be unfrozen", "Keep it frozen", "stays frozen"},
		account.StartRecovery:   {"recovering your account", "This wasn&#39;t me", "That recovery is gone."},
		"app.pay":               {"Something is waiting", "This wasn&#39;t me"},
	} {
		f := newFake()
		f.status.Rest.Pending = []integrity.PendingRow{{ID: "w_abcdefghijklmnopqrstuvwxy2", Action: action, OpensAt: f.status.At.Add(time.Hour)}}
		page := text(t, ask(t, newSite(t, f), http.MethodGet, "/account", "", signedIn))
		for _, w := range append(want, `data-pending="w_abcdefghijklmnopqrstuvwxy2"`, "1:00:00") {
			if !strings.Contains(page, w) && !strings.Contains(page, strings.ReplaceAll(w, "&#39;", "'")) {
				t.Errorf("%s: no %q", action, w)
			}
		}
		if strings.Contains(page, "what was added goes") {
			t.Errorf("%s: nothing was added", action)
		}
	}
	f := newFake()
	f.status.Rest.OthersHeld = []integrity.HeldDevice{{Device: device, Name: "Pixel", MayVeto: true, Hold: account.Hold{Reason: account.HoldNew, Until: time.Now().Add(time.Hour)}}}
	page := text(t, ask(t, newSite(t, f), http.MethodGet, "/account", "", signedIn))
	for _, w := range []string{"Pixel was added and is cooling off", "what was added goes", `data-said="Pixel is gone. If you have a recovery PIN, change it."`} {
		if !strings.Contains(page, w) {
			t.Errorf("a device that was added: no %q", w)
		}
	}
}
