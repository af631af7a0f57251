package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// wrong spoils the signature of an answer.
func wrong() passkeytest.Change {
	return passkeytest.Edit(passkeytest.Signature, passkeytest.Flip)
}

// limited ends the test unless err is that of an empty bucket, and gives when it
// has a token again.
func limited(t *testing.T, err error) time.Time {
	t.Helper()
	var l *integrity.RateLimited
	if !errors.As(err, &l) {
		t.Fatalf("%v, want a *RateLimited", err)
	}
	return l.RetryAt
}

// TestFailedFinishes: after so many wrong answers of a network the next one is
// refused as one too many, until there is a token again; other networks, and a
// device that is known, have their own. A right one passes, whoever has failed.
func TestFailedFinishes(t *testing.T) {
	r := newRig(t, func(o *integrity.Options) { o.Policy.Limits.FailedAccount.N = 1000 })
	p, b := r.enrol(), r.newBrowser()
	b.passkey = p.passkey
	right, far, bad := b.assertion(), b.assertion(wrong()), b.assertion(wrong())
	for n := range 20 {
		if _, err := r.FinishSignIn(t.Context(), r.anonymous(), b.assertion(wrong())); !errors.Is(err, passkey.ErrRefused) {
			t.Fatalf("%d: %v", n, err)
		}
	}
	_, err := r.FinishSignIn(t.Context(), r.anonymous(), bad)
	retry := limited(t, err)
	for name, c := range map[string]account.Caller{"another network": elsewhere(r.anonymous()), "a known device": p.caller()} {
		answer := far
		if c.Device != "" {
			answer = p.assertion(wrong())
		}
		if _, err := r.FinishSignIn(t.Context(), c, answer); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must[*integrity.SignInResult](t)(r.FinishSignIn(t.Context(), r.anonymous(), right))
	r.advance(retry.Sub(r.clock()))
	if _, err := r.FinishSignIn(t.Context(), r.anonymous(), bad); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("later: %v", err)
	}
	r.checked()
}

// TestFailedFinishesOfDevice: a known device has a bucket of its own, which it
// can use up, and nobody else.
func TestFailedFinishesOfDevice(t *testing.T) {
	r := newRig(t)
	p, other := r.enrol(), r.enrol()
	for n := range 10 {
		if _, err := r.FinishSignIn(t.Context(), p.caller(), p.assertion(wrong())); !errors.Is(err, passkey.ErrRefused) {
			t.Fatalf("%d: %v", n, err)
		}
		r.advance(3 * time.Second) // the bucket for beginnings
	}
	_, err := r.FinishSignIn(t.Context(), p.caller(), p.assertion(wrong()))
	limited(t, err)
	other.signIn()
	p.signIn()
	b := r.newBrowser()
	b.passkey = p.passkey
	b.signIn()
}

// TestFailedFinishesOfAccount: for one account a network has fewer.
func TestFailedFinishesOfAccount(t *testing.T) {
	r := newRig(t)
	mine, other := r.signUp(), r.signUp()
	for n := range 10 {
		if _, err := r.FinishSignIn(t.Context(), r.anonymous(), mine.assertion(wrong())); !errors.Is(err, passkey.ErrRefused) {
			t.Fatalf("%d: %v", n, err)
		}
	}
	_, err := r.FinishSignIn(t.Context(), r.anonymous(), mine.assertion(wrong()))
	limited(t, err)
	if _, err := r.FinishSignIn(t.Context(), r.anonymous(), other.assertion(wrong())); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("another account: %v", err)
	}
}

