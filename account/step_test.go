package account_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	day  = 24 * time.Hour
	mine = account.ID("a_abcdefghijklmnopqrstuvwxy2")
	d1   = account.DeviceID("d_aaaaaaaaaaaaaaaaaaaaaaaaa2")
	d2   = account.DeviceID("d_bbbbbbbbbbbbbbbbbbbbbbbbb2")
)

func allSteps() []account.StepName {
	return []account.StepName{
		account.StepEnrol, account.StepEnrolFirst, account.StepAdd, account.StepRecover, account.StepHoldOver, account.StepLeaveStart,
		account.StepStay, account.StepVeto, account.StepFreeze, account.StepUnfreeze, account.StepLock, account.StepUnlock,
		account.StepReattest, account.StepRemove, account.StepDelete, "sealing_off", "",
	}
}

// full is a step to which nothing is missing.
func full(name account.StepName) account.Step {
	return account.Step{Name: name, By: d2, Wait: day, AccountState: account.Active, Final: true, Operators: []string{"ada", "bob"}}
}

func held(why account.HoldReason) account.Hold {
	return account.Hold{Reason: why, Since: noon.Add(-2 * day), Until: noon.Add(-day)}
}

// stood is a hold of which three hours were left when its clock was stopped.
func stood(why account.HoldReason) account.Hold {
	return account.Hold{Reason: why, Since: noon.Add(-2 * day), Left: 3 * time.Hour}
}

// TestAccountSteps walks all pairs of state and step. The table is the design's,
// written by state: what it does not name is refused.
func TestAccountSteps(t *testing.T) {
	type to map[account.StepName]string
	states := []struct {
		name string
		a    account.Account
		to   to
	}{
		{"none", account.Account{}, to{"enrol": "active"}},
		{"active", account.Account{State: account.Active}, to{"recover": "held", "freeze": "frozen", "lock": "locked", "delete": "deleted"}},
		{"held", account.Account{State: account.Held, Hold: held("recovered")},
			to{"hold_over": "active", "veto": "active", "freeze": "frozen", "lock": "locked"}},
		{"frozen", account.Account{State: account.Frozen, Prior: account.Active},
			to{"recover": "held", "unfreeze": "active", "lock": "locked"}},
		{"frozen while held", account.Account{State: account.Frozen, Prior: account.Held, Hold: stood("recovered")},
			to{"recover": "held", "veto": "frozen", "unfreeze": "held", "lock": "locked"}},
		{"frozen, nobody knows from what", account.Account{State: account.Frozen}, to{"recover": "held", "lock": "locked"}},
		{"locked", account.Account{State: account.Locked, Prior: account.Active}, to{"unlock": "frozen", "delete": "deleted"}},
		{"deleted", account.Account{State: account.Deleted}, to{}},
	}
	for _, tt := range states {
		for _, name := range allSteps() {
			next, err := tt.a.Apply(full(name), noon)
			checkStep(t, "account", tt.name, name, tt.to[name], tt.a.State, next.State, err)
		}
	}
}

func TestDeviceSteps(t *testing.T) {
	type to map[account.StepName]string
	states := []struct {
		name string
		d    account.Device
		to   to
	}{
		{"none", account.Device{}, to{"enrol_first": "active", "add": "held", "recover": "held"}},
		{"active", account.Device{State: account.Active},
			to{"leave_start": "held", "freeze": "frozen", "lock": "locked", "reattest": "active", "remove": "deleted"}},
		{"new", account.Device{State: account.Held, Hold: held("new")},
			to{"hold_over": "active", "freeze": "frozen", "lock": "locked", "veto": "deleted", "remove": "deleted"}},
		{"leaving", account.Device{State: account.Held, Hold: held("leaving")},
			to{"hold_over": "deleted", "stay": "active", "freeze": "frozen", "lock": "locked", "remove": "deleted"}},
		{"frozen", account.Device{State: account.Frozen, Prior: account.Active}, to{"unfreeze": "active", "lock": "locked", "remove": "deleted"}},
		{"frozen while new", account.Device{State: account.Frozen, Prior: account.Held, Hold: stood("new")},
			to{"unfreeze": "held", "lock": "locked", "veto": "deleted", "remove": "deleted"}},
		{"frozen, nobody knows from what", account.Device{State: account.Frozen}, to{"lock": "locked", "remove": "deleted"}},
		{"locked", account.Device{State: account.Locked, Prior: account.Active}, to{"reattest": "held", "remove": "deleted"}},
		{"locked while new", account.Device{State: account.Locked, Prior: account.Held, Hold: stood("new")},
			to{"reattest": "held", "veto": "deleted", "remove": "deleted"}},
		{"locked while leaving", account.Device{State: account.Locked, Prior: account.Held, Hold: stood("leaving")}, to{"remove": "deleted"}},
		{"locked while frozen", account.Device{State: account.Locked, Prior: account.Frozen}, to{"remove": "deleted"}},
		{"deleted", account.Device{State: account.Deleted}, to{}},
	}
	for _, tt := range states {
		tt.d.ID = d1
		for _, name := range allSteps() {
			next, err := tt.d.Apply(full(name), noon)
			checkStep(t, "device", tt.name, name, tt.to[name], tt.d.State, next.State, err)
		}
	}
}

