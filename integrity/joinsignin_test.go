package integrity_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// waiting is an account whose owner has signed in on a phone that nobody knows,
// in an app where another device must say yes to that.
func waiting(t *testing.T) (first *phone, j *joiner, in *integrity.Joined) {
	t.Helper()
	r := newRig(t, func(o *integrity.Options) { o.Policy.SyncedNewDevice = "approve" })
	first = r.newPhone(&passkeytest.Options{Synced: true})
	first.enrolled(must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), first.enrolment())))
	second, answer := r.newcomer(first.passkey)
	out := must[*integrity.SignInResult](t)(r.FinishSignIn(t.Context(), elsewhere(r.anonymous()), answer))
	if out.Signed != nil || out.Join == nil || out.Join.Number == "" {
		t.Fatalf("%+v", out)
	}
	return first, &joiner{second, &integrity.JoinOpened{Join: out.Join.Join, Number: out.Join.Number}}, out.Join
}

// again answers the ceremony of a join that began with a sign-in: the same
// passkey, once more.
func (j *joiner) again() *integrity.JoinAnswer {
	j.r.t.Helper()
	s := must[*integrity.JoinStatus](j.r.t)(j.status())
	return &integrity.JoinAnswer{
		Join: j.open.Join, Ceremony: s.Ceremony, Response: must[[]byte](j.r.t)(j.passkey.Get(s.Options, origin)), Message: j.message(nil),
	}
}

// TestJoinFromSignIn: a synced passkey on an unknown phone opens nothing before
// a device of the account says yes, and the phone is held then.
func TestJoinFromSignIn(t *testing.T) {
	first, j, in := waiting(t)
	r := first.r
	if n := r.count("device") + r.count("session"); n != 2 {
		t.Errorf("%d devices and sessions before anybody said yes", n)
	}
	alerts := must[[]integrity.AlertRow](t)(r.Alerts(t.Context(), first.caller(), 0, 10))
	var data struct {
		Join account.JoinID `json:"join"`
	}
	if len(alerts) == 0 || json.Unmarshal(alerts[len(alerts)-1].Data, &data) != nil || data.Join != in.Join {
		t.Fatalf("alerts %+v", alerts)
	}
	if text := r.AlertText(alerts[len(alerts)-1]); !strings.Contains(text, "Pixel") || !strings.Contains(text, "Oslo") {
		t.Errorf("the owner reads %q", text)
	}
	v := must[*integrity.JoinView](t)(r.Join(t.Context(), first.caller(), data.Join, ""))
	if v.Name != "Pixel" || v.Place != "Oslo, Norway" {
		t.Errorf("view %+v", v)
	}
	stranger := r.enrol()
	if _, err := r.Join(t.Context(), stranger.caller(), in.Join, ""); !errors.Is(err, integrity.ErrJoinUnknown) {
		t.Errorf("another account looks: %v", err)
	}
	if _, err := stranger.do(account.AddDevice, "join", in.Join, "number", in.Number); !errors.Is(err, integrity.ErrJoinUnknown) {
		t.Errorf("another account says yes: %v", err)
	}
	first.letIn(j.open)
	out := must[*integrity.Signed](t)(j.finish(j.again()))
	if out.Account != first.account || out.DeviceState != account.Held {
		t.Errorf("signed in as %+v", out)
	}
	if n := r.count("credential WHERE account = ?", string(first.account)); n != 1 {
		t.Errorf("%d passkeys", n)
	}
	r.checked()
}

// TestJoinFromSignInRefused: what ends such a join.
func TestJoinFromSignInRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(*phone, *joiner, *integrity.JoinAnswer)
		want   error
	}{
		{"good", func(*phone, *joiner, *integrity.JoinAnswer) {}, nil},
		{"another account's passkey", func(first *phone, j *joiner, a *integrity.JoinAnswer) {
			other := first.r.newPhone(nil)
			other.enrolled(must[*integrity.Enrolled](t)(first.r.FinishEnrol(t.Context(), first.r.anonymous(), other.enrolment())))
			a.Response = other.stepping().Response
		}, passkey.ErrRefused},
		{"by another phone", func(first *phone, _ *joiner, a *integrity.JoinAnswer) { a.Message = first.r.join().message(nil) }, integrity.ErrJoinUnknown},
		{"late", func(first *phone, j *joiner, a *integrity.JoinAnswer) {
			first.r.advance(5 * time.Minute)
			a.Message = j.message(nil)
		}, integrity.ErrJoinExpired},
		{"after a freeze", func(first *phone, _ *joiner, _ *integrity.JoinAnswer) {
			must[*integrity.Frozen](t)(first.r.Freeze(t.Context(), first.caller()))
		}, integrity.ErrJoinExpired},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			first, j, _ := waiting(t)
			first.letIn(j.open)
			first.r.advance(time.Second)
			a := j.again()
			test.change(first, j, a)
			_, err := j.finish(a)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("%v, want %v", err, test.want)
			}
			first.r.checked()
		})
	}
}

// TestJoinFromSignInWhile: no such join begins while the account is frozen.
func TestJoinFromSignInWhile(t *testing.T) {
	first, _, _ := waiting(t)
	_, answer := first.r.newcomer(first.passkey)
	first.r.set(first, "account", account.Frozen)
	if _, err := first.r.FinishSignIn(t.Context(), first.r.anonymous(), answer); !errors.Is(err, account.ErrRefused) {
		t.Errorf("%v", err)
	}
	if n := first.r.count("joining"); n != 1 {
		t.Errorf("%d joins", n)
	}
}
