package integrity_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

const day = 24 * time.Hour

// why is the reason of a refusal.
func why(err error) account.Why {
	if r := (*account.Refused)(nil); errors.As(err, &r) {
		return r.Why
	}
	return account.WhyUnset
}

// TestVeto: who may veto a device that cools off, and what goes with it.
func TestVeto(t *testing.T) {
	for _, test := range []struct {
		name string
		// by gives the phone that vetoes, of an account with three phones: the last
		// one is the target.
		by   func(r *rig, first, second, target *phone) *phone
		why  account.Why
		want error
	}{
		{"an older one", func(_ *rig, first, _, _ *phone) *phone { return first }, 0, nil},
		{"not fresh", func(r *rig, first, _, _ *phone) *phone { r.advance(6 * time.Minute); return first }, account.WhyStepUp, nil},
		{"itself", func(_ *rig, _, _, target *phone) *phone { return target }, account.WhyDeviceHeld, nil},
		{"an older one that is held", func(_ *rig, _, second, _ *phone) *phone { return second }, account.WhyDeviceHeld, nil},
		{"when it does not cool off any more", func(r *rig, first, _, _ *phone) *phone {
			r.advance(day)
			r.tick()
			first.signIn()
			return first
		}, 0, integrity.ErrTooLate},
		{"a newer one", func(r *rig, first, _, target *phone) *phone {
			late := r.another(first)
			r.set(late, "device", account.Active)
			return late
		}, account.WhyNotOlder, nil},
		{"somebody else", func(r *rig, _, _, _ *phone) *phone { p := r.enrol(); p.signIn(); return p }, 0, integrity.ErrDeviceUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			first, second := r.family()
			target := r.another(first)
			first.signIn()
			by := test.by(r, first, second, target)
			out, err := r.Veto(t.Context(), by.caller(), target.device, "")
			if why(err) != test.why || test.want != nil && !errors.Is(err, test.want) {
				t.Fatalf("%v, want %q or %v", err, test.why, test.want)
			}
			if test.why != 0 || test.want != nil {
				return
			}
			if err != nil || out.Removed != target.device || out.State != account.Active {
				t.Fatalf("%+v, %v", out, err)
			}
			r.gone(target)
			if s := first.status(); !slices.Contains(s.Rest.Advice, "change_pin") || !slices.Contains(s.Rest.Advice, "replace_shared_passkey") {
				t.Errorf("advice %v", s.Rest.Advice)
			}
			if _, err := r.Veto(t.Context(), by.caller(), target.device, ""); !errors.Is(err, integrity.ErrDeviceUnknown) {
				t.Errorf("again: %v", err)
			}
			r.checked()
		})
	}
}

// gone wants a phone to be of no account, and its session over.
func (r *rig) gone(p *phone) {
	r.t.Helper()
	if c := must[account.Caller](r.t)(r.Prove(r.t.Context(), p.message(nil), nil, false)); c.Account != "" || c.Device != "" {
		r.t.Errorf("the phone is still of %s", c.Account)
	}
	if n := r.count("session WHERE device = ? AND ended_at IS NULL", string(p.device)); n != 0 {
		r.t.Errorf("%d sessions of it live", n)
	}
}

// TestVetoNames one thing.
func TestVetoNames(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	p.signIn()
	for _, test := range []struct {
		device  account.DeviceID
		pending account.PendingID
		want    error
	}{
		{"", "", integrity.ErrMalformed},
		{p.device, account.NewPendingID(), integrity.ErrMalformed},
		{account.NewDeviceID(), "", integrity.ErrDeviceUnknown},
		{"", account.NewPendingID(), integrity.ErrPendingUnknown},
	} {
		if _, err := r.Veto(t.Context(), p.caller(), test.device, test.pending); !errors.Is(err, test.want) {
			t.Errorf("%q and %q: %v, want %v", test.device, test.pending, err, test.want)
		}
	}
}

