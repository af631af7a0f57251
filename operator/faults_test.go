package operator_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/store/storetest"
)

// TestFaults: wherever an invitation, an enrolment, a sign-in, a look and a removal
// are cut off, trying again does the rest, and the record tells of all.
func TestFaults(t *testing.T) {
	for _, when := range []storetest.When{storetest.Before, storetest.After} {
		for n := 1; ; n++ {
			if fired := faulty(t, n, when); !fired {
				if n < 15 {
					t.Fatalf("only %d calls of the store", n-1)
				}
				break
			}
		}
	}
}

// faulty goes through everything with a fault at the n-th call of the store, and
// reports whether there was such a call.
func faulty(t *testing.T, n int, when storetest.When) bool {
	t.Helper()
	r := newRig(t)
	f := storetest.NewFaulty(storetest.Of[*sqlite.Tx](r.store), n, when)
	r.Service = r.serve(func(o *operator.Options) {
		o.Update = func(ctx context.Context, fn func(operator.Tx) error) error {
			return f.Update(ctx, func(tx storetest.Tx) error { return fn(tx) })
		}
		o.View = func(ctx context.Context, fn func(operator.Tx) error) error {
			return f.View(ctx, func(tx storetest.Tx) error { return fn(tx) })
		}
	})
	ctx := t.Context()
	again := func(do func() error) {
		t.Helper()
		err := do()
		if errors.Is(err, storetest.ErrFault) {
			err = do()
		}
		if err != nil {
			t.Fatalf("call %d (%s), took effect: %v: %v", n, f.Fired(), when, err)
		}
	}
	var in *operator.Invited
	var s *operator.Signed
	again(func() (err error) { in, err = r.Invite(ctx, local, "mika"); return err })
	again(func() error { // one whose answer was lost is in already, and signs in
		err := r.tryEnrol(in.Secret, &s)
		if errors.Is(err, operator.ErrInvitation) {
			err = r.trySignIn(&s)
		}
		return err
	})
	again(func() error { return r.trySignIn(&s) })
	again(func() error { return r.Look(ctx, s.Token, alice) })
	again(func() error { _, err := r.Check(ctx, s.Token); return err })
	again(func() error {
		_, err := r.Remove(ctx, local, "mika")
		if errors.Is(err, operator.ErrUnknown) { // it took effect before
			return nil
		}
		return err
	})
	r.check()
	want := map[string]int{"operator.view": 1, "operator.remove": 1, "operator.enrol": 1}
	for _, e := range r.entries() {
		want[e.Action]--
	}
	for _, action := range []string{"operator.view", "operator.remove", "operator.enrol"} {
		if want[action] != 0 {
			t.Errorf("call %d (%s): %s is recorded %d times", n, f.Fired(), action, 1-want[action])
		}
	}
	return f.Fired() != ""
}

func (r *rig) tryEnrol(link operator.Secret, s **operator.Signed) error {
	b, err := r.BeginEnrol(r.t.Context(), link, r.browser)
	if err != nil {
		return err
	}
	response, err := r.key.Create(b.Options, origin)
	if err != nil {
		return err
	}
	*s, err = r.FinishEnrol(r.t.Context(), &operator.Answer{Ceremony: b.Ceremony, Response: response, Browser: r.browser})
	return err
}

func (r *rig) trySignIn(s **operator.Signed) error {
	b, err := r.BeginSignIn(r.t.Context(), r.browser)
	if err != nil {
		return err
	}
	response, err := r.key.Get(b.Options, origin)
	if err != nil {
		return err
	}
	*s, err = r.FinishSignIn(r.t.Context(), &operator.Answer{Ceremony: b.Ceremony, Response: response, Browser: r.browser})
	return err
}

// TestExisting: who writes beside a server makes no store, and moves no schema.
func TestExisting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "demo.db")
	if s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: path, App: "demo", Existing: true}); err == nil {
		t.Errorf("made a store: %v", s)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left a file: %v", err)
	}
	r := newRig(t)
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: r.path, App: "demo", Existing: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	beside, err := operator.New(&operator.Options{
		App: "demo", RowKey: rowKey, Now: time.Now,
		Update: func(ctx context.Context, fn func(operator.Tx) error) error {
			return s.Update(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
		View: func(ctx context.Context, fn func(operator.Tx) error) error {
			return s.View(ctx, func(tx *sqlite.Tx) error { return fn(tx) })
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	in, err := beside.Invite(t.Context(), local, "mika")
	if err != nil {
		t.Fatal(err)
	}
	r.now = time.Now()
	if _, err := r.FinishEnrol(t.Context(), r.enrolment(in.Secret)); err != nil {
		t.Errorf("invited beside the server: %v", err)
	}
	if _, err := beside.BeginSignIn(t.Context(), r.browser); !errors.Is(err, operator.ErrNotAllowed) {
		t.Errorf("without a Relying Party: %v", err)
	}
	r.check()
	if _, err := beside.Invite(t.Context(), account.Caller{}, "aki"); !errors.Is(err, operator.ErrNotAllowed) {
		t.Errorf("by nobody: %v", err)
	}
}
