package account_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
)

// TestRefused: each refusal says why, and until when where time helps.
func TestRefused(t *testing.T) {
	approved := []account.Proof{proof(account.ByDeviceKey, 0, affirming), proof(account.ByAction, 0, over(account.RemoveDevice))}
	good := world{who: "active", account: account.Active, session: true, proofs: approved, now: noon}
	tests := []struct {
		name   string
		change func(*world)
		action account.Action
		why    account.Why
		opens  time.Time
	}{
		{"good", func(*world) {}, account.RemoveDevice, account.WhyUnset, time.Time{}},
		{"not in the table", func(*world) {}, "device.explode", account.WhyUnknown, time.Time{}},
		{"the app's, by that way", func(*world) {}, "app.pay", account.WhyUnknown, time.Time{}},
		{"no account", func(w *world) { w.account = account.Unset }, account.RemoveDevice, account.WhyGone, time.Time{}},
		{"deleted account", func(w *world) { w.account = account.Deleted }, account.RemoveDevice, account.WhyGone, time.Time{}},
		{"deleted device", func(w *world) { w.who = "deleted" }, account.RemoveDevice, account.WhyGone, time.Time{}},
		{"locked account", func(w *world) { w.account = account.Locked }, account.RemoveDevice, account.WhyAccountLocked, time.Time{}},
		{"frozen account", func(w *world) { w.account = account.Frozen }, account.RemoveDevice, account.WhyAccountFrozen, time.Time{}},
		{"held account", func(w *world) { w.account = account.Held }, account.RemoveDevice, account.WhyAccountHeld, noon.Add(71 * time.Hour)},
		{"frozen device", func(w *world) { w.who = "frozen" }, account.RemoveDevice, account.WhyDeviceFrozen, time.Time{}},
		{"locked device", func(w *world) { w.who = "locked" }, account.RemoveDevice, account.WhyDeviceLocked, time.Time{}},
		{"held device", func(w *world) { w.who = "new" }, account.RemoveDevice, account.WhyDeviceHeld, noon.Add(20 * day)},
		{"leaving device", func(w *world) { w.who = "leaving" }, account.RemoveDevice, account.WhyDeviceHeld, noon.Add(20 * day)},
		{"from a browser", func(w *world) { w.who = "browser" }, account.UnfreezeDevice, account.WhyFrom, time.Time{}},
		{"veto from a browser", func(w *world) { w.who = "browser" }, account.VetoAction, account.WhyNotOlder, time.Time{}},
		{"unapproved", func(w *world) { w.proofs = w.proofs[:1] }, account.RemoveDevice, account.WhyStepUp, time.Time{}},
		{"no session", func(w *world) { w.session = false }, account.MoveClaim, account.WhyStepUp, time.Time{}},
		{"risk", func(w *world) {
			w.signals = []account.Signal{{Name: "external:sim", Level: account.LevelHold, Until: noon.Add(day)}}
		}, account.RemoveDevice, account.WhyRisk, noon.Add(day)},
		{"two risks, one shorter", func(w *world) {
			w.signals = []account.Signal{{Name: "external:sim", Level: account.LevelHold, Until: noon.Add(day)}, {Name: "external:x", Until: noon}}
		}, account.RemoveDevice, account.WhyRisk, noon.Add(day)},
		{"stale", func(w *world) { w.signals = []account.Signal{{Name: account.SignalAttestStale, Device: d1}} }, account.RemoveDevice, account.WhyStale, time.Time{}},
	}
	for _, tt := range tests {
		w := good
		tt.change(&w)
		err := w.check(tt.action)
		var r *account.Refused
		switch {
		case tt.why == account.WhyUnset && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.why == account.WhyUnset:
		case !errors.As(err, &r) || !errors.Is(err, account.ErrRefused):
			t.Errorf("%s: %v", tt.name, err)
		case r.Why != tt.why || !r.OpensAt.Equal(tt.opens):
			t.Errorf("%s: why %d until %s: %v", tt.name, r.Why, r.OpensAt, err)
		}
	}
}

