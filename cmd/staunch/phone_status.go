package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	accountv1 "github.com/staunchid/staunch/gen/staunch/account/v1"
)

// PhoneStatusCmd is `staunch phone status`.
type PhoneStatusCmd struct {
	phoneFlags `embed:""`
}

// Help is the long text of --help.
func (PhoneStatusCmd) Help() string {
	return `It works in every state: a frozen phone can ask, too, and learns less.`
}

// Run asks the server.
func (c *PhoneStatusCmd) Run(s *streams) error {
	return c.runAnyhow(s, func(ctx context.Context, r *phoneRun) error {
		m, err := r.phone.Status(ctx)
		if err != nil {
			return err
		}
		return r.print(r.status(m))
	})
}

// statusReport is what status prints. What a phone may not read is null.
type statusReport struct {
	OK           bool          `json:"ok"`
	App          account.AppID `json:"app"`
	Account      string        `json:"account"`
	Device       string        `json:"device"`
	Name         string        `json:"name"`
	Platform     string        `json:"platform"`
	AccountState string        `json:"account_state"`
	DeviceState  string        `json:"device_state"`
	Hold         *heldReport   `json:"hold"`
	OthersHeld   []otherHeld   `json:"others_held"`
	Class        string        `json:"class"`
	Passkeys     *int32        `json:"passkeys"`
	Devices      *int32        `json:"devices"`
	AlertsUnread *int32        `json:"alerts_unread"`
	Advice       []string      `json:"advice"`
	ServerTime   moment        `json:"server_time"`
	Pending      []waitReport  `json:"pending,omitempty"`

	home string
	left bool // the account has moved from this phone
}

// waitReport is something that waits and then happens.
type waitReport struct {
	Pending string `json:"pending"`
	Action  string `json:"action"`
	OpensAt moment `json:"opens_at"`
}

// heldReport is a cool-off. Until is null while its clock stands still.
type heldReport struct {
	Reason      string `json:"reason"`
	Since       moment `json:"since"`
	Until       moment `json:"until"`
	SecondsLeft int64  `json:"seconds_left"`
}

type otherHeld struct {
	heldReport
	Device  string `json:"device"`
	Name    string `json:"name"`
	MayVeto bool   `json:"may_veto"`
}

func (r *phoneRun) status(m *accountv1.GetStatusResponse) *statusReport {
	now := m.GetServerTime().AsTime()
	s := &statusReport{
		OK: true, App: r.phone.State().App, Account: m.GetAccount(), Device: m.GetDevice(), Name: m.GetName(),
		Platform: low(m.GetPlatform(), "PLATFORM_"), AccountState: low(m.GetAccountState(), "STATE_"), DeviceState: low(m.GetDeviceState(), "STATE_"),
		Class: low(m.GetClass(), "CLASS_"), ServerTime: moment(now), home: r.flags.Home, left: r.home.file.Left != nil,
	}
	if h := m.GetHold(); h != nil {
		held := heldOf(h, now)
		s.Hold = &held
	}
	rest := m.GetRest()
	if rest == nil {
		return s
	}
	s.OthersHeld, s.Advice, s.Pending = []otherHeld{}, append([]string{}, rest.GetAdvice()...), nil
	for _, p := range rest.GetPending() {
		s.Pending = append(s.Pending, waitReport{p.GetPending(), p.GetAction(), when(p.GetOpensAt())})
	}
	s.Passkeys, s.Devices, s.AlertsUnread = &rest.Passkeys, &rest.Devices, &rest.AlertsUnread
	for _, o := range rest.GetOthersHeld() {
		s.OthersHeld = append(s.OthersHeld, otherHeld{heldOf(o.GetHold(), now), o.GetDevice(), o.GetName(), o.GetMayVeto()})
	}
	return s
}

func heldOf(h *accountv1.Hold, now time.Time) heldReport {
	out := heldReport{Reason: low(h.GetReason(), "HOLD_REASON_"), Since: when(h.GetSince())}
	left := h.GetLeft().AsDuration()
	if until := h.GetUntil(); until != nil {
		out.Until, left = moment(until.AsTime()), until.AsTime().Sub(now)
	}
	out.SecondsLeft = int64(max(left, 0) / time.Second)
	return out
}