// TestManyFailures: many failures lock nobody out, but raise what is needed, and
// every sign-in is told.
func TestManyFailures(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	b := r.newBrowser()
	b.passkey = p.passkey
	standing := func() int { return r.count("risk WHERE account = ? AND signal = 'many_failures'", string(p.account)) }
	for n := range 10 {
		if standing() != 0 {
			t.Fatalf("after %d failures", n)
		}
		c := r.anonymous()
		if n > 4 {
			c = elsewhere(c)
		}
		if _, err := r.FinishSignIn(t.Context(), c, b.assertion(wrong())); !errors.Is(err, passkey.ErrRefused) {
			t.Fatal(err)
		}
	}
	if standing() != 1 {
		t.Fatal("not after ten")
	}
	p.signIn()
	if n := r.count("alert WHERE account = ? AND kind = 'sign_in'", string(p.account)); n != 1 {
		t.Errorf("%d alerts of the sign-in", n)
	}
	r.advance(61 * time.Second)
	var refused *account.Refused
	if _, err := r.BeginAdd(t.Context(), p.caller(), &integrity.AddStart{}); !errors.As(err, &refused) || refused.Have != account.Person {
		t.Errorf("fresh for longer than a minute: %v", err)
	}
	if n := r.count("audit_entry WHERE account = ? AND action = 'session.refused' AND reason = 'passkey_refused'", string(p.account)); n != 10 {
		t.Errorf("%d refusals in the record", n)
	}
	r.checked()
}

// TestNewPlace: a sign-in from a network of none of the last sessions is told,
// and raises; one from a known network is not.
func TestNewPlace(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	b := r.newBrowser()
	b.passkey = p.passkey
	alerts := func() int { return r.count("alert WHERE account = ? AND kind = 'sign_in'", string(p.account)) }
	b.signIn()
	if alerts() != 0 {
		t.Error("told of a known place")
	}
	must[*integrity.SignInResult](t)(r.FinishSignIn(t.Context(), elsewhere(r.anonymous()), b.assertion()))
	if alerts() != 1 {
		t.Error("not told of a new place")
	}
	if n := r.count("risk WHERE account = ? AND signal = 'new_network' AND device = ''", string(p.account)); n != 1 {
		t.Errorf("%d signals", n)
	}
	p.signIn()
	if alerts() != 2 {
		t.Error("not every sign-in is told while the signal stands")
	}
	r.advance(24*time.Hour + time.Second)
	p.signIn()
	if alerts() != 2 {
		t.Error("told after the signal has ended")
	}
}

// TestBeginBuckets: beginnings are counted by device, or else by network.
func TestBeginBuckets(t *testing.T) {
	r := newRig(t, func(o *integrity.Options) { o.Policy.Limits.BeginNetwork = integrity.Limit{N: 4, Per: time.Minute} })
	p, b := r.enrol(), r.newBrowser() // one
	begin := func(c account.Caller, at *integrity.Browser) error {
		_, err := r.BeginSignIn(t.Context(), c, &integrity.SignInStart{Browser: at})
		return err
	}
	for range 3 {
		if err := begin(r.anonymous(), b.at); err != nil {
			t.Fatal(err)
		}
	}
	limited(t, begin(r.anonymous(), b.at))
	_, err := r.BeginEnrol(t.Context(), r.anonymous(), nil)
	limited(t, err)
	if err := begin(elsewhere(r.anonymous()), b.at); err != nil {
		t.Error(err)
	}
	for range 30 {
		if err := begin(p.caller(), nil); err != nil {
			t.Fatal(err)
		}
	}
	limited(t, begin(p.caller(), nil))
	r.mu.Lock()
	r.now = r.now.Add(-time.Hour) // a clock that goes back adds nothing
	r.mu.Unlock()
	limited(t, begin(r.anonymous(), b.at))
}

// TestOneReason: nothing in an answer tells a wrong account from a bad signature.
func TestOneReason(t *testing.T) {
	r := newRig(t)
	mine, theirs := r.enrol(), r.enrol()
	begun := must[*integrity.Begun](t)(r.BeginStepUp(t.Context(), mine.caller(), nil))
	finish := func(a *passkeytest.Authenticator, changes ...passkeytest.Change) error {
		response := must[[]byte](t)(a.Get(begun.Options, origin, changes...))
		_, err := r.FinishStepUp(t.Context(), mine.caller(), &integrity.StepUpAnswer{Ceremony: begun.Ceremony, Response: response})
		return err
	}
	other := finish(theirs.passkey, passkeytest.Use(theirs.passkey.Credentials()[0]))
	bad := finish(mine.passkey, wrong())
	if !errors.Is(other, passkey.ErrRefused) || !errors.Is(bad, passkey.ErrRefused) {
		t.Errorf("another account: %v; bad signature: %v", other, bad)
	}
}
