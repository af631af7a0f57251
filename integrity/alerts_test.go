package integrity_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// TestAlertText reads as a person would write it.
func TestAlertText(t *testing.T) {
	r := newRig(t)
	at := noon.Add(2*time.Hour + 5*time.Minute)
	for _, test := range []struct {
		kind account.Action
		data string
		want string
	}{
		{
			account.AddDevice, `{"name":"Pixel 9","platform":"android","place":"Berlin, Germany"}`,
			"A new phone, Pixel 9, was added from Berlin, Germany. It can do little until 14:05 UTC tomorrow. If this was not you, remove it.",
		},
		{account.FreezeAccount, `{}`, "Your account was frozen. Nothing can be done with it until you unfreeze it on a device that was there before."},
		{
			account.FreezeAccount, `{"method":"freeze_code","place":"Oslo, Norway"}`,
			"Your account was frozen with the freeze code from Oslo, Norway. Nothing can be done with it until you unfreeze it. If this was not you, make a new freeze code.",
		},
		{
			account.DeleteAccount + ".wait", `{"opens_at":"2026-11-29T14:05:00Z"}`,
			"Your account will be deleted at 14:05 UTC on 29 November 2026, as was asked for. If this was not you, cancel it.",
		},
		{
			account.RemoveDevice, `{"name":"Pixel 8","advice":"replace_shared_passkey"}`,
			"Pixel 8 was removed from your account. If this was not you, freeze your account. It may still have a passkey that your other devices use: make a new passkey and remove the old one.",
		},
		{
			"transfer.claimed", `{"name":"Pixel 9","near":"203.0.113.0/24"}`,
			"A move of your account to a new phone has begun: Pixel 9, seen at 203.0.113.0/24. If this was not you, cancel it and freeze your account.",
		},
		{
			"transfer.held", `{"name":"Pixel 9","opens_at":"2026-11-23T02:05:00Z"}`,
			"Your account is about to move to a new phone: Pixel 9. Nothing can be opened there before 02:05 UTC tomorrow. If this was not you, cancel it now and freeze your account.",
		},
		{
			"transfer.committed", `{"old":"Pixel 8","near":"203.0.113.0/24"}`,
			"Your account has moved from Pixel 8 to a new phone: seen at 203.0.113.0/24. If this was not you, take it back on the old phone, or remove the new one.",
		},
		{"transfer.recalled", `{"name":"Pixel 9"}`, "Your account was taken back to the old phone, and the new one “Pixel 9” was removed."},
		{
			"transfer.contended", `{}`,
			"A second phone has scanned the code of the new phone to which your account was to move, so the move has ended. Somebody else may have seen that code: show a new one where nobody looks on.",
		},
		{"something.new", `{}`, "Something changed in your account (something.new). If this was not you, freeze your account."},
		{account.AddDevice, `no JSON`, "A new device, without a name, was added. It can do little until 14:05 UTC tomorrow. If this was not you, remove it."},
	} {
		if got := r.AlertText(integrity.AlertRow{Kind: string(test.kind), Data: json.RawMessage(test.data), At: at}); got != test.want {
			t.Errorf("%s: %q,\nwant %q", test.kind, got, test.want)
		}
	}
}

// TestEveryAlertHasText: no kind that a flow writes is told as "something".
func TestEveryAlertHasText(t *testing.T) {
	r := newRig(t)
	var kinds []string
	for _, a := range []account.Action{
		account.AddDevice, account.FreezeAccount, account.FreezeOwnDevice, account.FreezeOtherDevice, account.UnfreezeDevice, account.UnfreezeAccount,
		account.UnfreezeAccount + ".wait", account.DeleteAccount, account.DeleteAccount + ".wait", account.RemoveDevice, account.LeaveDevice,
		account.VetoAction, account.RemoveCredential, account.AddCredential, account.ChangeHandle, account.RenewFreezeCode, account.RotateSealing,
		account.Reattest, account.SignInNewPhone, "account.recovered", account.EndOneSession, account.EndOtherSessions, account.SignIn, account.ApproveGuest,
		"device.hold_over", "account.hold_over", "account.locked", "device.locked", "approval.denied", "passkey.finding",
		account.StartRecovery, account.SetupRecovery, account.OpenRecovery, "recovery.attempt", "recovery.set", "recovery.changed", "recovery.deleted",
		"transfer.claimed", "transfer.held", "transfer.committed", "transfer.recalled", "transfer.contended",
	} {
		kinds = append(kinds, string(a))
	}
	texts := map[string]string{}
	for _, kind := range kinds {
		text := r.AlertText(integrity.AlertRow{Kind: kind, Data: json.RawMessage(`{"name":"Pixel 9","handle":"alice"}`), At: noon})
		if strings.Contains(text, "Something changed") || strings.Contains(text, "%!") || !strings.HasSuffix(text, ".") {
			t.Errorf("%s: %q", kind, text)
		}
		texts[text] = kind
	}
	if len(texts) < len(kinds)-1 { // both freezes of a device read alike
		t.Errorf("%d texts for %d kinds", len(texts), len(kinds))
	}
}

