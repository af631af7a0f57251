package recovery_test

import (
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
)

// box makes a blob of the registration that stands, as somebody can who has its
// header and no key.
func (h *handset) box(n byte) (reg [16]byte, blob []byte) {
	h.Helper()
	view, err := h.GetBackup(h.Context(), h.caller())
	h.must(err)
	box := make([]byte, 4124)
	box[0] = n
	blob, err = wire.Encode(&wire.Blob{Header: view.Header, Box: box})
	h.must(err)
	return view.Reg, blob
}

// TestUpdatedIsNamed: a device that may update, and nothing more, does not have the
// PIN bring nothing back.
func TestUpdatedIsNamed(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{})
	thief := b.handset(alice, phone2) // an active device, without journal and approval
	b.gate.refuse = map[account.Action]error{account.SetupRecovery: account.ErrRefused}
	ctx := t.Context()
	reg, box := thief.box(0)
	old.must(b.PutBlob(ctx, thief.caller(), reg, box))
	for _, v := range b.vaults.List { // no vault takes it for an update
		row, _ := b.row(v.ID, alice)
		tbs, err := wire.Encode(&wire.Update{Target: wire.Target{Vault: v.ID, Acct: row.Acct, Gen: row.Gen}, Reg: reg, New: wire.Sum(box)})
		old.must(err)
		in, _ := b.sealed(v.ID, alice, wire.OpUpdate, &wire.Managed{TBS: tbs, Sig: &wire.Signature{}})
		_, err = b.CallVault(ctx, thief.caller(), in)
		old.must(err)
	}
	if err := b.CommitBackup(ctx, thief.caller(), reg, recovery.Updated, wire.Sum(box)); !errors.Is(err, recovery.ErrStale) {
		t.Errorf("committed on the word of a phone: %v", err)
	}
	for n := byte(1); ; n++ { // nor does he take its room
		_, box := thief.box(n)
		err := b.PutBlob(ctx, thief.caller(), reg, box)
		if errors.Is(err, recovery.ErrRate) && n >= 7 {
			break
		}
		if old.must(err); n > 20 {
			t.Fatal("there is room without end")
		}
	}
	h.right("482915", "one")
}

// TestOnItsWay: what a phone has put, and the vaults have not heard of yet, is
// there when they have, whatever another device puts meanwhile.
func TestOnItsWay(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{})
	thief := b.handset(alice, phone2)
	flood := func() {
		for n := range byte(20) {
			reg, box := thief.box(n)
			if err := b.PutBlob(t.Context(), thief.caller(), reg, box); err != nil && !errors.Is(err, recovery.ErrRate) {
				t.Error(err)
			}
		}
	}
	have, err := recovery.ParseBackup(old.backup)
	old.must(err)
	later := func(d time.Duration) {
		b.setClock(func() time.Time { return time.Now().Add(d) })
	}
	flooded := false
	old.net.Script = func(c recoverytest.Call) recoverytest.Fault {
		if c.Op == wire.OpUpdate && !flooded {
			flooded = true
			flood()                 // it is not named yet
			later(11 * time.Minute) // and later one vault may have it
		}
		if c.Op == wire.OpUpdate && c.Vault != "v1" {
			return recoverytest.Drop
		}
		return recoverytest.Pass
	}
	if err := old.client.Update(t.Context(), have, payloadOf("two")); !errors.Is(err, recovery.ErrUnavailable) {
		t.Fatal(err)
	}
	later(22 * time.Minute)
	flood() // v1 names it
	old.net.Script = nil
	h.right("482915", "two")
	old.must(old.client.Update(t.Context(), have, payloadOf("two")))
	h.right("482915", "two")
	if got := b.told("recovery.updated"); len(got) != 1 {
		t.Errorf("told of %v", got)
	}
}

// TestNamedLate: the receipts of an update are in the retry stream when it is
// committed.
func TestNamedLate(t *testing.T) {
	b, old, h := backedUp(t, recoverytest.Options{Profile: recovery.ProfileSingle})
	for i := range b.ways {
		b.ways[i].Replicas[0].Link = &link{Link: b.ways[i].Replicas[0].Link, seen: func(c *wire.Call) { b.storeDown = c.Op == wire.OpUpdate }}
	}
	b.restart()
	old.net.Script = func(c recoverytest.Call) recoverytest.Fault {
		b.storeDown = false
		return recoverytest.Pass
	}
	have, err := recovery.ParseBackup(old.backup)
	old.must(err)
	old.must(old.client.Update(t.Context(), have, payloadOf("two")))
	if b.queue.nudges == 0 {
		t.Error("the stream was not asked")
	}
	h.right("482915", "two")
}