// low is the name of an enumeration's value: "active" for STATE_ACTIVE.
func low(v fmt.Stringer, prefix string) string {
	name := strings.ToLower(strings.TrimPrefix(v.String(), prefix))
	if name == "unspecified" {
		return ""
	}
	return name
}

func (s *statusReport) words(w io.Writer) error {
	lines := []string{
		fmt.Sprintf("%s: %s", s.Name, deviceWords(s.DeviceState, s.Hold != nil && s.Hold.Reason == leaving)),
		fmt.Sprintf("Account %s: %s", s.Account, stateWords(s.AccountState)),
	}
	switch h := s.Hold; {
	case h == nil:
	case h.Reason == leaving:
		lines = append(lines, "It is leaving: another phone takes its place. It can look, freeze and veto.")
		if s.left {
			lines = append(lines, "To take the account back: staunch phone transfer recall --home "+quoted(s.home))
		}
	default:
		lines = append(lines, h.sentence())
	}
	for _, o := range s.OthersHeld {
		how := "is new. " + o.sentence()
		if o.Reason == leaving {
			how = "is leaving."
		}
		lines = append(lines, fmt.Sprintf("Another device, %s (%s), %s", o.Name, o.Device, how))
		if o.MayVeto {
			lines = append(lines, "  If that wasn't you: staunch phone veto --home "+quoted(s.home)+" --device "+o.Device)
		}
	}
	for _, p := range s.Pending {
		what := "Waiting: " + p.Action + ", which happens at " + p.OpensAt.inWords()
		switch account.Action(p.Action) {
		case account.StartRecovery:
			what = "Somebody recovers this account on a new phone, and may try its PIN from " + p.OpensAt.inWords() + " on."
		case account.UnfreezeAccount:
			what = "The account unfreezes by itself at " + p.OpensAt.inWords() + "."
		case account.DeleteAccount:
			what = "The account will be deleted at " + p.OpensAt.inWords() + "."
		}
		lines = append(lines, what, "  To cancel it: staunch phone veto --home "+quoted(s.home)+" --pending "+p.Pending)
	}
	if s.Passkeys != nil {
		lines = append(lines, fmt.Sprintf("Devices: %d. Passkeys: %d. New alerts: %d.", *s.Devices, *s.Passkeys, *s.AlertsUnread))
	}
	if s.AccountState == account.Frozen.String() {
		lines = append(lines, "Next: staunch phone unfreeze --home "+quoted(s.home))
	}
	advice := map[string]string{
		"add_second_passkey":     "Add a second passkey or another device, so that losing this phone does not lock you out.",
		"set_recovery_pin":       "Set a recovery PIN with `staunch phone backup`: it brings your sealing key back when all your devices are gone.",
		"replace_shared_passkey": "A passkey was used on a device that is gone: make a new one.",
		"change_pin":             "Somebody tried to get in: change your recovery PIN.",
		"reattest":               "This phone's evidence is old: attest it anew with `staunch phone reattest`.",
	}
	for _, a := range s.Advice {
		if text, ok := advice[a]; ok {
			lines = append(lines, "Advice: "+text)
		}
	}
	return writeLines(w, lines...)
}

// leaving is the hold of a device whose account goes to another phone.
const leaving = "leaving"

// deviceWords are the state of a device: one that leaves is held, and does not
// become active by waiting.
func deviceWords(state string, leaves bool) string {
	if state == "held" && leaves {
		return "leaving: its account is on another phone"
	}
	return stateWords(state)
}

func stateWords(state string) string {
	switch state {
	case "active":
		return "active"
	case "held":
		return "cools off: what matters waits"
	case "frozen":
		return "frozen"
	case "locked":
		return "locked: something was wrong with it"
	}
	return state
}

func (h *heldReport) sentence() string {
	left := (time.Duration(h.SecondsLeft) * time.Second).String()
	if time.Time(h.Until).IsZero() {
		return "The time to wait stands still; " + left + " are left."
	}
	return fmt.Sprintf("The time to wait ends at %s, in %s.", inWordsAt(time.Time(h.Until)), left)
}
