package web_test

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/web"
)

// household is a fake whose account has a phone, a frozen one and one that cools off,
// two browsers, a passkey, something that waits, and an app that asks for something.
type household struct{ *fake }

func (household) Devices(context.Context, account.Caller) ([]integrity.DeviceView, []account.Session, error) {
	var all []integrity.DeviceView
	for id, state := range map[account.DeviceID]account.State{"d_1": account.Active, "d_2": account.Frozen, device: account.Held} {
		all = append(all, integrity.DeviceView{Device: account.Device{ID: id, Name: "Phone", State: state}})
	}
	return all, []account.Session{{ID: session, Kind: account.BrowserSession}, {ID: "s_2", Kind: account.BrowserSession}}, nil
}

func (household) Passkeys(context.Context, account.Caller) ([]integrity.PasskeyView, *integrity.Signals, error) {
	return []integrity.PasskeyView{{Ref: "c_1", Name: "Blue key"}}, nil, nil
}

// TestOffers: in every state of the account, pages offer what the server would do, all
// of it, and nothing else; and say until when the rest has to wait.
func TestOffers(t *testing.T) {
	pages := []string{"/account", "/account/devices", "/account/passkeys"}
	offers := map[account.Action]string{ // by what is in the markup
		account.ChangeHandle: `data-act="handle"`, account.FreezeAccount: `data-act="freeze"`, account.EndOtherSessions: `data-act="sign-out-others"`,
		account.RenewFreezeCode: `data-action="freeze_code.renew"`, account.DeleteAccount: `data-action="account.delete"`,
		account.RenameDevice: `data-act="rename" data-device`, account.RemoveDevice: `data-action="device.remove"`, account.UnfreezeDevice: `data-action="device.unfreeze"`,
		account.EndOneSession: `data-act="end-session"`, account.EndOwnSession: `data-act="sign-out"`, account.AddDevice: `id="join"`,
		account.RenameCredential: `data-act="rename" data-credential`, account.RemoveCredential: `data-action="credential.remove"`,
		account.AddCredential: `data-act="add"`, account.VetoAction: `data-act="veto"`,
	}
	for state, want := range map[account.State]struct {
		open  func(account.Requirement) bool
		later string
	}{
		account.Active: {func(account.Requirement) bool { return true }, ""},
		account.Frozen: {func(r account.Requirement) bool { return r.WhileFrozen && r.Action != account.FreezeAccount }, "until your account is unfrozen"},
		account.Held:   {func(r account.Requirement) bool { return r.WhileHeld }, "until your account has cooled off"},
	} {
		f := newFake()
		f.status.AccountState = state
		f.status.Rest.OthersHeld = []integrity.HeldDevice{{Device: device, Name: "Phone", MayVeto: true}}
		f.status.Rest.Pending = []integrity.PendingRow{{ID: "p_1", Action: account.DeleteAccount}}
		s := newSite(t, f, func(o *web.Options) { o.Service = household{f} })
		all := ""
		for _, path := range pages {
			r := ask(t, s, http.MethodGet, path, "", signedIn)
			body := text(t, r)
			if r.StatusCode != http.StatusOK {
				t.Fatalf("%s, %s: status %d", state, path, r.StatusCode)
			}
			if says := regexp.MustCompile(` ha(s|ve) to wait ` + want.later).MatchString(body); says != (want.later != "") {
				t.Errorf("%s, %s: the page says that something waits: %t", state, path, says)
			}
			all += body
		}
		for action, markup := range offers {
			if offered, may := strings.Contains(all, markup), want.open(account.Required(action)); offered != may {
				t.Errorf("%s: %s is offered: %t, and would be done: %t", state, action, offered, may)
			}
		}
		for _, found := range regexp.MustCompile(`data-action="([^"]*)"`).FindAllStringSubmatch(all, -1) {
			if action := account.Action(found[1]); action != account.UnfreezeAccount && offers[action] == "" {
				t.Errorf("%s is offered, and not in the test's table", action)
			}
		}
		if adds := strings.Contains(all, ">Add a passkey</a>"); adds != want.open(account.Required(account.AddCredential)) {
			t.Errorf("%s: the advice leads to adding a passkey: %t", state, adds)
		}
	}
}

// TestFrozenApproval: what cannot be agreed to while the account is frozen can be
// refused, without a look at a page that would not open.
func TestFrozenApproval(t *testing.T) {
	for _, tt := range []struct {
		state  account.State
		action account.Action
		look   bool
	}{
		{account.Active, "app.pay", true}, {account.Held, "app.pay", true}, {account.Frozen, "app.pay", false},
		{account.Frozen, account.RemoveDevice, false}, {account.Frozen, account.UnfreezeAccount, true},
	} {
		f := newFake()
		f.status.AccountState, f.action = tt.state, tt.action
		body := text(t, ask(t, newSite(t, f), http.MethodGet, "/account", "", signedIn))
		look, no := strings.Contains(body, `href="/account/approve/`+approval), strings.Contains(body, `data-act="deny" data-approval="`+approval)
		if look != tt.look || no == tt.look {
			t.Errorf("%s while %s: to look at %t, to refuse %t", tt.action, tt.state, look, no)
		}
	}
	f := newFake()
	if r := ask(t, newSite(t, f), http.MethodPost, "/account/deny", `{"approval":"`+approval+`"}`, signedIn); r.StatusCode != http.StatusOK || !slices.Contains(f.calls, "Deny "+approval) {
		t.Errorf("to say no: status %d, calls %q", r.StatusCode, f.calls)
	}
}
