package integrity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// TestJoinView: the old device sees a join whose code it has scanned, and no
// other.
func TestJoinView(t *testing.T) {
	tests := []struct {
		name string
		code func(*rig, *joiner) (account.JoinID, string)
		want error
	}{
		{"good", func(_ *rig, j *joiner) (account.JoinID, string) { return "", j.open.Code }, nil},
		{"the hash of other keys", func(r *rig, j *joiner) (account.JoinID, string) {
			return "", account.JoinCode(j.open.Join, make([]byte, 32))
		}, integrity.ErrJoinUnknown},
		{"another join's hash", func(r *rig, j *joiner) (account.JoinID, string) {
			return "", strings.Replace(j.open.Code, string(j.open.Join), string(r.join().open.Join), 1)
		}, integrity.ErrJoinUnknown},
		{"without a code", func(_ *rig, j *joiner) (account.JoinID, string) { return j.open.Join, "" }, integrity.ErrJoinUnknown},
		{"neither", func(*rig, *joiner) (account.JoinID, string) { return "", "" }, integrity.ErrJoinUnknown},
		{"cut off", func(_ *rig, j *joiner) (account.JoinID, string) { return "", j.open.Code[:50] }, integrity.ErrMalformed},
		{"late", func(r *rig, j *joiner) (account.JoinID, string) {
			r.advance(5 * time.Minute)
			return "", j.open.Code
		}, integrity.ErrJoinExpired},
		{"at the last moment", func(r *rig, j *joiner) (account.JoinID, string) {
			r.advance(5*time.Minute - time.Microsecond)
			return "", j.open.Code
		}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			old, j := r.enrol(), r.join()
			id, code := test.code(r, j)
			if _, err := r.Join(t.Context(), old.caller(), id, code); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if _, err := r.Join(t.Context(), r.anonymous(), "", j.open.Code); !errors.Is(err, integrity.ErrSessionRequired) {
				t.Errorf("a stranger: %v", err)
			}
		})
	}
}

// TestJoinNumber: the number that the new device shows must be typed; after
// three wrong ones the join ends, whoever typed them.
func TestJoinNumber(t *testing.T) {
	wrong := func(o *integrity.JoinOpened) string {
		if o.Number == "17" {
			return "18"
		}
		return "17"
	}
	r := newRig(t)
	old := r.enrol()
	j := r.join()
	for i, want := range []error{integrity.ErrJoinNumber, integrity.ErrJoinNumber, nil} {
		number := wrong(j.open)
		if want == nil {
			number = j.open.Number
		}
		if _, err := old.propose(account.AddDevice, "join", j.open.Join, "number", number); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("try %d: %v, want %v", i, err, want)
		}
	}
	j = r.join()
	for i, want := range []error{integrity.ErrJoinNumber, integrity.ErrJoinNumber, integrity.ErrJoinNumber, integrity.ErrJoinExpired} {
		if _, err := old.propose(account.AddDevice, "join", j.open.Join, "number", wrong(j.open)); !errors.Is(err, want) {
			t.Errorf("try %d: %v, want %v", i, err, want)
		}
	}
	if _, err := old.propose(account.AddDevice, "join", j.open.Join, "number", j.open.Number); !errors.Is(err, integrity.ErrJoinExpired) {
		t.Errorf("the right one, too late: %v", err)
	}
	if s, err := j.status(); err != nil || s.State != integrity.StateCancelled {
		t.Errorf("%+v, %v", s, err)
	}
	if n := r.count("approval"); n != 1 {
		t.Errorf("%d approvals", n)
	}
	for name, kv := range map[string][]any{
		"no number": {"join", r.join().open.Join}, "an empty number": {"join", r.join().open.Join, "number", ""},
	} {
		if _, err := old.propose(account.AddDevice, kv...); !errors.Is(err, integrity.ErrJoinNumber) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.advance(time.Hour)
	if _, err := old.propose(account.AddDevice, "join", j.open.Join, "number", "17", "more", 1); !errors.Is(err, integrity.ErrMalformed) {
		t.Errorf("more than that: %v", err)
	}
	r.checked()
}

