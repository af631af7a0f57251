package integrity_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

func TestFreezeAndStatus(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	status := p.status()
	if status.AccountState != account.Active || status.DeviceState != account.Active || status.Rest == nil || status.Rest.Devices != 1 || status.Rest.Passkeys != 1 {
		t.Errorf("status %+v, rest %+v", status, status.Rest)
	}
	r.advance(day) // the sign-in is old: one tap is enough
	for _, changed := range []bool{true, false} {
		out, err := r.Freeze(t.Context(), p.caller())
		if err != nil {
			t.Fatal(err)
		}
		if out.State != account.Frozen || out.Changed != changed {
			t.Errorf("frozen %+v, want changed %v", out, changed)
		}
	}
	if status = p.status(); status.AccountState != account.Frozen || status.Rest == nil {
		t.Errorf("status %+v", status)
	}
	r.checked()
}

// TestFreezeEnds what was begun, and browsers; phones stay signed in, for they
// are what can unfreeze it.
func TestFreezeEnds(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	b := r.newBrowser()
	b.passkey = first.passkey
	b.signIn()
	in := must[*integrity.Proposed](t)(second.propose(account.RenewFreezeCode))
	half := second.assertion()
	must[*integrity.Confirmed](t)(first.do(account.DeleteAccount))
	r.advance(time.Second)
	must[*integrity.Frozen](t)(r.Freeze(t.Context(), first.caller()))
	if _, err := r.BrowserCaller(t.Context(), b.token, network, ""); !errors.Is(err, integrity.ErrSessionEnded) {
		t.Errorf("the browser: %v", err)
	}
	if _, err := r.Confirm(t.Context(), second.caller(), second.answer(in)); !errors.Is(err, integrity.ErrApprovalUsed) {
		t.Errorf("the approval: %v", err)
	}
	if _, err := r.FinishSignIn(t.Context(), second.caller(), half); err == nil {
		t.Error("a sign-in that was begun before is finished")
	}
	if second.caller().Session == "" || len(second.status().Rest.Pending) != 0 {
		t.Errorf("session %q, waiting %+v", second.caller().Session, second.status().Rest.Pending)
	}
	if _, err := second.propose(account.RenewFreezeCode); why(err) != account.WhyAccountFrozen {
		t.Errorf("while frozen: %v", err)
	}
	r.checked()
}

// TestUnfreeze: at once for a device that was there before and a proof that is
// good enough; else after a wait, that asking again does not restart.
func TestUnfreeze(t *testing.T) {
	for _, test := range []struct {
		name string
		wait bool
	}{{"a device that was there before", false}, {"one that came later", true}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			first, _ := r.couple()
			r.advance(time.Second)
			must[*integrity.Frozen](t)(r.Freeze(t.Context(), first.caller()))
			r.advance(time.Second)
			by := first
			if test.wait {
				by = r.lateDevice(first)
			}
			var once, again integrity.Thawed
			before := must[*integrity.Proposed](t)(by.propose(account.UnfreezeAccount))
			once = thawed(t, must[*integrity.Confirmed](t)(by.do(account.UnfreezeAccount)).Result)
			if test.wait {
				r.advance(time.Hour)
				before = must[*integrity.Proposed](t)(by.propose(account.UnfreezeAccount))
			}
			again = thawed(t, must[*integrity.Confirmed](t)(by.confirm(before)).Result)
			if !test.wait {
				if once.State != account.Active || !once.Changed || again.Changed || again.State != account.Active {
					t.Errorf("%+v, then %+v", once, again)
				}
				return
			}
			if once.State != account.Frozen || !once.OpensAt.Equal(again.OpensAt) {
				t.Fatalf("%+v, then %+v", once, again)
			}
			r.advance(22 * time.Hour)
			r.tick()
			if s := first.status(); s.AccountState != account.Frozen {
				t.Errorf("too early: %s", s.AccountState)
			}
			r.advance(time.Hour)
			r.tick()
			if s := first.status(); s.AccountState != account.Active {
				t.Errorf("after the wait: %s", s.AccountState)
			}
		})
	}
}

