package integrity_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// must gives v, or ends the test.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// enrolment is a new phone's answer to a ceremony that it has begun.
func (p *phone) enrolment(changes ...passkeytest.Change) *integrity.EnrolAnswer {
	p.r.t.Helper()
	begun := must[*integrity.Begun](p.r.t)(p.r.BeginEnrol(p.r.t.Context(), p.r.anonymous(), nil))
	response := must[[]byte](p.r.t)(p.passkey.Create(begun.Options, origin, changes...))
	return &integrity.EnrolAnswer{Ceremony: begun.Ceremony, Response: response, Phone: p.attest(begun.Challenge)}
}

// enrol makes an account on a new phone.
func (r *rig) enrol() *phone {
	r.t.Helper()
	p := r.newPhone(nil)
	p.enrolled(must[*integrity.Enrolled](r.t)(r.FinishEnrol(r.t.Context(), r.anonymous(), p.enrolment())))
	return p
}

func (p *phone) enrolled(out *integrity.Enrolled) {
	p.account, p.device, p.token = out.Account, out.Device, out.Token
}

// assertion answers a sign-in that a known phone has begun.
func (p *phone) assertion(changes ...passkeytest.Change) *integrity.SignInAnswer {
	p.r.t.Helper()
	begun := must[*integrity.Begun](p.r.t)(p.r.BeginSignIn(p.r.t.Context(), p.caller(), &integrity.SignInStart{}))
	return &integrity.SignInAnswer{
		Ceremony: begun.Ceremony, Response: must[[]byte](p.r.t)(p.passkey.Get(begun.Options, origin, changes...)),
	}
}

// signIn signs the phone in again.
func (p *phone) signIn() *integrity.Signed {
	p.r.t.Helper()
	out := must[*integrity.SignInResult](p.r.t)(p.r.FinishSignIn(p.r.t.Context(), p.caller(), p.assertion()))
	p.token = out.Signed.Token
	return out.Signed
}

// stepping answers a step-up that the phone has begun.
func (p *phone) stepping(changes ...passkeytest.Change) *integrity.StepUpAnswer {
	p.r.t.Helper()
	begun := must[*integrity.Begun](p.r.t)(p.r.BeginStepUp(p.r.t.Context(), p.caller(), nil))
	return &integrity.StepUpAnswer{
		Ceremony: begun.Ceremony, Response: must[[]byte](p.r.t)(p.passkey.Get(begun.Options, origin, changes...)),
	}
}

// stepUp shows the phone's passkey again.
func (p *phone) stepUp() *integrity.Signed {
	p.r.t.Helper()
	return must[*integrity.Signed](p.r.t)(p.r.FinishStepUp(p.r.t.Context(), p.caller(), p.stepping()))
}

// adding makes another passkey, on an authenticator of its own.
func (p *phone) adding() *integrity.AddAnswer {
	p.r.t.Helper()
	begun := must[*integrity.Begun](p.r.t)(p.r.BeginAdd(p.r.t.Context(), p.caller(), &integrity.AddStart{}))
	other := must[*passkeytest.Authenticator](p.r.t)(passkeytest.New(&passkeytest.Options{}))
	return &integrity.AddAnswer{Ceremony: begun.Ceremony, Response: must[[]byte](p.r.t)(other.Create(begun.Options, origin))}
}

// newcomer is a sign-in on a phone that nobody knows, with the passkeys of an
// authenticator.
func (r *rig) newcomer(a *passkeytest.Authenticator) (*phone, *integrity.SignInAnswer) {
	r.t.Helper()
	p := &phone{r: r, passkey: a}
	begun := must[*integrity.Begun](r.t)(r.BeginSignIn(r.t.Context(), r.anonymous(), &integrity.SignInStart{NewPhone: true}))
	return p, &integrity.SignInAnswer{
		Ceremony: begun.Ceremony, Response: must[[]byte](r.t)(a.Get(begun.Options, origin)), Phone: p.attest(begun.Challenge),
	}
}

// browser is one with a passkey, the cookie of its ceremonies, and that of its
// session.
type browser struct {
	r       *rig
	passkey *passkeytest.Authenticator
	at      *integrity.Browser
	token   integrity.Token
	account account.ID
}

