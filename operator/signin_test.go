package operator_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

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
