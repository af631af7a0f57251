package integrity_test

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// TestStatusInEveryState: a device may always know how it stands, but for what
// was deleted; and reads the rest where it may read.
func TestStatusInEveryState(t *testing.T) {
	for _, test := range []struct {
		of    string
		state account.State
		rest  bool
	}{
		{"account", account.Active, true},
		{"account", account.Held, true},
		{"account", account.Frozen, true},
		{"account", account.Locked, false},
		{"device", account.Held, true},
		{"device", account.Frozen, false},
		{"device", account.Locked, false},
	} {
		t.Run(test.of+" "+test.state.String(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			p := r.enrol()
			r.set(p, test.of, test.state)
			s := p.status()
			got := s.DeviceState
			if test.of == "account" {
				got = s.AccountState
			}
			if got != test.state || (s.Rest != nil) != test.rest || !s.At.Equal(r.clock()) || s.DeviceName != "Pixel" {
				t.Errorf("%+v", s)
			}
			if held := test.state == account.Held; (s.Hold != nil) != held {
				t.Errorf("hold %+v", s.Hold)
			}
		})
	}
}

// TestStatusOfOthers says which devices cool off, and whether this one may veto.
func TestStatusOfOthers(t *testing.T) {
	r := newRig(t, func(o *integrity.Options) { o.Policy.Sessions.Phone = 2 * time.Hour })
	first, second := r.family()
	third := r.another(first)
	for p, want := range map[*phone]map[account.DeviceID]bool{
		first:  {second.device: true, third.device: true},
		second: {third.device: false}, // it cools off itself
		third:  {second.device: false},
	} {
		others := p.status().Rest.OthersHeld
		if len(others) != len(want) {
			t.Errorf("%d others: %+v", len(want), others)
		}
		for _, o := range others {
			if o.MayVeto != want[o.Device] || o.Hold.Until.IsZero() {
				t.Errorf("may veto %v: %+v", want[o.Device], o)
			}
		}
	}
	views, sessions, err := r.Devices(t.Context(), first.caller())
	if err != nil || len(views) != 3 || len(sessions) != 3 {
		t.Fatalf("%v: %d devices, %d sessions", err, len(views), len(sessions))
	}
	for i, p := range []*phone{first, second, third} {
		if v := views[i]; v.Device.ID != p.device || v.This != (p == first) || v.Older != (p == first) || v.Sessions != 1 {
			t.Errorf("%+v", v)
		}
	}
	r.advance(3 * time.Hour) // all sessions have run out
	first.token = nil
	if _, sessions, err = r.Devices(t.Context(), first.caller()); err != nil || len(sessions) != 0 {
		t.Errorf("%v: %+v", err, sessions)
	}
}

// TestAccountHidesSecrets that are of no use to its owner.
func TestAccountHidesSecrets(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	v := must[*integrity.AccountView](t)(r.Account(t.Context(), p.caller()))
	if v.Account.FreezeCode != nil || v.Account.MAC != nil || len(v.Devices) != 1 || len(v.Passkeys) != 1 || len(v.Sessions) != 1 {
		t.Errorf("%+v", v)
	}
}

// TestRenameDevice: any of the account's own, by a person.
func TestRenameDevice(t *testing.T) {
	r := newRig(t)
	first, second := r.couple()
	if err := r.RenameDevice(t.Context(), first.caller(), second.device, "Tablet"); err != nil {
		t.Fatal(err)
	}
	if name := second.status().DeviceName; name != "Tablet" {
		t.Errorf("it is called %q", name)
	}
	if err := r.RenameDevice(t.Context(), first.caller(), r.enrol().device, "Mine"); err == nil {
		t.Error("somebody else's device is renamed")
	}
	for _, name := range []string{"", "a\nb", "\xff"} {
		if err := r.RenameDevice(t.Context(), first.caller(), second.device, name); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	newcomer := r.another(first)
	if err := r.RenameDevice(t.Context(), newcomer.caller(), newcomer.device, "New"); err != nil {
		t.Errorf("one that cools off, itself: %v", err)
	}
	if err := r.RenameDevice(t.Context(), newcomer.caller(), first.device, "Unknown phone"); why(err) != account.WhyDeviceHeld {
		t.Errorf("one that cools off, another: %v", err)
	}
	list, _, err := r.Passkeys(t.Context(), newcomer.caller())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.RenamePasskey(t.Context(), newcomer.caller(), list[0].Ref, "Stolen"); why(err) != account.WhyDeviceHeld {
		t.Errorf("one that cools off, a passkey: %v", err)
	}
	r.advance(day + time.Minute)
	if err := r.RenameDevice(t.Context(), first.caller(), second.device, "Late"); why(err) != account.WhyStepUp {
		t.Errorf("%v", err)
	}
	r.checked()
}
