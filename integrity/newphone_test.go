package integrity_test

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// TestSignInNewPhone: what becomes of a phone that nobody knows, and of one that
// leaves something out.
func TestSignInNewPhone(t *testing.T) {
	type in = integrity.SignInAnswer
	tests := []struct {
		name   string
		mode   string
		change func(*phone, *in)
		want   error
	}{
		{"hold", "hold", func(*phone, *in) {}, nil},
		{"refuse", "refuse", func(*phone, *in) {}, integrity.ErrSyncedRefused},
		{"without evidence", "hold", func(_ *phone, a *in) { a.Phone = nil }, integrity.ErrNotAllowed},
		{"as a browser instead", "hold", func(p *phone, a *in) { a.Phone, a.Browser = nil, p.r.newBrowser().at }, integrity.ErrCeremonyExpired},
		{"as a browser without a cookie", "hold", func(_ *phone, a *in) { a.Phone, a.Browser = nil, &integrity.Browser{Origin: origin} }, integrity.ErrNotAllowed},
		{"as a browser too", "hold", func(p *phone, a *in) { a.Browser = p.r.newBrowser().at }, integrity.ErrNotAllowed},
		{"evidence over another challenge", "hold", func(p *phone, a *in) {
			_, other := p.r.newcomer(p.passkey)
			a.Phone = other.Phone
		}, integrity.ErrCeremonyExpired},
		{"signed by another key", "hold", func(p *phone, a *in) {
			_, other := p.r.newcomer(p.passkey)
			a.Phone.Message = other.Phone.Message
		}, integrity.ErrProofInvalid},
		{"synced passkeys count for nothing", "hold", func(p *phone, _ *in) {
			p.r.reopen(func(o *integrity.Options) { o.Policy.SyncedOK = []string{} })
		}, integrity.ErrSyncedRefused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(o *integrity.Options) { o.Policy.SyncedNewDevice = test.mode })
			first := r.newPhone(&passkeytest.Options{Synced: true})
			first.enrolled(must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), first.enrolment())))
			second, answer := r.newcomer(first.passkey)
			test.change(first, answer)
			out, err := r.FinishSignIn(t.Context(), r.anonymous(), answer)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			r.checked()
			if err != nil {
				if n := r.count("device"); n != 1 {
					t.Errorf("%d devices", n)
				}
				return
			}
			s := out.Signed
			second.account, second.device, second.token = s.Account, s.Device, s.Token
			if s.Account != first.account || s.DeviceState != account.Held || s.Hold.Reason != account.HoldNew || s.Hold.Until.Sub(r.clock()) != r.opts.Policy.Holds.Add {
				t.Errorf("signed in as %+v", s)
			}
			if c := second.caller(); c.Device != s.Device || c.Session != s.Session {
				t.Errorf("caller %+v", c)
			}
			if n := r.count("alert WHERE account = ? AND kind = 'device.add' AND device = ?", string(s.Account), string(s.Device)); n != 1 {
				t.Errorf("%d alerts", n)
			}
			if n := r.count("risk WHERE account = ? AND signal = 'new_device' AND device = ?", string(s.Account), string(s.Device)); n != 1 {
				t.Errorf("%d signals", n)
			}
			if _, err := r.FinishSignIn(t.Context(), r.anonymous(), answer); !errors.Is(err, integrity.ErrCeremonyUsed) {
				t.Errorf("again: %v, want %v", err, integrity.ErrCeremonyUsed)
			}
			if _, err := r.BeginAdd(t.Context(), second.caller(), &integrity.AddStart{}); !errors.Is(err, account.ErrRefused) {
				t.Errorf("a held device adds a passkey: %v", err)
			}
		})
	}
}

// TestSecurityKeyOnNewPhone: a passkey that is not synced, on a phone that nobody
// knows, is let in as a synced one is, and held like it.
func TestSecurityKeyOnNewPhone(t *testing.T) {
	r := newRig(t)
	first := r.enrol()
	_, answer := r.newcomer(first.passkey)
	out := must[*integrity.SignInResult](t)(r.FinishSignIn(t.Context(), r.anonymous(), answer))
	if out.Signed.DeviceState != account.Held {
		t.Errorf("the device is %s", out.Signed.DeviceState)
	}
}

// TestNewPhoneWhile: no unknown phone comes into an account that is frozen, held
// or locked.
func TestNewPhoneWhile(t *testing.T) {
	for _, state := range []account.State{account.Frozen, account.Held, account.Locked} {
		r := newRig(t)
		first := r.enrol()
		_, answer := r.newcomer(first.passkey)
		r.set(first, "account", state)
		if _, err := r.FinishSignIn(t.Context(), r.anonymous(), answer); !errors.Is(err, account.ErrRefused) {
			t.Errorf("%s: %v, want %v", state, err, account.ErrRefused)
		}
		if n := r.count("device") + r.count("attest_key"); n != 2 {
			t.Errorf("%s: %d devices and keys", state, n)
		}
	}
}
