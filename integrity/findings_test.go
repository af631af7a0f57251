package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// counting is an account in a browser whose passkey counts, at 5.
func (r *rig) counting(o *passkeytest.Options) (b *browser, count func(uint32) passkeytest.Change) {
	r.t.Helper()
	b = r.newBrowser()
	b.passkey = must[*passkeytest.Authenticator](r.t)(passkeytest.New(o))
	begun := must[*integrity.Begun](r.t)(r.BeginEnrol(r.t.Context(), r.anonymous(), b.at))
	count = func(n uint32) passkeytest.Change { return func(d *passkeytest.Draft) { d.SignCount = n } }
	response := must[[]byte](r.t)(b.passkey.Create(begun.Options, origin, count(5)))
	out := must[*integrity.Enrolled](r.t)(r.FinishEnrol(r.t.Context(), r.anonymous(), &integrity.EnrolAnswer{
		Ceremony: begun.Ceremony, Response: response, Browser: b.at,
	}))
	b.account, b.token = out.Account, out.Token
	return b, count
}

// TestCounterRegress: a device-bound passkey whose counter goes back opens
// nothing and is suspect until it is removed; a synced one raises.
func TestCounterRegress(t *testing.T) {
	r := newRig(t)
	b, count := r.counting(&passkeytest.Options{})
	must[*integrity.SignInResult](t)(r.FinishSignIn(t.Context(), r.anonymous(), b.assertion(count(6))))
	b.stepUp(count(7))
	before := b.caller()
	copied := b.assertion(count(6))
	for _, want := range []error{integrity.ErrCounter, integrity.ErrCeremonyUsed} {
		if _, err := r.FinishSignIn(t.Context(), r.anonymous(), copied); !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
	}
	if n := r.count("credential WHERE state = 'suspect'"); n != 1 {
		t.Error("the passkey is not suspect")
	}
	if n := r.count("alert WHERE account = ? AND kind = 'passkey.finding'", string(b.account)); n != 1 {
		t.Errorf("the owner is told %d times", n)
	}
	var refused *account.Refused
	if _, err := r.BeginAdd(t.Context(), before, &integrity.AddStart{Browser: b.at}); !errors.As(err, &refused) || refused.Have != account.Person {
		t.Errorf("a session that it has opened before: %v", err)
	}
	out := must[*integrity.SignInResult](t)(r.FinishSignIn(t.Context(), r.anonymous(), b.assertion(count(9))))
	if out.Signed.Class != account.Person {
		t.Errorf("a suspect passkey gives %s", out.Signed.Class)
	}
	r.checked()
}

// TestSyncedFindings: a synced passkey whose counter goes back, and one that was
// synced and is no more, raise what is needed; the owner is told.
func TestSyncedFindings(t *testing.T) {
	for name, test := range map[string]struct {
		change passkeytest.Change
		signal account.SignalName
	}{
		"counter": {func(d *passkeytest.Draft) { d.SignCount = 4 }, account.SignalCounterRegress},
		"backup":  {func(d *passkeytest.Draft) { d.SignCount, d.Flags = 6, d.Flags&^passkeytest.BackupState }, account.SignalBackupState},
	} {
		r := newRig(t)
		b, _ := r.counting(&passkeytest.Options{Synced: true})
		must[*integrity.SignInResult](t)(r.FinishSignIn(t.Context(), r.anonymous(), b.assertion(test.change)))
		signals := read(r, func(tx integrity.Tx) ([]account.Signal, error) { return tx.Signals(t.Context(), b.account, r.clock()) })
		if len(signals) != 1 || signals[0].Name != test.signal || signals[0].Until.Sub(r.clock()) != 7*24*time.Hour {
			t.Errorf("%s: signals %+v", name, signals)
		}
		if n := r.count("alert WHERE account = ? AND kind = 'passkey.finding'", string(b.account)); n != 1 {
			t.Errorf("%s: the owner is told %d times", name, n)
		}
		if r.count("credential WHERE state = 'active'") != 1 {
			t.Errorf("%s: the passkey is not active any more", name)
		}
		r.checked()
	}
}

// TestBackupEligibleNeverRewritten: a passkey that says it can be synced, and
// could not be, is refused, and stays what it was registered as.
func TestBackupEligibleNeverRewritten(t *testing.T) {
	r := newRig(t)
	b, _ := r.counting(&passkeytest.Options{})
	change := func(d *passkeytest.Draft) { d.SignCount, d.Flags = 6, d.Flags|passkeytest.BackupEligible }
	for range 2 {
		if _, err := r.FinishSignIn(t.Context(), r.anonymous(), b.assertion(change)); !errors.Is(err, integrity.ErrBackupFlagChanged) {
			t.Errorf("%v, want %v", err, integrity.ErrBackupFlagChanged)
		}
	}
	list, _, err := r.Passkeys(t.Context(), b.caller())
	if err != nil || list[0].Synced {
		t.Errorf("%v: it counts as synced: %v", err, list[0].Synced)
	}
}
