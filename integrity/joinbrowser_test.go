package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// finishJoin answers a browser's join that is confirmed.
func (b *browser) finishJoin(id account.JoinID, at *integrity.Browser) (*integrity.Signed, error) {
	b.r.t.Helper()
	s := must[*integrity.JoinStatus](b.r.t)(b.joinStatus(id))
	return b.r.FinishJoin(b.r.t.Context(), elsewhere(b.r.anonymous()), &integrity.JoinAnswer{
		Join: id, Ceremony: s.Ceremony, Response: must[[]byte](b.r.t)(b.passkey.Create(s.Options, origin)), Browser: at,
	})
}

// TestJoinBrowser: a browser gets a passkey and a session, by the cookie with
// which it asked; all devices are told.
func TestJoinBrowser(t *testing.T) {
	r := newRig(t)
	old, b, stranger := r.enrol(), r.newBrowser(), r.newBrowser()
	page := b.join(integrity.JoinBrowser)
	old.letIn(page)
	if _, err := b.finishJoin(page.Join, stranger.at); !errors.Is(err, integrity.ErrJoinUnknown) {
		t.Errorf("another browser: %v", err)
	}
	out := must[*integrity.Signed](t)(b.finishJoin(page.Join, b.at))
	if out.Account != old.account || out.Device != "" || out.Class != account.Person || out.Signals == nil {
		t.Errorf("signed in as %+v", out)
	}
	b.token, b.account = out.Token, out.Account
	if c := b.caller(); c.Account != old.account || c.Session != out.Session {
		t.Errorf("caller %+v", c)
	}
	if n := r.count("alert WHERE kind = 'device.add' AND cause = '' AND session = ?", string(out.Session)); n != 1 {
		t.Errorf("%d alerts", n)
	}
	if _, err := r.FinishJoin(t.Context(), r.anonymous(), &integrity.JoinAnswer{Join: page.Join, Browser: b.at}); !errors.Is(err, integrity.ErrTooLate) {
		t.Errorf("again: %v", err)
	}
	b.signIn() // with the new passkey
	r.checked()
}

// TestJoinGuest: a TV gets a session for half a day, once, which is worth Guest.
func TestJoinGuest(t *testing.T) {
	r := newRig(t)
	old, tv := r.enrol(), r.newBrowser()
	page := tv.join(integrity.JoinGuest)
	if _, err := old.do(account.AddDevice, "join", page.Join, "number", page.Number); !errors.Is(err, integrity.ErrJoinUnknown) {
		t.Errorf("by device.add: %v", err)
	}
	if _, err := old.do(account.ApproveGuest, "join", page.Join, "number", page.Number); err != nil {
		t.Fatal(err)
	}
	if _, err := r.newBrowser().joinStatus(page.Join); !errors.Is(err, integrity.ErrJoinUnknown) {
		t.Errorf("another browser: %v", err)
	}
	s := must[*integrity.JoinStatus](t)(tv.joinStatus(page.Join))
	if s.State != integrity.StateFinished || s.Guest == nil || s.Guest.Class != account.GuestClass || s.Ceremony != "" || !s.Guest.Until.Equal(r.clock().Add(12*time.Hour)) {
		t.Fatalf("%+v, %+v", s, s.Guest)
	}
	if again := must[*integrity.JoinStatus](t)(tv.joinStatus(page.Join)); again.Guest != nil || again.State != integrity.StateFinished {
		t.Errorf("again: %+v", again)
	}
	tv.token = s.Guest.Token
	other := r.newBrowser().join(integrity.JoinBrowser)
	if _, err := tv.do(account.AddDevice, "join", other.Join, "number", other.Number); !errors.Is(err, account.ErrRefused) {
		t.Errorf("a guest lets a browser in: %v", err)
	}
	if _, err := r.FinishJoin(t.Context(), r.anonymous(), &integrity.JoinAnswer{Join: page.Join, Browser: tv.at}); !errors.Is(err, integrity.ErrTooLate) {
		t.Errorf("a guest makes a passkey: %v", err)
	}
	if n := r.count("credential") + r.count("alert WHERE kind = 'guest.approve'"); n != 2 {
		t.Errorf("%d passkeys and alerts", n)
	}
	r.advance(12 * time.Hour)
	if _, err := r.BrowserCaller(t.Context(), tv.token, network, ""); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("half a day later: %v", err)
	}
	r.checked()
}

// TestJoinGuestNotConfirmed: a guest who is not let in, or whose account is
// frozen meanwhile, gets nothing.
func TestJoinGuestNotConfirmed(t *testing.T) {
	r := newRig(t)
	old, tv := r.enrol(), r.newBrowser()
	page := tv.join(integrity.JoinGuest)
	if s := must[*integrity.JoinStatus](t)(tv.joinStatus(page.Join)); s.Guest != nil || s.State != integrity.StateOpen {
		t.Errorf("%+v", s)
	}
	if _, err := old.do(account.ApproveGuest, "join", page.Join, "number", page.Number); err != nil {
		t.Fatal(err)
	}
	r.set(old, "account", account.Frozen)
	if _, err := tv.joinStatus(page.Join); !errors.Is(err, account.ErrRefused) {
		t.Errorf("%v", err)
	}
	if n := r.count("session WHERE kind = 'guest'"); n != 0 {
		t.Errorf("%d guests", n)
	}
}
