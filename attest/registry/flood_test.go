package registry_test

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

// TestNoChallengeLeavesNothing: who has neither a token nor an open challenge
// is answered and leaves nothing behind, in no account's record and nowhere
// else. The backend's call is on record.
func TestNoChallengeLeavesNothing(t *testing.T) {
	anonymous := account.Caller{Kind: account.Anonymous, App: "demo"}
	phone := account.Caller{Kind: account.Phone, App: "demo", Account: alice, Name: "key"}
	tests := []struct {
		name   string
		change func(*rig, *registry.Registration)
	}{
		{"invented", func(_ *rig, in *registry.Registration) { in.Challenge = make([]byte, 32) }},
		{"used", func(r *rig, in *registry.Registration) { r.mustAllow(in) }},
		{"expired", func(r *rig, _ *registry.Registration) { r.advance(5 * time.Minute) }},
		{"of another account", func(r *rig, in *registry.Registration) { in.Challenge = r.challenge(bob) }},
		{"of no account", func(r *rig, in *registry.Registration) { in.Challenge = r.challenge("") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			in := r.androidRegistration()
			tt.change(r, in)
			before, bytesBefore := r.allRows(), r.written()
			for _, caller := range []account.Caller{anonymous, phone, anonymous} {
				out, err := r.Register(t.Context(), caller, in)
				if err != nil {
					t.Fatal(err)
				}
				want := &registry.Registered{Decision: registry.Deny, Advice: registry.AdviceNewChallenge}
				if diff := cmp.Diff(want, out); diff != "" {
					t.Errorf("%s: %s", caller.Kind, diff)
				}
			}
			if diff := cmp.Diff(before, r.allRows()); diff != "" {
				t.Errorf("rows: %s", diff)
			}
			if !bytes.Equal(bytesBefore, r.written()) {
				t.Error("the files have changed")
			}
			r.register(in)
			after := r.allRows()
			if after["audit_entry"] != before["audit_entry"]+1 || after["outbox"] != before["outbox"]+1 {
				t.Errorf("the backend's call: rows %v, before %v", after, before)
			}
			r.mustCheck()
		})
	}
}

// TestLateAnonymous: the same holds for a challenge that somebody else uses
// while the evidence is verified.
func TestLateAnonymous(t *testing.T) {
	r := newRig(t)
	in := r.androidRegistration()
	var before map[string]int
	o := *r.opts
	o.Update, o.View = storetest.Registry(r.store)
	verifier := o.Verifier
	o.TestingOnlyVerify(func(ev attest.Evidence, want attest.Expect, p *attest.Policy, now time.Time) (attest.Verdict, error) {
		r.mustAllow(in)
		before = r.allRows()
		return verifier.Verify(ev, want, p, now)
	})
	s, err := registry.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Register(t.Context(), account.Caller{Kind: account.Anonymous, App: "demo"}, in)
	if err != nil || out.Decision != registry.Deny || out.Advice != registry.AdviceNewChallenge || out.Verdict != nil || out.KeyID != "" {
		t.Errorf("%+v, %v", out, err)
	}
	if diff := cmp.Diff(before, r.allRows()); diff != "" {
		t.Errorf("rows: %s", diff)
	}
}

// TestNoChallengeNoTransaction: a flood without challenges does not even take
// the turn of one who writes.
func TestNoChallengeNoTransaction(t *testing.T) {
	r := newRig(t)
	in := r.androidRegistration()
	in.Challenge = make([]byte, 32)
	o := *r.opts
	_, o.View = storetest.Registry(r.store)
	o.Update = func(context.Context, func(registry.Tx) error) error { t.Error("Update was called"); return nil }
	s, err := registry.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Register(t.Context(), account.Caller{Kind: account.Anonymous, App: "demo"}, in); err != nil {
		t.Error(err)
	}
}

// allRows counts the rows of every table.
func (r *rig) allRows() map[string]int {
	r.t.Helper()
	db, err := sql.Open("sqlite", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]int{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			r.t.Fatal(err)
		}
		all[name] = r.rows(name)
	}
	if err := rows.Err(); err != nil || len(all) < 6 {
		r.t.Fatalf("tables %v, %v", all, err)
	}
	return all
}

// written gives the bytes of the file and of its log.
func (r *rig) written() []byte {
	r.t.Helper()
	var all []byte
	for _, name := range []string{r.path, r.path + "-wal"} {
		data, err := os.ReadFile(name)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}
