package recovery_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest"
	"github.com/staunchid/staunch/recovery/wire"
)

// kinds are the profiles and shapes that all pass the user's suite.
func kinds() map[string]recoverytest.Options {
	return map[string]recoverytest.Options{
		"kr1-2of3":         {},
		"kr1-2of3-suite-2": {Suite: wire.Suite2},
		"kr1-single":       {Profile: recovery.ProfileSingle},
		"kr1-3of5":         {Profile: "kr1-3of5", N: 5, T: 3},
		"kr1-3of3":         {Profile: "kr1-3of3", N: 3, T: 3},
		"seed":             {Profile: recovery.ProfileSeed},
	}
}

// TestUser is what a user sees, the same in every profile.
func TestUser(t *testing.T) {
	for name, o := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Run("walk", func(t *testing.T) { walk(t, o) })
			t.Run("change", func(t *testing.T) { change(t, o) })
			t.Run("delete", func(t *testing.T) { remove(t, o) })
		})
	}
}

// walk is the black-box walk of docs/recovery.md: nine wrong, the right one, ten
// wrong, and locked for ever.
func walk(t *testing.T, o recoverytest.Options) {
	p := newPhone(t, o)
	if _, err := p.recover("482915"); !errors.Is(err, recovery.ErrNotFound) {
		t.Fatalf("before the first backup: %v", err)
	}
	p.must(p.register("482915", "secret"))
	if in := p.journal().Info(); !in.Found || !in.Complete || in.Remaining != 10 || in.Limit != 10 || in.Acknowledged != in.Vaults {
		t.Errorf("after registering: %+v", in)
	}
	for i := range 9 {
		p.wrong(fmt.Sprint("00000", i), 9-i)
	}
	p.recovers("482915", "secret")
	for i := range 10 {
		p.wrong(fmt.Sprint("00000", i), 9-i)
	}
	p.wrong("482915", 0)
	p.must(p.register("739164", "secret")) // the phone is still there: it makes another
	p.recovers("739164", "secret")
	p.wrong("482915", 9)
}

// change is another PIN, another payload, and what a phone does after recovery.
func change(t *testing.T, o recoverytest.Options) {
	p := newPhone(t, o)
	p.must(p.register("482915", "one"))
	p.wrong("000000", 9)
	p.must(p.register("739164", "two"))
	p.recovers("739164", "two")
	p.wrong("482915", 9)

	err := p.client.Update(t.Context(), p.journal(), payloadOf("three"))
	if seed := o.Profile == recovery.ProfileSeed; seed != errors.Is(err, recovery.ErrProfile) || !seed && err != nil {
		t.Fatalf("update: %v", err)
	}
	if err != nil { // the enclave wants the PIN
		p.must(p.register("739164", "three"))
	}
	r := p.recovers("739164", "three")
	if r.Payload.Seq < 2 {
		t.Errorf("seq %d after an update", r.Payload.Seq)
	}
	if s := recovered(t, p.service); s < 2 {
		t.Errorf("%d sessions were finished", s)
	}
	b, err := p.client.Renew(t.Context(), r.Backup, r.PIN, r.Payload)
	p.must(err)
	if in := b.Info(); !in.Complete || in.Reg == r.Reg {
		t.Errorf("renewed: %+v", in)
	}
	p.recovers("739164", "three")
}

func recovered(t *testing.T, s *recoverytest.Service) int {
	t.Helper()
	return s.Finished()
}

func remove(t *testing.T, o recoverytest.Options) {
	p := newPhone(t, o)
	if _, err := p.client.Delete(t.Context(), nil); !errors.Is(err, recovery.ErrNotFound) {
		t.Errorf("nothing to delete: %v", err)
	}
	p.must(p.register("482915", "one"))
	_, err := p.client.Delete(t.Context(), p.journal())
	p.must(err)
	if in := p.journal().Info(); in.Found {
		t.Errorf("after deleting: %+v", in)
	}
	if r, err := p.recover("482915"); err == nil {
		t.Errorf("recovered %v after deletion", r.Reg)
	}
	p.must(p.register("482915", "two"))
	p.recovers("482915", "two")
}
