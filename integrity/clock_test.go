package integrity_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// states are those of the account and its phones, as stored.
func (r *rig) states(phones ...*phone) []string {
	r.t.Helper()
	out := []string{r.row(phones[0].account).State.String()}
	for _, p := range phones {
		d := read(r, func(tx integrity.Tx) (account.Device, error) {
			d, _, err := tx.Device(r.t.Context(), p.device)
			return d, err
		})
		out = append(out, d.State.String())
	}
	return out
}

// TestRecoveredHold: what becomes of a recovery, by the clock, by a veto, and
// across a freeze.
func TestRecoveredHold(t *testing.T) {
	const hold = 3 * day
	for _, test := range []struct {
		name string
		do   func(r *rig, old, fresh *phone)
		want []string // account, the phone that was there before, the one that recovered
	}{
		{"at once", func(*rig, *phone, *phone) {}, []string{"held", "held", "held"}},
		{"a moment early", func(r *rig, _, _ *phone) { r.advance(hold - time.Microsecond) }, []string{"held", "held", "held"}},
		{"over", func(r *rig, _, _ *phone) { r.advance(hold) }, []string{"active", "deleted", "active"}},
		{"vetoed", func(r *rig, old, fresh *phone) {
			out := must[*integrity.Vetoed](r.t)(r.Veto(r.t.Context(), old.caller(), fresh.device, ""))
			if out.State != account.Active {
				r.t.Errorf("%+v", out)
			}
		}, []string{"active", "active", "deleted"}},
		{"frozen for long", func(r *rig, old, _ *phone) {
			must[*integrity.Frozen](r.t)(r.Freeze(r.t.Context(), old.caller()))
			r.advance(10 * day)
		}, []string{"frozen", "held", "held"}},
		{"frozen, then vetoed", func(r *rig, old, fresh *phone) {
			must[*integrity.Frozen](r.t)(r.Freeze(r.t.Context(), old.caller()))
			r.advance(time.Second)
			old.stepUp()
			out := must[*integrity.Vetoed](r.t)(r.Veto(r.t.Context(), old.caller(), fresh.device, ""))
			if out.State != account.Frozen {
				r.t.Errorf("%+v", out)
			}
		}, []string{"frozen", "active", "deleted"}},
		{"frozen, and unfrozen after a wait", func(r *rig, _, fresh *phone) {
			must[*integrity.Frozen](r.t)(r.Freeze(r.t.Context(), fresh.caller()))
			r.advance(time.Second)
			r.exec("DELETE FROM risk") // that the device is new wants more of a synced passkey
			got := thawed(r.t, must[*integrity.Confirmed](r.t)(fresh.do(account.UnfreezeAccount)).Result)
			if got.OpensAt.IsZero() {
				r.t.Errorf("%+v", got)
			}
			r.advance(day)
			r.tick()
			r.advance(hold - time.Second)
		}, []string{"held", "held", "held"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			old, fresh := r.family()
			old.signIn()
			if err := r.Recovered(t.Context(), old.account, fresh.device, hold); err != nil {
				t.Fatal(err)
			}
			r.advance(time.Second)
			old.signIn()
			fresh.signIn()
			r.advance(-time.Second)
			test.do(r, old, fresh)
			r.tick()
			if got := r.states(old, fresh); !slices.Equal(got, test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
			r.checked()
		})
	}
}

// TestNoPingPong: an account that cools off after a recovery is not recovered
// again, and repeated attempts restart no hold.
func TestNoPingPong(t *testing.T) {
	r := newRig(t)
	old, fresh := r.family()
	if err := r.Recovered(t.Context(), old.account, fresh.device, 3*day); err != nil {
		t.Fatal(err)
	}
	until := r.row(old.account).Hold.Until
	r.advance(time.Hour)
	if err := r.Recovered(t.Context(), old.account, old.device, 3*day); !errors.Is(err, account.ErrStep) {
		t.Errorf("again: %v", err)
	}
	if got := r.row(old.account).Hold.Until; !got.Equal(until) {
		t.Errorf("the hold lasts until %v, and was until %v", got, until)
	}
}

// TestTickOfMany: several processes do each thing once, and what is not due they
// leave alone.
func TestTickOfMany(t *testing.T) {
	r := newRig(t)
	var phones []*phone
	for range 3 {
		first, second := r.family()
		phones = append(phones, first, second)
	}
	deleting := r.enrol()
	must[*integrity.Confirmed](t)(deleting.do(account.DeleteAccount))
	r.advance(day)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := r.Tick(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, p := range phones {
		if got := r.states(p); !slices.Equal(got, []string{"active", "active"}) {
			t.Errorf("%v", got)
		}
	}
	if n := r.count("audit_entry WHERE action = 'device.hold_over'"); n != 3 {
		t.Errorf("%d holds are over", n)
	}
	if got := r.states(deleting); !slices.Equal(got, []string{"active", "active"}) {
		t.Errorf("%v", got)
	}
	if n := r.count("audit_entry WHERE actor_kind = 'system' AND action LIKE 'device.hold%'"); n != 3 {
		t.Errorf("%d entries of the clock", n)
	}
	r.checked()
}

// TestTickGoesOn: one account that was tampered with keeps the others from
// nothing.
func TestTickGoesOn(t *testing.T) {
	r := newRig(t)
	_, bad := r.family()
	_, good := r.family()
	r.exec("UPDATE device SET hold_by = 'eve' WHERE id = ?", string(bad.device))
	r.advance(day + time.Minute)
	if _, err := r.Tick(t.Context()); !errors.Is(err, integrity.ErrIntegrity) {
		t.Errorf("%v", err)
	}
	if got := r.states(good); !slices.Equal(got, []string{"active", "active"}) {
		t.Errorf("the other one: %v", got)
	}
	if got := r.states(bad); !slices.Equal(got, []string{"locked", "held"}) {
		t.Errorf("the changed one: %v", got)
	}
	if more, _ := r.Tick(t.Context()); more {
		t.Error("more is to be done at once")
	}
}

// TestHoldWaitsForAccount: the hold of a device in a locked account does not run
// out, and is not looked at again and again.
func TestHoldWaitsForAccount(t *testing.T) {
	r := newRig(t)
	first, second := r.family()
	r.set(first, "account", account.Locked)
	r.advance(2 * day)
	r.tick()
	if got := r.states(first, second); !slices.Equal(got, []string{"locked", "active", "held"}) {
		t.Errorf("%v", got)
	}
	due := read(r, func(tx integrity.Tx) ([]integrity.Due, error) {
		return tx.DevicesDue(t.Context(), r.clock(), integrity.Due{}, 10)
	})
	if len(due) != 0 {
		t.Errorf("due: %v", due)
	}
}

// TestLockRevoked: a device whose key was revoked is locked, once, and its
// session over.
func TestLockRevoked(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	r.revoke(second)
	r.tick()
	if got := r.states(first, second); !slices.Equal(got, []string{"active", "active", "locked"}) {
		t.Errorf("%v", got)
	}
	if n := r.count("session WHERE device = ? AND ended_at IS NULL", string(second.device)); n != 0 {
		t.Errorf("%d sessions live", n)
	}
	if n := r.count("alert WHERE kind = 'device.locked'"); n != 1 {
		t.Errorf("told %d times", n)
	}
	if _, err := r.Prove(t.Context(), second.message(nil), nil, false); !errors.Is(err, integrity.ErrProofInvalid) {
		t.Errorf("%v", err)
	}
	r.checked()
}
