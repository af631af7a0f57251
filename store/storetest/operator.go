package storetest

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/operator"
)

// operatorRow has no field at its zero value.
func operatorRow(id operator.ID, n byte) operator.Operator {
	return operator.Operator{
		ID: id, Name: "name of " + string(id), UserHandle: [64]byte{n, 1}, AddedAt: at(1), RemovedAt: at(9),
		Invitation: mac(n), InvitedUntil: at(30), CredentialID: []byte{n, 0, 255}, Record: []byte("{}"), EnrolledAt: at(2),
		SignCount: 1<<32 - 1, Flags: 0x1d, LastUsedAt: at(3), MAC: mac(n + 100),
	}
}

func testOperators(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	all := []operator.Operator{
		operatorRow("o_gone", 1),
		{ID: "o_new", Name: "mika", UserHandle: [64]byte{2}, AddedAt: at(5), Invitation: mac(2), InvitedUntil: at(9), MAC: mac(1)},
		{ID: "o_in", Name: "aki", UserHandle: [64]byte{3}, AddedAt: at(4), CredentialID: []byte{3}, Record: []byte("{}"), EnrolledAt: at(6), MAC: mac(1)},
	}
	for _, o := range all {
		update(t, s, func(tx Tx) error { return tx.AddOperator(ctx, o) })
	}
	find := func(wanted bool, read func(tx Tx) (operator.Operator, bool, error)) operator.Operator {
		t.Helper()
		return get(t, s, wanted, read)
	}
	for _, o := range all {
		same(t, o, find(true, func(tx Tx) (operator.Operator, bool, error) { return tx.Operator(ctx, o.ID) }))
	}
	find(false, func(tx Tx) (operator.Operator, bool, error) { return tx.Operator(ctx, "o_other") })
	same(t, all[1], find(true, func(tx Tx) (operator.Operator, bool, error) { return tx.OperatorNamed(ctx, "mika") }))
	find(false, func(tx Tx) (operator.Operator, bool, error) { return tx.OperatorNamed(ctx, all[0].Name) }) // removed
	same(t, all[1], find(true, func(tx Tx) (operator.Operator, bool, error) { return tx.OperatorInvited(ctx, [32]byte(mac(2))) }))
	find(false, func(tx Tx) (operator.Operator, bool, error) { return tx.OperatorInvited(ctx, [32]byte{}) })
	for _, i := range []int{0, 2} { // removed ones too
		same(t, all[i], find(true, func(tx Tx) (operator.Operator, bool, error) { return tx.OperatorByCredential(ctx, all[i].CredentialID) }))
	}
	find(false, func(tx Tx) (operator.Operator, bool, error) { return tx.OperatorByCredential(ctx, []byte{9}) })
	find(false, func(tx Tx) (operator.Operator, bool, error) { return tx.OperatorByCredential(ctx, nil) })
	same(t, []operator.Operator{all[2], all[1], all[0]}, look(t, s, func(tx Tx) ([]operator.Operator, error) { return tx.Operators(ctx) }))

	refuses := func(what string, change func(*operator.Operator)) {
		t.Helper()
		o := operatorRow("o_other", 9)
		o.RemovedAt = time.Time{}
		change(&o)
		refused(t, s, what, func(tx Tx) error { return tx.AddOperator(ctx, o) })
	}
	refuses("one ID twice", func(o *operator.Operator) { o.ID = "o_in" })
	refuses("one name twice", func(o *operator.Operator) { o.Name = "aki" })
	refuses("one passkey twice", func(o *operator.Operator) { o.CredentialID = []byte{3} })
	refuses("one link twice", func(o *operator.Operator) { o.Invitation = mac(2) })
	refuses("one user handle twice", func(o *operator.Operator) { o.UserHandle = [64]byte{3} })
	refuses("an operator without a MAC", func(o *operator.Operator) { o.MAC = nil })

	// There and back: what may change, and nothing else.
	put := func(o operator.Operator) {
		t.Helper()
		update(t, s, func(tx Tx) error { return tx.PutOperator(ctx, o) })
		same(t, o, find(true, func(tx Tx) (operator.Operator, bool, error) { return tx.Operator(ctx, o.ID) }))
	}
	full := operatorRow(all[1].ID, 7)
	full.Name, full.UserHandle, full.AddedAt = all[1].Name, all[1].UserHandle, all[1].AddedAt
	put(full)
	put(all[1])
	other := all[1]
	other.Name = "akiko"
	refused(t, s, "another name", func(tx Tx) error { return tx.PutOperator(ctx, other) })
	refused(t, s, "an unknown operator", func(tx Tx) error { return tx.PutOperator(ctx, operatorRow("o_other", 9)) })
	namesake := all[2] // of one who is removed
	namesake.ID, namesake.Name, namesake.UserHandle, namesake.CredentialID = "o_second", all[0].Name, [64]byte{8}, []byte{8}
	update(t, s, func(tx Tx) error { return tx.AddOperator(ctx, namesake) })
}

