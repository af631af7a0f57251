package integrity_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

func TestEnrolAndSignIn(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	c := p.caller()
	if c.Account != p.account || c.Device != p.device || c.Session == "" {
		t.Fatalf("caller %+v", c)
	}
	p.token = nil
	out := p.signIn()
	if out.Account != p.account || out.Device != p.device || out.AccountState != account.Active || out.DeviceState != account.Active {
		t.Fatalf("signed in as %+v", out)
	}
	if out.Class != account.Fresh {
		t.Errorf("class %s, want fresh", out.Class)
	}
	if c := p.caller(); c.Session != out.Session {
		t.Errorf("session %s, want %s", c.Session, out.Session)
	}
	r.checked()
}

// TestEnrol is a good enrolment and small changes to it. What is refused leaves
// nothing, and the ceremony can still be answered.
func TestEnrol(t *testing.T) {
	type in = integrity.EnrolAnswer
	tests := []struct {
		name   string
		change func(*in, *phone)
		want   error
	}{
		{"good", func(*in, *phone) {}, nil},
		{"without evidence", func(a *in, _ *phone) { a.Phone = nil }, integrity.ErrNotAllowed},
		{"as a browser", func(a *in, _ *phone) {
			a.Phone, a.Browser = nil, &integrity.Browser{Cookie: []byte("c"), Origin: origin}
		}, integrity.ErrCeremonyExpired},
		{"as a browser without a cookie", func(a *in, _ *phone) { a.Phone, a.Browser = nil, &integrity.Browser{Origin: origin} }, integrity.ErrNotAllowed},
		{"as both", func(a *in, _ *phone) { a.Browser = &integrity.Browser{Cookie: []byte("c"), Origin: origin} }, integrity.ErrNotAllowed},
		{"evidence over another challenge", func(a *in, p *phone) { a.Phone = p.enrolment().Phone }, integrity.ErrCeremonyExpired},
		{"signed by another key", func(a *in, p *phone) { a.Phone.Message = p.enrolment().Phone.Message }, integrity.ErrProofInvalid},
		{"not signed", func(a *in, _ *phone) { a.Phone.Message = nil }, integrity.ErrMalformed},
		{"no such ceremony", func(a *in, _ *phone) { a.Ceremony = account.NewCeremonyID() }, integrity.ErrCeremonyExpired},
		{"ceremony of a sign-in", func(a *in, p *phone) {
			_, other := p.r.newcomer(p.passkey)
			a.Ceremony = other.Ceremony
		}, integrity.ErrCeremonyExpired},
		{"no name", func(a *in, _ *phone) { a.Phone.Name = "" }, integrity.ErrMalformed},
		{"name of two lines", func(a *in, _ *phone) { a.Phone.Name = "Pixel\n9" }, integrity.ErrMalformed},
		{"platform", func(a *in, _ *phone) { a.Phone.Platform = "symbian" }, integrity.ErrMalformed},
		{"sealing key without its algorithm", func(a *in, _ *phone) { a.Phone.SealingAlg = "" }, integrity.ErrMalformed},
		{"sealing key too long", func(a *in, _ *phone) { a.Phone.SealingKey = make([]byte, 4097) }, integrity.ErrMalformed},
		{"passkey of another ceremony", func(a *in, p *phone) { a.Response = p.enrolment().Response }, passkey.ErrRefused},
		{"no passkey", func(a *in, _ *phone) { a.Response = []byte(`{}`) }, passkey.ErrMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.newPhone(nil)
			good := p.enrolment()
			changed, phone := *good, *good.Phone
			changed.Phone = &phone
			key := *p // whoever makes another answer makes another key
			test.change(&changed, &key)
			_, err := r.FinishEnrol(t.Context(), r.anonymous(), &changed)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if test.want == nil {
				if _, err := r.FinishEnrol(t.Context(), r.anonymous(), good); !errors.Is(err, integrity.ErrCeremonyUsed) {
					t.Errorf("again: %v, want %v", err, integrity.ErrCeremonyUsed)
				}
				return
			}
			if n := r.count("account"); n != 0 {
				t.Errorf("%d accounts after a refusal", n)
			}
			p.enrolled(must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), good)))
			r.checked()
		})
	}
}

