package integrity_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// TestAddCredentialNeedsFreshPasskey: a session is not enough, at the beginning
// as at the end (pocket-id/pocket-id#997, #1601).
func TestAddCredentialNeedsFreshPasskey(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	begin := func() error {
		_, err := r.BeginAdd(t.Context(), p.caller(), &integrity.AddStart{})
		return err
	}
	var refused *account.Refused
	if err := begin(); !errors.As(err, &refused) || refused.Why != account.WhyStepUp || refused.Need != account.Fresh || refused.Have != account.Person {
		t.Errorf("a creation is not fresh: %v", err)
	}
	p.stepUp()
	answer := p.adding()
	r.advance(4 * time.Minute)
	late := p.adding()
	r.advance(time.Minute + time.Second)
	if err := begin(); !errors.Is(err, account.ErrRefused) {
		t.Errorf("begun after the window: %v", err)
	}
	if _, err := r.FinishAdd(t.Context(), p.caller(), answer); !errors.Is(err, integrity.ErrCeremonyExpired) {
		t.Errorf("after its time: %v", err)
	}
	if _, err := r.FinishAdd(t.Context(), p.caller(), late); !errors.As(err, &refused) || refused.Why != account.WhyStepUp {
		t.Errorf("finished after the window: %v", err)
	}
	p.stepUp()
	must[*integrity.Added](t)(r.FinishAdd(t.Context(), p.caller(), late))
	r.checked()
}

// TestAdd is a good new passkey and small changes to it.
func TestAdd(t *testing.T) {
	type in = integrity.AddAnswer
	tests := []struct {
		name   string
		change func(*phone, *account.Caller, *in)
		want   error
	}{
		{"good", func(*phone, *account.Caller, *in) {}, nil},
		{"named", func(_ *phone, _ *account.Caller, a *in) { a.Name = "Blue key" }, nil},
		{"without a session", func(_ *phone, c *account.Caller, _ *in) { c.Session = "" }, integrity.ErrSessionRequired},
		{"of another account", func(p *phone, c *account.Caller, _ *in) { *c = p.r.enrol().caller() }, integrity.ErrCeremonyExpired},
		{"in another session", func(p *phone, c *account.Caller, _ *in) { p.signIn(); *c = p.caller() }, integrity.ErrCeremonyExpired},
		{"in a browser", func(p *phone, c *account.Caller, a *in) {
			b := p.r.newBrowser()
			b.passkey = p.passkey
			b.signIn()
			*c, a.Browser = b.caller(), b.at
		}, integrity.ErrCeremonyExpired},
		{"answer to another", func(p *phone, _ *account.Caller, a *in) { a.Response = p.adding().Response }, passkey.ErrRefused},
		{"ceremony of an enrolment", func(p *phone, _ *account.Caller, a *in) { a.Ceremony = p.r.newPhone(nil).enrolment().Ceremony }, integrity.ErrCeremonyExpired},
		{"frozen meanwhile", func(p *phone, _ *account.Caller, _ *in) { p.r.set(p, "account", account.Frozen) }, account.ErrRefused},
		{"device held meanwhile", func(p *phone, _ *account.Caller, _ *in) { p.r.set(p, "device", account.Held) }, account.ErrRefused},
		{"name too long", func(_ *phone, _ *account.Caller, a *in) { a.Name = strings.Repeat("a", 65) }, integrity.ErrMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.enrol()
			p.stepUp()
			answer, c := p.adding(), p.caller()
			test.change(p, &c, answer)
			out, err := r.FinishAdd(t.Context(), c, answer)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if err != nil {
				return
			}
			r.checked()
			if want := answer.Name; want != "" && out.Passkey.Name != want || out.Passkey.Name == "" {
				t.Errorf("named %q", out.Passkey.Name)
			}
			if n := len(out.Signals.AllAccepted.AllAcceptedCredentialIDs); n != 2 {
				t.Errorf("%d accepted passkeys", n)
			}
			if n := r.count("alert WHERE account = ? AND kind = 'credential.add'", string(p.account)); n != 1 {
				t.Errorf("%d alerts", n)
			}
			if _, err := r.FinishAdd(t.Context(), c, answer); !errors.Is(err, integrity.ErrCeremonyUsed) {
				t.Errorf("again: %v, want %v", err, integrity.ErrCeremonyUsed)
			}
		})
	}
}

// TestAddExcludes: the options exclude all of the account's passkeys.
func TestAddExcludes(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	p.stepUp()
	must[*integrity.Added](t)(r.FinishAdd(t.Context(), p.caller(), p.adding()))
	begun := must[*integrity.Begun](t)(r.BeginAdd(t.Context(), p.caller(), &integrity.AddStart{Hint: passkey.SecurityKey}))
	var options struct {
		ExcludeCredentials []struct{ ID string }
		Hints              []string
	}
	if err := json.Unmarshal(begun.Options, &options); err != nil || len(options.ExcludeCredentials) != 2 || !slices.Equal(options.Hints, []string{"security-key"}) {
		t.Errorf("%v, %d excluded, hints %v", err, len(options.ExcludeCredentials), options.Hints)
	}
}

// TestKeyring: listing and renaming passkeys.
func TestKeyring(t *testing.T) {
	r := newRig(t)
	p, stranger := r.enrol(), r.enrol()
	list, signals, err := r.Passkeys(t.Context(), p.caller())
	if err != nil || len(list) != 1 || len(signals.AllAccepted.AllAcceptedCredentialIDs) != 1 || list[0].Synced || !slices.Equal(list[0].Devices, []account.DeviceID{p.device}) {
		t.Fatalf("%v: %+v, %+v", err, list, signals)
	}
	ref := list[0].Ref
	must[*integrity.Signals](t)(r.RenamePasskey(t.Context(), p.caller(), ref, "Work phone"))
	if list, _, err = r.Passkeys(t.Context(), p.caller()); err != nil || list[0].Name != "Work phone" {
		t.Errorf("%v: named %q", err, list[0].Name)
	}
	for name, test := range map[string]struct {
		by   *phone
		ref  account.CredentialRef
		text string
		want error
	}{
		"somebody else's": {stranger, ref, "x", integrity.ErrCredentialUnknown},
		"nobody's":        {p, account.NewCredentialRef(), "x", integrity.ErrCredentialUnknown},
		"no reference":    {p, "c_1", "x", integrity.ErrCredentialUnknown},
		"empty":           {p, ref, "", integrity.ErrMalformed},
		"bidirectional":   {p, ref, "\u202egnp", integrity.ErrMalformed},
	} {
		if _, err := r.RenamePasskey(t.Context(), test.by.caller(), test.ref, test.text); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	r.advance(25 * time.Hour)
	if _, err := r.RenamePasskey(t.Context(), p.caller(), ref, "x"); !errors.Is(err, account.ErrRefused) {
		t.Errorf("a day later: %v, want %v", err, account.ErrRefused)
	}
	r.checked()
}
