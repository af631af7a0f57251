package storetest

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

const carol account.ID = "a_cccccccccccccccccccccccccc"

// person has no field at its zero value.
func person(id account.ID) account.Account {
	return account.Account{
		ID: id, Handle: "Alice", UserHandle: [64]byte(bytes.Repeat([]byte(id)[2:4], 32)), State: account.Frozen, Prior: account.Held,
		Hold: account.Hold{
			Reason: account.HoldRecovered, Since: at(1), Until: at(2), Left: 3*time.Hour + 1, By: "d_new",
		},
		NotBefore: at(3), FreezeCode: bytes.Repeat([]byte{4}, 32), CreatedAt: at(5), MAC: mac(6),
	}
}

// newcomer has what an account must have, and no more.
func newcomer(id account.ID) account.Account {
	p := person(id)
	return account.Account{ID: id, UserHandle: p.UserHandle, State: account.Active, CreatedAt: at(7), MAC: mac(8)}
}

func testAccounts(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	put := func(a account.Account, key string) {
		t.Helper()
		update(t, s, func(tx Tx) error { return tx.PutAccount(ctx, a, key) })
	}
	byID := func(id account.ID, wanted bool) account.Account {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (account.Account, bool, error) { return tx.Account(ctx, id) })
	}
	byHandle := func(key string, wanted bool) account.ID {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (account.Account, bool, error) { return tx.AccountByHandle(ctx, key) }).ID
	}
	byCode := func(wanted bool) account.ID {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (account.Account, bool, error) {
			return tx.AccountByFreezeCode(ctx, [32]byte(person(alice).FreezeCode))
		}).ID
	}
	byCode(false)
	for range 2 { // there and back: no column keeps what it had
		put(person(alice), "alice")
		same(t, person(alice), byID(alice, true))
		if id := byCode(true); id != alice {
			t.Errorf("the freeze code is that of %s", id)
		}
		put(newcomer(alice), "")
		byCode(false)
		same(t, newcomer(alice), byID(alice, true))
	}
	byID(bob, false)
	byHandle("", false)
	byHandle("alice", false)

	put(person(alice), "alice")
	put(person(alice), "alice") // its own handle is not taken
	put(newcomer(bob), "")
	put(newcomer(carol), "") // many have none
	if id := byHandle("alice", true); id != alice {
		t.Errorf("the handle is that of %s", id)
	}
	for _, a := range []account.Account{person(bob), person("a_dddddddddddddddddddddddddd")} {
		if err := s.Update(ctx, func(tx Tx) error { return tx.PutAccount(ctx, a, "alice") }); !errors.Is(err, integrity.ErrHandleTaken) {
			t.Errorf("a handle of another account: %v", err)
		}
	}
	same(t, newcomer(bob), byID(bob, true))
	put(person(alice), "else")
	put(person(bob), "alice")
	if id := byHandle("alice", true); id != bob {
		t.Errorf("the handle that was given up is that of %s", id)
	}

	twin := newcomer("a_eeeeeeeeeeeeeeeeeeeeeeeeee")
	twin.UserHandle = person(alice).UserHandle
	if err := s.Update(ctx, func(tx Tx) error { return tx.PutAccount(ctx, twin, "") }); err == nil || errors.Is(err, integrity.ErrHandleTaken) {
		t.Errorf("a user handle of another account: %v", err)
	}
	for what, change := range map[string]func(*account.Account){
		"an account without a state": func(a *account.Account) { a.State = account.Unset },
		"an account without a MAC":   func(a *account.Account) { a.MAC = nil },
	} {
		bad := newcomer(carol)
		change(&bad)
		refused(t, s, what, func(tx Tx) error { return tx.PutAccount(ctx, bad, "") })
	}
}

// testHolds: those whose hold ends are found, the oldest first.
func testHolds(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	until := map[account.ID]time.Time{alice: at(20), bob: at(10), carol: {}}
	update(t, s, func(tx Tx) error {
		for id, until := range until {
			a, d := person(id), phone(account.DeviceID("d"+id[1:]), id, "key of "+string(id))
			a.Hold.Until, d.Hold.Until = until, until
			if err := errors.Join(tx.PutAccount(ctx, a, ""), tx.PutDevice(ctx, d)); err != nil {
				return err
			}
		}
		return nil
	})
	first, last := integrity.Due{At: at(10), ID: string(bob)}, integrity.Due{At: at(20), ID: string(alice)}
	tests := []struct {
		now   time.Time
		after integrity.Due
		limit int
		want  []integrity.Due
	}{
		{at(10).Add(-time.Microsecond), integrity.Due{}, 9, nil},
		{at(10), integrity.Due{}, 9, []integrity.Due{first}},
		{at(20), integrity.Due{}, 9, []integrity.Due{first, last}},
		{at(20), integrity.Due{}, 1, []integrity.Due{first}},
		{at(20), first, 9, []integrity.Due{last}},
		{at(20), integrity.Due{At: at(10), ID: "a"}, 1, []integrity.Due{first}},
		{at(20), last, 9, nil},
	}
	device := func(d integrity.Due) integrity.Due {
		if d.ID != "" {
			d.ID = "d" + d.ID[1:]
		}
		return d
	}
	for _, tt := range tests {
		same(t, tt.want, look(t, s, func(tx Tx) ([]integrity.Due, error) { return tx.AccountsDue(ctx, tt.now, tt.after, tt.limit) }))
		devices := look(t, s, func(tx Tx) ([]integrity.Due, error) { return tx.DevicesDue(ctx, tt.now, device(tt.after), tt.limit) })
		same(t, names(tt.want, device), devices)
	}
}

// testTimes: times are kept in UTC with microseconds, whatever they came with.
func testTimes(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	odd, want := noon().Add(789*time.Nanosecond), noon().UTC()
	a, d, c, v := newcomer(alice), phone("d_1", alice, "k1"), passkeyOf(alice, 1), signIn("s_1", alice)
	a.CreatedAt, d.AddedAt, c.AddedAt, v.CreatedAt, v.Proofs = odd, odd, odd, odd, []account.Proof{{Method: account.ByAssertion, At: odd}}
	update(t, s, func(tx Tx) error {
		return errors.Join(tx.PutAccount(ctx, a, ""), tx.PutDevice(ctx, d), tx.AddCredential(ctx, c, nil), tx.AddSession(ctx, v, [32]byte{1}))
	})
	v = get(t, s, true, func(tx Tx) (account.Session, bool, error) { return tx.Session(ctx, v.ID) })
	same(t, [...]time.Time{want, want, want, want, want}, [...]time.Time{
		get(t, s, true, func(tx Tx) (account.Account, bool, error) { return tx.Account(ctx, a.ID) }).CreatedAt,
		get(t, s, true, func(tx Tx) (account.Device, bool, error) { return tx.Device(ctx, d.ID) }).AddedAt,
		get(t, s, true, func(tx Tx) (account.Credential, bool, error) { return tx.Credential(ctx, c.Ref) }).AddedAt,
		v.CreatedAt, v.Proofs[0].At,
	})
}
