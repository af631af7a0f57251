package integrity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/store/storetest"
)

// TestStepUp: a browser's class rises with a new token, a phone keeps its own.
func TestStepUp(t *testing.T) {
	r := newRig(t)
	b := r.signUp()
	old := b.token
	r.advance(time.Hour)
	if out := b.stepUp(); out.Class != account.Fresh || same(out.Token, old) || len(out.Token) != 32 {
		t.Errorf("class %s, and the token is the old one: %v", out.Class, same(out.Token, old))
	}
	if _, err := r.BrowserCaller(t.Context(), old, network, ""); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("the old token: %v, want %v", err, integrity.ErrSessionEnded)
	}
	p := r.enrol()
	if out := p.stepUp(); out.Class != account.Fresh || out.Token != nil {
		t.Errorf("a phone: class %s, token %v", out.Class, out.Token != nil)
	}
	for range 9 { // a session that is stepped up again and again does not grow
		p.stepUp()
	}
	if c := p.caller(); len(c.Proofs) > 6 || c.Proofs[1].Method != account.ByCreation {
		t.Errorf("%d proofs, the first is %s", len(c.Proofs), c.Proofs[1].Method)
	}
	r.checked()
}

// TestStepUpRefused is a good step-up of a phone and small changes to it.
func TestStepUpRefused(t *testing.T) {
	type in = integrity.StepUpAnswer
	tests := []struct {
		name   string
		change func(*phone, *account.Caller, *in)
		want   error
	}{
		{"good", func(*phone, *account.Caller, *in) {}, nil},
		{"without a session", func(_ *phone, c *account.Caller, _ *in) { c.Session = "" }, integrity.ErrSessionRequired},
		{"in another session", func(p *phone, c *account.Caller, _ *in) { p.signIn(); *c = p.caller() }, integrity.ErrCeremonyExpired},
		{"on another phone", func(p *phone, c *account.Caller, _ *in) { *c = p.r.enrol().caller() }, integrity.ErrCeremonyExpired},
		{"the session has ended", func(p *phone, c *account.Caller, _ *in) {
			must[*integrity.Ended](p.r.t)(p.r.SignOut(p.r.t.Context(), *c))
		}, integrity.ErrCeremonyUsed},
		{"answer to a sign-in", func(p *phone, _ *account.Caller, a *in) { a.Ceremony = p.assertion().Ceremony }, integrity.ErrCeremonyExpired},
		{"answer to another", func(p *phone, _ *account.Caller, a *in) { a.Response = p.stepping().Response }, passkey.ErrRefused},
		{"device frozen meanwhile", func(p *phone, _ *account.Caller, _ *in) { p.r.set(p, "device", account.Frozen) }, account.ErrRefused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.enrol()
			answer, c := p.stepping(), p.caller()
			test.change(p, &c, answer)
			_, err := r.FinishStepUp(t.Context(), c, answer)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if test.want == nil {
				if _, err := r.FinishStepUp(t.Context(), c, answer); !errors.Is(err, integrity.ErrCeremonyUsed) {
					t.Errorf("again: %v, want %v", err, integrity.ErrCeremonyUsed)
				}
			}
		})
	}
}

// TestSyncedStepUp: a synced passkey counts for what the app lists.
func TestSyncedStepUp(t *testing.T) {
	for list, want := range map[string]error{"step_up": nil, "sign_in": integrity.ErrSyncedRefused} {
		r := newRig(t, func(o *integrity.Options) { o.Policy.SyncedOK = []string{"register", list} })
		p := r.newPhone(nil)
		p.passkey = r.synced()
		p.enrolled(must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), p.enrolment())))
		if _, err := r.FinishStepUp(t.Context(), p.caller(), p.stepping()); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", list, err, want)
		}
	}
}

// TestEndedSessionRefusedAtOnce: a session that has ended is worth nothing in the
// next request, nor in one that is under way (keycloak/keycloak#10232).
func TestEndedSessionRefusedAtOnce(t *testing.T) {
	r := newRig(t)
	b, p := r.signUp(), r.enrol()
	underWay, begun := b.caller(), p.caller()
	must[*integrity.Ended](t)(r.SignOut(t.Context(), b.caller()))
	must[*integrity.Ended](t)(r.SignOut(t.Context(), p.caller()))
	if _, err := r.BrowserCaller(t.Context(), b.token, network, ""); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("browser: %v, want %v", err, integrity.ErrSessionEnded)
	}
	if _, err := r.Prove(t.Context(), p.message(p.token), p.token, false); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("phone: %v, want %v", err, integrity.ErrSessionEnded)
	}
	for _, c := range []account.Caller{underWay, begun} {
		if _, _, err := r.Passkeys(t.Context(), c); !errors.Is(err, integrity.ErrSessionEnded) {
			t.Errorf("%s under way: %v, want %v", c.Kind, err, integrity.ErrSessionEnded)
		}
	}
	p.token = nil
	if c := p.caller(); c.Device != p.device || c.Session != "" {
		t.Errorf("the phone is no longer enrolled: %+v", c)
	}
	r.checked()
}