// TestVetoPending: an older device, or who began it, cancels what waits; others
// cannot.
func TestVetoPending(t *testing.T) {
	for _, test := range []struct {
		name string
		by   func(r *rig, first, second *phone) *phone
		why  account.Why
		want error
	}{
		{"an older one", func(_ *rig, first, _ *phone) *phone { return first }, 0, nil},
		{"who began it", func(_ *rig, _, second *phone) *phone { return second }, 0, nil},
		{"not fresh", func(r *rig, first, _ *phone) *phone { r.advance(6 * time.Minute); return first }, account.WhyStepUp, nil},
		{"a newer one", func(r *rig, first, _ *phone) *phone {
			late := r.another(first)
			r.set(late, "device", account.Active)
			return late
		}, account.WhyNotOlder, nil},
		{"somebody else", func(r *rig, _, _ *phone) *phone { p := r.enrol(); p.signIn(); return p }, 0, integrity.ErrPendingUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			first, second := r.couple()
			must[*integrity.Confirmed](t)(second.do(account.DeleteAccount))
			first.signIn()
			waiting := first.status().Rest.Pending
			if len(waiting) != 1 || waiting[0].Action != account.DeleteAccount || !waiting[0].OpensAt.Equal(r.clock().Add(7*day)) {
				t.Fatalf("waiting: %+v", waiting)
			}
			by := test.by(r, first, second)
			_, err := r.Veto(t.Context(), by.caller(), "", waiting[0].ID)
			if why(err) != test.why || test.want != nil && !errors.Is(err, test.want) {
				t.Fatalf("%v, want %q or %v", err, test.why, test.want)
			}
			cancelled := test.why == 0 && test.want == nil
			if cancelled {
				if _, err := r.Veto(t.Context(), by.caller(), "", waiting[0].ID); !errors.Is(err, integrity.ErrTooLate) {
					t.Errorf("again: %v", err)
				}
			}
			r.advance(7 * day)
			r.tick()
			if deleted := r.count("account WHERE id = ? AND state = 'deleted'", string(first.account)) == 1; deleted == cancelled {
				t.Errorf("afterwards deleted: %v", deleted)
			}
		})
	}
}

// TestRemoveDevice: its sessions end, a passkey that only it used goes, and one
// that others use stays, with advice.
func TestRemoveDevice(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	must[*integrity.Added](t)(r.FinishAdd(t.Context(), second.caller(), second.adding())) // only second uses it
	out := must[*integrity.Confirmed](t)(first.do(account.RemoveDevice, "device", second.device))
	if out.Text != "Remove “Pixel” from your account? It will not open your chats any more." {
		t.Errorf("text %q", out.Text)
	}
	if out.Signals == nil || len(out.Signals.AllAccepted.AllAcceptedCredentialIDs) != 1 {
		t.Errorf("signals %+v", out.Signals)
	}
	r.gone(second)
	s := first.status()
	if s.Rest.Passkeys != 1 || s.Rest.Devices != 1 || !slices.Contains(s.Rest.Advice, "replace_shared_passkey") {
		t.Errorf("rest %+v", s.Rest)
	}
	// From now on the shared passkey alone is not enough, and when it is replaced all is well.
	list, _, err := r.Passkeys(t.Context(), first.caller())
	if err != nil || len(list) != 1 {
		t.Fatalf("%v: %+v", err, list)
	}
	r.checked()
}

// TestLastWayIn: no removal leaves an account that nobody can sign in to.
func TestLastWayIn(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	list, _, err := r.Passkeys(t.Context(), p.caller())
	if err != nil || len(list) != 1 {
		t.Fatalf("%v: %+v", err, list)
	}
	if _, err := p.do(account.RemoveCredential, "credential", list[0].Ref); !errors.Is(err, integrity.ErrLastWayIn) {
		t.Errorf("the passkey: %v", err)
	}
	p.signIn()
	if err := r.LeaveDevice(t.Context(), p.caller()); !errors.Is(err, integrity.ErrLastWayIn) {
		t.Errorf("the device: %v", err)
	}
	must[*integrity.Added](t)(r.FinishAdd(t.Context(), p.caller(), p.adding()))
	must[*integrity.Confirmed](t)(p.do(account.RemoveCredential, "credential", list[0].Ref))
	p.token = nil // what the passkey had opened is over
	if _, err := r.FinishSignIn(t.Context(), p.caller(), p.assertion()); !errors.Is(err, passkey.ErrUnknown) {
		t.Errorf("with the removed passkey: %v", err)
	}
	r.checked()
}

// TestLeave: a device takes itself out, after a sign-in that is fresh.
func TestLeave(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	r.advance(6 * time.Minute)
	if err := r.LeaveDevice(t.Context(), second.caller()); why(err) != account.WhyStepUp {
		t.Errorf("not fresh: %v", err)
	}
	second.signIn()
	if err := r.LeaveDevice(t.Context(), second.caller()); err != nil {
		t.Fatal(err)
	}
	r.gone(second)
	if s := first.status(); s.Rest.Devices != 1 {
		t.Errorf("%d devices", s.Rest.Devices)
	}
	r.checked()
}
