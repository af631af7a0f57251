package storetest

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/integrity"
)

// risk has no field at its zero value.
func risk(name account.SignalName) account.Signal {
	return account.Signal{
		Name: name, Device: "d_1", Source: "backend", Value: "v", Level: account.LevelHold, FirstAt: at(1), LastAt: at(2), Until: at(10),
	}
}

func testSignals(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	put := func(id account.ID, all ...account.Signal) {
		t.Helper()
		for _, v := range all {
			update(t, s, func(tx Tx) error { return tx.PutSignal(ctx, id, v) })
		}
	}
	stand := func(id account.ID, now time.Time) []account.Signal {
		t.Helper()
		return look(t, s, func(tx Tx) ([]account.Signal, error) { return tx.Signals(ctx, id, now) })
	}
	full, forever := risk("new_device"), account.Signal{Name: "x", FirstAt: at(1), LastAt: at(1)}
	others := []account.Signal{full, full, full} // each is another one by one of its names
	others[0].Device, others[1].Name, others[2].Source = "d_2", "bs_changed", "staunch"
	put(alice, full, forever)
	put(alice, others...)
	put(bob, full)
	same(t, []account.Signal{forever, others[1], full, others[2], others[0]}, stand(alice, at(3)))
	same(t, []account.Signal{full}, stand(bob, at(10).Add(-time.Microsecond)))
	same(t, []account.Signal(nil), stand(bob, at(10)))
	same(t, []account.Signal{forever}, stand(alice, at(10)))

	// Replaced, but for when it was first seen.
	again := account.Signal{Name: full.Name, Device: full.Device, Source: full.Source, FirstAt: at(5), LastAt: at(6), Until: at(20)}
	put(bob, again)
	again.FirstAt = at(1)
	same(t, []account.Signal{again}, stand(bob, at(6)))

	kept := others[0]
	kept.Until = at(10).Add(time.Microsecond)
	put(alice, kept)
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.DeleteSignals(ctx, kept.Until, limit) })
	same(t, []account.Signal{forever, kept}, stand(alice, at(0)))
	same(t, []account.Signal{again}, stand(bob, at(0)))
}

func testRates(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	put := func(key byte, tokens float64, at time.Time) {
		t.Helper()
		update(t, s, func(tx Tx) error {
			return tx.PutRate(ctx, integrity.RateRow{Key: [32]byte{key}, Tokens: tokens, At: at})
		})
	}
	bucket := func(key byte, wanted bool) integrity.RateRow {
		t.Helper()
		return get(t, s, wanted, func(tx Tx) (integrity.RateRow, bool, error) { return tx.Rate(ctx, [32]byte{key}) })
	}
	bucket(1, false)
	for _, tt := range []struct {
		tokens float64
		at     time.Time
	}{{1200, at(0)}, {0, at(1)}, {0.1 + 0.2, at(2)}, {7, at(120)}, {8, at(0)}, {9, time.Date(1969, 12, 31, 23, 30, 0, 1000, time.UTC)}} {
		put(1, tt.tokens, tt.at) // within the hour, hours later, hours before
		same(t, integrity.RateRow{Key: [32]byte{1}, Tokens: tt.tokens, At: tt.at}, bucket(1, true))
	}
	refused(t, s, "a bucket without a time", func(tx Tx) error { return tx.PutRate(ctx, integrity.RateRow{Key: [32]byte{1}}) })

	put(1, 1, at(3))
	put(2, 1, at(-300))
	put(2, 1, at(4)) // was old, and is no longer
	put(3, 1, at(-300))
	put(4, 1, at(5).Add(-time.Microsecond))
	put(5, 1, at(5))
	put(2, 2, at(6))
	put(6, 1, at(200))
	sweep(t, s, func(tx Tx, limit int) (int, error) { return tx.DeleteRates(ctx, at(5), limit) })
	for key, wanted := range map[byte]bool{1: false, 2: true, 3: false, 4: false, 5: true, 6: true} {
		bucket(key, wanted)
	}
}
