package storetest

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// joining has no field at its zero value.
func joining(id account.JoinID, of account.ID) integrity.JoinRow {
	return integrity.JoinRow{
		ID: id, Kind: "phone", Account: of, Name: "Pixel 9", Platform: "android", KeysHash: []byte{1, 0}, KeyID: "k1", SealingAlg: "X25519",
		SealingKey: []byte{2}, Number: "07", Origin: "https://accounts.example.org", Place: "Berlin, Germany", Network: "n", Tries: 2, By: "d_1",
		CreatedAt: at(1), ExpiresAt: at(6), State: integrity.StateConfirmed, MAC: []byte{9, 0},
	}
}

func testJoins(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	add := func(all ...integrity.JoinRow) {
		t.Helper()
		for _, j := range all {
			update(t, s, func(tx Tx) error { return tx.AddJoin(ctx, j) })
		}
	}
	byID := func(id account.JoinID, wanted bool) integrity.JoinRow {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (integrity.JoinRow, bool, error) { return tx.Join(ctx, id) })
	}
	put := func(j integrity.JoinRow, was string) bool {
		t.Helper()
		return act(t, s, func(tx Tx) (bool, error) { return tx.PutJoin(ctx, j, was) })
	}
	least := integrity.JoinRow{ID: "j_2", Kind: "browser", CreatedAt: at(9), ExpiresAt: at(14), State: integrity.StateOpen, MAC: []byte{1}}
	for _, j := range []integrity.JoinRow{joining("j_1", alice), least} {
		add(j)
		same(t, j, byID(j.ID, true))
	}
	byID("j_9", false)
	refused(t, s, "a join twice", func(tx Tx) error { return tx.AddJoin(ctx, least) })

	// What may change, if the state is still as it was; the rest stays.
	other := joining("j_2", alice)
	if put(other, integrity.StateConfirmed) || put(other, "") || put(joining("j_9", alice), integrity.StateOpen) {
		t.Error("changed a join that was in another state, or is not there")
	}
	same(t, least, byID("j_2", true))
	onlyOne(t, s, func(tx Tx) (bool, error) { return tx.PutJoin(ctx, other, integrity.StateOpen) })
	changed := least
	changed.Account, changed.Tries, changed.By, changed.ExpiresAt, changed.State, changed.MAC =
		other.Account, other.Tries, other.By, other.ExpiresAt, other.State, other.MAC
	same(t, changed, byID("j_2", true))
	if !put(least, integrity.StateConfirmed) {
		t.Error("it was confirmed")
	}
	same(t, least, byID("j_2", true))

	// The open and confirmed ones of an account, by time.
	opened, finished, cancelled, bobs := joining("j_3", alice), joining("j_4", alice), joining("j_5", alice), joining("j_6", bob)
	opened.State, finished.State, cancelled.State = integrity.StateOpen, integrity.StateFinished, integrity.StateCancelled
	opened.CreatedAt = at(0)
	add(opened, finished, cancelled, bobs)
	list := func(id account.ID) []integrity.JoinRow {
		t.Helper()
		return look(t, s, func(tx Tx) ([]integrity.JoinRow, error) { return tx.Joins(ctx, id) })
	}
	same(t, []integrity.JoinRow{opened, joining("j_1", alice)}, list(alice))
	same(t, []integrity.JoinRow(nil), list("")) // one that nobody has approved is of no account

	for i, id := range []account.JoinID{"j_7", "j_8", "j_9"} {
		old := joining(id, bob)
		old.ExpiresAt = at(5).Add(-time.Duration(i+1) * time.Microsecond)
		add(old)
	}
	kept := joining("j_a", bob)
	kept.ExpiresAt = at(5)
	add(kept)
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.DeleteJoins(ctx, at(5), limit) })
	byID("j_7", false)
	same(t, kept, byID("j_a", true))
}
