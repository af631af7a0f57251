package integrity_test

import (
	"testing"

	"github.com/staunchid/staunch/account"
)

// TestFreezeUnfreeze: from freeze to thaw and back, and the record agrees.
func TestFreezeUnfreeze(t *testing.T) {
	r := newRig(t)
	p := r.enrol()
	r.advance(1e9)
	if _, err := r.Freeze(t.Context(), p.caller()); err != nil {
		t.Fatal(err)
	}
	r.advance(1e9)
	out, err := p.do(account.UnfreezeAccount)
	if err != nil {
		t.Fatal(err)
	}
	if string(out.Result) != `{"changed":true,"state":"active"}` {
		t.Errorf("result %s", out.Result)
	}
	if s := p.status(); s.AccountState != account.Active {
		t.Errorf("account %s", s.AccountState)
	}
	r.check()
}

// TestVetoNewPhone: a phone that comes with a synced passkey is held, and the
// first one vetoes it.
func TestVetoNewPhone(t *testing.T) {
	r := newRig(t)
	first, second := r.family()
	s := first.status()
	if len(s.Rest.OthersHeld) != 1 || !s.Rest.OthersHeld[0].MayVeto {
		t.Fatalf("others held: %+v", s.Rest.OthersHeld)
	}
	first.signIn()
	out, err := r.Veto(t.Context(), first.caller(), second.device, "")
	if err != nil {
		t.Fatal(err)
	}
	if out.Removed != second.device || out.State != account.Active {
		t.Errorf("vetoed %+v", out)
	}
	if c := must[account.Caller](t)(r.Prove(t.Context(), second.message(nil), nil, false)); c.Account != "" {
		t.Errorf("the removed phone is still of %s", c.Account)
	}
	r.check()
}
