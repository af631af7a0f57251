package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
	"github.com/staunchid/staunch/integrity"
)

// alert has no field at its zero value but the number, which the store gives.
func alert(to account.ID, minute int) integrity.AlertRow {
	return integrity.AlertRow{
		Account: to, Kind: "device.add", Device: "d_new", Cause: "d_1", Session: "s_1", Data: json.RawMessage(`{"b": 1, "a":"é"}`), At: at(minute),
	}
}

// alerts is a store with what most tests of alerts ask of it.
type alerts struct {
	t *testing.T
	Store
}

func (s alerts) add(a integrity.AlertRow) uint64 {
	s.t.Helper()
	return act(s.t, s.Store, func(tx Tx) (uint64, error) { return tx.AppendAlert(s.t.Context(), a) })
}

func (s alerts) list(id account.ID, after uint64, limit int) []integrity.AlertRow {
	s.t.Helper()
	return look(s.t, s.Store, func(tx Tx) ([]integrity.AlertRow, error) { return tx.Alerts(s.t.Context(), id, after, limit) })
}

func (s alerts) count(after uint64, but account.DeviceID) int {
	s.t.Helper()
	return look(s.t, s.Store, func(tx Tx) (int, error) { return tx.CountAlerts(s.t.Context(), alice, after, but) })
}

func testAlerts(t *testing.T, open Open) {
	s := alerts{t, fresh(t, open)}
	ctx := t.Context()
	least := integrity.AlertRow{Account: alice, Kind: "x", Data: json.RawMessage(`{}`), At: at(2)}
	wrong := alert(alice, 1)
	wrong.Seq = 99 // is not the caller's to give
	for i, a := range []integrity.AlertRow{wrong, least, alert(alice, 3)} {
		if seq := s.add(a); seq != uint64(i+1) {
			t.Errorf("alert %d has the number %d", i+1, seq)
		}
	}
	if seq := s.add(alert(bob, 1)); seq != 1 {
		t.Errorf("bob's first has the number %d", seq)
	}
	want := []integrity.AlertRow{alert(alice, 1), least, alert(alice, 3)}
	for i := range want {
		want[i].Seq = uint64(i + 1)
	}
	same(t, want, s.list(alice, 0, 9))
	same(t, want[1:2], s.list(alice, 1, 1))
	newest := func(id account.ID, limit int) []integrity.AlertRow {
		return look(t, s.Store, func(tx Tx) ([]integrity.AlertRow, error) { return tx.NewestAlerts(ctx, id, limit) })
	}
	same(t, []integrity.AlertRow{want[2], want[1]}, newest(alice, 2))
	same(t, 0, len(newest("a_nobody", 2)))
	same(t, []integrity.AlertRow(nil), s.list(alice, 3, 9))
	same(t, []integrity.AlertRow(nil), s.list(carol, 0, 9))
	refused(t, s, "an alert to nobody", func(tx Tx) error { _, err := tx.AppendAlert(ctx, alert("", 1)); return err })

	// Two of the three have d_1 as their cause, and one has none.
	for but, want := range map[account.DeviceID]int{"d_1": 1, "d_2": 3, "": 3} {
		if n := s.count(0, but); n != want {
			t.Errorf("%d alerts for %q, want %d", n, but, want)
		}
	}
	if n := s.count(2, "d_2"); n != 1 {
		t.Errorf("%d alerts after the second, want 1", n)
	}
}

// testAlertSeen: what a reader has seen moves on, and never back.
func testAlertSeen(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	seen := func(id account.ID, reader string) uint64 {
		t.Helper()
		return look(t, s, func(tx Tx) (uint64, error) { return tx.AlertSeen(ctx, id, reader) })
	}
	for _, n := range []uint64{3, 2, 5} {
		update(t, s, func(tx Tx) error { return tx.SeeAlerts(ctx, alice, "d_1", n) })
		if got := seen(alice, "d_1"); got != max(n, 3) {
			t.Errorf("seen up to %d after %d", got, n)
		}
	}
	if seen(alice, "s_1") != 0 || seen(bob, "d_1") != 0 {
		t.Error("seen by somebody else")
	}
	refused(t, s, "that nobody saw something", func(tx Tx) error { return tx.SeeAlerts(ctx, alice, "", 9) })
}

