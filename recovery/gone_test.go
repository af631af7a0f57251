package recovery_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
	"github.com/staunchid/staunch/store/storetest"
)

// lost is a phone with a PIN one of whose vaults is lost for good, and replaced.
func lost(t *testing.T) *phone {
	t.Helper()
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "one"))
	p.vaults.List[1].Stop()
	if err := p.vaults.Replace("v2", "v4"); err != nil {
		t.Fatal(err)
	}
	return p
}

// whole: three of three vaults have it, and any two bring it back.
func whole(p *phone, pin, secret string) {
	p.Helper()
	if in := p.journal().Info(); !in.Complete || in.Vaults != 3 || in.Acknowledged != 3 || len(in.Gone) > 0 {
		p.Errorf("%+v", in)
	}
	st, err := p.client.Status(p.Context(), p.journal())
	if err != nil || st.State != recovery.StatusActive || len(st.Vaults) != 3 || st.Vaults[1].ID != "v4" {
		p.Errorf("%+v, %v", st, err)
	}
	for _, away := range p.vaults.List {
		away.Stop()
		p.recovers(pin, secret)
		away.Start()
	}
}

// TestReplaced: with a vault gone for good the PIN still brings everything back,
// and payloads are updated; with the PIN set anew all three have it again.
func TestReplaced(t *testing.T) {
	p := lost(t)
	p.recovers("482915", "one")
	p.wrong("000000", 9)
	b := p.journal()
	p.must(p.client.Update(t.Context(), b, payloadOf("two"))) // nobody waits for v2
	if in := b.Info(); !in.Complete || !slices.Equal(in.Gone, []string{"v2"}) || in.Acknowledged != 2 {
		t.Errorf("%+v", in)
	}
	p.recovers("482915", "two")
	st, err := p.client.Status(t.Context(), p.journal())
	if err != nil || st.State != recovery.StatusDegraded || !st.Vaults[1].Gone || st.Vaults[0].Gone || st.Vaults[1].Reachable {
		t.Errorf("%+v, %v", st, err)
	}
	p.must(p.register("482915", "two"))
	whole(p, "482915", "two")
}

// TestReplacedAway: that a vault is gone makes no other one dispensable.
func TestReplacedAway(t *testing.T) {
	p := lost(t)
	p.vaults.List[0].Stop()
	p.incomplete(p.client.Update(t.Context(), p.journal(), payloadOf("two")), 1)
	p.incomplete(p.register("739164", "two"), 2) // v4 and v3
	p.vaults.List[0].Start()
	p.recovers("482915", "two") // the PIN before stands until all have the new one
	p.must(p.register("739164", "two"))
	whole(p, "739164", "two")
}

// TestReplacedInBetween: what was begun at a vault that is lost meanwhile is begun
// anew at those that are there.
func TestReplacedInBetween(t *testing.T) {
	p := newPhone(t, recoverytest.Options{})
	p.must(p.register("482915", "one"))
	p.vaults.List[1].Stop()
	p.incomplete(p.register("739164", "two"), 2)
	if err := p.vaults.Replace("v2", "v4"); err != nil {
		t.Fatal(err)
	}
	p.recovers("482915", "one")
	p.must(p.register("739164", "two"))
	whole(p, "739164", "two")
}

// TestReplacedDelete: what is gone has nothing to delete.
func TestReplacedDelete(t *testing.T) {
	p := lost(t)
	p.vaults.List[0].Stop()
	if _, err := p.client.Delete(t.Context(), p.journal()); !errors.Is(err, recovery.ErrUnavailable) {
		t.Errorf("with a vault away that is not gone: %v", err)
	}
	p.vaults.List[0].Start()
	if b, err := p.client.Delete(t.Context(), p.journal()); err != nil || b.Info().Found {
		t.Errorf("%+v, %v", b.Info(), err)
	}
}

// TestReplacedIntents: requests on their way to a vault that is gone end, so that
// they do not stand in the way of others for ever.
func TestReplacedIntents(t *testing.T) {
	b, _, h := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	i := recovery.IntentRow{Vault: "v9", Acct: [16]byte{9}, Account: alice, Op: uint8(wire.OpUpdate), Epoch: 1, Request: []byte{1}, At: b.now(), NextAt: b.now()}
	i.MAC = i.Seal(b.key)
	b.do(func(tx storetest.Tx) error { return tx.PutIntent(t.Context(), i) })
	h.must(recovery.TestingOnlyRepeat(t.Context(), b.Service))
	b.do(func(tx storetest.Tx) error {
		left, err := tx.Intents(t.Context(), b.now().Add(time.Hour), 10)
		if len(left) > 0 {
			t.Errorf("%+v", left)
		}
		return err
	})
}

// TestReplacedDeletion: a deletion ends when all that it still waited for was a vault
// that is gone; and nothing is deleted for a request alone.
func TestReplacedDeletion(t *testing.T) {
	for name, tt := range map[string]struct {
		stage recovery.Stage
		ends  bool
	}{"asked for": {recovery.Deleting, true}, "not asked for": {recovery.Finalized, false}} {
		t.Run(name, func(t *testing.T) {
			b, h, _ := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
			var p recovery.PointerRow
			b.do(func(tx storetest.Tx) (err error) { p, _, err = tx.Pointer(t.Context(), alice); return err })
			have, err := recovery.ParseBackup(h.backup)
			h.must(err)
			_, err = h.client.Delete(t.Context(), have)
			h.must(err)

			p.Stage = tt.stage // as before v9 was asked
			p.MAC = p.Seal(b.key)
			i := recovery.IntentRow{Vault: "v9", Acct: [16]byte{9}, Account: alice, Op: uint8(wire.OpDelete), Epoch: 1, Request: []byte{1}, At: b.now(), NextAt: b.now()}
			i.MAC = i.Seal(b.key)
			b.do(func(tx storetest.Tx) error {
				return errors.Join(tx.PutPointer(t.Context(), p), tx.PutIntent(t.Context(), i))
			})
			h.must(recovery.TestingOnlyRepeat(t.Context(), b.Service))
			b.do(func(tx storetest.Tx) error {
				_, found, err := tx.Pointer(t.Context(), alice)
				if found == tt.ends {
					t.Errorf("the pointer is there: %v", found)
				}
				return err
			})
		})
	}
}
