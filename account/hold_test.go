package account_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
)

// script applies steps an hour apart and gives the account and the time after
// the last.
func script(t *testing.T, a account.Account, names ...account.StepName) (account.Account, time.Time) {
	t.Helper()
	now := noon
	for _, name := range names {
		now = now.Add(time.Hour)
		var err error
		if a, err = a.Apply(full(name), now); err != nil {
			t.Fatal(err)
		}
	}
	return a, now
}

func TestHoldBegins(t *testing.T) {
	a, now := script(t, account.Account{State: account.Active}, "recover")
	if want := (account.Hold{Reason: "recovered", Since: now, Until: now.Add(day), By: d2}); a.Hold != want {
		t.Errorf("hold %+v, want %+v", a.Hold, want)
	}
	d, err := account.Device{}.Apply(full("add"), noon.Add(time.Nanosecond))
	if want := (account.Hold{Reason: "new", Since: noon, Until: noon.Add(day), By: d2}); err != nil || d.Hold != want {
		t.Errorf("hold %+v, %v, want %+v: times are stored to the microsecond", d.Hold, err, want)
	}
	d, err = account.Device{State: account.Active}.Apply(account.Step{Name: "leave_start", By: d2}, noon)
	if want := (account.Hold{Reason: "leaving", Since: noon, By: d2}); err != nil || d.Hold != want {
		t.Errorf("hold %+v, %v, want %+v: a move's has no clock", d.Hold, err, want)
	}
}

// TestHoldStops: a freeze or a lock stops the clock, and it goes on with the
// time left. However often that is done, the hold is neither cut short nor begun anew.
func TestHoldStops(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []account.StepName
		left  time.Duration
	}{
		{"frozen once", []account.StepName{"recover", "freeze"}, 23 * time.Hour},
		{"frozen twice", []account.StepName{"recover", "freeze", "unfreeze", "freeze"}, 22 * time.Hour},
		{"locked", []account.StepName{"recover", "lock"}, 23 * time.Hour},
		{"frozen, locked, unlocked", []account.StepName{"recover", "freeze", "lock", "unlock"}, 23 * time.Hour},
		{"recovered while frozen while held", []account.StepName{"recover", "freeze", "recover", "freeze"}, 23 * time.Hour},
	} {
		a, _ := script(t, account.Account{State: account.Active}, tt.steps...)
		if a.Hold.Reason != "recovered" || !a.Hold.Until.IsZero() || a.Hold.Left != tt.left {
			t.Errorf("%s: hold %+v, want %s left", tt.name, a.Hold, tt.left)
		}
		if a.State != account.Frozen {
			continue
		}
		next, err := a.Apply(full("unfreeze"), noon.Add(30*day))
		if err != nil || next.State != account.Held || !next.Hold.Until.Equal(noon.Add(30*day+tt.left)) || next.Hold.Left != 0 || !next.Hold.Since.Equal(a.Hold.Since) {
			t.Errorf("%s: after unfreeze %s %+v, %v", tt.name, next.State, next.Hold, err)
		}
	}
}

// TestRecoverKeepsWhatWasLeft: a recovery out of a freeze does not shorten the
// hold of the one before.
func TestRecoverKeepsWhatWasLeft(t *testing.T) {
	a := account.Account{State: account.Frozen, Prior: account.Held, Hold: account.Hold{Reason: "recovered", Left: 3 * day}}
	if a, err := a.Apply(full("recover"), noon); err != nil || !a.Hold.Until.Equal(noon.Add(3*day)) {
		t.Errorf("hold until %s, %v", a.Hold.Until, err)
	}
}

func TestHoldOver(t *testing.T) {
	until := noon.Add(day)
	running := account.Hold{Reason: "recovered", Until: until}
	for _, tt := range []struct {
		name string
		hold account.Hold
		now  time.Time
		ok   bool
	}{
		{"over", running, until, true},
		{"not yet", running, until.Add(-time.Microsecond), false},
		{"its clock stands", account.Hold{Reason: "recovered", Left: 1}, until, false},
		{"its clock is nowhere", account.Hold{Reason: "recovered"}, until, false},
	} {
		a, err := account.Account{State: account.Held, Hold: tt.hold}.Apply(full("hold_over"), tt.now)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, account.ErrStep) {
			t.Errorf("account, %s: %v", tt.name, err)
		}
		if tt.ok && a.Hold != (account.Hold{}) {
			t.Errorf("account, %s: hold %+v is left", tt.name, a.Hold)
		}
		for _, why := range []account.HoldReason{"new", "leaving"} {
			if tt.hold.Until.IsZero() && why == "leaving" {
				continue // a move's: see TestStepWants
			}
			tt.hold.Reason = why
			if _, err := (account.Device{ID: d1, State: account.Held, Hold: tt.hold}).Apply(full("hold_over"), tt.now); (err == nil) != tt.ok {
				t.Errorf("device %s, %s: %v", why, tt.name, err)
			}
		}
	}
}

