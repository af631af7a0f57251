package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/transfer"
)

// accountReader reads one account; it has been recorded that somebody does.
type accountReader interface {
	// FindAccount finds by an exact id or a handle. What is nobody's is
	// integrity.ErrAccountUnknown.
	FindAccount(ctx context.Context, who account.Caller, text string) (account.ID, error)
	Inspect(ctx context.Context, who account.Caller, id account.ID) (*integrity.Inspected, error)
	AlertText(a integrity.AlertRow) string
	// Holdings is what the vaults hold; nil where nothing is brought back by a PIN.
	Holdings(ctx context.Context, who account.Caller, id account.ID) (*recovery.Holdings, error)
	// Accounts reports whether the app has any: else it has attestation alone.
	Accounts() bool
}

type accountsPage struct {
	page
	Asked   string
	Unknown bool
	None    bool // the app has no accounts here
}

// accountsPage asks for an account, and goes to it.
func (c *call) accountsPage() error {
	text := strings.TrimSpace(c.r.URL.Query().Get("find"))
	p := accountsPage{page: c.page("", "Accounts"), Asked: text, None: !c.read.Accounts()}
	status := http.StatusOK
	if text != "" && !p.None {
		id, err := c.read.FindAccount(c.r.Context(), c.who, text)
		switch {
		case err == nil:
			if err := c.look(id); err != nil { // whose handle it is is told by where this leads
				return err
			}
			c.w.Header().Set("Cache-Control", "no-store")
			http.Redirect(c.w, c.r, "/accounts/"+url.PathEscape(string(id)), http.StatusSeeOther)
			return nil
		case !errors.Is(err, integrity.ErrAccountUnknown):
			return err
		}
		p.Unknown, status = true, http.StatusNotFound
	}
	return c.pages.Render(c.w, status, "accounts", p)
}

type accountPage struct {
	page
	View     *integrity.Inspected
	Alerts   []alertView
	Holdings *recovery.Holdings
	Chain    *audit.ChainReport
	Entries  []entryView
	Next     string // where older entries are
}

type alertView struct {
	At   time.Time
	Text string
}

// accountPage shows one account. That somebody looks is on its record before
// anything of it is read but that it is there.
func (c *call) accountPage() error {
	ctx := c.r.Context()
	if !c.read.Accounts() {
		return ErrNotFound
	}
	id, err := c.read.FindAccount(ctx, c.who, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	if string(id) != c.r.PathValue("id") { // by a handle: the address is not one of an account
		return ErrNotFound
	}
	if err := c.look(id); err != nil {
		return err
	}
	p := accountPage{page: c.page("", "Account")}
	if p.View, err = c.read.Inspect(ctx, c.who, id); err != nil {
		return err
	}
	for _, a := range p.View.Alerts {
		p.Alerts = append(p.Alerts, alertView{a.At, c.read.AlertText(a)})
	}
	if p.Holdings, err = c.read.Holdings(ctx, c.who, id); err != nil {
		return err
	}
	if p.Chain, err = c.read.CheckChain(ctx, c.who, id); err != nil {
		return err
	}
	found, err := c.read.SearchAudit(ctx, c.who, &audit.Query{Account: &id})
	if err != nil {
		return err
	}
	for _, e := range found.Entries {
		p.Entries = append(p.Entries, viewEntry(e))
	}
	if found.Next != (audit.Place{}) {
		p.Next = auditAsked{Account: string(id), after: found.Next}.address()
	}
	return c.pages.Render(c.w, http.StatusOK, "account", p)
}

// StateMark is the class of a state's tag.
func (accountPage) StateMark(s account.State) string {
	switch s {
	case account.Active:
		return "good"
	case account.Locked, account.Frozen:
		return "bad"
	case account.Held:
		return "warn"
	}
	return ""
}

// Hold says why something waits, and until when.
func (p accountPage) Hold(h account.Hold) string {
	why := string(h.Reason)
	if text, ok := map[account.HoldReason]string{
		account.HoldNew: "it is new", account.HoldRecovered: "after a recovery", account.HoldLeaving: "it leaves",
	}[h.Reason]; ok {
		why = text
	}
	switch {
	case h.Until.IsZero() && h.Left > 0:
		return fmt.Sprintf("held: %s; the clock stands with %s to go", why, span(h.Left))
	case h.Until.IsZero():
		return "held: " + why
	}
	return fmt.Sprintf("held: %s; until %s (%s)", why, when(h.Until), ago(h.Until, p.Now))
}

// Live are the devices that count, tombstones left out.
func (p accountPage) Live() (n int) {
	for _, d := range p.View.Devices {
		if d.State != account.Deleted {
			n++
		}
	}
	return n
}

// Device is the name of a device, and its id.
func (p accountPage) Device(id account.DeviceID) string {
	for _, d := range p.View.Devices {
		if d.ID == id && d.Name != "" {
			return d.Name
		}
	}
	return string(id)
}

// Move says how a move stands.
func (p accountPage) Move(t transfer.Transfer) string {
	text := audit.Words(audit.Entry{Action: "transfer." + string(t.State)})
	if t.Reason != "" {
		text += ": " + strings.ReplaceAll(string(t.Reason), "_", " ")
	}
	switch {
	case t.State == transfer.Held && !t.Opens.IsZero():
		text += "; it may begin " + ago(t.Opens, p.Now)
	case t.State == transfer.Acked && !t.RecallUntil.IsZero():
		text += "; it can be taken back until " + when(t.RecallUntil)
	}
	return text
}

// Guesses says how many guesses at the PIN a vault has counted.
func (p accountPage) Guesses(v recovery.Holding) string {
	switch {
	case !v.Found:
		return "holds nothing"
	case v.State == wire.StateDeleted:
		return "has forgotten it"
	case v.State == wire.StateLocked:
		return "locked for ever"
	}
	return fmt.Sprintf("%d of %d guesses used", v.Used, p.Holdings.Limit)
}

// GuessMark is the class of that.
func (p accountPage) GuessMark(v recovery.Holding) string {
	switch {
	case !v.Found || v.State == wire.StateDeleted:
		return ""
	case v.State == wire.StateLocked:
		return "bad"
	case v.Used > 0:
		return "warn"
	}
	return "good"
}

// Waits says what waits.
func (accountPage) Waits(r integrity.PendingRow) string {
	return audit.Words(audit.Entry{Action: string(r.Action)})
}