func testOperatorCeremonies(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	full := operator.Ceremony{
		ID: "y_1", Purpose: "enrol", Operator: "o_1", Invitation: mac(1), Binding: mac(2), Challenge: mac(3), Origin: "https://console.example.org",
		Extensions: "credProps prf", CreatedAt: at(1), ExpiresAt: at(6), UsedAt: at(2), MAC: mac(4),
	}
	least := operator.Ceremony{ID: "y_2", Purpose: "sign_in", Binding: mac(2), Challenge: mac(5), Origin: "o", CreatedAt: at(1), ExpiresAt: at(7), MAC: mac(1)}
	read := func(id account.CeremonyID, wanted bool) operator.Ceremony {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (operator.Ceremony, bool, error) { return tx.OperatorCeremony(ctx, id) })
	}
	for _, c := range []operator.Ceremony{full, least} {
		update(t, s, func(tx Tx) error { return tx.AddOperatorCeremony(ctx, c) })
		same(t, c, read(c.ID, true))
	}
	read("y_9", false)
	twin := least
	twin.ID = "y_3"
	refused(t, s, "a challenge twice", func(tx Tx) error { return tx.AddOperatorCeremony(ctx, twin) })
	onlyOne(t, s, func(tx Tx) (bool, error) { return tx.UseOperatorCeremony(ctx, "y_2", at(3)) })
	same(t, at(3), read("y_2", true).UsedAt)
	for _, id := range []account.CeremonyID{"y_1", "y_2", "y_9"} {
		if act(t, s, func(tx Tx) (bool, error) { return tx.UseOperatorCeremony(ctx, id, at(4)) }) {
			t.Errorf("%s was used a second time, or is not there", id)
		}
	}
	twin.Challenge = mac(6)
	update(t, s, func(tx Tx) error { return tx.AddOperatorCeremony(ctx, twin) })
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.DeleteOperatorCeremonies(ctx, at(8), limit) })
}

func testOperatorSessions(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	make := func(id account.SessionID, n byte) operator.Session {
		return operator.Session{
			ID: id, TokenHash: [32]byte{n}, Operator: "o_1", Label: "Chromium on Linux", CreatedAt: at(int(n)), Until: at(50), EndedAt: at(9), MAC: mac(n),
		}
	}
	read := func(n byte, wanted bool) operator.Session {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (operator.Session, bool, error) { return tx.OperatorSession(ctx, [32]byte{n}) })
	}
	ended, lives, other := make("s_1", 1), make("s_2", 3), make("s_3", 2)
	lives.EndedAt, other.EndedAt, other.Operator = time.Time{}, time.Time{}, "o_2"
	first := make("s_0", 0)
	first.EndedAt = time.Time{}
	for _, v := range []operator.Session{ended, lives, other, first} {
		update(t, s, func(tx Tx) error { return tx.AddOperatorSession(ctx, v) })
		same(t, v, read(v.TokenHash[0], true)) // ended ones too
	}
	read(9, false)
	refused(t, s, "two sessions under one token", func(tx Tx) error { return tx.AddOperatorSession(ctx, make("s_9", 1)) })
	of := func() []operator.Session {
		t.Helper()
		return look(t, s, func(tx Tx) ([]operator.Session, error) { return tx.OperatorSessions(ctx, "o_1") })
	}
	same(t, []operator.Session{first, lives}, of())
	lives.EndedAt, lives.MAC = at(7), mac(77)
	update(t, s, func(tx Tx) error { return tx.PutOperatorSession(ctx, lives) })
	same(t, lives, read(3, true))
	same(t, []operator.Session{first}, of())
	refused(t, s, "the end of an unknown session", func(tx Tx) error { return tx.PutOperatorSession(ctx, make("s_9", 1)) })
	later := make("s_later", 8)
	later.Until = at(51)
	update(t, s, func(tx Tx) error {
		if _, err := tx.DeleteOperatorSessions(ctx, at(51), 1); err != nil {
			return err
		}
		return tx.AddOperatorSession(ctx, later)
	})
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.DeleteOperatorSessions(ctx, at(51), limit) })
	read(8, true) // it runs out then
}

func testOperatorLooks(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	onlyOne(t, s, func(tx Tx) (bool, error) { return tx.AddOperatorLook(ctx, "o_1", alice, at(0)) })
	for _, x := range []struct {
		id   operator.ID
		of   account.ID
		hour int
		want bool
	}{{"o_1", alice, 0, false}, {"o_2", alice, 0, true}, {"o_1", bob, 0, true}, {"o_1", alice, 60, true}} {
		if got := act(t, s, func(tx Tx) (bool, error) { return tx.AddOperatorLook(ctx, x.id, x.of, at(x.hour)) }); got != x.want {
			t.Errorf("%s at %s in minute %d: first is %v", x.id, x.of, x.hour, got)
		}
	}
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.DeleteOperatorLooks(ctx, at(60), limit) })
	if act(t, s, func(tx Tx) (bool, error) { return tx.AddOperatorLook(ctx, "o_1", alice, at(60)) }) {
		t.Error("what was not old was deleted")
	}
}
