package integrity_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
)

// TestSessionsBounded: a phone, or a browser, that signs in all day has few
// sessions; the newest work, and nobody else's end.
func TestSessionsBounded(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	b := r.newBrowser()
	b.passkey = p.passkey
	open := func(device account.DeviceID) int {
		t.Helper()
		return r.count("session WHERE account = ? AND device = ? AND ended_at IS NULL", string(p.account), string(device))
	}
	b.signIn()
	first := b.token
	for range 30 {
		p.signIn()
		r.advance(3 * time.Second)
		p.caller()
	}
	if n := open(p.device); n > 16 {
		t.Errorf("the phone has %d sessions", n)
	}
	for range 49 {
		b.signIn()
	}
	must[account.Caller](t)(r.BrowserCaller(t.Context(), first, network, ""))
	b.signIn()
	if n := open(""); n != 50 {
		t.Errorf("the browsers have %d sessions", n)
	}
	if _, err := r.BrowserCaller(t.Context(), first, network, ""); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("the oldest of the browsers: %v", err)
	}
	b.caller()
	p.caller()
	r.checked()
}

// TestPasskeysBounded: the 33rd is refused, before it is made and after. One that
// was removed makes room.
func TestPasskeysBounded(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	add := func() *integrity.Added {
		t.Helper()
		r.advance(3 * time.Second)
		p.stepUp()
		return must[*integrity.Added](t)(r.FinishAdd(t.Context(), p.caller(), p.adding()))
	}
	for range 30 {
		add()
	}
	late := p.adding() // begun while there is room
	last := add()
	if n := r.count("credential WHERE account = ?", string(p.account)); n != 32 {
		t.Fatalf("%d passkeys, want 32", n)
	}
	if _, err := r.FinishAdd(t.Context(), p.caller(), late); !errors.Is(err, integrity.ErrTooManyPasskeys) {
		t.Errorf("the 33rd: %v", err)
	}
	if _, err := r.BeginAdd(t.Context(), p.caller(), &integrity.AddStart{}); !errors.Is(err, integrity.ErrTooManyPasskeys) {
		t.Errorf("begun: %v", err)
	}
	must[*integrity.Confirmed](t)(p.do(account.RemoveCredential, "credential", last.Passkey.Ref))
	add()
	r.checked()
}

// TestRenamesBounded: whoever renames and renames does not fill the record.
func TestRenamesBounded(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	b := r.newBrowser()
	b.passkey = p.passkey
	b.signIn()
	passkeys, _, err := r.Passkeys(t.Context(), b.caller())
	if err != nil {
		t.Fatal(err)
	}
	before := r.count("audit_entry")
	for name, rename := range map[string]func(string) error{
		"device": func(name string) error { return r.RenameDevice(t.Context(), p.caller(), p.device, name) },
		"passkey": func(name string) error {
			_, err := r.RenamePasskey(t.Context(), b.caller(), passkeys[0].Ref, name)
			return err
		},
	} {
		n := 0
		for ; n < 100; n++ {
			if err := rename([]string{"x", "y"}[n%2]); errors.Is(err, integrity.ErrRateLimited) {
				break
			}
		}
		if n != 30 {
			t.Errorf("%s: limited after %d", name, n)
		}
	}
	if n := r.count("audit_entry") - before; n != 60 {
		t.Errorf("%d entries", n)
	}
}

// TestDenialsBounded: a device that cools off does not bury the alert that it was
// added under what it denies itself, and takes no denial from the owner's.
func TestDenialsBounded(t *testing.T) {
	r := newRig(t)
	owner, thief := r.family()
	if _, err := thief.propose(account.UnfreezeAccount); !errors.Is(err, integrity.ErrTooLate) {
		t.Errorf("to unfreeze what is not frozen: %v", err)
	}
	must[*integrity.Frozen](t)(r.Freeze(t.Context(), owner.caller()))
	n := 0
	for ; n < 100; n++ {
		in := must[*integrity.Proposed](t)(thief.propose(account.UnfreezeAccount))
		if err := r.Deny(t.Context(), thief.caller(), in.Approval.ID); errors.Is(err, integrity.ErrRateLimited) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		r.advance(2 * time.Second)
	}
	if n != 30 {
		t.Errorf("limited after %d", n)
	}
	in := must[*integrity.Proposed](t)(thief.propose(account.UnfreezeAccount))
	if err := r.Deny(t.Context(), owner.caller(), in.Approval.ID); err != nil {
		t.Errorf("the owner: %v", err)
	}
}

// TestLimitTold: the feed is told of an empty bucket, whose it is, and not of each
// try.
func TestLimitTold(t *testing.T) {
	r := newRig(t, func(o *integrity.Options) {
		o.Policy.Limits.BeginNetwork = integrity.Limit{N: 2, Per: time.Hour, Burst: 4}
	})
	p := r.enrol()
	told := func() []string {
		t.Helper()
		var out []string
		for _, e := range must[[]event.Event](t)(r.PollEvents(t.Context(), r.backend(), 0, 1000)) {
			if e.Type == "rate.limited" {
				out = append(out, string(e.Account)+string(e.Body))
			}
		}
		return out
	}
	begin := func() {
		t.Helper()
		for {
			if _, err := r.BeginEnrol(t.Context(), r.anonymous(), nil); errors.Is(err, integrity.ErrRateLimited) {
				return
			}
		}
	}
	for range 3 {
		begin()
	}
	want := []string{`{"network":"net-1","reason":"begin_network"}`}
	if got := told(); !slices.Equal(got, want) {
		t.Fatalf("told of %q, want %q", got, want)
	}
	r.advance(2*time.Hour + time.Minute) // it has filled
	begin()
	for n := range 40 {
		_ = r.RenameDevice(t.Context(), p.caller(), p.device, []string{"x", "y"}[n%2])
		_, _ = r.FinishSignIn(t.Context(), p.caller(), &integrity.SignInAnswer{Ceremony: account.NewCeremonyID(), Response: []byte("{}")})
	}
	want = append(want, want[0], `{"device":"`+string(p.device)+`","reason":"failed_device"}`, `{"device":"`+string(p.device)+`","reason":"rename"}`)
	if got := told(); !slices.Equal(got, want) {
		t.Errorf("told of %q, want %q", got, want)
	}
}
