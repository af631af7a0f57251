package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

// statusList makes a revocation list with entries as in "badbad REVOKED".
func statusList(t testing.TB, entries ...string) *android.StatusList {
	t.Helper()
	var members []string
	for _, e := range entries {
		serial, status, _ := strings.Cut(e, " ")
		members = append(members, fmt.Sprintf("%q: {\"status\": %q}", serial, status))
	}
	list, err := android.ParseStatusList([]byte(`{"entries": {` + strings.Join(members, ", ") + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// feed is a rig whose revocation list can be replaced.
func feed(t testing.TB, change ...func(*registry.Options)) (r *rig, use func(entries ...string) *android.StatusList) {
	t.Helper()
	list := statusList(t, "badbad REVOKED")
	r = newRig(t, append(change, func(o *registry.Options) { o.Status = func() *android.StatusList { return list } })...)
	return r, func(entries ...string) *android.StatusList {
		list = statusList(t, entries...)
		return list
	}
}

// reevaluate fails the test on an error.
func (r *rig) reevaluate() registry.Reevaluation {
	r.t.Helper()
	out, err := r.Reevaluate(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// putKeys stores n keys of accounts of their own under a serial, beside Register.
func (r *rig) putKeys(s storetest.Store, n int, serial string) {
	r.t.Helper()
	err := s.Update(r.t.Context(), func(tx storetest.Tx) error {
		for i := range n {
			k := registry.Key{
				ID: fmt.Sprintf("%s-%05d", serial, i), App: "demo", Account: account.NewID(), Platform: "android", SPKI: []byte{1},
				State: registry.StateActive, RegisteredAt: noon, Serials: []string{serial},
			}
			if err := tx.PutAttestedKey(r.t.Context(), k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestReevaluate: a new list revokes the keys under its REVOKED serials, and
// tells of it; all others stay as they are.
func TestReevaluate(t *testing.T) {
	r, use := feed(t)
	out := r.mustAllow(r.androidRegistration())
	batch := out.Verdict.Chain[1].Serial
	apple := r.mustAllow(r.appleRegistration(applePhone(t).GenerateKey()))
	if got := r.reevaluate(); got.Revoked != 0 || got.Finished.IsZero() {
		t.Errorf("nothing to do: %+v", got)
	}
	leaf := out.Verdict.Chain[0].Serial
	for _, entry := range []string{batch + " SUSPENDED", batch + " RETIRED", leaf + " REVOKED", "beef REVOKED"} {
		use(entry)
		if got := r.reevaluate(); got.Revoked != 0 || r.key(out.KeyID).State != registry.StateActive {
			t.Errorf("%s: %+v, %s", entry, got, r.key(out.KeyID).State)
		}
	}

	r.advance(time.Hour)
	list := use("beef REVOKED", batch+" REVOKED", "0 REVOKED")
	got := r.reevaluate()
	if got.Revoked != 1 || got.List != list.Digest || !got.Began.Equal(r.clock()) || !got.Finished.Equal(r.clock()) || r.Reevaluation() != got {
		t.Errorf("%+v", got)
	}
	if r.key(out.KeyID).State != registry.StateRevoked || r.key(apple.KeyID).State != registry.StateActive {
		t.Errorf("key %s, Apple's %s", r.key(out.KeyID).State, r.key(apple.KeyID).State)
	}
	entries, events := r.record()
	e, ev := entries[len(entries)-1], events[len(events)-1]
	if e.Account != alice || e.Action != "attest.revoke" || e.Subject != out.KeyID || e.Reason != "android.revoked" ||
		e.Actor.Kind != account.System || !e.Time.Equal(r.clock()) {
		t.Errorf("entry %+v", e)
	}
	var body map[string]string
	if err := json.Unmarshal(ev.Body, &body); err != nil {
		t.Fatal(err)
	}
	if ev.Type != "attest.key_revoked" || ev.Account != alice || body["key"] != out.KeyID || body["serial"] != batch || body["was"] != "active" || body["list"] != list.Digest {
		t.Errorf("event %+v, %v", ev, body)
	}
	r.mustCheck()

	// Again, and with a list that has forgotten the serial: nothing.
	before := r.count()
	if again := r.reevaluate(); again != got {
		t.Errorf("again: %+v", again)
	}
	use("beef REVOKED")
	if freed := r.reevaluate(); freed.Revoked != 0 || r.key(out.KeyID).State != registry.StateRevoked || r.count() != before {
		t.Errorf("a serial has left the list: %+v, %s, %+v", freed, r.key(out.KeyID).State, r.count())
	}
}

// TestReevaluateStates: a key in every state is revoked, and one that is revoked
// already is told of once.
func TestReevaluateStates(t *testing.T) {
	r, use := feed(t)
	states := []registry.State{registry.StateActive, registry.StatePending, registry.StateObserved, registry.StateSuperseded, registry.StateRevoked}
	err := r.store.Update(t.Context(), func(tx storetest.Tx) error {
		for _, state := range states {
			k := registry.Key{ID: string(state), App: "demo", Account: alice, Platform: "android", SPKI: []byte{1}, State: state, RegisteredAt: noon, Serials: []string{"a", "b"}}
			if err := tx.PutAttestedKey(t.Context(), k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	use("a REVOKED", "b REVOKED")
	if got := r.reevaluate(); got.Revoked != 4 || r.rows("attest_key WHERE state = 'revoked'") != 5 || r.rows("outbox") != 4 || r.rows("audit_entry") != 4 {
		t.Errorf("%+v, %d rows", got, r.rows("attest_key WHERE state = 'revoked'"))
	}
}

// TestReevaluateWithoutList: there may be none.
func TestReevaluateWithoutList(t *testing.T) {
	for name, status := range map[string]func() *android.StatusList{"none": nil, "not yet": func() *android.StatusList { return nil }} {
		r := newRig(t, func(o *registry.Options) { o.Status = status })
		if got := r.reevaluate(); got != (registry.Reevaluation{}) || r.rows("attest_job") != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestReevaluateOvertaken: a list that comes into force in the middle is applied
// instead, from its beginning.
func TestReevaluateOvertaken(t *testing.T) {
	old := statusList(t, "aa REVOKED", "bb REVOKED")
	next := statusList(t, "00a REVOKED", "bb REVOKED", "cc REVOKED")
	var r *rig
	r = newRig(t, func(o *registry.Options) {
		o.Status = func() *android.StatusList {
			if r != nil && r.Reevaluation().Revoked > 0 || r != nil && r.Reevaluation().List == next.Digest {
				return next
			}
			return old
		}
		o.TestingOnlyRevokeLimit(10)
	})
	r.putKeys(r.store, 15, "aa")
	r.putKeys(r.store, 3, "a")
	r.putKeys(r.store, 3, "cc")
	got := r.reevaluate()
	if got.List != next.Digest || got.Revoked != 6 || got.Finished.IsZero() {
		t.Errorf("%+v", got)
	}
	if n := r.rows("attest_key WHERE state = 'revoked'"); n != 16 { // one step of the old list
		t.Errorf("%d keys are revoked", n)
	}
}

// TestReevaluateSteps: no transaction takes more than 1000 keys, whether they
// are under one serial or under many.
func TestReevaluateSteps(t *testing.T) {
	r, _ := feed(t)
	r.putKeys(r.store, 2300, "a")
	var entries []string
	for i := range 1100 {
		serial := fmt.Sprintf("b%x", i)
		entries = append(entries, serial+" REVOKED")
		r.putKeys(r.store, 1, serial)
	}
	list := statusList(t, append(entries, "a REVOKED")...)
	r.opts.Status = func() *android.StatusList { return list }
	most := &largest{Store: r.store}
	s := r.service(most)
	got, err := s.Reevaluate(t.Context())
	if err != nil || got.Revoked != 3400 || most.keys > 1000 || most.updates > 8 {
		t.Errorf("%+v, %v: at most %d keys in %d transactions", got, err, most.keys, most.updates)
	}
}

// largest counts what is revoked in one transaction.
type largest struct {
	storetest.Store
	keys, updates int
}

func (l *largest) Update(ctx context.Context, fn func(storetest.Tx) error) error {
	l.updates++
	return l.Store.Update(ctx, func(tx storetest.Tx) error { return fn(largestTx{tx, l}) })
}

type largestTx struct {
	storetest.Tx
	l *largest
}

func (tx largestTx) RevokeAttestedKeys(ctx context.Context, ids []string) (int, error) {
	tx.l.keys = max(tx.l.keys, len(ids))
	return tx.Tx.RevokeAttestedKeys(ctx, ids)
}

// TestReevaluateFaults fails every call once, before and after it took effect.
// The next run finishes the work, and nothing happens or counts twice.
func TestReevaluateFaults(t *testing.T) {
	for _, when := range []storetest.When{storetest.Before, storetest.After} {
		fired := map[string]bool{}
		for n := 1; ; n++ {
			r, use := feed(t, func(o *registry.Options) { o.TestingOnlyRevokeLimit(5) })
			r.putKeys(r.store, 12, "a")
			use("a REVOKED")
			faulty := storetest.NewFaulty(r.store, n, when)
			_, err := r.service(faulty).Reevaluate(t.Context())
			if faulty.Fired() == "" {
				if err != nil {
					t.Error(err)
				}
				break
			}
			fired[faulty.Fired()] = true
			if !errors.Is(err, storetest.ErrFault) {
				t.Fatalf("fault at %s: %v", faulty.Fired(), err)
			}
			if got := r.reevaluate(); got.Revoked != 12 || r.rows("attest_key WHERE state = 'revoked'") != 12 ||
				r.rows("audit_entry") != 12 || r.rows("outbox") != 12 {
				t.Fatalf("after a fault at %s: %+v, %d entries, %d events", faulty.Fired(), got, r.rows("audit_entry"), r.rows("outbox"))
			}
		}
		for _, name := range []string{"begin", "Job", "PutJob", "KeysUnder", "AttestedKeysByID", "RevokeAttestedKeys", "AppendAudits", "AppendEvents", "commit"} {
			if !fired[name] {
				t.Errorf("no fault at %s: %v", name, fired)
			}
		}
	}
}

// TestReevaluateStops: the end of the context ends it between two transactions,
// and the next run goes on from there.
func TestReevaluateStops(t *testing.T) {
	list := statusList(t, "a REVOKED")
	ctx, stop := context.WithCancel(t.Context())
	var r *rig
	r = newRig(t, func(o *registry.Options) {
		o.Status = func() *android.StatusList {
			if r != nil && r.Reevaluation().Revoked == 20 {
				stop()
			}
			return list
		}
		o.TestingOnlyRevokeLimit(10)
	})
	r.putKeys(r.store, 35, "a")
	if got, err := r.Reevaluate(ctx); !errors.Is(err, context.Canceled) || got.Revoked != 20 || !got.Finished.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	if got := r.reevaluate(); got.Revoked != 35 || got.Finished.IsZero() || r.rows("outbox") != 35 {
		t.Errorf("%+v", got)
	}
}