// TestInFlightSignInDiesWithSignOut: a sign-in, a step-up or a new passkey that
// was begun before "sign out everywhere" cannot be finished after it
// (keycloak/keycloak#49007).
func TestInFlightSignInDiesWithSignOut(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	other := r.newBrowser()
	other.passkey = p.passkey
	other.signIn()
	stepUp := must[*integrity.Begun](t)(r.BeginStepUp(t.Context(), other.caller(), other.at))
	caller := other.caller()
	inFlight, mine := other.assertion(), p.assertion()
	_, unknown := r.newcomer(p.passkey)
	p.stepUp()
	if ended := must[*integrity.Ended](t)(r.SignOutOthers(t.Context(), p.caller())); ended.Sessions != 1 || ended.Ceremonies != 1 {
		t.Errorf("ended %+v", ended)
	}
	if _, err := r.FinishSignIn(t.Context(), r.anonymous(), inFlight); !errors.Is(err, integrity.ErrCeremonyExpired) {
		t.Errorf("browser: %v, want %v", err, integrity.ErrCeremonyExpired)
	}
	if _, err := r.FinishSignIn(t.Context(), p.caller(), mine); !errors.Is(err, integrity.ErrCeremonyExpired) {
		t.Errorf("own phone: %v, want %v", err, integrity.ErrCeremonyExpired)
	}
	if _, err := r.FinishSignIn(t.Context(), r.anonymous(), unknown); !errors.Is(err, integrity.ErrCeremonyExpired) {
		t.Errorf("unknown phone: %v, want %v", err, integrity.ErrCeremonyExpired)
	}
	response := must[[]byte](t)(other.passkey.Get(stepUp.Options, origin))
	if _, err := r.FinishStepUp(t.Context(), caller, &integrity.StepUpAnswer{Ceremony: stepUp.Ceremony, Response: response, Browser: other.at}); !errors.Is(err, integrity.ErrCeremonyUsed) {
		t.Errorf("step-up: %v, want %v", err, integrity.ErrCeremonyUsed)
	}
	if c := p.caller(); c.Session == "" {
		t.Error("the caller's own session has ended, too")
	}
	r.advance(time.Microsecond)
	other.signIn() // begun after it
	r.checked()
}

// TestEndSession: one's own with nothing, another one fresh, and nobody else's.
func TestEndSession(t *testing.T) {
	r := newRig(t)
	p, stranger := r.enrol(), r.enrol()
	other := r.newBrowser()
	other.passkey = p.passkey
	session := other.signIn().Session
	if _, err := r.EndSession(t.Context(), p.caller(), session); !errors.Is(err, account.ErrRefused) {
		t.Errorf("not fresh: %v, want %v", err, account.ErrRefused)
	}
	p.stepUp()
	if _, err := r.EndSession(t.Context(), p.caller(), stranger.caller().Session); !errors.Is(err, integrity.ErrSessionUnknown) {
		t.Errorf("somebody else's: %v, want %v", err, integrity.ErrSessionUnknown)
	}
	if _, err := r.EndSession(t.Context(), p.caller(), account.NewSessionID()); !errors.Is(err, integrity.ErrSessionUnknown) {
		t.Errorf("nobody's: %v, want %v", err, integrity.ErrSessionUnknown)
	}
	if ended := must[*integrity.Ended](t)(r.EndSession(t.Context(), p.caller(), session)); ended.Sessions != 1 {
		t.Errorf("ended %+v", ended)
	}
	if _, err := r.BrowserCaller(t.Context(), other.token, network, ""); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("the other: %v, want %v", err, integrity.ErrSessionEnded)
	}
	r.advance(25 * time.Hour) // worth no more than device
	must[*integrity.Ended](t)(r.EndSession(t.Context(), p.caller(), p.caller().Session))
	r.checked()
}

