package operator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// TestFlow: from the invitation to the removal, and what the record tells of it.
func TestFlow(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	in := r.invite("mika")
	if want := r.now.Truncate(time.Microsecond).Add(24 * time.Hour); !in.Until.Equal(want) || len(in.Secret) != 32 {
		t.Errorf("invited until %v with %d bytes", in.Until, len(in.Secret))
	}
	first, err := r.FinishEnrol(ctx, r.enrolment(in.Secret))
	if err != nil {
		t.Fatal(err)
	}
	if first.Name != "mika" || first.Operator != in.ID || first.Until.Sub(r.now.Truncate(time.Microsecond)) != 8*time.Hour {
		t.Errorf("signed: %+v", first)
	}
	second, err := r.FinishSignIn(ctx, r.answer())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*operator.Signed{first, second} {
		c, err := r.Check(ctx, s.Token)
		if err != nil || c.Kind != account.Operator || c.App != "demo" || c.Name != "mika" || c.Session == "" || c.Account != "" {
			t.Errorf("Check: %+v, %v", c, err)
		}
	}
	if err := r.SignOut(ctx, second.Token); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Check(ctx, second.Token); !errors.Is(err, operator.ErrSession) {
		t.Errorf("after the sign-out: %v", err)
	}
	if id, err := r.Remove(ctx, local, "mika"); err != nil || id != in.ID {
		t.Errorf("Remove: %s, %v", id, err)
	}
	if _, err := r.Check(ctx, first.Token); !errors.Is(err, operator.ErrSession) {
		t.Errorf("after the removal: %v", err)
	}
	want := []string{"operator.invite", "operator.enrol", "operator.sign_in", "operator.sign_out", "operator.remove"}
	if got := r.actions(); !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
	for i, e := range r.entries() {
		who := "mika"
		if i == 0 || i == 4 {
			who = "local:root"
		}
		if e.Account != "" || e.Subject != string(in.ID) || e.Actor.Kind != account.Operator || e.Actor.ID != who || (e.Actor.Session == "") != (who != "mika") {
			t.Errorf("entry %d: %+v", i, e)
		}
	}
	r.check()
	r.now = r.now.Add(time.Second)
	if again := r.invite("mika"); again.ID == in.ID { // the name is free
		t.Error("one ID for two people")
	}
	all, err := r.List(ctx, local)
	if err != nil || len(all) != 2 || all[0].ID != in.ID || all[0].RemovedAt.IsZero() || !all[1].RemovedAt.IsZero() {
		t.Errorf("List: %+v, %v", all, err)
	}
	r.check()
}

// TestLocal: only who is on the server's machine invites and removes.
func TestLocal(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s := r.enrol("mika")
	console, err := r.Check(ctx, s.Token)
	if err != nil {
		t.Fatal(err)
	}
	other := local
	other.App = "other"
	for name, c := range map[string]account.Caller{
		"at the console": console, "of another app": other, "nobody": {},
		"the backend": {Kind: account.Backend, App: "demo"}, "a browser": {Kind: account.Browser, App: "demo"},
	} {
		if _, err := r.Invite(ctx, c, "aki"); !errors.Is(err, operator.ErrNotAllowed) {
			t.Errorf("%s invites: %v", name, err)
		}
		if _, err := r.Remove(ctx, c, "mika"); !errors.Is(err, operator.ErrNotAllowed) {
			t.Errorf("%s removes: %v", name, err)
		}
		if _, err := r.List(ctx, c); (name != "at the console") != errors.Is(err, operator.ErrNotAllowed) {
			t.Errorf("%s lists: %v", name, err)
		}
	}
	for _, name := range []string{"", "Mika", "mi ka", "-mika", "mika\n", strings.Repeat("m", 65), "mika<b>"} {
		if _, err := r.Invite(ctx, local, name); !errors.Is(err, operator.ErrName) {
			t.Errorf("named %q: %v", name, err)
		}
	}
	if _, err := r.Invite(ctx, local, "mika"); !errors.Is(err, operator.ErrNameTaken) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := r.Remove(ctx, local, "aki"); !errors.Is(err, operator.ErrUnknown) {
		t.Errorf("nobody is removed: %v", err)
	}
}

// unverified is what an authenticator answers that has only seen somebody.
var unverified = passkeytest.Edit(passkeytest.AuthenticatorData, func(b []byte) []byte {
	b[32] &^= 0x04 // UV, WebAuthn L3 §6.1
	return b
})

// TestSecretsAreRedacted: neither links nor tokens print.
func TestSecretsAreRedacted(t *testing.T) {
	r := newRig(t)
	in := r.invite("mika")
	s, err := r.FinishEnrol(t.Context(), r.enrolment(in.Secret))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{in, s, *in, *s} {
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(j), fmt.Sprintf("%v", v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v)} {
			if strings.Contains(text, in.Secret.Text()) || strings.Contains(text, s.Token.Text()) || !strings.Contains(text, "[redacted]") {
				t.Errorf("%s", text)
			}
		}
	}
}