// TestEnrolLeaves looks at what an enrolment leaves in the store.
func TestEnrolLeaves(t *testing.T) {
	r := newRig(t)
	p := r.newPhone(nil)
	begun := must[*integrity.Begun](t)(r.BeginEnrol(t.Context(), r.anonymous(), nil))
	if r.count("account") != 0 {
		t.Error("an account before the end")
	}
	response := must[[]byte](t)(p.passkey.Create(begun.Options, origin))
	out := must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), &integrity.EnrolAnswer{
		Ceremony: begun.Ceremony, Response: response, Phone: p.attest(begun.Challenge),
	}))
	if out.Account != begun.Account {
		t.Errorf("account %s, and %s was reserved", out.Account, begun.Account)
	}
	a := read(r, func(tx integrity.Tx) (account.Account, error) {
		a, _, err := tx.Account(t.Context(), out.Account)
		return a, err
	})
	if sum := out.FreezeCode.Hash(); !bytes.Equal(a.FreezeCode, sum[:]) {
		t.Error("the freeze code is not stored as its hash")
	}
	if a.UserHandle == [64]byte{} || a.State != account.Active {
		t.Errorf("account %+v", a)
	}
	if n := r.count("audit_entry WHERE account = ? AND action = 'account.enrol'", string(out.Account)); n != 1 {
		t.Errorf("%d entries", n)
	}
	if n := r.count("outbox WHERE account = ? AND type = 'account.enrolled'", string(out.Account)); n != 1 {
		t.Errorf("%d events", n)
	}
	if out.Class != account.Person || out.Token == nil || out.Session == "" {
		t.Errorf("answer %+v", out)
	}
	r.checked()
}

// TestDeviceKeyKnown: a device key enrols once, for ever, whatever became of its
// device.
func TestDeviceKeyKnown(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		r := newRig(t)
		p := r.enrol()
		if deleted {
			r.deleteDevice(p)
		}
		begun := must[*integrity.Begun](t)(r.BeginEnrol(t.Context(), r.anonymous(), nil))
		other := r.newPhone(nil)
		answer := &integrity.EnrolAnswer{
			Ceremony: begun.Ceremony, Response: must[[]byte](t)(other.passkey.Create(begun.Options, origin)),
			Phone: p.attestAgain(begun.Challenge),
		}
		if _, err := r.FinishEnrol(t.Context(), r.anonymous(), answer); !errors.Is(err, integrity.ErrDeviceKeyKnown) {
			t.Errorf("device deleted: %v: %v, want %v", deleted, err, integrity.ErrDeviceKeyKnown)
		}
	}
}

// TestPasskeyKnown: a passkey is registered once, removed ones included.
func TestPasskeyKnown(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	other := r.newPhone(nil)
	begun := must[*integrity.Begun](t)(r.BeginEnrol(t.Context(), r.anonymous(), nil))
	id := p.passkey.Credentials()[0].ID
	response := must[[]byte](t)(other.passkey.Create(begun.Options, origin, func(d *passkeytest.Draft) { d.CredentialID = id }))
	answer := &integrity.EnrolAnswer{Ceremony: begun.Ceremony, Response: response, Phone: other.attest(begun.Challenge)}
	if _, err := r.FinishEnrol(t.Context(), r.anonymous(), answer); !errors.Is(err, integrity.ErrPasskeyKnown) {
		t.Errorf("%v, want %v", err, integrity.ErrPasskeyKnown)
	}
	if n := r.count("account"); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

// TestEnrolPolicy: what the app does not take.
func TestEnrolPolicy(t *testing.T) {
	t.Run("without a device", func(t *testing.T) {
		r := newRig(t, func(o *integrity.Options) { o.Policy.AccountsWithoutDevice = false })
		if _, err := r.BeginEnrol(t.Context(), r.anonymous(), r.newBrowser().at); !errors.Is(err, integrity.ErrNotAllowed) {
			t.Errorf("%v, want %v", err, integrity.ErrNotAllowed)
		}
	})
	t.Run("synced", func(t *testing.T) {
		r := newRig(t, func(o *integrity.Options) { o.Policy.SyncedOK = []string{"sign_in", "step_up"} })
		p := r.newPhone(&passkeytest.Options{Synced: true})
		if _, err := r.FinishEnrol(t.Context(), r.anonymous(), p.enrolment()); !errors.Is(err, integrity.ErrSyncedRefused) {
			t.Errorf("%v, want %v", err, integrity.ErrSyncedRefused)
		}
	})
	t.Run("untrusted device", func(t *testing.T) {
		r := newRig(t)
		p := r.newPhone(nil)
		answer := p.enrolment()
		ca := must[*attesttest.AndroidCA](t)(androidCA())
		unlocked := ca.Phone()
		unlocked.Boot.DeviceLocked = false
		challenge := answer.Phone.Evidence.Challenge
		p.key = must[*attesttest.AndroidKey](t)(unlocked.GenerateKey(r.clock(), challenge))
		answer.Phone = p.brings(challenge, p.key.Chain())
		var untrusted *integrity.Untrusted
		_, err := r.FinishEnrol(t.Context(), r.anonymous(), answer)
		if !errors.As(err, &untrusted) || untrusted.Advice == "" || r.count("account")+r.count("device") != 0 {
			t.Errorf("%v, and %d accounts", err, r.count("account"))
		}
		if n := r.count("attest_challenge WHERE used_at IS NOT NULL"); n != 1 {
			t.Errorf("%d challenges are used: the denial is not committed", n)
		}
		r.checked()
	})
}
