package storetest

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// ceremony has no field at its zero value.
func ceremony(id account.CeremonyID, of account.ID) integrity.CeremonyRow {
	return integrity.CeremonyRow{
		ID: id, Purpose: "step_up", Account: of, Session: "s_1", Binding: []byte{1, 0}, Challenge: []byte("challenge of " + id),
		Origin: "https://accounts.example.org", Extensions: "{}", Allow: []byte{2}, UserHandle: []byte{3}, AttestChallenge: []byte{4},
		Fake: true, CreatedAt: at(1), ExpiresAt: at(5), UsedAt: at(2),
	}
}

func testCeremonies(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	add := func(all ...integrity.CeremonyRow) {
		t.Helper()
		update(t, s, func(tx Tx) error {
			for _, c := range all {
				if err := tx.AddCeremony(ctx, c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	used := func(id account.CeremonyID) time.Time {
		t.Helper()
		return get(t, s, true, func(tx Tx) (integrity.CeremonyRow, bool, error) { return tx.Ceremony(ctx, id) }).UsedAt
	}
	anonymous := func(id account.CeremonyID) integrity.CeremonyRow { // of a sign-in
		return integrity.CeremonyRow{ID: id, Purpose: "sign_in", Challenge: []byte("challenge of " + id), CreatedAt: at(1), ExpiresAt: at(6)}
	}
	for _, c := range []integrity.CeremonyRow{ceremony("y_1", alice), anonymous("y_2")} {
		add(c)
		same(t, c, get(t, s, true, func(tx Tx) (integrity.CeremonyRow, bool, error) { return tx.Ceremony(ctx, c.ID) }))
	}
	get(t, s, false, func(tx Tx) (integrity.CeremonyRow, bool, error) { return tx.Ceremony(ctx, "y_9") })
	twin := anonymous("y_9")
	twin.Challenge = anonymous("y_2").Challenge
	refused(t, s, "a challenge twice", func(tx Tx) error { return tx.AddCeremony(ctx, twin) })

	onlyOne(t, s, func(tx Tx) (bool, error) { return tx.UseCeremony(ctx, "y_2", at(3)) })
	same(t, at(3), used("y_2"))
	for _, id := range []account.CeremonyID{"y_1", "y_2", "y_9"} {
		if act(t, s, func(tx Tx) (bool, error) { return tx.UseCeremony(ctx, id, at(4)) }) {
			t.Errorf("%s was used a second time, or is not there", id)
		}
	}

	// To end those of a session, of an account, and of nobody.
	open1, open2, bobs := ceremony("y_3", alice), ceremony("y_4", alice), ceremony("y_5", bob)
	open1.UsedAt, open2.UsedAt, bobs.UsedAt, open2.Session = time.Time{}, time.Time{}, time.Time{}, "s_2"
	add(open1, open2, bobs, anonymous("y_6"))
	tests := []struct {
		of      account.ID
		session account.SessionID
		want    int
		ended   account.CeremonyID
	}{
		{alice, "s_9", 0, ""},
		{carol, "", 0, ""},
		{alice, "s_2", 1, "y_4"},
		{alice, "", 1, "y_3"},
		{alice, "", 0, ""},
	}
	for i, tt := range tests {
		n := act(t, s, func(tx Tx) (int, error) { return tx.EndCeremonies(ctx, tt.of, tt.session, at(10+i)) })
		if n != tt.want {
			t.Errorf("of %s, %q: ended %d, want %d", tt.of, tt.session, n, tt.want)
		}
		if tt.ended != "" {
			same(t, at(10+i), used(tt.ended))
		}
	}
	same(t, [...]time.Time{at(2), {}, {}}, [...]time.Time{used("y_1"), used("y_5"), used("y_6")})
	refused(t, s, "the end of the ceremonies of nobody", func(tx Tx) error { _, err := tx.EndCeremonies(ctx, "", "", at(1)); return err })

	// y_1, y_3 and y_4 expire sooner than the others, as does y_5.
	update(t, s, func(tx Tx) error { _, err := tx.DeleteCeremonies(ctx, at(5), 9); return err })
	get(t, s, true, func(tx Tx) (integrity.CeremonyRow, bool, error) { return tx.Ceremony(ctx, "y_5") })
	act(t, s, func(tx Tx) (int, error) { return tx.DeleteCeremonies(ctx, at(6), 1) })
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.DeleteCeremonies(ctx, at(6), limit) })
	get(t, s, false, func(tx Tx) (integrity.CeremonyRow, bool, error) { return tx.Ceremony(ctx, "y_1") })
	get(t, s, true, func(tx Tx) (integrity.CeremonyRow, bool, error) { return tx.Ceremony(ctx, "y_6") })
}
