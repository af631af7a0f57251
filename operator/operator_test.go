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
	"github.com/staunchid/staunch/passkey"
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

// TestEnrol: one good enrolment, and small changes to it.
func TestEnrol(t *testing.T) {
	type try struct {
		*rig
		in     *operator.Invited
		answer *operator.Answer
	}
	tests := []struct {
		name   string
		change func(t *testing.T, r *try) // before the answer is given
		want   error
	}{
		{"good", func(*testing.T, *try) {}, nil},
		{"used already", func(t *testing.T, r *try) {
			if _, err := r.FinishEnrol(t.Context(), r.enrolment(r.in.Secret)); err != nil {
				t.Fatal(err)
			}
		}, operator.ErrInvitation},
		{"replaced", func(_ *testing.T, r *try) { r.invite("mika") }, operator.ErrInvitation},
		{"removed", func(t *testing.T, r *try) { _, _ = r.Remove(t.Context(), local, "mika") }, operator.ErrInvitation},
		{"another browser", func(_ *testing.T, r *try) { r.answer.Browser.Cookie = make([]byte, 32) }, operator.ErrCeremony},
		{"a browser without a cookie", func(_ *testing.T, r *try) { r.answer.Browser.Cookie = nil }, operator.ErrCeremony},
		{"no such ceremony", func(_ *testing.T, r *try) { r.answer.Ceremony = account.NewCeremonyID() }, operator.ErrCeremony},
		{"too late", func(_ *testing.T, r *try) { r.now = r.now.Add(5 * time.Minute) }, passkey.ErrExpired},
		{"nobody was verified", func(_ *testing.T, r *try) { r.answer = r.enrolment(r.in.Secret, unverified) }, passkey.ErrNotVerified},
		{"another page", func(_ *testing.T, r *try) {
			r.answer = r.enrolment(r.in.Secret, passkeytest.Set("clientData.origin", "https://other.example.org"))
		}, passkey.ErrRefused},
		{"a passkey that can be synced", func(t *testing.T, r *try) {
			r.key = authenticator(t, &passkeytest.Options{Synced: true})
			r.answer = r.enrolment(r.in.Secret)
		}, operator.ErrSynced},
		{"a passkey that may be synced", func(t *testing.T, r *try) {
			r.Service = r.serve(synced)
			r.key = authenticator(t, &passkeytest.Options{Synced: true})
			r.answer = r.enrolment(r.in.Secret)
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &try{rig: newRig(t)}
			r.in = r.invite("mika")
			r.answer = r.enrolment(r.in.Secret)
			tt.change(t, r)
			s, err := r.FinishEnrol(t.Context(), r.answer)
			if !errors.Is(err, tt.want) || (err == nil) != (s != nil) {
				t.Errorf("FinishEnrol: %v, want %v", err, tt.want)
			}
			r.check()
		})
	}
}

// unverified is what an authenticator answers that has only seen somebody.
var unverified = passkeytest.Edit(passkeytest.AuthenticatorData, func(b []byte) []byte {
	b[32] &^= 0x04 // UV, WebAuthn L3 §6.1
	return b
})

// TestLink: what begins an enrolment.
func TestLink(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	old := r.invite("mika")
	in := r.invite("mika")
	gone := r.invite("aki")
	if _, err := r.Remove(ctx, local, "aki"); err != nil {
		t.Fatal(err)
	}
	begin := func(secret operator.Secret) error {
		_, err := r.BeginEnrol(ctx, secret, r.browser)
		return err
	}
	if err := begin(in.Secret); err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]operator.Secret{"replaced": old.Secret, "of a removed one": gone.Secret, "made up": make(operator.Secret, 32), "none": nil} {
		if err := begin(secret); !errors.Is(err, operator.ErrInvitation) {
			t.Errorf("a link that is %s: %v", name, err)
		}
	}
	r.now = r.now.Add(24*time.Hour - time.Microsecond)
	if err := begin(in.Secret); err != nil {
		t.Errorf("just before it runs out: %v", err)
	}
	r.now = r.now.Add(time.Microsecond)
	if err := begin(in.Secret); !errors.Is(err, operator.ErrInvitation) {
		t.Errorf("when it has run out: %v", err)
	}
	if _, err := r.BeginEnrol(ctx, in.Secret, operator.Browser{Origin: origin}); err == nil {
		t.Error("begun for a browser without a cookie")
	}
}

