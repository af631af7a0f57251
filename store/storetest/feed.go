package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

// testJobs: a job is one row, which comes back as it was put.
func testJobs(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	view(t, s, func(tx Tx) error {
		j, found, err := tx.Job(ctx, "revocation")
		if found || j != (registry.Job{}) {
			t.Errorf("a job from nowhere: %+v", j)
		}
		return err
	})
	began := registry.Job{Name: "revocation", Target: "sha256:01", Began: noon().UTC()}
	ended := registry.Job{Name: "revocation", Target: "sha256:02", Cursor: "a b", Changed: 7, Began: noon().UTC(), Finished: noon().UTC().Add(time.Second)}
	for _, want := range []registry.Job{began, ended, began} {
		update(t, s, func(tx Tx) error { return tx.PutJob(ctx, want) })
		view(t, s, func(tx Tx) error {
			got, found, err := tx.Job(ctx, "revocation")
			if diff := cmp.Diff(want, got); diff != "" || !found {
				t.Error(diff, found)
			}
			return err
		})
	}
}

// numbered gives a key of the suite with another id.
func numbered(id string, state registry.State, serials ...string) registry.Key {
	k := key()
	k.ID, k.State, k.Serials = id, state, serials
	return k
}

// testRevocation: keys are found by serial, in order, from a place on, and
// revoked together.
func testRevocation(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	keys := []registry.Key{
		numbered("k1", registry.StateActive, "a", "b"),
		numbered("k2", registry.StatePending, "b"),
		numbered("k3", registry.StateObserved, "b", "c"),
		numbered("k4", registry.StateSuperseded, "c"),
		numbered("k5", registry.StateRevoked, "a", "b", "c"),
		numbered("k6", registry.StateActive, "d"),
	}
	update(t, s, func(tx Tx) error {
		for _, k := range keys {
			if err := tx.PutAttestedKey(ctx, k); err != nil {
				return err
			}
		}
		return nil
	})
	under := func(after registry.SerialKey, limit int, serials ...string) (out []registry.SerialKey) {
		t.Helper()
		view(t, s, func(tx Tx) (err error) {
			out, err = tx.KeysUnder(ctx, serials, after, limit)
			return err
		})
		return out
	}
	all := []registry.SerialKey{{Serial: "a", Key: "k1"}, {Serial: "b", Key: "k1"}, {Serial: "b", Key: "k2"}, {Serial: "b", Key: "k3"}, {Serial: "c", Key: "k3"}, {Serial: "c", Key: "k4"}}
	for from := range all {
		for limit := 1; limit <= len(all); limit++ {
			after := registry.SerialKey{}
			if from > 0 {
				after = all[from-1]
			}
			want := all[from:min(from+limit, len(all))]
			if diff := cmp.Diff(want, under(after, limit, "0", "a", "b", "c", "e")); diff != "" {
				t.Errorf("%d after %+v: %s", limit, after, diff)
			}
		}
	}
	for _, got := range [][]registry.SerialKey{under(all[5], 9, "a", "b", "c"), under(registry.SerialKey{}, 9, "0", "f"), under(registry.SerialKey{}, 9)} {
		if len(got) > 0 {
			t.Errorf("found %+v", got)
		}
	}

	view(t, s, func(tx Tx) error {
		got, err := tx.AttestedKeysByID(ctx, []string{"k3", "unknown", "k1"})
		if diff := cmp.Diff([]registry.Key{keys[0], keys[2]}, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
	for _, want := range []int{3, 0} { // k5 is revoked already
		update(t, s, func(tx Tx) error {
			n, err := tx.RevokeAttestedKeys(ctx, []string{"k1", "k2", "k4", "k5", "unknown"})
			if n != want {
				t.Errorf("revoked %d, want %d", n, want)
			}
			return err
		})
	}
	for i := range keys {
		if i != 2 && i != 5 {
			keys[i].State = registry.StateRevoked
		}
	}
	view(t, s, func(tx Tx) error {
		got, err := tx.AttestedKeysByID(ctx, []string{"k1", "k2", "k3", "k4", "k5", "k6"})
		if diff := cmp.Diff(keys, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
	if diff := cmp.Diff([]registry.SerialKey{all[3], all[4]}, under(registry.SerialKey{}, 9, "a", "b", "c")); diff != "" {
		t.Error(diff)
	}
}

// testBatches: many entries and events at once are what they are one by one.
func testBatches(t *testing.T, open Open) {
	ctx := t.Context()
	var entries []audit.Entry
	var events []event.Event
	for i := range 137 { // more than one statement takes, and several of one account
		id := []account.ID{alice, bob, ""}[i%3]
		entries = append(entries, entry(id, fmt.Sprint(i)))
		events = append(events, event.Event{Type: "attest.key_revoked", Account: id, Body: []byte(fmt.Sprintf(`{"i": %d}`, i)), At: noon()})
	}
	var records [2]struct {
		entries []audit.Entry
		events  []event.Event
	}
	for i := range records {
		s := fresh(t, open)
		for part := range slices.Chunk(entries, 70) { // the second goes on where the first has ended
			update(t, s, func(tx Tx) error {
				if i == 0 {
					return tx.AppendAudits(ctx, part)
				}
				for _, e := range part {
					if err := tx.AppendAudit(ctx, e); err != nil {
						return err
					}
				}
				return nil
			})
		}
		update(t, s, func(tx Tx) error {
			if i == 0 {
				return tx.AppendEvents(ctx, events)
			}
			for _, e := range events {
				if err := tx.AppendEvent(ctx, e); err != nil {
					return err
				}
			}
			return nil
		})
		mustCheck(t, s)
		r := &records[i]
		view(t, s, func(tx Tx) (err error) {
			if r.events, err = tx.Events(ctx, 0, 1000); err != nil {
				return err
			}
			return tx.AuditEntries(ctx, func(e audit.Entry) error { r.entries = append(r.entries, e); return nil })
		})
		for name, fn := range map[string]func(Tx) error{
			"entry": func(tx Tx) error { return tx.AppendAudits(ctx, []audit.Entry{entry(alice, "1"), {}}) },
			"event": func(tx Tx) error { return tx.AppendEvents(ctx, []event.Event{events[0], {}}) },
		} {
			if err := s.Update(ctx, fn); err == nil {
				t.Errorf("stored an invalid %s", name)
			}
		}
	}
	if diff := cmp.Diff(records[1].entries, records[0].entries); diff != "" || len(records[0].entries) != len(entries) {
		t.Errorf("%d entries: %s", len(records[0].entries), diff)
	}
	if diff := cmp.Diff(records[1].events, records[0].events); diff != "" || len(records[0].events) != len(events) {
		t.Errorf("%d events: %s", len(records[0].events), diff)
	}
}