// testAlertSweep: the old go, and no number comes again: who has read up to it
// would miss what it tells.
func testAlertSweep(t *testing.T, open Open) {
	s := alerts{t, fresh(t, open)}
	ctx := t.Context()
	for i := range 3 {
		s.add(alert(alice, 5-i)) // the clock may go back
	}
	s.add(alert(bob, 6))
	remove := func(tx Tx, limit int) (int, error) { return tx.DeleteAlerts(ctx, at(5).Add(time.Microsecond), limit) }
	sweep(t, s, remove)
	same(t, []integrity.AlertRow(nil), s.list(alice, 0, 9))
	if n := len(s.list(bob, 0, 9)); n != 1 {
		t.Errorf("bob has %d alerts left, want 1", n)
	}
	if seq := s.add(alert(alice, 1)); seq != 4 {
		t.Errorf("the next number is %d, want 4", seq)
	}
	act(t, s.Store, func(tx Tx) (int, error) { return remove(tx, 9) })
	if seq := s.add(alert(alice, 9)); seq != 5 {
		t.Errorf("the next number is %d, want 5", seq)
	}
	if seen := look(t, s.Store, func(tx Tx) (uint64, error) { return tx.AlertSeen(ctx, alice, "") }); seen != 0 {
		t.Errorf("nobody has seen up to %d", seen)
	}
}

func testCursors(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	for _, want := range []uint64{0, 7, 3} {
		update(t, s, func(tx Tx) error { return tx.PutCursor(ctx, "webhook", want) })
		got := look(t, s, func(tx Tx) (uint64, error) { return tx.Cursor(ctx, "webhook") })
		other := look(t, s, func(tx Tx) (uint64, error) { return tx.Cursor(ctx, "kafka") })
		if got != want || other != 0 {
			t.Errorf("cursors at %d and %d, want %d and 0", got, other, want)
		}
	}
}

// testEventsDeleted: old events go that all readers are done with, and no others.
func testEventsDeleted(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	for i := range 5 {
		update(t, s, func(tx Tx) error {
			return tx.AppendEvent(ctx, event.Event{Type: "session.started", Account: alice, Body: json.RawMessage(`{}`), At: at(i)})
		})
	}
	remove := func(before, limit, left int) {
		t.Helper()
		act(t, s, func(tx Tx) (int, error) { return tx.DeleteEvents(ctx, at(before), limit) })
		all := look(t, s, func(tx Tx) ([]event.Event, error) { return tx.Events(ctx, 0, 9) })
		if len(all) != left {
			t.Errorf("%d events are left, want %d", len(all), left)
		}
	}
	cursor := func(name string, n int) {
		t.Helper()
		first := look(t, s, func(tx Tx) ([]event.Event, error) { return tx.Events(ctx, 0, 1) })[0].ID
		update(t, s, func(tx Tx) error { return tx.PutCursor(ctx, name, first+uint64(n)-1) })
	}
	remove(9, 9, 5) // nobody reads
	cursor("webhook", 4)
	cursor("lock", 3)
	remove(0, 9, 5)
	remove(2, 1, 4)
	remove(2, 9, 3)
	remove(9, 9, 2) // up to the slowest reader
}

// testLeases: a lease has one holder, who may hold on to it; another gets it when
// it has run out or was given back.
func testLeases(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	for i, step := range []struct {
		name, holder string
		now, until   time.Time
		want         bool
	}{
		{"webhook", "a", at(0), at(3), true},
		{"webhook", "b", at(2), at(9), false},
		{"kafka", "b", at(2), at(9), true},
		{"webhook", "a", at(2), at(5), true},  // held on to
		{"webhook", "b", at(4), at(9), false}, // what a refusal wrote would show here
		{"webhook", "b", at(5), at(8), true},  // run out
		{"webhook", "a", at(6), at(9), false},
		{"webhook", "b", at(6), at(6), true}, // given back
		{"webhook", "a", at(6), at(9), true},
	} {
		if got := act(t, s, func(tx Tx) (bool, error) { return tx.TakeLease(ctx, step.name, step.holder, step.now, step.until) }); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
	onlyOne(t, s, func(tx Tx) (bool, error) {
		return tx.TakeLease(ctx, "new", string(account.NewID()), at(0), at(1))
	})
}
