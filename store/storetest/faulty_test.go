package storetest_test

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/store/storetest"
	"github.com/staunchid/staunch/transfer"
)

// TestFaulty: the n-th call fails, before or after it took effect, and no other.
func TestFaulty(t *testing.T) {
	ctx := t.Context()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	hash := [32]byte{1}
	tests := []struct {
		n     int
		when  storetest.When
		fired string
		kept  bool
	}{
		{0, storetest.Before, "", true},
		{1, storetest.Before, "begin", false},
		{1, storetest.After, "begin", false},
		{2, storetest.Before, "AddChallenge", false},
		{2, storetest.After, "AddChallenge", false},
		{3, storetest.Before, "UseChallenge", false},
		{3, storetest.After, "UseChallenge", false},
		{4, storetest.Before, "commit", false},
		{4, storetest.After, "commit", true},
		{5, storetest.Before, "", true},
	}
	for _, tt := range tests {
		s, err := sqlite.Open(ctx, &sqlite.Options{Path: filepath.Join(t.TempDir(), "a.db"), App: "demo"})
		if err != nil {
			t.Fatal(err)
		}
		f := storetest.NewFaulty(storetest.Of[*sqlite.Tx](s), tt.n, tt.when)
		swallow := func(fn func(storetest.Tx) error) func(storetest.Tx) error {
			return func(tx storetest.Tx) error { fn(tx); return nil }
		}
		err = f.Update(ctx, swallow(func(tx storetest.Tx) error {
			if err := tx.AddChallenge(ctx, registry.Challenge{Hash: hash, App: "demo", Issued: now, Expires: now}); err != nil {
				return err
			}
			_, err := tx.UseChallenge(ctx, hash, now)
			return err
		}))
		if f.Fired() != tt.fired || errors.Is(err, storetest.ErrFault) != (tt.fired != "") {
			t.Errorf("call %d, after %v: fired at %q, %v", tt.n, tt.when, f.Fired(), err)
		}
		err = s.View(ctx, func(tx *sqlite.Tx) error { _, err := tx.Challenge(ctx, hash); return err })
		if (err == nil) != tt.kept {
			t.Errorf("call %d, after %v: kept is %v", tt.n, tt.when, err == nil)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestFaultyViews: views are counted as well.
func TestFaultyViews(t *testing.T) {
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: filepath.Join(t.TempDir(), "a.db"), App: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for n, name := range map[int]string{1: "begin", 2: "Challenge", 3: "commit", 4: ""} {
		f := storetest.NewFaulty(storetest.Of[*sqlite.Tx](s), n, storetest.Before)
		err := f.View(t.Context(), func(tx storetest.Tx) error {
			_, err := tx.Challenge(context.Background(), [32]byte{})
			if errors.Is(err, registry.ErrChallengeUnknown) {
				return nil
			}
			return err
		})
		if f.Fired() != name || (err != nil) != (name != "") {
			t.Errorf("call %d: fired at %q, %v", n, f.Fired(), err)
		}
	}
}

// TestFaultyMethods: each method of the flows' own can be made to fail.
func TestFaultyMethods(t *testing.T) {
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: filepath.Join(t.TempDir(), "a.db"), App: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var names []string
	for _, tx := range []reflect.Type{reflect.TypeFor[integrity.Tx](), reflect.TypeFor[recovery.Tx](), reflect.TypeFor[transfer.Tx]()} {
		for i := range tx.NumMethod() {
			names = append(names, tx.Method(i).Name)
		}
	}
	for _, name := range names {
		if _, there := reflect.TypeFor[registry.Tx]().MethodByName(name); there {
			continue
		}
		f := storetest.NewFaulty(storetest.Of[*sqlite.Tx](s), 2, storetest.Before)
		err := f.Update(t.Context(), func(tx storetest.Tx) error {
			method := reflect.ValueOf(tx).MethodByName(name)
			args := []reflect.Value{reflect.ValueOf(t.Context())}
			for j := 1; j < method.Type().NumIn(); j++ {
				args = append(args, reflect.Zero(method.Type().In(j)))
			}
			out := method.Call(args)
			err, _ := out[len(out)-1].Interface().(error)
			return err
		})
		if f.Fired() != name || !errors.Is(err, storetest.ErrFault) {
			t.Errorf("%s: %q fired, %v", name, f.Fired(), err)
		}
	}
}