func (r *rig) newBrowser() *browser {
	r.t.Helper()
	cookie := make([]byte, 32)
	rand.Read(cookie)
	return &browser{
		r: r, passkey: must[*passkeytest.Authenticator](r.t)(passkeytest.New(&passkeytest.Options{})),
		at: &integrity.Browser{Cookie: cookie, Origin: origin, Label: "Chromium on Linux"},
	}
}

// caller is the browser as the edge finds it: by its session, if it has one.
func (b *browser) caller() account.Caller {
	b.r.t.Helper()
	if b.token == nil {
		return b.r.anonymous()
	}
	return must[account.Caller](b.r.t)(b.r.BrowserCaller(b.r.t.Context(), b.token, network, "Berlin, Germany"))
}

// signUp makes an account without a device.
func (r *rig) signUp() *browser {
	r.t.Helper()
	b := r.newBrowser()
	begun := must[*integrity.Begun](r.t)(r.BeginEnrol(r.t.Context(), r.anonymous(), b.at))
	response := must[[]byte](r.t)(b.passkey.Create(begun.Options, origin))
	out := must[*integrity.Enrolled](r.t)(r.FinishEnrol(r.t.Context(), r.anonymous(), &integrity.EnrolAnswer{
		Ceremony: begun.Ceremony, Response: response, Browser: b.at,
	}))
	b.account, b.token = out.Account, out.Token
	return b
}

// assertion answers a sign-in that the browser has begun.
func (b *browser) assertion(changes ...passkeytest.Change) *integrity.SignInAnswer {
	b.r.t.Helper()
	begun := must[*integrity.Begun](b.r.t)(b.r.BeginSignIn(b.r.t.Context(), b.r.anonymous(), &integrity.SignInStart{Browser: b.at}))
	return &integrity.SignInAnswer{
		Ceremony: begun.Ceremony, Response: must[[]byte](b.r.t)(b.passkey.Get(begun.Options, origin, changes...)), Browser: b.at,
	}
}

// signIn signs the browser in.
func (b *browser) signIn() *integrity.Signed {
	b.r.t.Helper()
	out := must[*integrity.SignInResult](b.r.t)(b.r.FinishSignIn(b.r.t.Context(), b.r.anonymous(), b.assertion()))
	b.token, b.account = out.Signed.Token, out.Signed.Account
	return out.Signed
}

// stepUp shows the browser's passkey again, for which it gets a new token.
func (b *browser) stepUp(changes ...passkeytest.Change) *integrity.Signed {
	b.r.t.Helper()
	c := b.caller()
	begun := must[*integrity.Begun](b.r.t)(b.r.BeginStepUp(b.r.t.Context(), c, b.at))
	response := must[[]byte](b.r.t)(b.passkey.Get(begun.Options, origin, changes...))
	out := must[*integrity.Signed](b.r.t)(b.r.FinishStepUp(b.r.t.Context(), c, &integrity.StepUpAnswer{
		Ceremony: begun.Ceremony, Response: response, Browser: b.at,
	}))
	b.token = out.Token
	return out
}

// deleteDevice makes a tombstone of a phone's device, by the rule, without an
// entry that tells of it.
func (r *rig) deleteDevice(p *phone) {
	r.t.Helper()
	ctx := r.t.Context()
	err := r.opts.Update(ctx, func(tx integrity.Tx) error {
		d, _, err := tx.Device(ctx, p.device)
		if err != nil {
			return err
		}
		if d, err = d.Apply(account.Step{Name: account.StepRemove}, r.clock()); err != nil {
			return err
		}
		d.MAC = d.Seal(r.opts.RowKey)
		return tx.PutDevice(ctx, d)
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// synced is an authenticator whose passkeys are synced ones.
func (r *rig) synced() *passkeytest.Authenticator {
	r.t.Helper()
	return must[*passkeytest.Authenticator](r.t)(passkeytest.New(&passkeytest.Options{Synced: true}))
}

// elsewhere gives the caller another network.
func elsewhere(c account.Caller) account.Caller {
	c.Network, c.Place = "net-2", "Oslo, Norway"
	return c
}

// same reports whether two tokens are equal.
func same(a, b integrity.Token) bool { return bytes.Equal(a, b) }
