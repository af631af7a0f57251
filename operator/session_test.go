package operator_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// TestSession: what a token is good for, and until when.
func TestSession(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s := r.enrol("mika")
	r.now = r.now.Add(8*time.Hour - time.Microsecond)
	if _, err := r.Check(ctx, s.Token); err != nil {
		t.Errorf("just before it runs out: %v", err)
	}
	r.now = r.now.Add(time.Microsecond)
	for name, token := range map[string]operator.Secret{"run out": s.Token, "made up": make(operator.Secret, 32), "short": s.Token[:31], "none": nil} {
		if _, err := r.Check(ctx, token); !errors.Is(err, operator.ErrSession) {
			t.Errorf("a token that is %s: %v", name, err)
		}
		if err := r.Look(ctx, token, alice); !errors.Is(err, operator.ErrSession) {
			t.Errorf("looking by a token that is %s: %v", name, err)
		}
		if err := r.SignOut(ctx, token); !errors.Is(err, operator.ErrSession) {
			t.Errorf("signing out by a token that is %s: %v", name, err)
		}
	}
}

// TestLook: it is recorded with the account, once an hour for each operator.
func TestLook(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	mika := r.enrol("mika")
	r.key = authenticator(t, &passkeytest.Options{})
	aki := r.enrol("aki")
	look := func(s *operator.Signed, of account.ID, want int) {
		t.Helper()
		before := len(r.entries())
		if err := r.Look(ctx, s.Token, of); err != nil {
			t.Fatal(err)
		}
		if n := len(r.entries()) - before; n != want {
			t.Errorf("%s at %s: %d entries, want %d", s.Name, of, n, want)
		}
	}
	look(mika, alice, 1)
	look(mika, alice, 0)
	look(aki, alice, 1)
	look(mika, bob, 1)
	r.now = r.now.Add(29*time.Minute + 59*time.Second)
	look(mika, alice, 0)
	r.now = r.now.Add(time.Second) // one o'clock
	look(mika, alice, 1)
	i := slices.IndexFunc(r.entries(), func(e auditEntry) bool { return e.Action == "operator.view" })
	e := r.entries()[i]
	var detail struct {
		Operator operator.ID `json:"operator"`
	}
	if err := json.Unmarshal(e.Detail, &detail); err != nil || detail.Operator != mika.Operator || e.Account != alice || e.Subject != string(alice) ||
		e.Actor.Kind != account.Operator || e.Actor.ID != "mika" || e.Actor.Session == "" {
		t.Errorf("%+v, %v", e, err)
	}
	if err := r.Look(ctx, mika.Token, "a_nobody"); !errors.Is(err, account.ErrMalformed) {
		t.Errorf("at what is no account: %v", err)
	}
	r.check()
}

// TestSweep: what nobody needs goes, and what lives stays.
func TestSweep(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s := r.enrol("mika")
	r.answer()
	if err := r.Look(ctx, s.Token, alice); err != nil {
		t.Fatal(err)
	}
	if err := r.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Check(ctx, s.Token); err != nil {
		t.Errorf("after the first sweep: %v", err)
	}
	r.now = r.now.AddDate(0, 2, 0)
	if err := r.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"operator_ceremony", "operator_session", "operator_look"} {
		if n := r.count(table); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	if n := r.count("operator"); n != 1 {
		t.Errorf("%d operators", n)
	}
	r.check()
}
