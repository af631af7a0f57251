package registry_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/registry"
)

// nobodys is evidence for a key that is nobody's yet.
func (r *rig) nobodys() *registry.Registration {
	r.t.Helper()
	c := r.challenge("")
	key, err := androidPhone(r.t).GenerateKey(r.clock(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return &registry.Registration{App: "demo", Challenge: c, CertificateChain: key.Chain(), ForNobody: true}
}

func (r *rig) adopt(id account.ID, key string) (out *registry.Registered, err error) {
	r.t.Helper()
	err = r.inOne(func(tx registry.Tx) error {
		out, err = r.Adopt(r.t.Context(), tx, backend, id, key, r.clock())
		return err
	})
	return out, err
}

// TestForNobody: a key without an account is kept pending by a flow, and comes
// no other way.
func TestForNobody(t *testing.T) {
	r := newRig(t)
	if _, err := r.Register(t.Context(), backend, r.nobodys()); !errors.Is(err, registry.ErrNotAllowed) {
		t.Errorf("Register: %v", err)
	}
	for name, change := range map[string]func(*registry.Registration){
		"for an account":   func(in *registry.Registration) { in.Account = alice },
		"replaces a key":   func(in *registry.Registration) { in.Replaces = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
		"for no account":   func(in *registry.Registration) { in.ForNobody = false },
		"before a sign-up": func(in *registry.Registration) { in.ForNobody, in.BeforeSignUp = false, true },
	} {
		in := r.nobodys()
		change(in)
		if _, err := r.Verify(t.Context(), backend, in); !errors.Is(err, registry.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, err := r.Verify(t.Context(), backend, r.nobodys())
	if err != nil {
		t.Fatal(err)
	}
	err = r.inOne(func(tx registry.Tx) error { _, err := a.Commit(t.Context(), tx, registry.StateActive); return err })
	if err == nil {
		t.Error("an active key of nobody")
	}
	theirs := r.nobodys() // with the challenge of an account
	theirs.Challenge = r.androidRegistration().Challenge
	if out := r.commit(theirs, registry.StatePending); out.Decision != registry.Deny {
		t.Errorf("with an account's challenge: %+v", out)
	}
	out := r.commit(r.nobodys(), registry.StatePending)
	if k := r.key(out.KeyID); k.State != registry.StatePending || k.Account != "" {
		t.Errorf("key %+v", k)
	}
	r.mustCheck()
}

// TestAdopt: a key of nobody becomes an account's at the end of its flow, once,
// and if nothing speaks against it then.
func TestAdopt(t *testing.T) {
	state := func(s registry.State) func(*rig, *registry.Key) { return func(_ *rig, k *registry.Key) { k.State = s } }
	tests := []struct {
		name    string
		mode    string
		change  func(*rig, *registry.Key)
		allowed bool
		state   registry.State
		checked bool // the store was changed by nobody but the registry
	}{
		{"good", "enforce", func(*rig, *registry.Key) {}, true, registry.StateActive, true},
		{"only observed", "enforce", state(registry.StateObserved), false, registry.StateObserved, false},
		{"only observed, observed", "observe", state(registry.StateObserved), true, registry.StateObserved, false},
		{"key revoked", "observe", state(registry.StateRevoked), false, registry.StateRevoked, false},
		{"no list", "enforce", func(r *rig, _ *registry.Key) { r.opts.Status = nil }, false, registry.StatePending, true},
		{"no list, observed", "observe", func(r *rig, _ *registry.Key) { r.opts.Status = nil }, true, registry.StateObserved, true},
		{"issuer revoked", "observe", func(r *rig, k *registry.Key) {
			list := android.NewStatusList("sha256:new", nil, 1, map[string]string{k.Serials[0]: android.StatusRevoked})
			r.opts.Status = func() *android.StatusList { return list }
		}, false, registry.StateRevoked, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, under(t, func(f *attest.PolicyFile) { f.Rollout = []attest.Stage{stage(tt.mode)} }))
			k := r.key(r.commit(r.nobodys(), registry.StatePending).KeyID)
			tt.change(r, &k)
			r.put(k)
			r.Service = r.service(r.store)
			out, err := r.adopt(alice, k.ID)
			if err != nil {
				t.Fatal(err)
			}
			want := account.ID("")
			if tt.allowed {
				want = alice
			}
			if got := r.key(k.ID); got.State != tt.state || got.Account != want || (out.Decision == registry.Allow) != tt.allowed {
				t.Errorf("%s: key of %q, %s", out.Decision, got.Account, got.State)
			}
			if tt.checked {
				r.mustCheck()
			}
		})
	}
}

// TestAdoptOnce: what is somebody's is adopted by nobody, he included.
func TestAdoptOnce(t *testing.T) {
	r := newRig(t)
	k := r.commit(r.nobodys(), registry.StatePending).KeyID
	for _, id := range []account.ID{"", alice} {
		if _, err := r.activate(id, k); !errors.Is(err, registry.ErrKeyUnknown) {
			t.Errorf("Activate for %q: %v", id, err)
		}
	}
	if out, err := r.adopt(alice, k); err != nil || out.KeyID != k {
		t.Fatalf("%+v, %v", out, err)
	}
	mine := r.commit(r.androidRegistration(), registry.StatePending).KeyID
	for _, id := range []account.ID{alice, bob} {
		for _, key := range []string{k, mine} {
			if _, err := r.adopt(id, key); !errors.Is(err, registry.ErrKeyUnknown) {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	if _, err := r.adopt("", r.commit(r.nobodys(), registry.StatePending).KeyID); !errors.Is(err, registry.ErrMalformed) {
		t.Errorf("for nobody: %v", err)
	}
	r.mustCheck()
}

// TestAdoptCounts: how many new keys an account has is asked when the key
// becomes its own.
func TestAdoptCounts(t *testing.T) {
	r := newRig(t, under(t, risky(attest.KeysPerAccount30Days, 3)))
	keys := make([]string, 5)
	for i := range keys {
		keys[i] = r.commit(r.nobodys(), registry.StatePending).KeyID
		if keys[i] == "" {
			t.Fatalf("key %d of nobody was counted", i)
		}
	}
	for i, want := range []registry.Decision{registry.Allow, registry.Allow, registry.Deny} {
		if out, err := r.adopt(alice, keys[i]); err != nil || out.Decision != want {
			t.Errorf("key %d: %+v, %v", i, out, err)
		}
	}
	if out, err := r.adopt(bob, keys[2]); err != nil || out.Decision != registry.Allow {
		t.Errorf("another account: %+v, %v", out, err)
	}
	r.mustCheck()
}

// TestAdoptApple: the receipt goes with the key.
func TestAdoptApple(t *testing.T) {
	r := newRig(t)
	in := r.appleOf("", applePhone(t).GenerateKey())
	in.ForNobody = true
	k := r.commit(in, registry.StatePending).KeyID
	if _, err := r.adopt(alice, k); err != nil || r.receipt(k).Account != alice {
		t.Errorf("%v; receipt of %q", err, r.receipt(k).Account)
	}
	r.mustCheck()
}

// TestAdoptUndone: nothing is left of it when the flow fails.
func TestAdoptUndone(t *testing.T) {
	r := newRig(t)
	k := r.commit(r.nobodys(), registry.StatePending).KeyID
	stop := errors.New("stop")
	err := r.inOne(func(tx registry.Tx) error {
		if _, err := r.Adopt(context.Background(), tx, backend, alice, k, noon.Add(time.Minute)); err != nil {
			t.Error(err)
		}
		return stop
	})
	if !errors.Is(err, stop) || r.key(k).Account != "" {
		t.Errorf("%v; key %+v", err, r.key(k))
	}
	r.mustCheck()
}
