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

// TestBrowserSignIn is a good sign-in of a browser and small changes to it.
func TestBrowserSignIn(t *testing.T) {
	type in = integrity.SignInAnswer
	tests := []struct {
		name   string
		change func(*in, *account.Caller, *browser)
		want   error
	}{
		{"good", func(*in, *account.Caller, *browser) {}, nil},
		{"another browser", func(a *in, _ *account.Caller, b *browser) { a.Browser = b.r.newBrowser().at }, integrity.ErrCeremonyExpired},
		{"no cookie", func(a *in, _ *account.Caller, _ *browser) { a.Browser = &integrity.Browser{Origin: origin} }, integrity.ErrNotAllowed},
		{"no browser", func(a *in, _ *account.Caller, _ *browser) { a.Browser = nil }, integrity.ErrNotAllowed},
		{"on a phone", func(a *in, c *account.Caller, b *browser) { a.Browser, *c = nil, b.r.enrol().caller() }, integrity.ErrCeremonyExpired},
		{"a phone with a cookie", func(_ *in, c *account.Caller, b *browser) { *c = b.r.enrol().caller() }, integrity.ErrNotAllowed},
		{"another app", func(_ *in, c *account.Caller, _ *browser) { c.App = "other" }, integrity.ErrNotAllowed},
		{"nobody", func(_ *in, c *account.Caller, _ *browser) { c.Kind = "" }, integrity.ErrNotAllowed},
		{"ceremony of another", func(a *in, _ *account.Caller, b *browser) { a.Ceremony = b.r.signUp().assertion().Ceremony }, integrity.ErrCeremonyExpired},
		{"ceremony of a step-up", func(a *in, _ *account.Caller, b *browser) {
			begun := must[*integrity.Begun](b.r.t)(b.r.BeginStepUp(b.r.t.Context(), b.caller(), b.at))
			a.Ceremony = begun.Ceremony
		}, integrity.ErrCeremonyExpired},
		{"answer to another ceremony", func(a *in, _ *account.Caller, b *browser) { a.Response = b.assertion().Response }, passkey.ErrRefused},
		{"late", func(_ *in, _ *account.Caller, b *browser) { b.r.advance(5 * time.Minute) }, integrity.ErrCeremonyExpired},
		{"in time", func(_ *in, _ *account.Caller, b *browser) { b.r.advance(5*time.Minute - time.Second) }, nil},
		{"passkey of no account", func(a *in, _ *account.Caller, b *browser) { b.strange(a) }, passkey.ErrUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			b := r.signUp()
			good := b.assertion()
			changed, c := *good, r.anonymous()
			test.change(&changed, &c, b)
			_, err := r.FinishSignIn(t.Context(), c, &changed)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if test.want == nil {
				_, err := r.FinishSignIn(t.Context(), c, &changed)
				if !errors.Is(err, integrity.ErrCeremonyUsed) {
					t.Errorf("again: %v, want %v", err, integrity.ErrCeremonyUsed)
				}
			}
			r.checked()
		})
	}
}

// strange answers with a passkey that the server has never seen.
func (b *browser) strange(a *integrity.SignInAnswer) {
	other := b.r.newBrowser()
	begun := must[*integrity.Begun](b.r.t)(b.r.BeginEnrol(b.r.t.Context(), b.r.anonymous(), other.at))
	must[[]byte](b.r.t)(other.passkey.Create(begun.Options, origin))
	signIn := must[*integrity.Begun](b.r.t)(b.r.BeginSignIn(b.r.t.Context(), b.r.anonymous(), &integrity.SignInStart{Browser: b.at}))
	a.Ceremony, a.Response = signIn.Ceremony, must[[]byte](b.r.t)(other.passkey.Get(signIn.Options, origin))
}

// TestAnswers: what authenticators and pages may get wrong.
func TestAnswers(t *testing.T) {
	r := newRig(t)
	b := r.signUp()
	for name, test := range map[string]struct {
		change passkeytest.Change
		want   error
	}{
		"user not verified":     {func(d *passkeytest.Draft) { d.Flags &^= passkeytest.UserVerified }, passkey.ErrNotVerified},
		"user not present":      {func(d *passkeytest.Draft) { d.Flags &^= passkeytest.UserPresent }, passkey.ErrNotVerified},
		"another RP ID":         {func(d *passkeytest.Draft) { d.RPID = "example.com" }, passkey.ErrRefused},
		"another origin":        {func(d *passkeytest.Draft) { d.Origin = "https://example.com" }, passkey.ErrRefused},
		"another page of ours":  {func(d *passkeytest.Draft) { d.Origin = "https://example.org" }, passkey.ErrRefused},
		"another user handle":   {func(d *passkeytest.Draft) { d.UserHandle = make([]byte, 64) }, passkey.ErrRefused},
		"no user handle":        {func(d *passkeytest.Draft) { d.UserHandle = nil }, passkey.ErrRefused},
		"signature":             {passkeytest.Edit(passkeytest.Signature, passkeytest.Flip), passkey.ErrRefused},
		"synced and not before": {func(d *passkeytest.Draft) { d.Flags |= passkeytest.BackupEligible }, integrity.ErrBackupFlagChanged},
	} {
		_, err := r.FinishSignIn(t.Context(), r.anonymous(), b.assertion(test.change))
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	r.checked()
}

// TestOtherUsersCredential: a good answer with the passkey of somebody else opens
// nothing of mine, wherever it is given (CVE-2026-46419, YSA-2026-02).
func TestOtherUsersCredential(t *testing.T) {
	r := newRig(t)
	mine, theirs := r.enrol(), r.enrol()
	mine.passkey, theirs.passkey = theirs.passkey, mine.passkey
	if _, err := r.FinishSignIn(t.Context(), mine.caller(), mine.assertion()); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("sign-in on my phone: %v, want %v", err, passkey.ErrRefused)
	}
	mine.passkey, theirs.passkey = theirs.passkey, mine.passkey
	theirKey := theirs.passkey.Credentials()[0]
	begun := must[*integrity.Begun](t)(r.BeginStepUp(t.Context(), mine.caller(), nil))
	response := must[[]byte](t)(theirs.passkey.Get(begun.Options, origin, passkeytest.Use(theirKey)))
	_, err := r.FinishStepUp(t.Context(), mine.caller(), &integrity.StepUpAnswer{Ceremony: begun.Ceremony, Response: response})
	if !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("step-up: %v, want %v", err, passkey.ErrRefused)
	}
	refused := func(p *phone) int {
		return r.count("audit_entry WHERE account = ? AND action = 'session.refused'", string(p.account))
	}
	if refused(mine) != 2 || refused(theirs) != 0 { // they cannot help it
		t.Errorf("%d refusals in my record, %d in theirs", refused(mine), refused(theirs))
	}
	r.checked()
}

