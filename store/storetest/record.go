package storetest

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/event"
)

const bob account.ID = "a_bbbbbbbbbbbbbbbbbbbbbbbbbb"

func entry(id account.ID, subject string) audit.Entry {
	return audit.Entry{
		Account: id, Time: noon(), Actor: audit.Actor{Kind: account.Backend, ID: "backend", Session: "s", Class: "fresh"},
		Action: "attest.register", Subject: subject, Reason: "why", Detail: json.RawMessage(`{"b": 1, "a":"é"}`),
	}
}

// testAudit: entries come back as they went in, numbered and linked by account.
func testAudit(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	k := key()
	digest := k.Digest()
	told := entry(alice, k.ID)
	told.Object = digest[:]
	in := []audit.Entry{entry(bob, "1"), entry("", "2"), told, entry(bob, "3"), {Time: noon(), Actor: audit.Actor{Kind: account.System}, Action: "least"}}
	update(t, s, func(tx Tx) error {
		if err := tx.PutAttestedKey(ctx, k); err != nil {
			return err
		}
		for _, e := range in[:3] {
			if err := tx.AppendAudit(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	for _, e := range in[3:] {
		update(t, s, func(tx Tx) error { return tx.AppendAudit(ctx, e) })
	}

	var want []audit.Entry
	heads := map[account.ID]audit.Head{}
	for _, i := range []int{1, 4, 2, 0, 3} { // by account, then number
		e := in[i].Next(App, heads[in[i].Account])
		e.Time = e.Time.UTC()
		heads[e.Account] = audit.Head{N: e.N, Hash: e.Hash}
		want = append(want, e)
	}
	var got []audit.Entry
	view(t, s, func(tx Tx) error {
		if tx.AuditApp() != App {
			t.Errorf("AuditApp is %s", tx.AuditApp())
		}
		return tx.AuditEntries(ctx, func(e audit.Entry) error { got = append(got, e); return nil })
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	mustCheck(t, s)

	stop := errors.New("stop")
	err := s.View(ctx, func(tx Tx) error { return tx.AuditEntries(ctx, func(audit.Entry) error { return stop }) })
	if !errors.Is(err, stop) {
		t.Errorf("yield's error: %v", err)
	}
	err = s.Update(ctx, func(tx Tx) error {
		_ = tx.AppendAudit(ctx, audit.Entry{}) // on purpose: the commit must not happen
		return nil
	})
	if !errors.Is(err, audit.ErrInvalid) {
		t.Errorf("committed without its entry: %v", err)
	}

	// A change that nobody recorded is found.
	k.Account = bob
	update(t, s, func(tx Tx) error { return tx.PutAttestedKey(ctx, k) })
	report, err := s.Check(ctx, noon())
	if err != nil || report.OK() {
		t.Errorf("a key that was moved to another account: %+v, %v", report, err)
	}
}

// testEvents: the outbox keeps the order, and gives no ID twice.
func testEvents(t *testing.T, open Open) {
	s := fresh(t, open)
	ctx := t.Context()
	some := func(id account.ID) event.Event {
		return event.Event{ID: 99, Type: "attest.key_registered", Account: id, Body: json.RawMessage(`{"b": 1}`), At: noon()}
	}
	for _, id := range []account.ID{bob, alice, ""} {
		update(t, s, func(tx Tx) error { return tx.AppendEvent(ctx, some(id)) })
	}
	err := s.Update(ctx, func(tx Tx) error {
		if err := tx.AppendEvent(ctx, some(alice)); err != nil {
			return err
		}
		_ = tx.AppendEvent(ctx, event.Event{}) // on purpose: the commit must not happen
		return nil
	})
	if !errors.Is(err, event.ErrInvalid) {
		t.Errorf("committed without its event: %v", err)
	}
	view(t, s, func(tx Tx) error {
		all, err := tx.Events(ctx, 0, 10)
		if err != nil || len(all) != 3 {
			t.Fatalf("%d events, %v", len(all), err)
		}
		for i, id := range []account.ID{bob, alice, ""} {
			want := some(id)
			want.ID, want.At = all[i].ID, noon().UTC()
			if diff := cmp.Diff(want, all[i]); diff != "" {
				t.Error(diff)
			}
			if i > 0 && all[i].ID <= all[i-1].ID {
				t.Errorf("event %d has ID %d after %d", i, all[i].ID, all[i-1].ID)
			}
		}
		rest, err := tx.Events(ctx, all[0].ID, 1)
		if err != nil || len(rest) != 1 || rest[0].ID != all[1].ID {
			t.Errorf("one after the first: %+v, %v", rest, err)
		}
		return nil
	})
}
