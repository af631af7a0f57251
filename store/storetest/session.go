package storetest

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
)

// signIn has no field at its zero value.
func signIn(id account.SessionID, of account.ID) account.Session {
	return account.Session{
		ID: id, Account: of, Device: "d_1", Kind: account.PhoneSession,
		Proofs: []account.Proof{
			{
				Method: account.ByAction, At: at(1), Credential: "c_1", Synced: true, Suspect: true, Device: "d_1", Affirming: true,
				Action: account.RemoveDevice, Digest: []byte{1, 2, 255},
			},
			{Method: account.ByCreation, At: at(2)},
		},
		Origin: "https://accounts.example.org", Label: "Chromium on Linux", Network: "n", Place: "Berlin, Germany",
		CreatedAt: at(3), LastSeenAt: at(4), Until: at(50), EndedAt: at(6), EndedWhy: "signed out", MAC: []byte{9, 0},
	}
}

func testSessions(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	add := func(v account.Session, hash byte) {
		t.Helper()
		update(t, s, func(tx Tx) error { return tx.AddSession(ctx, v, [32]byte{hash}) })
	}
	byID := func(id account.SessionID, wanted bool) account.Session {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (account.Session, bool, error) { return tx.Session(ctx, id) })
	}
	byToken := func(hash byte, wanted bool) account.SessionID {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (account.Session, bool, error) { return tx.SessionByToken(ctx, [32]byte{hash}) }).ID
	}
	least := account.Session{ID: "s_2", Account: alice, Kind: account.BrowserSession, CreatedAt: at(9), Until: at(60), MAC: []byte{1}}
	add(signIn("s_1", alice), 1)
	add(least, 2)
	first := signIn("s_1", alice)
	first.TokenHash, least.TokenHash = [32]byte{1}, [32]byte{2}
	same(t, first, byID("s_1", true))
	same(t, least, byID("s_2", true))
	byID("s_9", false)
	if id := byToken(1, true); id != "s_1" { // it has ended
		t.Errorf("the first token is that of %q", id)
	}
	byToken(9, false)
	refused(t, s, "two sessions under one token", func(tx Tx) error { return tx.AddSession(ctx, signIn("s_3", bob), [32]byte{1}) })

	// What may change, there and back; the rest stays.
	put := func(v account.Session, hash *[32]byte) {
		t.Helper()
		update(t, s, func(tx Tx) error { return tx.PutSession(ctx, v, hash) })
	}
	other := signIn("s_2", bob)
	changed := least
	changed.Proofs, changed.Until, changed.LastSeenAt, changed.EndedAt, changed.EndedWhy, changed.MAC =
		other.Proofs, other.Until, other.LastSeenAt, other.EndedAt, other.EndedWhy, other.MAC
	put(other, nil)
	same(t, changed, byID("s_2", true))
	byToken(2, true)
	put(least, &[32]byte{3})
	least.TokenHash = [32]byte{3}
	same(t, least, byID("s_2", true))
	byToken(2, false) // the old token is worth nothing
	if id := byToken(3, true); id != "s_2" {
		t.Errorf("the new token is that of %q", id)
	}
	refused(t, s, "another session's token", func(tx Tx) error { return tx.PutSession(ctx, least, &[32]byte{1}) })
	refused(t, s, "what became of an unknown session", func(tx Tx) error { return tx.PutSession(ctx, signIn("s_9", alice), nil) })

	// Those of an account that have not ended, by time.
	for i, v := range []account.Session{{ID: "s_4", Account: alice, CreatedAt: at(8)}, {ID: "s_5", Account: bob, CreatedAt: at(1)}, {ID: "s_6", Account: alice, CreatedAt: at(30)}} {
		v.Until, v.MAC = at(60), []byte{1}
		add(v, byte(10+i))
	}
	all := look(t, s, func(tx Tx) ([]account.Session, error) { return tx.Sessions(ctx, alice) })
	same(t, []account.SessionID{"s_4", "s_2", "s_6"}, names(all, func(v account.Session) account.SessionID { return v.ID }))
}

// testSessionSweep: what ended or ran out before a time goes, whichever came first.
func testSessionSweep(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	end := at(40)
	for i, v := range []account.Session{
		{ID: "s_ended", Until: at(90), EndedAt: end.Add(-time.Microsecond)},
		{ID: "s_ran_out", Until: end.Add(-time.Microsecond)},
		{ID: "s_ran_out_and_ended", Until: at(1), EndedAt: at(50)},
		{ID: "s_ends_now", Until: at(90), EndedAt: end},
		{ID: "s_runs_out_now", Until: end},
		{ID: "s_lives", Until: at(90)},
	} {
		v.Account, v.CreatedAt, v.MAC = alice, at(0), []byte{1}
		update(t, s, func(tx Tx) error { return tx.AddSession(ctx, v, [32]byte{byte(i)}) })
	}
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.DeleteSessions(ctx, end, limit) })
	for id, wanted := range map[account.SessionID]bool{
		"s_ended": false, "s_ran_out": false, "s_ran_out_and_ended": false, "s_ends_now": true, "s_runs_out_now": true, "s_lives": true,
	} {
		get(t, s, wanted, func(tx Tx) (account.Session, bool, error) { return tx.Session(ctx, id) })
	}
}