// TestJoinWhoApproves: an active device with any passkey, or a browser with one
// that is not synced; and the account is active.
func TestJoinWhoApproves(t *testing.T) {
	approve := func(p *phone, o *integrity.JoinOpened) error {
		_, err := p.do(account.AddDevice, "join", o.Join, "number", o.Number)
		return err
	}
	tests := []struct {
		name string
		do   func(*rig, *integrity.JoinOpened) error
		want error
	}{
		{"an active device", func(r *rig, o *integrity.JoinOpened) error { return approve(r.enrol(), o) }, nil},
		{"an active device with a synced passkey", func(r *rig, o *integrity.JoinOpened) error {
			first := r.newPhone(&passkeytest.Options{Synced: true})
			first.enrolled(must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), first.enrolment())))
			return approve(first, o)
		}, nil},
		{"a held device", func(r *rig, o *integrity.JoinOpened) error {
			_, second := r.family()
			second.signIn()
			return approve(second, r.join().open)
		}, account.ErrRefused},
		{"a frozen account", func(r *rig, o *integrity.JoinOpened) error {
			p := r.enrol()
			must[*integrity.Frozen](t)(r.Freeze(t.Context(), p.caller()))
			return approve(p, o)
		}, account.ErrRefused},
		{"a browser", func(r *rig, o *integrity.JoinOpened) error {
			_, err := r.signUp().do(account.AddDevice, "join", o.Join, "number", o.Number)
			return err
		}, nil},
		{"a browser with a synced passkey", func(r *rig, o *integrity.JoinOpened) error {
			b := r.newBrowser()
			b.passkey = r.synced()
			begun := must[*integrity.Begun](t)(r.BeginEnrol(t.Context(), r.anonymous(), b.at))
			out := must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), &integrity.EnrolAnswer{
				Ceremony: begun.Ceremony, Response: must[[]byte](t)(b.passkey.Create(begun.Options, origin)), Browser: b.at,
			}))
			b.token = out.Token
			_, err := b.do(account.AddDevice, "join", o.Join, "number", o.Number)
			return err
		}, account.ErrRefused},
		{"a risk holds", func(r *rig, o *integrity.JoinOpened) error {
			p := r.enrol()
			r.risk(p, account.LevelHold)
			return approve(p, o)
		}, account.ErrRefused},
		{"as a guest", func(r *rig, o *integrity.JoinOpened) error {
			_, err := r.enrol().do(account.ApproveGuest, "join", o.Join, "number", o.Number)
			return err
		}, integrity.ErrJoinUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			j := r.join()
			err := test.do(r, j.open)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			s, e := j.status()
			if e == nil && (s.State == integrity.StateConfirmed) != (err == nil) {
				t.Errorf("the join is %s", s.State)
			}
			r.checked()
		})
	}
}

// TestJoinTwoAccounts: who approves first has it, and nobody else.
func TestJoinTwoAccounts(t *testing.T) {
	r := newRig(t)
	mine, theirs, j := r.enrol(), r.enrol(), r.join()
	late := must[*integrity.Proposed](t)(theirs.propose(account.AddDevice, "join", j.open.Join, "number", j.open.Number))
	again := must[*integrity.Proposed](t)(mine.propose(account.AddDevice, "join", j.open.Join, "number", j.open.Number))
	mine.letIn(j.open)
	if _, err := theirs.confirm(late); !errors.Is(err, integrity.ErrJoinUnknown) {
		t.Errorf("another account, later: %v", err)
	}
	if _, err := mine.confirm(again); !errors.Is(err, integrity.ErrJoinExpired) {
		t.Errorf("the same account, again: %v", err)
	}
	if _, err := theirs.propose(account.AddDevice, "join", j.open.Join, "number", j.open.Number); !errors.Is(err, integrity.ErrJoinUnknown) {
		t.Errorf("another account, proposing: %v", err)
	}
	if _, err := r.Join(t.Context(), theirs.caller(), "", j.open.Code); !errors.Is(err, integrity.ErrJoinUnknown) {
		t.Errorf("another account, looking: %v", err)
	}
	out := must[*integrity.Signed](t)(j.finish(j.answer()))
	if out.Account != mine.account {
		t.Errorf("it is in %s", out.Account)
	}
	r.checked()
}

// TestJoinDenied: no is no.
func TestJoinDenied(t *testing.T) {
	r := newRig(t)
	old, j := r.enrol(), r.join()
	in := must[*integrity.Proposed](t)(old.propose(account.AddDevice, "join", j.open.Join, "number", j.open.Number))
	if want := "Add “Pixel”, near Oslo, Norway, to your account?"; !strings.HasPrefix(in.Approval.Text, want) || !strings.Contains(in.Approval.Text, j.open.Number) {
		t.Errorf("the owner reads %q", in.Approval.Text)
	}
	changed, stop := r.WatchJoin(j.open.Join)
	defer stop()
	if err := r.Deny(t.Context(), old.caller(), in.Approval.ID); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was woken")
	}
	if s, err := j.status(); err != nil || s.State != integrity.StateDenied {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := old.do(account.AddDevice, "join", j.open.Join, "number", j.open.Number); !errors.Is(err, integrity.ErrJoinExpired) {
		t.Errorf("approved after all: %v", err)
	}
	r.checked()
}