// TestOtherCaller: account and device must be the caller's own.
func TestOtherCaller(t *testing.T) {
	r := account.Required(account.AccountRead).Within(windows())
	for name, change := range map[string]func(*account.Caller, *account.Account, **account.Device){
		"another account":        func(c *account.Caller, _ *account.Account, _ **account.Device) { c.Account = "a_x" },
		"another's account":      func(_ *account.Caller, a *account.Account, _ **account.Device) { a.ID = "a_x" },
		"another's device":       func(_ *account.Caller, _ *account.Account, d **account.Device) { (*d).Account = "a_x" },
		"another device":         func(_ *account.Caller, _ *account.Account, d **account.Device) { (*d).ID = d2 },
		"no device":              func(_ *account.Caller, _ *account.Account, d **account.Device) { *d = nil },
		"no key proof":           func(c *account.Caller, _ *account.Account, _ **account.Device) { c.Proofs = nil },
		"proof of another key":   func(c *account.Caller, _ *account.Account, _ **account.Device) { c.Proofs[0].Device = d2 },
		"browser with a device":  func(c *account.Caller, _ *account.Account, _ **account.Device) { c.Kind = account.Browser },
		"nobody":                 func(c *account.Caller, _ *account.Account, _ **account.Device) { *c = account.Caller{} },
		"a key of no device yet": func(c *account.Caller, _ *account.Account, d **account.Device) { c.Device, *d = "", nil },
	} {
		c, a, d := world{who: "active", account: account.Active, proofs: []account.Proof{proof(account.ByDeviceKey, 0)}}.parts()
		if err := r.Check(c, a, d, noon); err != nil {
			t.Fatal(err)
		}
		change(&c, &a, &d)
		if err := r.Check(c, a, d, noon); !errors.Is(err, account.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestZeroRequirement(t *testing.T) {
	all, signals := allProofs(""), allSignals()
	eachWorld(func(w world) {
		c, a, d := w.parts()
		c.Proofs = all
		r := account.Requirement{WhileHeld: true, WhileFrozen: true, WhileLocked: true, AnyState: true, SyncedOK: true}
		if r.Within(windows()).Check(c, a, d, noon) == nil || r.Raise(signals).Check(c, a, d, noon) == nil {
			t.Fatalf("the zero Requirement is met: %s", w)
		}
		if r.Slow().Class != account.NoClass {
			t.Fatal("it has a slow way")
		}
	})
}

// TestWindows: how old proofs may be, to the moment. Without Within none is new enough.
func TestWindows(t *testing.T) {
	for _, tt := range []struct {
		name   string
		action account.Action
		method account.Method
		age    time.Duration
		risk   bool
		ok     bool
	}{
		{"person", account.RenameDevice, account.ByAssertion, day, false, true},
		{"person over", account.RenameDevice, account.ByAssertion, day + 1, false, false},
		{"made", account.RenameDevice, account.ByCreation, day, false, true},
		{"made long ago", account.RenameDevice, account.ByCreation, day + 1, false, false},
		{"fresh", account.AddCredential, account.ByAssertion, 5 * time.Minute, false, true},
		{"fresh over", account.AddCredential, account.ByAssertion, 5*time.Minute + 1, false, false},
		{"a creation is not fresh", account.AddCredential, account.ByCreation, 0, false, false},
		{"fresh, risky", account.AddCredential, account.ByAssertion, time.Minute, true, true},
		{"fresh over, risky", account.AddCredential, account.ByAssertion, time.Minute + 1, true, false},
		{"person, risky", account.RenameDevice, account.ByAssertion, day, true, true},
		{"approved", account.RemoveDevice, account.ByAction, 5 * time.Minute, false, true},
		{"approved long ago", account.RemoveDevice, account.ByAction, 5*time.Minute + 1, false, false},
		{"from the future", account.AddCredential, account.ByAssertion, -6 * time.Minute, false, false},
		{"another server's clock", account.AddCredential, account.ByAssertion, -time.Second, false, true},
	} {
		w := world{who: "browser", account: account.Active, session: true, now: noon, proofs: []account.Proof{proof(tt.method, tt.age, over(tt.action))}}
		if tt.method == account.ByAction {
			w.proofs = append(w.proofs, proof(account.ByCreation, time.Hour))
		}
		if tt.risk {
			w.signals = []account.Signal{{Name: account.SignalNewNetwork}}
		}
		if err := w.check(tt.action); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		c, a, d := w.parts()
		if account.Required(tt.action).Check(c, a, d, noon) == nil {
			t.Errorf("%s: allowed without Within", tt.name)
		}
	}
	early := account.Required(account.AddCredential).Raise([]account.Signal{{Name: account.SignalNewNetwork}})
	if age := early.Within(windows()).MaxAge; age != time.Minute {
		t.Errorf("raised first, the window is %s", age)
	}
	if age := early.Within(account.Windows{Person: day, Fresh: 5 * time.Minute}).MaxAge; age != time.Minute {
		t.Errorf("without Risky the window is %s", age)
	}
	if age := early.Within(account.Windows{Person: day, Fresh: time.Minute, Risky: time.Hour}).MaxAge; age != time.Minute {
		t.Errorf("a longer Risky makes the window %s", age)
	}
}

// TestOlder: enrolled before the hold began, not its cause, active or leaving.
func TestOlder(t *testing.T) {
	since := noon.Add(-time.Hour)
	newcomer := account.Device{ID: d2, Account: mine, AddedAt: since, State: account.Held, Hold: account.Hold{Reason: "new", Since: since, By: d1}}
	for _, tt := range []struct {
		name   string
		change func(*account.Device, *account.Requirement)
		ok     bool
	}{
		{"older, who approved it", func(*account.Device, *account.Requirement) {}, true},
		{"added at that moment", func(d *account.Device, _ *account.Requirement) { d.AddedAt = since }, false},
		{"added later", func(d *account.Device, _ *account.Requirement) { d.AddedAt = noon }, false},
		{"itself", func(d *account.Device, r *account.Requirement) { *r = r.About(*d) }, false},
		{"itself, held again", func(d *account.Device, r *account.Requirement) {
			d.Hold.Since = noon
			*r = r.About(*d)
		}, false},
		{"about nothing", func(_ *account.Device, r *account.Requirement) {
			*r = account.Required(account.VetoAction).Within(windows())
		}, false},
		{"no hold: since it was added", func(_ *account.Device, r *account.Requirement) {
			*r = r.About(account.Device{ID: d2, AddedAt: since})
		}, true},
		{"pending, before", func(_ *account.Device, r *account.Requirement) { *r = r.AboutPending(noon, d2) }, true},
		{"pending, after", func(d *account.Device, r *account.Requirement) { *r = r.AboutPending(d.AddedAt, d2) }, false},
		{"pending, its own", func(d *account.Device, r *account.Requirement) { *r = r.AboutPending(d.AddedAt, d1) }, true},
		{"pending, its own, while new", func(d *account.Device, r *account.Requirement) {
			d.State, d.Hold.Reason = account.Held, "new"
			*r = r.AboutPending(noon, d1)
		}, true},
		{"pending, another's, while new", func(d *account.Device, r *account.Requirement) {
			d.State, d.Hold.Reason = account.Held, "new"
			*r = r.AboutPending(noon, d2)
		}, false},
	} {
		c, a, d := world{who: "active", account: account.Active, session: true,
			proofs: []account.Proof{proof(account.ByDeviceKey, 0), proof(account.ByAssertion, 0)}}.parts()
		r := account.Required(account.VetoAction).Within(windows()).About(newcomer)
		tt.change(d, &r)
		if err := r.Check(c, a, d, noon); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	c, a, _ := world{who: "browser", account: account.Active, session: true, proofs: []account.Proof{proof(account.ByAssertion, 0)}}.parts()
	if err := account.Required(account.VetoAction).Within(windows()).AboutPending(noon, d1).Check(c, a, nil, noon); err != nil {
		t.Errorf("a browser cancels what waits: %v", err)
	}
	if err := account.Required(account.UnfreezeDevice).Within(windows()).AboutPending(noon, d1).Check(c, a, nil, noon); err == nil {
		t.Error("AboutPending opens another action to browsers")
	}
}

// TestAboutAnother: what is done on a device itself is not done on another, and
// a move is another device's.
func TestAboutAnother(t *testing.T) {
	for _, tt := range []struct {
		who    string
		action account.Action
		about  func(account.Requirement) account.Requirement
		ok     bool
	}{
		{"active", account.RotateSealing, func(r account.Requirement) account.Requirement { return r }, true},
		{"active", account.RotateSealing, func(r account.Requirement) account.Requirement { return r.About(account.Device{ID: d1}) }, true},
		{"active", account.RotateSealing, func(r account.Requirement) account.Requirement { return r.About(account.Device{ID: d2}) }, false},
		{"leaving", account.RecallMove, func(r account.Requirement) account.Requirement { return r }, false},
		{"leaving", account.RecallMove, func(r account.Requirement) account.Requirement { return r.AboutMove(d2, d1) }, false},
		{"leaving", account.RecallMove, func(r account.Requirement) account.Requirement { return r.AboutMove(d1, d2) }, true},
		{"leaving", account.FinishMove, func(r account.Requirement) account.Requirement { return r.AboutMove(d2, d1) }, false},
		{"new", account.FinishMove, func(r account.Requirement) account.Requirement { return r.AboutMove(d1, d2) }, false},
		{"new", account.FinishMove, func(r account.Requirement) account.Requirement { return r.AboutMove(d2, d1) }, true},
		{"new", account.RecallMove, func(r account.Requirement) account.Requirement { return r.AboutMove(d2, d1) }, false},
	} {
		c, a, d := world{who: tt.who, account: account.Active, session: true,
			proofs: []account.Proof{proof(account.ByDeviceKey, 0), proof(account.ByAction, 0, over(tt.action))}}.parts()
		if err := tt.about(account.Required(tt.action).Within(windows())).Check(c, a, d, noon); (err == nil) != tt.ok {
			t.Errorf("%s from %s: %v", tt.action, tt.who, err)
		}
	}
}

// TestForeignBrowser: a session is one of an account. Signing in anew is not held
// to it.
func TestForeignBrowser(t *testing.T) {
	c, a, _ := world{who: "browser", account: account.Active, session: true, proofs: []account.Proof{proof(account.ByAssertion, 0)}}.parts()
	a.ID = "a_x"
	if err := account.Required(account.AccountRead).Within(windows()).Check(c, a, nil, noon); !errors.Is(err, account.ErrRefused) {
		t.Errorf("it reads another account: %v", err)
	}
	if err := account.Required(account.SignIn).Check(c, a, nil, noon); err != nil {
		t.Errorf("it cannot sign in to another account: %v", err)
	}
}

// TestBeforeFreeze: at once, an account is unfrozen by a device that is not held
// and was there before.
func TestBeforeFreeze(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*account.Device)
		ok     bool
	}{
		{"before", func(*account.Device) {}, true},
		{"at that moment", func(d *account.Device) { d.AddedAt = noon }, true},
		{"after", func(d *account.Device) { d.AddedAt = noon.Add(time.Microsecond) }, false},
		{"held", func(d *account.Device) { d.State, d.Hold.Reason = account.Held, "new" }, false},
		{"leaving", func(d *account.Device) { d.State, d.Hold.Reason = account.Held, "leaving" }, false},
	} {
		c, a, d := world{who: "active", account: account.Frozen, session: true,
			proofs: []account.Proof{proof(account.ByDeviceKey, 0), proof(account.ByAction, 0, over(account.UnfreezeAccount))}}.parts()
		tt.change(d)
		r := account.Required(account.UnfreezeAccount).Within(windows())
		if err := r.Check(c, a, d, noon); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if r.WhileHeld = true; tt.ok != (r.Check(c, a, d, noon) == nil) {
			t.Errorf("%s: it is not the place that refuses", tt.name)
		}
	}
}

// TestTierOfTheRow: that the request's key had affirming evidence is not enough
// if the device has none now.
func TestTierOfTheRow(t *testing.T) {
	c, a, d := world{who: "active", account: account.Active, session: true,
		proofs: []account.Proof{proof(account.ByDeviceKey, 0, affirming), proof(account.ByAction, 0, over(account.SetupRecovery), synced)}}.parts()
	r := account.Required(account.SetupRecovery).Within(windows())
	r.SyncedOK = true
	if err := r.Check(c, a, d, noon); err != nil {
		t.Fatal(err)
	}
	for _, tier := range []string{"", "none", "warning", "contraindicated"} {
		d.Tier = tier
		if err := r.Check(c, a, d, noon); err == nil {
			t.Errorf("tier %q lifts a synced passkey to Bound", tier)
		}
	}
}