// TestSignOutFailsOnStoreError: where the store fails, at any call, the sign-out
// fails and says so; and if it says that it is done, it is (GHSA-7mqr-2v3q-v2wm).
func TestSignOutFailsOnStoreError(t *testing.T) {
	for _, when := range []storetest.When{storetest.Before, storetest.After} {
		for n := 1; ; n++ {
			r := newRig(t)
			b := r.signUp()
			c := b.caller()
			faulty := storetest.NewFaulty(storetest.Of[*sqlite.Tx](r.store), n, when)
			r.reopen(func(o *integrity.Options) { o.Update, o.View = storetest.Flows(faulty) })
			_, err := r.SignOut(context.WithoutCancel(t.Context()), c)
			fired := faulty.Fired()
			r.reopen(func(o *integrity.Options) { o.Update, o.View = storetest.Flows(storetest.Of[*sqlite.Tx](r.store)) })
			if (err == nil) != (fired == "") {
				t.Fatalf("call %d (%s) failed, and the sign-out gives %v", n, fired, err)
			}
			_, proveErr := r.BrowserCaller(t.Context(), b.token, network, "")
			if err == nil && !errors.Is(proveErr, integrity.ErrSessionEnded) {
				t.Fatalf("signed out, and the session gives %v", proveErr)
			}
			if fired != "" && fired != "commit" && proveErr != nil {
				t.Fatalf("call %d (%s) failed, and half of it is done: %v", n, fired, proveErr)
			}
			r.checked()
			if fired == "" {
				break
			}
		}
	}
}

// TestSessionsRunOut: at the end of its time a session is over.
func TestSessionsRunOut(t *testing.T) {
	r := newRig(t)
	b, p := r.signUp(), r.enrol()
	r.advance(30*24*time.Hour - time.Second)
	b.caller()
	r.advance(time.Second)
	if _, err := r.BrowserCaller(t.Context(), b.token, network, ""); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("a browser after 30 days: %v, want %v", err, integrity.ErrSessionEnded)
	}
	p.caller()
}

// TestTokenOfAnother: a session is its device's, and no browser's.
func TestTokenOfAnother(t *testing.T) {
	r := newRig(t)
	p, other, b := r.enrol(), r.enrol(), r.signUp()
	second, answer := r.newcomer(p.passkey)
	second.token = must[*integrity.SignInResult](t)(r.FinishSignIn(t.Context(), r.anonymous(), answer)).Signed.Token
	if _, err := r.BrowserCaller(t.Context(), p.token, network, ""); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("a phone's token in a browser: %v", err)
	}
	for name, token := range map[string]integrity.Token{"another phone's": other.token, "the account's other phone's": second.token, "a browser's": b.token, "nobody's": make(integrity.Token, 32)} {
		if _, err := r.Prove(t.Context(), p.message(token), token, false); !errors.Is(err, integrity.ErrSessionEnded) {
			t.Errorf("%s token on a phone: %v", name, err)
		}
	}
	if _, err := r.BrowserCaller(t.Context(), nil, network, ""); !errors.Is(err, integrity.ErrSessionRequired) {
		t.Errorf("no token: %v", err)
	}
}

// TestLastSeen: to the minute, and an ended session does not come back by it.
func TestLastSeen(t *testing.T) {
	r := newRig(t)
	b, p := r.signUp(), r.enrol()
	r.advance(90 * time.Second)
	b.caller()
	p.caller()
	want := noon.Add(time.Minute).UnixMicro()
	if n := r.count("session WHERE last_seen_at = ?", want); n != 2 {
		t.Errorf("%d sessions were last seen at 12:01", n)
	}
	if n := r.count("device WHERE last_seen_at = ?", want); n != 1 {
		t.Errorf("%d devices", n)
	}
	r.checked()
}

// TestReplayedCall: a signed call is good once.
func TestReplayedCall(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	m := p.message(p.token)
	must[account.Caller](t)(r.Prove(t.Context(), m, p.token, false))
	if _, err := r.Prove(t.Context(), m, p.token, false); !errors.Is(err, integrity.ErrProofInvalid) {
		t.Errorf("again: %v, want %v", err, integrity.ErrProofInvalid)
	}
	m = p.message(nil)
	r.advance(time.Hour)
	if _, err := r.Prove(t.Context(), m, nil, false); !errors.Is(err, integrity.ErrProofInvalid) {
		t.Errorf("an hour later: %v, want %v", err, integrity.ErrProofInvalid)
	}
}