// checkStep wants a step to lead to want, or nowhere if that is empty, and Legal
// to say the same of every step that is taken.
func checkStep(t *testing.T, of, from string, name account.StepName, want string, was, is account.State, err error) {
	t.Helper()
	switch {
	case want == "" && (!errors.Is(err, account.ErrStep) || is != was):
		t.Errorf("%s %s, %s: %s, %v, want ErrStep", of, from, name, is, err)
	case want == "" && (!strings.Contains(err.Error(), string(name)) || !strings.Contains(err.Error(), was.String())):
		t.Errorf("%s %s, %s: error %q does not name state and step", of, from, name, err)
	case want != "" && (err != nil || is.String() != want):
		t.Errorf("%s %s, %s: %s, %v, want %s", of, from, name, is, err, want)
	case want != "" && !account.Legal(of, string(name), was.String(), want):
		t.Errorf("Legal(%s, %s, %s, %s) = false, and Apply takes the step", of, name, was, want)
	}
}

// TestLegal: what Legal allows is exactly the tables, of which it has 16 and 23 rows.
func TestLegal(t *testing.T) {
	count := map[string]int{}
	for _, of := range []string{"account", "device", "credential", ""} {
		for _, step := range allSteps() {
			for from := account.Unset; from <= account.Deleted; from++ {
				for to := account.Unset; to <= account.Deleted; to++ {
					if account.Legal(of, string(step), from.String(), to.String()) {
						count[of]++
					}
				}
			}
		}
	}
	if count["account"] != 16 || count["device"] != 23 || len(count) != 2 {
		t.Errorf("Legal allows %v", count)
	}
	for _, no := range [][4]string{
		{"account", "unlock", "locked", "active"}, {"account", "unfreeze", "locked", "active"}, {"account", "enrol", "deleted", "active"},
		{"device", "unfreeze", "locked", "active"}, {"device", "add", "", "active"}, {"device", "enrol", "", "active"},
	} {
		if account.Legal(no[0], no[1], no[2], no[3]) {
			t.Errorf("Legal(%v)", no)
		}
	}
}

// TestStepWants removes from a good step what it needs.
func TestStepWants(t *testing.T) {
	account1 := func(a account.Account, change func(*account.Step), name account.StepName) error {
		s := full(name)
		change(&s)
		_, err := a.Apply(s, noon)
		return err
	}
	device1 := func(d account.Device, change func(*account.Step), name account.StepName) error {
		s := full(name)
		change(&s)
		d.ID = d1
		_, err := d.Apply(s, noon)
		return err
	}
	active, locked := account.Account{State: account.Active}, account.Account{State: account.Locked, Prior: account.Active}
	newcomer := account.Device{State: account.Held, Hold: held("new")}
	moving := account.Device{State: account.Held, Hold: account.Hold{Reason: "leaving", Since: noon.Add(-day)}}
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"recovery without a wait", account1(active, func(s *account.Step) { s.Wait = 0 }, "recover"), "how long"},
		{"negative wait", account1(active, func(s *account.Step) { s.Wait = -1 }, "recover"), "how long"},
		{"device without a wait", device1(account.Device{}, func(s *account.Step) { s.Wait = 0 }, "add"), "how long"},
		{"deleting what is locked, one operator", account1(locked, func(s *account.Step) { s.Operators = []string{"ada"} }, "delete"), "two operators"},
		{"deleting what is active needs none", account1(active, func(s *account.Step) { s.Operators = nil }, "delete"), ""},
		{"thawed by itself", device1(account.Device{State: account.Frozen, Prior: account.Active}, func(s *account.Step) { s.By = d1 }, "unfreeze"), "another device"},
		{"thawed by a browser", device1(account.Device{State: account.Frozen, Prior: account.Active}, func(s *account.Step) { s.By = "" }, "unfreeze"), "another device"},
		{"held account", device1(newcomer, func(s *account.Step) { s.AccountState = account.Held }, "hold_over"), "not active"},
		{"frozen account", device1(newcomer, func(s *account.Step) { s.AccountState = account.Frozen }, "hold_over"), "not active"},
		{"account unsaid", device1(newcomer, func(s *account.Step) { s.AccountState = 0 }, "hold_over"), "not active"},
		{"a move that is final", device1(moving, func(*account.Step) {}, "hold_over"), ""},
		{"a move that is not", device1(moving, func(s *account.Step) { s.Final = false }, "hold_over"), "not final"},
	}
	for _, tt := range tests {
		if tt.want == "" && tt.err != nil || tt.want != "" && (!errors.Is(tt.err, account.ErrStep) || !strings.Contains(tt.err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, tt.err, tt.want)
		}
	}
}

// TestSingleOperatorCannotUnlock: neither nobody, nor one, nor one under his name twice.
func TestSingleOperatorCannotUnlock(t *testing.T) {
	locked := account.Account{State: account.Locked, Prior: account.Active}
	for _, who := range [][]string{nil, {""}, {"ada"}, {"ada", "ada"}, {"ada", ""}, {"", "ada"}, {"", "ada", "ada"}} {
		if a, err := locked.Apply(account.Step{Name: account.StepUnlock, Operators: who}, noon); !errors.Is(err, account.ErrStep) || a.State != account.Locked {
			t.Errorf("operators %q: %s, %v", who, a.State, err)
		}
	}
	a, err := locked.Apply(account.Step{Name: account.StepUnlock, Operators: []string{"ada", "bob"}}, noon)
	if err != nil || a.State != account.Frozen {
		t.Errorf("two operators: %s, %v; the owner is to unfreeze it himself", a.State, err)
	}
}
