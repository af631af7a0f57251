package integrity_test

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// TestOtherApp: the ids, tokens, ceremonies and signed calls of one app are in
// another what random ones are.
func TestOtherApp(t *testing.T) {
	a, b := newRig(t), newRig(t)
	p := a.enrol()
	browser := a.signUp()
	resident := b.enrol()
	if _, err := b.BrowserCaller(t.Context(), browser.token, network, ""); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("a token: %v", err)
	}
	if _, err := b.Prove(t.Context(), p.message(nil), nil, false); !errors.Is(err, integrity.ErrProofInvalid) {
		t.Errorf("a call of a device: %v", err)
	}
	if _, err := b.FinishSignIn(t.Context(), b.anonymous(), browser.assertion()); !errors.Is(err, integrity.ErrCeremonyExpired) {
		t.Errorf("a ceremony: %v", err)
	}
	if _, err := b.FinishEnrol(t.Context(), b.anonymous(), a.newPhone(nil).enrolment()); !errors.Is(err, integrity.ErrCeremonyExpired) {
		t.Errorf("an enrolment: %v", err)
	}
	begun := must[*integrity.Begun](t)(b.BeginSignIn(t.Context(), b.anonymous(), &integrity.SignInStart{Browser: browser.at}))
	response := must[[]byte](t)(p.passkey.Get(begun.Options, origin))
	if _, err := b.FinishSignIn(t.Context(), b.anonymous(), &integrity.SignInAnswer{Ceremony: begun.Ceremony, Response: response, Browser: browser.at}); !errors.Is(err, passkey.ErrUnknown) {
		t.Errorf("a passkey: %v", err)
	}
	resident.stepUp()
	if _, err := b.EndSession(t.Context(), resident.caller(), p.caller().Session); !errors.Is(err, integrity.ErrSessionUnknown) {
		t.Errorf("a session: %v", err)
	}
	list, _, err := a.Passkeys(t.Context(), p.caller())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.RenamePasskey(t.Context(), resident.caller(), list[0].Ref, "x"); !errors.Is(err, integrity.ErrCredentialUnknown) {
		t.Errorf("a passkey by reference: %v", err)
	}
	foreign := p.caller()
	foreign.App = "other"
	if _, _, err := a.Passkeys(t.Context(), foreign); !errors.Is(err, integrity.ErrNotAllowed) {
		t.Errorf("a caller of another app: %v", err)
	}
}

// TestNobody: who has not said who he is, and who is of no account, gets nothing.
func TestNobody(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	unsigned := account.Caller{Kind: account.Anonymous, App: "demo"}
	keyless := p.caller()
	keyless.Account, keyless.Device, keyless.Session = "", "", ""
	for name, c := range map[string]account.Caller{"anonymous": unsigned, "a key of no device": keyless, "zero": {}} {
		for call, err := range map[string]error{
			"SignOut":       second(r.SignOut(t.Context(), c)),
			"SignOutOthers": second(r.SignOutOthers(t.Context(), c)),
			"EndSession":    second(r.EndSession(t.Context(), c, account.NewSessionID())),
			"BeginStepUp":   second(r.BeginStepUp(t.Context(), c, nil)),
			"FinishStepUp":  second(r.FinishStepUp(t.Context(), c, &integrity.StepUpAnswer{})),
			"BeginAdd":      second(r.BeginAdd(t.Context(), c, &integrity.AddStart{})),
			"FinishAdd":     second(r.FinishAdd(t.Context(), c, &integrity.AddAnswer{})),
			"RenamePasskey": second(r.RenamePasskey(t.Context(), c, account.NewCredentialRef(), "x")),
		} {
			if !errors.Is(err, integrity.ErrSessionRequired) && !errors.Is(err, integrity.ErrNotAllowed) {
				t.Errorf("%s: %s gives %v", name, call, err)
			}
		}
		if _, _, err := r.Passkeys(t.Context(), c); !errors.Is(err, integrity.ErrSessionRequired) && !errors.Is(err, integrity.ErrNotAllowed) {
			t.Errorf("%s: Passkeys gives %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestNetwork: addresses of one network are one, keyed, and nothing of them is
// left in it.
func TestNetwork(t *testing.T) {
	r := newRig(t)
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.254", true},
		{"192.0.2.1", "192.0.3.1", false},
		{"::ffff:192.0.2.1", "192.0.2.7", true},
		{"2001:db8:1::1", "2001:db8:1:ffff::1", true},
		{"2001:db8:1::1", "2001:db8:2::1", false},
		{"fe80::1%eth0", "fe80::2", true},
	} {
		if a, b := r.Network(test.a), r.Network(test.b); (a == b) != test.same || len(a) != 20 {
			t.Errorf("%s is %q, and %s is %q", test.a, a, test.b, b)
		}
	}
	if r.Network("nowhere") != "" {
		t.Error("no address has a network")
	}
	before := r.Network("192.0.2.1")
	r.reopen(func(o *integrity.Options) { o.RateKey = make([]byte, 32) })
	if r.Network("192.0.2.1") == before {
		t.Error("another key gives the same network")
	}
}
