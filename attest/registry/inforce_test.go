package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

var atConsole = account.Caller{Kind: account.Operator, App: "demo", Name: "o_1"}

// TestExceptions: each exception of the policy that is for the app, with its uses
// of 30 days.
func TestExceptions(t *testing.T) {
	r := newRig(t, under(t, func(f *attest.PolicyFile) {
		capped(5)(f)
		unused := f.Exception[0]
		unused.ID, unused.MaxUsesPerDay, unused.Position = "unused", 0, 1
		unused.Check = "ca_bit"
		f.Exception = append(f.Exception, unused)
	}))
	today := noon.Unix() / (24 * 3600)
	for _, use := range []struct {
		id  string
		day int64
		by  byte
	}{{"old-clock", today, 1}, {"old-clock", today, 1}, {"old-clock", today, 2}, {"old-clock", today - 29, 1}, {"old-clock", today - 30, 1}, {"gone", today, 1}} {
		err := r.Update(t.Context(), func(tx registry.Tx) error {
			return tx.AddExceptionUse(t.Context(), registry.ExceptionUse{Exception: use.id, Day: use.day, Account: []byte{use.by}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	all, err := r.Exceptions(t.Context(), atConsole)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range all {
		line := fmt.Sprintf("%s %s@%d cap %d", x.ID, x.Check, x.Position, x.MaxUsesPerDay)
		for _, d := range x.Days {
			line += fmt.Sprintf(", %s: %d by %d", d.Time().Format(time.DateOnly), d.Uses, d.Accounts)
		}
		got = append(got, line)
	}
	want := []string{"old-clock leaf_validity@0 cap 5, 2026-10-23: 1 by 1, 2026-11-21: 3 by 2", "unused ca_bit@1 cap 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestStages: each stage has what was counted in it, and one that is gone is told too.
func TestStages(t *testing.T) {
	r := newRig(t, under(t, func(f *attest.PolicyFile) {
		stage := func(name, country, mode string) attest.Stage {
			return attest.Stage{Name: name, App: "demo", Platform: "any", Operation: "any", Countries: []string{country}, Percent: 100, Mode: mode}
		}
		f.Rollout = []attest.Stage{stage("japan", "JP", "observe"), stage("", "TW", "observe"), stage("rest", "*", "enforce")}
	}))
	in := func(stage string, tries ...registry.Try) (out []registry.Try) {
		for _, try := range tries {
			try.Stage = attest.Staged{Name: stage, Mode: attest.ModeObserve}
			out = append(out, try)
		}
		return out
	}
	observed := func(code string) registry.Try {
		try := bad(at(code, 1))
		try.Allowed = true
		return try
	}
	old := observed("android.ca_bit")
	old.At = noon.Add(-50 * time.Hour)
	r.tally(in("japan", good(), good(), observed("android.ca_bit"), observed("android.ca_bit"), observed("android.issuer_name"), old)...)
	r.tally(in("pilot", good())...)
	r.tally(in("", bad(at("android.signature", 0)))...)
	all, err := r.Stages(t.Context(), atConsole, noon.Add(-24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range all {
		line := fmt.Sprintf("%q %s %v: %d, %d accepted, %d would deny", s.Name, s.Mode, s.InForce, s.Counted.Attempts, s.Counted.Accepted, s.Counted.WouldDeny)
		for _, c := range s.WouldDeny {
			line += fmt.Sprintf(", %s %d", strings.Join(c.By, " "), c.Attempts)
		}
		got = append(got, line)
	}
	want := []string{
		`"japan" observe true: 5, 2 accepted, 3 would deny, android.ca_bit 2, android.issuer_name 1`,
		`"rollout[1]" observe true: 0, 0 accepted, 0 would deny`,
		`"rest" enforce true: 0, 0 accepted, 0 would deny`,
		`""  false: 1, 0 accepted, 0 would deny`,
		`"pilot"  false: 1, 1 accepted, 0 would deny`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestInForceIsNobodyElses: only the backend and operators of the app read them.
func TestInForceIsNobodyElses(t *testing.T) {
	r := newRig(t)
	for _, c := range []account.Caller{
		{}, {Kind: account.Operator, App: "other"}, {Kind: account.Phone, App: "demo", Account: alice}, {Kind: account.Anonymous, App: "demo"},
	} {
		if _, err := r.Exceptions(t.Context(), c); !errors.Is(err, registry.ErrNotAllowed) {
			t.Errorf("exceptions for %s of %q: %v", c.Kind, c.App, err)
		}
		if _, err := r.Stages(t.Context(), c, noon.Add(-time.Hour)); !errors.Is(err, registry.ErrNotAllowed) {
			t.Errorf("stages for %s of %q: %v", c.Kind, c.App, err)
		}
	}
	failing := storetest.NewFaulty(r.store, 1, storetest.Before)
	s := r.service(failing)
	if _, err := s.Exceptions(t.Context(), atConsole); !errors.Is(err, storetest.ErrFault) {
		t.Errorf("the store is away: %v", err)
	}
}
