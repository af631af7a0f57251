package operator_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

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