// TestPhoneSignIn: whose phone, whose ceremony.
func TestPhoneSignIn(t *testing.T) {
	r := newRig(t)
	mine, theirs := r.enrol(), r.enrol()
	if _, err := r.FinishSignIn(t.Context(), theirs.caller(), mine.assertion()); !errors.Is(err, integrity.ErrCeremonyExpired) {
		t.Errorf("on another phone: %v, want %v", err, integrity.ErrCeremonyExpired)
	}
	if _, err := r.FinishSignIn(t.Context(), r.anonymous(), mine.assertion()); !errors.Is(err, integrity.ErrNotAllowed) {
		t.Errorf("unsigned: %v, want %v", err, integrity.ErrNotAllowed)
	}
	answer := mine.assertion()
	_, newcomer := r.newcomer(mine.passkey)
	answer.Phone = newcomer.Phone
	if _, err := r.FinishSignIn(t.Context(), r.anonymous(), answer); !errors.Is(err, integrity.ErrCeremonyExpired) {
		t.Errorf("with evidence for another: %v, want %v", err, integrity.ErrCeremonyExpired)
	}
	if out := mine.signIn(); out.Account != mine.account {
		t.Errorf("signed in as %s", out.Account)
	}
	r.checked()
}

// TestSignInByState: frozen and held accounts are signed in to, locked and
// deleted ones are not; and so are devices.
func TestSignInByState(t *testing.T) {
	for _, test := range []struct {
		of, state string
		from      string // the browser, or the phone itself
		want      error
		why       account.Why
	}{
		{"account", "active", "browser", nil, 0},
		{"account", "frozen", "browser", nil, 0},
		{"account", "frozen", "phone", nil, 0},
		{"account", "held", "browser", nil, 0},
		{"account", "locked", "browser", account.ErrRefused, account.WhyAccountLocked},
		{"account", "locked", "phone", account.ErrRefused, account.WhyAccountLocked},
		{"account", "deleted", "browser", passkey.ErrRefused, 0},
		{"device", "held", "phone", nil, 0},
		{"device", "frozen", "phone", account.ErrRefused, account.WhyDeviceFrozen},
		{"device", "locked", "phone", account.ErrRefused, account.WhyDeviceLocked},
		{"device", "frozen", "browser", nil, 0},
	} {
		t.Run(test.of+" "+test.state+" "+test.from, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.enrol()
			state, _ := account.ParseState(test.state)
			r.set(p, test.of, state)
			var err error
			if test.from == "phone" {
				_, err = r.FinishSignIn(t.Context(), p.caller(), p.assertion())
			} else {
				b := r.newBrowser()
				b.passkey = p.passkey
				_, err = r.FinishSignIn(t.Context(), r.anonymous(), b.assertion())
			}
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			var refused *account.Refused
			if errors.As(err, &refused) && refused.Why != test.why {
				t.Errorf("because %q, want %q", refused.Why, test.why)
			}
		})
	}
}

// set puts the account or the device of a phone into a state, without an entry.
func (r *rig) set(p *phone, of string, state account.State) {
	r.t.Helper()
	ctx := r.t.Context()
	hold := account.Hold{}
	if state == account.Held {
		hold = account.Hold{Reason: account.HoldNew, Since: r.clock(), Until: r.clock().Add(time.Hour)}
	}
	err := r.opts.Update(ctx, func(tx integrity.Tx) error {
		if of == "account" {
			a, _, err := tx.Account(ctx, p.account)
			if err != nil {
				return err
			}
			a.State, a.Hold = state, hold
			a.MAC = a.Seal(r.opts.RowKey)
			return tx.PutAccount(ctx, a, "")
		}
		d, _, err := tx.Device(ctx, p.device)
		if err != nil {
			return err
		}
		d.State, d.Hold = state, hold
		d.MAC = d.Seal(r.opts.RowKey)
		return tx.PutDevice(ctx, d)
	})
	if err != nil {
		r.t.Fatal(err)
	}
}
