package integrity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// TestPendingOpensOnce: by what it is when it opens, not when it was listed.
func TestPendingOpensOnce(t *testing.T) {
	for _, test := range []struct {
		name  string
		after time.Duration
		bend  func(r *rig, p *phone, row integrity.PendingRow)
		want  account.State
	}{
		{"due", 7 * day, func(*rig, *phone, integrity.PendingRow) {}, account.Deleted},
		{"early", 7*day - time.Microsecond, func(*rig, *phone, integrity.PendingRow) {}, account.Active},
		{"cancelled after it was listed", 7 * day, func(r *rig, p *phone, row integrity.PendingRow) {
			must[*integrity.Vetoed](r.t)(r.Veto(r.t.Context(), p.caller(), "", row.ID))
		}, account.Active},
		{"frozen after it was listed", 7 * day, func(r *rig, p *phone, _ integrity.PendingRow) {
			must[*integrity.Frozen](r.t)(r.Freeze(r.t.Context(), p.caller()))
		}, account.Frozen},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.enrol()
			must[*integrity.Confirmed](t)(p.do(account.DeleteAccount))
			row := p.status().Rest.Pending[0]
			r.advance(test.after)
			p.signIn()
			test.bend(r, p, row)
			must[bool](t)(r.Open(t.Context(), row))
			if a := r.row(p.account); a.State != test.want {
				t.Errorf("the account is %s", a.State)
			}
			if live := r.count("session WHERE ended_at IS NULL") > 0; live != (test.want != account.Deleted) {
				t.Errorf("sessions live: %v", live)
			}
			if done := must[bool](t)(r.Open(t.Context(), row)); done {
				t.Error("twice")
			}
			r.checked()
		})
	}
}

// TestSuspectIsNoWayIn: a suspect passkey signs nobody in for good, so it does
// not count as the last one.
func TestSuspectIsNoWayIn(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	p.signIn()
	added := must[*integrity.Added](t)(r.FinishAdd(t.Context(), p.caller(), p.adding()))
	list, _, err := r.Passkeys(t.Context(), p.caller())
	if err != nil {
		t.Fatal(err)
	}
	first := list[0].Ref
	if first == added.Passkey.Ref {
		first = list[1].Ref
	}
	err = r.opts.Update(t.Context(), func(tx integrity.Tx) error {
		c, _, err := tx.Credential(t.Context(), added.Passkey.Ref)
		if err != nil {
			return err
		}
		c.State = account.CredentialSuspect
		c.MAC = c.Seal(r.opts.RowKey)
		return tx.PutCredential(t.Context(), c)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.do(account.RemoveCredential, "credential", first); !errors.Is(err, integrity.ErrLastWayIn) {
		t.Errorf("%v", err)
	}
	out := must[*integrity.Confirmed](t)(p.do(account.RemoveCredential, "credential", added.Passkey.Ref))
	if out.Signals == nil || len(out.Signals.AllAccepted.AllAcceptedCredentialIDs) != 1 {
		t.Errorf("signals %+v", out.Signals)
	}
}

// TestRemoveCredentialEnds the sessions that it has opened, and no others.
func TestRemoveCredentialEnds(t *testing.T) {
	r := newRig(t)
	p := r.newPhone(nil)
	out := must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), p.enrolment()))
	p.enrolled(out)
	p.signIn()
	must[*integrity.Added](t)(r.FinishAdd(t.Context(), p.caller(), p.adding()))
	must[*integrity.Confirmed](t)(p.do(account.RemoveCredential, "credential", out.Credential))
	if n := r.count("session WHERE ended_at IS NULL"); n != 0 {
		t.Errorf("%d sessions live", n)
	}
}

// TestFreezeDeviceEnds its session, and its own alone.
func TestFreezeDeviceEnds(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	must[*integrity.Frozen](t)(r.FreezeDevice(t.Context(), first.caller(), second.device))
	for p, want := range map[*phone]bool{first: true, second: false} {
		if live := r.count("session WHERE device = ? AND ended_at IS NULL", string(p.device)) > 0; live != want {
			t.Errorf("sessions live: %v", live)
		}
	}
}

// TestFreezeCodeMoved: whoever can write to the database cannot freeze one
// account with the code of another.
func TestFreezeCodeMoved(t *testing.T) {
	r := newRig(t)
	victim, eve := r.enrol(), r.newPhone(nil)
	out := must[*integrity.Enrolled](t)(r.FinishEnrol(t.Context(), r.anonymous(), eve.enrolment()))
	r.exec("UPDATE account SET freeze_code = (SELECT freeze_code FROM account WHERE id = ?) WHERE id = ?", string(out.Account), string(victim.account))
	r.exec("UPDATE account SET freeze_code = NULL WHERE id = ?", string(out.Account))
	if err := r.FreezeByCode(t.Context(), elsewhere(r.anonymous()), out.FreezeCode.Reveal()); err != nil {
		t.Fatal(err)
	}
	if a := r.row(victim.account); a.State == account.Frozen {
		t.Error("the account of another is frozen")
	}
}

// TestHandleTakenIsCounted also at the confirmation.
func TestHandleTakenIsCounted(t *testing.T) {
	r := newRig(t, func(o *integrity.Options) {
		o.Policy.Limits.HandleTaken = integrity.Limit{N: 2, Per: day}
	})
	p, other := r.enrol(), r.enrol()
	must[*integrity.Confirmed](t)(other.do(account.ChangeHandle, "handle", "alice"))
	for _, want := range []error{integrity.ErrHandleTaken, integrity.ErrHandleTaken, integrity.ErrRateLimited} {
		if _, err := p.propose(account.ChangeHandle, "handle", "alice"); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}
