package recovery_test

import (
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
)

// TestHoldings: what the vaults hold for an account, an attempt later too, and of a
// vault that is away; to be asked costs nothing.
func TestHoldings(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{})
	holdings := func(id account.ID) *recovery.Holdings {
		t.Helper()
		out, err := b.Holdings(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	got := holdings(alice)
	if got.Limit != 10 || got.Remaining != 10 || got.Operators != 1 || got.Assurance != "process" || len(got.Vaults) != 3 {
		t.Fatalf("%+v", got)
	}
	h.wrong("000000", 9)
	got = holdings(alice)
	if got.Remaining != 9 {
		t.Errorf("%d remain", got.Remaining)
	}
	for _, v := range got.Vaults {
		if !v.Found || v.Used != 1 || v.State != wire.StateActive || v.Platform != "process" || v.Error != "" || v.At.IsZero() {
			t.Errorf("%+v", v)
		}
	}
	if none := holdings("a_zzzzzzzzzzzzzzzzzzzzzzzzzz"); none.Remaining != -1 || none.Vaults[0].Found || none.Vaults[0].Platform != "process" {
		t.Errorf("of nobody: %+v", none)
	}
	r, found := b.row("v2", h.id)
	if !found {
		t.Fatal("no row")
	}
	r.Used, r.MAC = 0, append([]byte(nil), r.MAC...)
	b.putBack(r)
	if v := holdings(alice).Vaults[1]; v.Found {
		t.Errorf("a row that was changed is believed: %+v", v)
	}
	b.ways[0].Replicas[0].Link = dead{}
	b.restart()
	if v := holdings(alice).Vaults[0]; v.Error == "" || v.Platform != "" || !v.Found || v.Used != 1 {
		t.Errorf("of one that is away: %+v", v)
	}
}