// TestHoldOfAMoveHasNoClock: neither time nor a freeze gives it one.
func TestHoldOfAMoveHasNoClock(t *testing.T) {
	d := account.Device{ID: d1, State: account.Active}
	for _, name := range []account.StepName{"leave_start", "freeze", "unfreeze"} {
		s := full(name)
		s.Wait = 0
		var err error
		if d, err = d.Apply(s, noon); err != nil {
			t.Fatal(err)
		}
	}
	s := full("hold_over")
	s.Final = false
	if _, err := d.Apply(s, noon.Add(1000*day)); !errors.Is(err, account.ErrStep) {
		t.Errorf("hold %+v ended by time: %v", d.Hold, err)
	}
}

// TestFrozenAtTheEnd: what is frozen after its hold should have ended is over
// once it is thawed, and has a clock still.
func TestFrozenAtTheEnd(t *testing.T) {
	d := account.Device{ID: d1, State: account.Held, Hold: held("leaving")}
	for _, name := range []account.StepName{"freeze", "unfreeze", "hold_over"} {
		s, now := full(name), noon.Add(time.Hour)
		s.Final = false
		var err error
		if d, err = d.Apply(s, now.Add(time.Duration(len(name))*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if d.State != account.Deleted {
		t.Errorf("it is %s", d.State)
	}
}

func TestVetoClearsTheHold(t *testing.T) {
	a, _ := script(t, account.Account{State: account.Active}, "recover", "freeze", "veto")
	if a.State != account.Frozen || a.Prior != account.Active || a.Hold != (account.Hold{}) {
		t.Errorf("after veto %s, before %s, hold %+v", a.State, a.Prior, a.Hold)
	}
}

// TestReattestKeepsTheHold: a device that was locked while new cools off for at
// least what was left.
func TestReattestKeepsTheHold(t *testing.T) {
	d := account.Device{ID: d1, State: account.Locked, Prior: account.Held, Hold: account.Hold{Reason: "new", Left: 7 * day}}
	if d, err := d.Apply(full("reattest"), noon); err != nil || !d.Hold.Until.Equal(noon.Add(7*day)) {
		t.Errorf("hold until %s, %v", d.Hold.Until, err)
	}
}

// TestNotBefore: the steps that end all sessions end what was begun before, too.
func TestNotBefore(t *testing.T) {
	for name, want := range map[account.StepName]bool{"freeze": true, "lock": true, "recover": true, "delete": true} {
		a, now := script(t, account.Account{State: account.Active, NotBefore: noon}, name)
		if a.NotBefore.Equal(now) != want {
			t.Errorf("%s: not before %s", name, a.NotBefore)
		}
	}
	a, _ := script(t, account.Account{State: account.Held, Hold: held("recovered"), NotBefore: noon}, "veto")
	if !a.NotBefore.Equal(noon) {
		t.Errorf("veto: not before %s", a.NotBefore)
	}
}

func TestTombstones(t *testing.T) {
	a := account.Account{ID: mine, Handle: "ada", FreezeCode: []byte("hash"), State: account.Active, UserHandle: [64]byte{1}}
	if a, err := a.Apply(full("delete"), noon); err != nil || a.Handle != "" || a.FreezeCode != nil || a.ID != mine || a.UserHandle != [64]byte{1} {
		t.Errorf("account %+v, %v", a, err)
	}
	d := account.Device{ID: d1, Account: mine, Name: "Ada's Pixel", KeyID: "k", State: account.Active}
	if d, err := d.Apply(full("remove"), noon); err != nil || d.Name != "" || d.KeyID != "k" || d.Account != mine || d.ID != d1 {
		t.Errorf("device %+v, %v", d, err)
	}
}
