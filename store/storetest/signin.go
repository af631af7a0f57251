package storetest

import (
	"fmt"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// testSignIns: an account near an id, and what a sign-in reads of open sessions.
func testSignIns(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	near := func(id account.ID, wanted bool) account.ID {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (account.Account, bool, error) { return tx.AccountNear(ctx, id) }).ID
	}
	near(alice, false)
	update(t, s, func(tx Tx) error { return tx.PutAccount(ctx, newcomer(bob), "") })
	near(alice, false) // it has no handle
	first, last := min(alice, carol), max(alice, carol)
	for _, id := range []account.ID{first, last} {
		a := newcomer(id)
		a.Handle = string(id[:8])
		update(t, s, func(tx Tx) error { return tx.PutAccount(ctx, a, a.Handle) })
	}
	for from, want := range map[account.ID]account.ID{"a_": first, first: first, first + "a": last, last: last, last + "a": first, "b": first} {
		if got := near(from, true); got != want {
			t.Errorf("near %s is %s, want %s", from, got, want)
		}
	}

	sessions := func() []integrity.OpenSession {
		t.Helper()
		return look(t, s, func(tx Tx) ([]integrity.OpenSession, error) { return tx.OpenSessions(ctx, alice) })
	}
	same(t, []integrity.OpenSession(nil), sessions())
	for i, v := range []account.Session{
		{Account: alice, Network: "old", CreatedAt: at(1)},
		{Account: alice, Network: "new", Device: "d_alice", CreatedAt: at(5)},
		{Account: alice, Network: "ended", CreatedAt: at(4), EndedAt: at(6), EndedWhy: "signed out"},
		{Account: alice, Network: "", CreatedAt: at(3)},
		{Account: bob, Network: "bob's", CreatedAt: at(7)},
	} {
		v.ID, v.Kind, v.Until, v.MAC = account.SessionID(fmt.Sprintf("s_%d", i)), account.BrowserSession, at(60), []byte{1}
		update(t, s, func(tx Tx) error { return tx.AddSession(ctx, v, [32]byte{byte(i + 1)}) })
	}
	same(t, []integrity.OpenSession{{ID: "s_1", Device: "d_alice", Network: "new"}, {ID: "s_3"}, {ID: "s_0", Network: "old"}}, sessions())
}
