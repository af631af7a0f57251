package account_test

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
)

// TestRaise is the table of signals, one row an effect.
func TestRaise(t *testing.T) {
	const ref, another = "c_aaaaaaaaaaaaaaaaaaaaaaaaa2", "c_bbbbbbbbbbbbbbbbbbbbbbbbb2"
	action := account.RemoveDevice
	key := proof(account.ByDeviceKey, 0, affirming)
	hardware, cloud := proof(account.ByAction, 0, over(action)), proof(account.ByAction, 0, over(action), synced)
	browser := func(p ...account.Proof) []account.Proof { return append(p, proof(account.ByAssertion, time.Hour)) }
	tests := []struct {
		name   string
		signal account.Signal
		who    string
		proofs []account.Proof
		ok     bool
	}{
		{"none, a synced passkey in a browser", account.Signal{Name: "external:x", Level: account.LevelNote}, "browser", browser(cloud), true},
		{"Exact is Bound now", account.Signal{Name: account.SignalRecentVeto}, "browser", browser(cloud), false},
		{"which a security key is", account.Signal{Name: account.SignalRecentVeto}, "browser", browser(hardware), true},
		{"and an affirming device", account.Signal{Name: account.SignalRecentVeto}, "active", []account.Proof{key, cloud}, true},
		{"a device without affirming evidence is not", account.Signal{Name: account.SignalRecentVeto}, "active", []account.Proof{proof(account.ByDeviceKey, 0), cloud}, false},
		{"nor one whose proof is long ago", account.Signal{Name: account.SignalRecentVeto}, "active", []account.Proof{proof(account.ByDeviceKey, 0), proof(account.ByDeviceKey, time.Hour, affirming), cloud}, false},
		{"about another device", account.Signal{Name: account.SignalNewDevice, Device: d2}, "active", []account.Proof{proof(account.ByDeviceKey, 0), cloud}, true},
		{"about this device", account.Signal{Name: account.SignalNewDevice, Device: d1}, "active", []account.Proof{proof(account.ByDeviceKey, 0), cloud}, false},
		{"external, raised", account.Signal{Name: "external:x", Level: account.LevelRaise}, "browser", browser(cloud), false},
		{"external, held", account.Signal{Name: "external:x", Level: account.LevelHold}, "browser", browser(hardware), false},
		{"external, no level", account.Signal{Name: "external:x"}, "browser", browser(hardware), false},
		{"nobody knows it", account.Signal{Name: "x"}, "browser", browser(cloud), false},
		{"warned of", account.Signal{Name: account.SignalAttestWarning, Device: d1}, "active", []account.Proof{key, cloud}, true},
		{"its counter went back", account.Signal{Name: account.SignalCounterRegress, Value: ref}, "browser", browser(hardware), false},
		{"another's counter did", account.Signal{Name: account.SignalCounterRegress, Value: another}, "browser", browser(hardware), true},
		{"its model was revoked", account.Signal{Name: account.SignalMDSStatus, Value: ref}, "browser", browser(hardware), false},
		{"another's was", account.Signal{Name: account.SignalMDSStatus, Value: another}, "browser", browser(hardware), true},
		{"nobody knows whose", account.Signal{Name: account.SignalMDSStatus}, "browser", browser(hardware), false},
		{"stale", account.Signal{Name: account.SignalAttestStale, Device: d1}, "active", []account.Proof{key, hardware}, false},
		{"another is stale", account.Signal{Name: account.SignalAttestStale, Device: d2}, "active", []account.Proof{key, hardware}, true},
	}
	for _, tt := range tests {
		w := world{who: tt.who, account: account.Active, session: true, synced: true, now: noon, proofs: tt.proofs, signals: []account.Signal{tt.signal}}
		if err := w.check(action); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	warned := []account.Signal{{Name: account.SignalAttestWarning, Device: d1}, {Name: account.SignalRecentVeto}}
	w := world{who: "active", account: account.Active, session: true, synced: true, now: noon, proofs: []account.Proof{key, cloud}, signals: warned}
	if err := w.check(action); err == nil {
		t.Error("a device that is warned of lifts a synced passkey to Bound")
	}
}

// TestVetoInSpiteOfSignals: what an attacker can cause keeps nobody from the veto.
func TestVetoInSpiteOfSignals(t *testing.T) {
	w := world{who: "active", account: account.Active, session: true, now: noon,
		proofs: []account.Proof{proof(account.ByDeviceKey, 0), proof(account.ByAssertion, 0)}}
	for _, s := range allSignals() {
		if s.Name == account.SignalMDSStatus || s.Name == account.SignalCounterRegress {
			continue // of the passkey itself
		}
		w.signals = []account.Signal{s}
		if err := w.check(account.VetoAction); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
}

// TestSuspectIsPersonAtMost: with a passkey whose counter went back one may
// rename, and no more.
func TestSuspectIsPersonAtMost(t *testing.T) {
	w := world{who: "browser", account: account.Active, session: true, now: noon, proofs: []account.Proof{proof(account.ByAssertion, 0, suspect)}}
	if err := w.check(account.RenameDevice); err != nil {
		t.Error(err)
	}
	if err := w.check(account.AddCredential); err == nil {
		t.Error("it is fresh")
	}
}

func TestNeeds(t *testing.T) {
	for _, tt := range []struct {
		action account.Action
		who    string
		signal account.SignalName
		want   account.Class
	}{
		{account.AddDevice, "active", "", account.Exact},
		{account.AddDevice, "browser", "", account.Bound},
		{account.AddDevice, "active", account.SignalRecentVeto, account.Bound},
		{account.ApprovalPropose, "active", "", account.OnDevice},
		{account.ApprovalPropose, "browser", "", account.Person},
		{account.FreezeAccount, "new", "", account.OnDevice},
		{account.FreezeAccount, "leaving", "", account.Fresh},
		{account.RecallMove, "leaving", account.SignalRecentVeto, account.Bound},
	} {
		w := world{who: tt.who, account: account.Active, now: noon, session: true}
		if tt.signal != "" {
			w.signals = []account.Signal{{Name: tt.signal}}
		}
		c, _, d := w.parts()
		if class := w.require(tt.action).Needs(c, d); class != tt.want {
			t.Errorf("%s from %s needs %s, want %s", tt.action, tt.who, class, tt.want)
		}
	}
}

// TestSlow: the other way to unfreeze is Exact, from anywhere, and waits; a
// signal makes it Bound, whenever it is raised.
func TestSlow(t *testing.T) {
	unfreeze := account.Required(account.UnfreezeAccount)
	if r := unfreeze.Slow(); r.Class != account.Exact || !r.Waits || r.From != account.Anywhere || !r.WhileHeld {
		t.Errorf("the slow way: %+v", r)
	}
	risk := []account.Signal{{Name: account.SignalRecentVeto}}
	if unfreeze.Raise(risk).Slow().Class != account.Bound || unfreeze.Slow().Raise(risk).Class != account.Bound {
		t.Error("a signal does not raise the slow way")
	}
	for _, l := range lines() {
		if r := account.Required(l.action); l.action != account.UnfreezeAccount && r.Slow().Class != account.NoClass {
			t.Errorf("%s has a slow way", l.action)
		}
	}
	if unfreeze.Slow().Slow().Class != account.NoClass {
		t.Error("the slow way has a slower one")
	}
}

func TestWaits(t *testing.T) {
	for _, l := range lines() {
		want := l.action == account.DeleteAccount || l.action == account.StartRecovery
		if account.Required(l.action).Waits != want {
			t.Errorf("%s waits: %v", l.action, !want)
		}
	}
}

func TestSyncedAllowed(t *testing.T) {
	for _, tt := range []struct {
		list   []string
		action account.Action
		want   bool
	}{
		{nil, account.SignIn, false},
		{[]string{}, account.RemoveDevice, false},
		{[]string{""}, "", false},
		{[]string{"all"}, account.RemoveDevice, true},
		{[]string{"all"}, "register", true},
		{[]string{"all"}, "app.pay", true},
		{[]string{"register"}, "register", true},
		{[]string{"register"}, account.SignIn, false},
		{[]string{"sign_in"}, account.SignIn, true},
		{[]string{"sign_in"}, account.RenameDevice, true},
		{[]string{"sign_in"}, account.AddCredential, false},
		{[]string{"sign_in"}, "step_up", false},
		{[]string{"step_up"}, "step_up", true},
		{[]string{"step_up"}, account.AddCredential, true},
		{[]string{"step_up"}, account.SignIn, false},
		{[]string{"step_up"}, account.RemoveDevice, false},
		{[]string{"sign_in", "step_up"}, "app.pay", false},
		{[]string{"sign_in", "device.remove"}, account.RemoveDevice, true},
		{[]string{"device.remove"}, account.RemoveCredential, false},
		{[]string{"app.pay"}, "app.pay", true},
	} {
		if got := account.SyncedAllowed(tt.list, tt.action); got != tt.want {
			t.Errorf("SyncedAllowed(%q, %s) = %v", tt.list, tt.action, got)
		}
	}
}

func TestAppAction(t *testing.T) {
	for _, tt := range []struct {
		kind  string
		class account.Class
		ok    bool
	}{
		{"pay", account.Exact, true},
		{"pay.large-1_x", account.Bound, true},
		{"pay", account.Fresh, false},
		{"pay", account.NoClass, false},
		{"pay", account.Bound + 1, false},
		{"", account.Exact, false},
		{"1pay", account.Exact, false},
		{"Pay", account.Exact, false},
		{"pay me", account.Exact, false},
		{"a23456789012345678901234567890123456789012", account.Exact, false},
	} {
		r := account.AppAction(tt.kind, tt.class, true)
		if (r.Class == tt.class && r.Action == account.Action("app."+tt.kind) && r.WhileHeld) != tt.ok || !tt.ok && r.Class != account.NoClass {
			t.Errorf("AppAction(%q, %s): %s needs %s", tt.kind, tt.class, r.Action, r.Class)
		}
	}
}

// TestClassOf is what people and backends are told.
func TestClassOf(t *testing.T) {
	key := proof(account.ByDeviceKey, 0)
	for _, tt := range []struct {
		name   string
		who    string
		proofs []account.Proof
		want   account.Class
	}{
		{"phone", "active", []account.Proof{key}, account.OnDevice},
		{"phone, new", "new", []account.Proof{key}, account.OnDevice},
		{"phone, frozen", "frozen", []account.Proof{key}, account.AnonymousClass},
		{"phone, unproved", "active", nil, account.AnonymousClass},
		{"phone, stepped up", "active", []account.Proof{key, proof(account.ByAssertion, 0, synced)}, account.Fresh},
		{"phone, signed in", "active", []account.Proof{key, proof(account.ByAssertion, time.Hour)}, account.Person},
		{"phone, the day before", "active", []account.Proof{key, proof(account.ByAssertion, 25*time.Hour)}, account.OnDevice},
		{"browser", "browser", []account.Proof{proof(account.ByAssertion, 0)}, account.Fresh},
		{"browser, the day before", "browser", []account.Proof{proof(account.ByAssertion, 25*time.Hour)}, account.GuestClass},
		{"browser, approved", "browser", []account.Proof{proof(account.ByApproval, 0)}, account.GuestClass},
		{"an approval of nothing", "browser", []account.Proof{proof(account.ByAction, 0)}, account.AnonymousClass},
		{"nobody", "anonymous", nil, account.AnonymousClass},
		{"backend", "backend", nil, account.NoClass},
	} {
		c, a, d := world{who: tt.who, account: account.Active, session: true, proofs: tt.proofs}.parts()
		if class := account.ClassOf(c, a, d, windows(), noon); class != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, class, tt.want)
		}
		c.Session = ""
		if class := account.ClassOf(c, a, d, windows(), noon); class > account.OnDevice || c.Kind == account.Browser && class > account.AnonymousClass {
			t.Errorf("%s: without a session %s", tt.name, class)
		}
	}
}