// thawed reads the result of an unfreeze as a client does.
func thawed(t testing.TB, text []byte) (out integrity.Thawed) {
	t.Helper()
	var r struct {
		State   string    `json:"state"`
		Changed bool      `json:"changed"`
		OpensAt time.Time `json:"opens_at"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	out.State, _ = account.ParseState(r.State)
	out.Changed, out.OpensAt = r.Changed, r.OpensAt
	return out
}

// lateDevice makes it look as if the first phone was added after the freeze.
func (r *rig) lateDevice(p *phone) *phone {
	r.t.Helper()
	ctx := r.t.Context()
	err := r.opts.Update(ctx, func(tx integrity.Tx) error {
		d, _, err := tx.Device(ctx, p.device)
		if err != nil {
			return err
		}
		d.AddedAt = r.clock()
		d.MAC = d.Seal(r.opts.RowKey)
		return tx.PutDevice(ctx, d)
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// TestFreezeStopsHolds: what was left of a hold when the account was frozen is
// left when it is unfrozen.
func TestFreezeStopsHolds(t *testing.T) {
	r := newRig(t)
	first, second := r.family()
	r.advance(20 * time.Hour)
	must[*integrity.Frozen](t)(r.Freeze(t.Context(), first.caller()))
	r.advance(10 * day)
	r.tick()
	if h := second.status().Hold; h == nil || !h.Until.IsZero() || h.Left != 4*time.Hour {
		t.Fatalf("while frozen: %+v", h)
	}
	must[*integrity.Confirmed](t)(first.do(account.UnfreezeAccount))
	if h := second.status().Hold; h == nil || !h.Until.Equal(r.clock().Add(4*time.Hour)) {
		t.Fatalf("afterwards: %+v", h)
	}
	r.advance(4*time.Hour - time.Microsecond)
	r.tick()
	if s := second.status(); s.DeviceState != account.Held {
		t.Errorf("too early: %s", s.DeviceState)
	}
	r.advance(time.Microsecond)
	r.tick()
	if s := second.status(); s.DeviceState != account.Active {
		t.Errorf("then: %s", s.DeviceState)
	}
	r.checked()
}

// TestFreezeDevice: its own at once, another one after a fresh sign-in; unfrozen
// by another device, with the time left of its hold.
func TestFreezeDevice(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	third := r.another(first) // held
	r.advance(6 * time.Minute)
	if _, err := r.FreezeDevice(t.Context(), first.caller(), second.device); why(err) != account.WhyStepUp {
		t.Errorf("another one, not fresh: %v", err)
	}
	if _, err := r.FreezeDevice(t.Context(), third.caller(), second.device); why(err) != account.WhyDeviceHeld {
		t.Errorf("another one, from a held one: %v", err)
	}
	first.signIn()
	for _, changed := range []bool{true, false} {
		out, err := r.FreezeDevice(t.Context(), first.caller(), third.device)
		if err != nil || out.State != account.Frozen || out.Changed != changed {
			t.Errorf("%+v, %v", out, err)
		}
	}
	if out, err := r.FreezeDevice(t.Context(), second.caller(), second.device); err != nil || !out.Changed {
		t.Errorf("its own: %+v, %v", out, err)
	}
	second.token = nil // it has ended
	s := second.status()
	if s.DeviceState != account.Frozen || s.Rest != nil {
		t.Errorf("a frozen device reads %+v", s)
	}
	if _, err := second.propose(account.UnfreezeDevice, "device", second.device); why(err) != account.WhyDeviceFrozen {
		t.Errorf("unfreezes itself: %v", err)
	}
	r.advance(10 * day)
	first.signIn()
	for _, p := range []*phone{second, third} {
		must[*integrity.Confirmed](t)(first.do(account.UnfreezeDevice, "device", p.device))
		p.token = nil
	}
	if s := second.status(); s.DeviceState != account.Active {
		t.Errorf("unfrozen: %s", s.DeviceState)
	}
	if s := third.status(); s.DeviceState != account.Held || !s.Hold.Until.After(r.clock().Add(23*time.Hour)) {
		t.Errorf("unfrozen: %s until %v", s.DeviceState, s.Hold)
	}
	r.checked()
}
