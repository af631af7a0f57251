package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// errGuest: somebody whom another device has let in for a while. He sees a page
// of his own, whichever he asks for.
var errGuest = errors.New("web: a guest may not read the account")

// accountPage is what the pages of an account begin with. A session that may not
// read is sent to sign in anew; a guest's never may.
func (c *call) accountPage(script, title, path string) (*page, account.Caller, *integrity.Status, error) {
	o, err := c.owner()
	if err != nil {
		return nil, o, nil, err
	}
	st, err := c.service.Status(c.r.Context(), o)
	if err != nil {
		return nil, o, nil, err
	}
	if st.Rest == nil {
		switch {
		case st.AccountState == account.Locked:
			return nil, o, nil, &account.Refused{Action: account.AccountRead, Why: account.WhyAccountLocked}
		case slices.ContainsFunc(o.Proofs, func(p account.Proof) bool { return p.Method == account.ByApproval }):
			return nil, o, nil, errGuest
		}
		return nil, o, nil, integrity.ErrSessionRequired
	}
	last, err := c.lastAlert(o)
	if err != nil {
		return nil, o, nil, err
	}
	moves, err := c.moves(o)
	if err != nil {
		return nil, o, nil, err
	}
	p := c.page(script, title, path)
	p.Unread = st.Rest.AlertsUnread
	p.State = stateOf(st)
	p.State.showMoves(moves, st)
	p.data("after", last)
	return &p, o, st, nil
}

// data adds something for the page's script.
func (p *page) data(name string, value any) {
	p.Data[name] = value
}

// alertPage is how many alerts are read at once, and alertsShown how many a page
// shows.
const (
	alertPage   = 200
	alertsShown = 200
)

// alerts reads the newest ones, newest first.
func (c *call) alerts(o account.Caller) ([]integrity.AlertRow, error) {
	var all []integrity.AlertRow
	after := uint64(0)
	for {
		rows, err := c.service.Alerts(c.r.Context(), o, after, alertPage)
		if err != nil {
			return nil, err
		}
		for _, a := range rows {
			after = max(after, a.Seq)
		}
		if all = append(all, rows...); len(all) > alertsShown {
			all = all[len(all)-alertsShown:]
		}
		if len(rows) < alertPage {
			slices.Reverse(all)
			return all, nil
		}
	}
}

// lastAlert is the number after which a page follows the alerts.
func (c *call) lastAlert(o account.Caller) (uint64, error) {
	all, err := c.alerts(o)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[0].Seq, nil
}

func (c *call) overviewPage() error {
	p, o, st, err := c.accountPage("overview", "Your account", "/account")
	if err != nil {
		return err
	}
	a, err := c.service.Account(c.r.Context(), o)
	if err != nil {
		return err
	}
	rows, err := c.service.Approvals(c.r.Context(), o)
	if err != nil {
		return err
	}
	v := overviewPage{
		page: *p, Name: a.Account.Handle, Passkeys: st.Rest.Passkeys, Devices: st.Rest.Devices,
		Browsers: len(browsersOf(a.Sessions, o.Session)), MayFreeze: st.AccountState == account.Active || st.AccountState == account.Held,
	}
	for _, r := range rows {
		if r.By.Session == o.Session { // asked for on this very page, in a dialog that was closed
			continue
		}
		v.Approvals = append(v.Approvals, approvalRow{ID: string(r.ID), Text: r.Text, Expires: r.ExpiresAt, Waits: p.State.waits(r.Action)})
	}
	for _, name := range st.Rest.Advice {
		if w, ok := adviceOf(name); ok {
			if !p.State.open(account.Required(account.AddCredential)) { // which is what the links lead to
				w.Link = ""
			}
			v.Advice = append(v.Advice, w)
		}
	}
	return c.pages.Render(c.w, http.StatusOK, "overview", v)
}

// adviceOf is what a browser can say of an advice. What only an app can follow
// is left to the app.
func adviceOf(name string) (adviceView, bool) {
	switch name {
	case "add_second_passkey":
		return adviceView{"Add a second passkey", "With only one, a lost device means a lost account.", "/account/passkeys", "Add a passkey"}, true
	case "replace_shared_passkey":
		return adviceView{"Replace a passkey", "A device that you removed may still have one of your passkeys. Make a new one and remove the old.", "/account/passkeys", "Your passkeys"}, true
	case "change_pin":
		return adviceView{"Change your recovery PIN", "Somebody tried to get in. Open the app on your phone and choose a new PIN.", "", ""}, true
	}
	return adviceView{}, false
}

