package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/attest/registry"
)

// receipt has no field at its zero value but the lease.
func receipt(id string) registry.Receipt {
	return registry.Receipt{
		Key: id, Account: alice, Team: "TEAM1", Environment: "production", CMS: []byte{1, 2},
		CreatedAt: noon().UTC(), NotBefore: noon().UTC().Add(24 * time.Hour), ExpiresAt: noon().UTC().Add(90 * 24 * time.Hour),
		Metric: new(uint32(4_000_000_000)), MetricAt: noon().UTC(), State: registry.ReceiptScheduled,
		NextAt: noon().UTC(), Failures: 3, Result: registry.ExchangeLater,
	}
}

// testReceipts: a row for a key, found when it is due, taken by one at a time.
func testReceipts(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	put := func(all ...registry.Receipt) {
		t.Helper()
		update(t, s, func(tx Tx) error {
			for _, r := range all {
				if err := tx.PutReceipt(ctx, r); err != nil {
					return err
				}
			}
			return nil
		})
	}
	get := func(id string) (r registry.Receipt) {
		t.Helper()
		view(t, s, func(tx Tx) (err error) {
			r, _, err = tx.AttestedReceipt(ctx, id)
			return err
		})
		return r
	}
	if err := s.Update(ctx, func(tx Tx) error { return tx.PutReceipt(ctx, receipt("unknown")) }); err == nil {
		t.Error("stored a receipt of a key that is not there")
	}
	update(t, s, func(tx Tx) error {
		for _, id := range []string{"k1", "k2", "k3", "k4", "k5"} {
			if err := tx.PutAttestedKey(ctx, numbered(id, registry.StateActive)); err != nil {
				return err
			}
		}
		return nil
	})
	least := registry.Receipt{Key: "k1", Account: alice, Team: "T", Environment: "development", CMS: []byte{1}, CreatedAt: noon().UTC(), State: registry.ReceiptStopped}
	for _, want := range []registry.Receipt{least, receipt("k1")} {
		put(want)
		if diff := cmp.Diff(want, get("k1")); diff != "" {
			t.Error(diff)
		}
	}
	bad := receipt("k1")
	bad.State = ""
	if err := s.Update(ctx, func(tx Tx) error { return tx.PutReceipt(ctx, bad) }); err == nil {
		t.Error("stored a receipt of no state")
	}

	// Due: by team, the one that has been due for longest, that nobody is at.
	leased, parked, others := receipt("k2"), receipt("k3"), receipt("k4")
	leased.NextAt, leased.LeaseUntil = noon().UTC().Add(-time.Hour), noon().UTC().Add(time.Minute)
	parked.State, parked.NextAt = registry.ReceiptParked, time.Time{}
	others.Team, others.NextAt = "TEAM2", noon().UTC().Add(time.Hour)
	put(leased, parked, others)
	due := func(team string, now time.Time, want string) {
		t.Helper()
		view(t, s, func(tx Tx) error {
			r, found, err := tx.DueReceipt(ctx, team, now)
			if r.Key != want || found != (want != "") {
				t.Errorf("due of %s at %v: %q, want %q", team, now, r.Key, want)
			}
			return err
		})
	}
	view(t, s, func(tx Tx) error {
		teams, err := tx.ReceiptTeams(ctx)
		if diff := cmp.Diff([]string{"TEAM1", "TEAM2"}, teams); diff != "" {
			t.Error(diff)
		}
		return err
	})
	due("TEAM1", noon().Add(-time.Microsecond), "")
	due("TEAM1", noon(), "k1")
	due("TEAM1", noon().Add(time.Minute), "k2") // its lease has run out
	due("TEAM2", noon().Add(time.Minute), "")
	due("TEAM2", noon().Add(time.Hour), "k4")
	due("TEAM3", noon().Add(time.Hour), "")

	// Compare and set: of many, one.
	var won atomic.Int32
	var wg sync.WaitGroup
	until := noon().UTC().Add(2 * time.Minute)
	for range 16 {
		wg.Go(func() {
			err := s.Update(ctx, func(tx Tx) error {
				ok, err := tx.LeaseReceipt(ctx, "k1", time.Time{}, until)
				if ok {
					won.Add(1)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || !get("k1").LeaseUntil.Equal(until) {
		t.Errorf("%d of 16 have the lease, until %v", won.Load(), get("k1").LeaseUntil)
	}
	lease := func(id string, was time.Time) (ok bool) {
		t.Helper()
		update(t, s, func(tx Tx) (err error) {
			ok, err = tx.LeaseReceipt(ctx, id, was, until.Add(time.Minute))
			return err
		})
		return ok
	}
	if lease("k1", time.Time{}) || lease("k1", until.Add(time.Microsecond)) || !lease("k1", until) || lease("k3", time.Time{}) || lease("unknown", time.Time{}) {
		t.Error("leased what was not so, what is parked or what is not there")
	}

	// Waking and reviving.
	then := noon().UTC().Add(time.Second)
	update(t, s, func(tx Tx) error { return tx.WakeReceipts(ctx, []string{"k1", "k3", "k5", "unknown"}, then) })
	if r := get("k3"); r.State != registry.ReceiptScheduled || !r.NextAt.Equal(then) {
		t.Errorf("woken: %+v", r)
	}
	if r := get("k1"); !r.NextAt.Equal(noon()) {
		t.Errorf("woken, and was not parked: %+v", r)
	}
	forgotten, bobs, stopped := receipt("k1"), receipt("k2"), receipt("k3")
	forgotten.Result, bobs.Result, stopped.Result = registry.ExchangeNoData, registry.ExchangeNoData, registry.ExchangeNoData
	bobs.Account, stopped.State, stopped.NextAt = bob, registry.ReceiptStopped, time.Time{}
	put(forgotten, bobs, stopped)
	update(t, s, func(tx Tx) error { return tx.ReviveReceipts(ctx, alice, then) })
	for id, want := range map[string]time.Time{"k1": then, "k2": noon(), "k3": {}, "k4": noon().Add(time.Hour)} {
		if r := get(id); !r.NextAt.Equal(want) {
			t.Errorf("revived: %s at %v, want %v", id, r.NextAt, want)
		}
	}

	unknown := receipt("k2")
	unknown.Metric = nil
	put(unknown)
	view(t, s, func(tx Tx) error {
		metrics, err := tx.RiskMetrics(ctx, []string{"k1", "k2", "k5", "unknown"})
		if diff := cmp.Diff(map[string]uint32{"k1": 4_000_000_000}, metrics); diff != "" {
			t.Error(diff)
		}
		return err
	})
}