// TestSignIn: one good sign-in, and small changes to it.
func TestSignIn(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, r *rig, a *operator.Answer) *operator.Answer
		want   error
		told   string // in the record
	}{
		{"good", func(_ *testing.T, _ *rig, a *operator.Answer) *operator.Answer { return a }, nil, "operator.sign_in"},
		{"a second time", func(t *testing.T, r *rig, a *operator.Answer) *operator.Answer {
			if _, err := r.FinishSignIn(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			return a
		}, operator.ErrCeremony, "operator.sign_in"},
		{"another browser", func(_ *testing.T, _ *rig, a *operator.Answer) *operator.Answer {
			a.Browser.Cookie = make([]byte, 32)
			return a
		}, operator.ErrCeremony, ""},
		{"the ceremony of an enrolment", func(_ *testing.T, r *rig, a *operator.Answer) *operator.Answer {
			a.Ceremony = r.enrolment(r.invite("aki").Secret).Ceremony
			return a
		}, operator.ErrCeremony, "operator.invite"},
		{"a passkey of nobody", func(t *testing.T, r *rig, a *operator.Answer) *operator.Answer {
			r.behind(`UPDATE operator SET credential_id = x'00'`)
			return a
		}, operator.ErrRefused, ""},
		{"removed", func(t *testing.T, r *rig, a *operator.Answer) *operator.Answer {
			if _, err := r.Remove(t.Context(), local, "mika"); err != nil {
				t.Fatal(err)
			}
			return a
		}, operator.ErrRefused, "operator.refused removed"},
		{"too late", func(_ *testing.T, r *rig, a *operator.Answer) *operator.Answer {
			r.now = r.now.Add(5 * time.Minute)
			return a
		}, passkey.ErrExpired, "operator.refused refused"},
		{"nobody was verified", func(_ *testing.T, r *rig, _ *operator.Answer) *operator.Answer { return r.answer(unverified) }, passkey.ErrNotVerified, "operator.refused not_verified"},
		{"a copied key", func(t *testing.T, r *rig, a *operator.Answer) *operator.Answer {
			if _, err := r.FinishSignIn(t.Context(), r.answer()); err != nil { // the counter is ahead of a's
				t.Fatal(err)
			}
			return a
		}, passkey.ErrRefused, "operator.refused refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.enrol("mika")
			a := tt.change(t, r, r.answer())
			s, err := r.FinishSignIn(t.Context(), a)
			if !errors.Is(err, tt.want) || (err == nil) != (s != nil) {
				t.Errorf("FinishSignIn: %v, want %v", err, tt.want)
			}
			all := r.actions()
			if last := all[len(all)-1]; last != tt.told && (tt.told != "" || last != "operator.enrol") {
				t.Errorf("recorded last: %q, want %q", last, tt.told)
			}
		})
	}
}

// TestSyncedNoMore: a passkey that was taken when synced ones were is refused when
// they are not.
func TestSyncedNoMore(t *testing.T) {
	r := newRig(t, synced)
	r.key = authenticator(t, &passkeytest.Options{Synced: true})
	r.enrol("mika")
	if _, err := r.FinishSignIn(t.Context(), r.answer()); err != nil {
		t.Fatal(err)
	}
	r.Service = r.serve()
	_, err := r.FinishSignIn(t.Context(), r.answer())
	all := r.actions()
	if !errors.Is(err, operator.ErrSynced) || all[len(all)-1] != "operator.refused synced" {
		t.Errorf("%v, %q", err, all)
	}
}

// TestSession: what a token is good for, and until when.
func TestSession(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s := r.enrol("mika")
	r.now = r.now.Add(8*time.Hour - time.Microsecond)
	if _, err := r.Check(ctx, s.Token); err != nil {
		t.Errorf("just before it runs out: %v", err)
	}
	r.now = r.now.Add(time.Microsecond)
	for name, token := range map[string]operator.Secret{"run out": s.Token, "made up": make(operator.Secret, 32), "short": s.Token[:31], "none": nil} {
		if _, err := r.Check(ctx, token); !errors.Is(err, operator.ErrSession) {
			t.Errorf("a token that is %s: %v", name, err)
		}
		if err := r.Look(ctx, token, alice); !errors.Is(err, operator.ErrSession) {
			t.Errorf("looking by a token that is %s: %v", name, err)
		}
		if err := r.SignOut(ctx, token); !errors.Is(err, operator.ErrSession) {
			t.Errorf("signing out by a token that is %s: %v", name, err)
		}
	}
}

// TestLook: it is recorded with the account, once an hour for each operator.
func TestLook(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	mika := r.enrol("mika")
	r.key = authenticator(t, &passkeytest.Options{})
	aki := r.enrol("aki")
	look := func(s *operator.Signed, of account.ID, want int) {
		t.Helper()
		before := len(r.entries())
		if err := r.Look(ctx, s.Token, of); err != nil {
			t.Fatal(err)
		}
		if n := len(r.entries()) - before; n != want {
			t.Errorf("%s at %s: %d entries, want %d", s.Name, of, n, want)
		}
	}
	look(mika, alice, 1)
	look(mika, alice, 0)
	look(aki, alice, 1)
	look(mika, bob, 1)
	r.now = r.now.Add(29*time.Minute + 59*time.Second)
	look(mika, alice, 0)
	r.now = r.now.Add(time.Second) // one o'clock
	look(mika, alice, 1)
	i := slices.IndexFunc(r.entries(), func(e auditEntry) bool { return e.Action == "operator.view" })
	e := r.entries()[i]
	var detail struct {
		Operator operator.ID `json:"operator"`
	}
	if err := json.Unmarshal(e.Detail, &detail); err != nil || detail.Operator != mika.Operator || e.Account != alice || e.Subject != string(alice) ||
		e.Actor.Kind != account.Operator || e.Actor.ID != "mika" || e.Actor.Session == "" {
		t.Errorf("%+v, %v", e, err)
	}
	if err := r.Look(ctx, mika.Token, "a_nobody"); !errors.Is(err, account.ErrMalformed) {
		t.Errorf("at what is no account: %v", err)
	}
	r.check()
}

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

// TestSweep: what nobody needs goes, and what lives stays.
func TestSweep(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s := r.enrol("mika")
	r.answer()
	if err := r.Look(ctx, s.Token, alice); err != nil {
		t.Fatal(err)
	}
	if err := r.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Check(ctx, s.Token); err != nil {
		t.Errorf("after the first sweep: %v", err)
	}
	r.now = r.now.AddDate(0, 2, 0)
	if err := r.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"operator_ceremony", "operator_session", "operator_look"} {
		if n := r.count(table); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	if n := r.count("operator"); n != 1 {
		t.Errorf("%d operators", n)
	}
	r.check()
}