func (c *call) devicesPage() error {
	p, o, st, err := c.accountPage("devices", "Devices", "/account/devices")
	if err != nil {
		return err
	}
	devices, sessions, err := c.service.Devices(c.r.Context(), o)
	if err != nil {
		return err
	}
	v := devicesPage{page: *p, Browsers: browsersOf(sessions, o.Session)}
	for _, d := range devices {
		row := deviceView{
			ID: string(d.Device.ID), Name: d.Device.Name, Platform: platform(d.Device.Platform), Tag: tagOf(d.Device),
			AddedAt: d.Device.AddedAt, LastSeenAt: d.Device.LastSeenAt, Frozen: d.Device.State == account.Frozen,
		}
		row.MayVeto = p.State.open(account.Required(account.VetoAction)) && slices.ContainsFunc(st.Rest.OthersHeld, func(h integrity.HeldDevice) bool { return h.Device == d.Device.ID && h.MayVeto })
		v.Devices = append(v.Devices, row)
	}
	return c.pages.Render(c.w, http.StatusOK, "devices", v)
}

func platform(p string) string {
	switch p {
	case "android":
		return "Android"
	case "ios":
		return "iPhone"
	}
	return p
}

func tagOf(d account.Device) *tag {
	switch d.State {
	case account.Held:
		if d.Hold.Reason == account.HoldLeaving {
			return &tag{"warn", "Leaving"}
		}
		return &tag{"warn", "Cooling off"}
	case account.Frozen:
		return &tag{"bad", "Frozen"}
	case account.Locked:
		return &tag{"bad", "Locked"}
	}
	return nil
}

// browsersOf are the sessions that live in browsers, this one first.
func browsersOf(sessions []account.Session, this account.SessionID) []browserView {
	var out []browserView
	for _, s := range sessions {
		if s.Kind == account.PhoneSession {
			continue
		}
		out = append(out, browserView{
			ID: string(s.ID), Label: s.Label, Place: s.Place, This: s.ID == this, Guest: s.Kind == account.GuestSession,
			CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt,
		})
	}
	slices.SortStableFunc(out, func(a, b browserView) int {
		if a.This != b.This {
			if a.This {
				return -1
			}
			return 1
		}
		return b.CreatedAt.Compare(a.CreatedAt)
	})
	return out
}

func (c *call) passkeysPage() error {
	p, o, _, err := c.accountPage("passkeys", "Passkeys", "/account/passkeys")
	if err != nil {
		return err
	}
	all, signals, err := c.service.Passkeys(c.r.Context(), o)
	if err != nil {
		return err
	}
	p.data("signals", signals)
	v := passkeysPage{page: *p}
	for _, k := range all {
		row := passkeyView{
			ID: string(k.Ref), Name: k.Name, Where: "On your devices", AddedAt: k.AddedAt, LastUsedAt: k.LastUsedAt,
		}
		if !k.Synced {
			row.Where = "On one device or security key"
		}
		if k.Provider != "" && !strings.EqualFold(k.Provider, k.Name) {
			row.Provider = k.Provider + " (unverified)"
		}
		if k.State == account.CredentialSuspect {
			row.Tag = &tag{"bad", "Remove it: it may have been copied"}
		}
		v.Passkeys = append(v.Passkeys, row)
	}
	return c.pages.Render(c.w, http.StatusOK, "passkeys", v)
}

func (c *call) alertsPage() error {
	p, o, st, err := c.accountPage("alerts", "Alerts", "/account/alerts")
	if err != nil {
		return err
	}
	rows, err := c.alerts(o)
	if err != nil {
		return err
	}
	v := alertsPage{page: *p}
	for i, a := range rows {
		v.Alerts = append(v.Alerts, alertView{Text: c.service.AlertText(a), New: i < st.Rest.AlertsUnread, At: a.At})
	}
	return c.pages.Render(c.w, http.StatusOK, "alerts", v)
}