// TestAlertsOfReaders: each device has its own place in the list, and is not told
// what it did itself.
func TestAlertsOfReaders(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	unread := func(p *phone) int { return p.status().Rest.AlertsUnread }
	kinds := func(p *phone, after uint64, limit int) (out []string, last uint64) {
		for _, a := range must[[]integrity.AlertRow](t)(r.Alerts(t.Context(), p.caller(), after, limit)) {
			out, last = append(out, a.Kind), a.Seq
		}
		return out, last
	}
	must[*integrity.Confirmed](t)(first.do(account.RenewFreezeCode))
	mine, _ := kinds(first, 0, 0)
	others, last := kinds(second, 0, 0)
	if slices.Contains(mine, string(account.RenewFreezeCode)) || !slices.Contains(others, string(account.RenewFreezeCode)) {
		t.Errorf("first reads %v, second %v", mine, others)
	}
	if unread(first) != len(mine) || unread(second) != len(others) {
		t.Errorf("unread: %d of %d and %d of %d", unread(first), len(mine), unread(second), len(others))
	}
	one, seq := kinds(second, 0, 1)
	rest, _ := kinds(second, seq, 0)
	if len(one) != 1 || len(rest) != len(others)-1 {
		t.Errorf("in pages: %v and %v", one, rest)
	}
	for _, seq := range []uint64{last + 1, 1 << 63, ^uint64(0)} {
		if err := r.AckAlerts(t.Context(), second.caller(), seq); !errors.Is(err, integrity.ErrMalformed) {
			t.Errorf("an alert that is not there, %d: %v", seq, err)
		}
	}
	if err := r.AckAlerts(t.Context(), second.caller(), last); err != nil {
		t.Fatal(err)
	}
	if unread(second) != 0 || unread(first) != len(mine) {
		t.Errorf("unread: %d and %d", unread(first), unread(second))
	}
}

// TestFreezeByCode answers alike whatever there is. Of wrong codes a network tries
// a few, of whatever has not the form of one as many as it likes; a right one
// works all the same.
func TestFreezeByCode(t *testing.T) {
	r := newRig(t, func(o *integrity.Options) { o.Policy.Limits.FreezeCode = integrity.Limit{N: 1, Per: time.Hour} })
	p := r.newPhone(nil)
	enrolled := must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), p.enrolment()))
	p.enrolled(enrolled)
	r.advance(time.Second)
	for range 5 {
		if err := r.FreezeByCode(t.Context(), elsewhere(r.anonymous()), "not a code"); !errors.Is(err, account.ErrMalformed) {
			t.Error(err)
		}
	}
	for i, code := range []string{account.NewFreezeCode().Reveal(), enrolled.FreezeCode.Reveal(), strings.ToUpper(enrolled.FreezeCode.Reveal())} {
		begun := time.Now()
		if err := r.FreezeByCode(t.Context(), elsewhere(r.anonymous()), code); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if took := time.Since(begun); took < 250*time.Millisecond {
			t.Errorf("%d: an answer after %s", i, took)
		}
	}
	if s := p.status(); s.AccountState != account.Frozen || s.Rest.AlertsUnread != 1 {
		t.Errorf("account %s, %d alerts", s.AccountState, s.Rest.AlertsUnread)
	}
	r.exec("UPDATE account SET handle = 'eve' WHERE id = ?", string(p.account)) // a stranger learns nothing of it
	if err := r.FreezeByCode(t.Context(), elsewhere(r.anonymous()), enrolled.FreezeCode.Reveal()); err != nil {
		t.Error(err)
	}
	if err := r.FreezeByCode(t.Context(), elsewhere(r.anonymous()), account.NewFreezeCode().Reveal()); !errors.Is(err, integrity.ErrRateLimited) {
		t.Errorf("a wrong one too often: %v", err)
	}
	if n := r.count("audit_entry WHERE action = 'account.freeze'"); n != 1 {
		t.Errorf("frozen %d times", n)
	}
}
