package registry_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

// inOne runs fn in one transaction of the store, as a flow does.
func (r *rig) inOne(fn func(registry.Tx) error) error {
	update, _ := storetest.Registry(r.store)
	return update(r.t.Context(), fn)
}

// commit verifies a registration and commits it in a flow's transaction.
func (r *rig) commit(in *registry.Registration, state registry.State) (out *registry.Registered) {
	r.t.Helper()
	a, err := r.Verify(r.t.Context(), backend, in)
	if err != nil {
		r.t.Fatal(err)
	}
	if r.used(in.Challenge) {
		r.t.Error("Verify has used the challenge up")
	}
	err = r.inOne(func(tx registry.Tx) (err error) {
		out, err = a.Commit(r.t.Context(), tx, state)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// activate is the end of a flow.
func (r *rig) activate(id account.ID, key string) (out *registry.Registered, err error) {
	r.t.Helper()
	err = r.inOne(func(tx registry.Tx) error {
		out, err = r.Activate(r.t.Context(), tx, backend, id, key, r.clock())
		return err
	})
	return out, err
}

// TestSteps: a flow commits the key in its own transaction, and nothing is left
// of it when that fails.
func TestSteps(t *testing.T) {
	r := newRig(t)
	in := r.androidRegistration()
	a, err := r.Verify(t.Context(), backend, in)
	if err != nil {
		t.Fatal(err)
	}
	before := r.allRows()
	stop := errors.New("stop")
	err = r.inOne(func(tx registry.Tx) error {
		if out, err := a.Commit(t.Context(), tx, registry.StateActive); err != nil || out.Decision != registry.Allow {
			t.Errorf("%+v, %v", out, err)
		}
		return stop
	})
	if !errors.Is(err, stop) || r.used(in.Challenge) {
		t.Errorf("%v; challenge used %v", err, r.used(in.Challenge))
	}
	if diff := cmp.Diff(before, r.allRows()); diff != "" {
		t.Error(diff)
	}
	if err := r.inOne(func(tx registry.Tx) error { _, err := a.Commit(t.Context(), tx, registry.StateRevoked); return err }); err == nil {
		t.Error("registered a revoked key")
	}
	out := r.commit(in, registry.StatePending)
	if k := r.key(out.KeyID); k.State != registry.StatePending || out.Verdict == nil || out.Evidence == "" {
		t.Errorf("key %+v, answer %+v", k, out)
	}
	late := r.commit(r.androidRegistration(unlocked), registry.StatePending)
	if late.Decision != registry.Deny || r.rows("attest_key") != 1 {
		t.Errorf("an unlocked phone: %+v", late)
	}
	r.mustCheck()
}

// TestStepsTwice: an attempt is good for one commit.
func TestStepsTwice(t *testing.T) {
	r := newRig(t)
	a, err := r.Verify(t.Context(), backend, r.androidRegistration())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []registry.Decision{registry.Allow, registry.Deny, registry.Deny} {
		err := r.inOne(func(tx registry.Tx) error {
			out, err := a.Commit(t.Context(), tx, registry.StateActive)
			if err == nil && (out.Decision != want || out.Verdict.Has("common.challenge_used") != (want == registry.Deny)) {
				t.Errorf("%s: %+v", out.Decision, out.Verdict.Findings)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestBeforeSignUp: a flow that makes an account takes a challenge of nobody's;
// Register does not, and no other challenge is taken that way.
func TestBeforeSignUp(t *testing.T) {
	r := newRig(t)
	nobodys := func() *registry.Registration {
		c := r.challenge("")
		key, err := androidPhone(t).GenerateKey(noon, c)
		if err != nil {
			t.Fatal(err)
		}
		return &registry.Registration{App: "demo", Account: alice, Challenge: c, CertificateChain: key.Chain(), BeforeSignUp: true}
	}
	in := nobodys()
	if _, err := r.Register(t.Context(), backend, in); !errors.Is(err, registry.ErrNotAllowed) {
		t.Errorf("Register: %v", err)
	}
	if out := r.commit(in, registry.StateActive); out.Decision != registry.Allow || r.key(out.KeyID).Account != alice {
		t.Errorf("%+v", out)
	}
	in = nobodys()
	in.BeforeSignUp = false
	r.mustDeny(in, "common.challenge_unknown", registry.AdviceNewChallenge)
	in = r.androidRegistration() // of alice
	in.BeforeSignUp = true
	if out := r.commit(in, registry.StateActive); out.Decision != registry.Deny || !out.Verdict.Has("common.challenge_unknown") {
		t.Errorf("with an account's challenge: %+v", out.Verdict.Findings)
	}
}

// TestActivate: a pending key becomes active at the end of its flow, if nothing
// speaks against it then.
func TestActivate(t *testing.T) {
	revoked := func(r *rig, k *registry.Key) {
		list := android.NewStatusList("sha256:new", nil, 1, map[string]string{k.Serials[0]: android.StatusRevoked})
		r.opts.Status = func() *android.StatusList { return list }
	}
	suspended := func(r *rig, k *registry.Key) {
		list := android.NewStatusList("sha256:new", nil, 1, map[string]string{k.Serials[0]: android.StatusSuspended})
		r.opts.Status = func() *android.StatusList { return list }
	}
	in := func(state registry.State) func(*rig, *registry.Key) {
		return func(_ *rig, k *registry.Key) { k.State = state }
	}
	tests := []struct {
		name    string
		mode    string
		change  func(*rig, *registry.Key)
		code    string
		allowed bool
		state   registry.State
		events  int
	}{
		{"good", "enforce", func(*rig, *registry.Key) {}, "", true, registry.StateActive, 1},
		{"active", "enforce", in(registry.StateActive), "", true, registry.StateActive, 0},
		{"serial suspended", "enforce", suspended, "", true, registry.StateActive, 1},
		{"issuer revoked", "enforce", revoked, "android.revoked", false, registry.StateRevoked, 1},
		{"issuer revoked, observed", "observe", revoked, "android.revoked", false, registry.StateRevoked, 1},
		{"key revoked", "enforce", in(registry.StateRevoked), "common.key_revoked", false, registry.StateRevoked, 0},
		{"key revoked, observed", "observe", in(registry.StateRevoked), "common.key_revoked", false, registry.StateRevoked, 0},
		{"superseded", "enforce", in(registry.StateSuperseded), "common.key_not_attested", false, registry.StateSuperseded, 0},
		{"superseded, observed", "observe", in(registry.StateSuperseded), "common.key_not_attested", true, registry.StateSuperseded, 0},
		{"only observed", "enforce", in(registry.StateObserved), "common.key_not_attested", false, registry.StateObserved, 0},
		{"only observed, observed", "observe", in(registry.StateObserved), "common.key_not_attested", true, registry.StateObserved, 0},
		{"no list", "enforce", func(r *rig, _ *registry.Key) { r.opts.Status = nil }, "android.status_unavailable", false, registry.StatePending, 0},
		{"no list, observed", "observe", func(r *rig, _ *registry.Key) { r.opts.Status = nil }, "android.status_unavailable", true, registry.StateObserved, 1},
		{"old list", "enforce", func(r *rig, _ *registry.Key) {
			at := noon.Add(-72*time.Hour - time.Second)
			list := android.NewStatusList("sha256:old", &at, 0, nil)
			r.opts.Status = func() *android.StatusList { return list }
		}, "android.status_stale", false, registry.StatePending, 0},
		{"list from the future", "enforce", func(r *rig, _ *registry.Key) {
			at := noon.Add(72*time.Hour + time.Second)
			list := android.NewStatusList("sha256:future", &at, 0, nil)
			r.opts.Status = func() *android.StatusList { return list }
		}, "android.status_stale", false, registry.StatePending, 0},
		{"list of the greatest age", "enforce", func(r *rig, _ *registry.Key) {
			at := noon.Add(-72 * time.Hour)
			list := android.NewStatusList("sha256:old", &at, 0, nil)
			r.opts.Status = func() *android.StatusList { return list }
		}, "", true, registry.StateActive, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, under(t, func(f *attest.PolicyFile) { f.Rollout = []attest.Stage{stage(tt.mode)} }))
			k := r.key(r.commit(r.androidRegistration(), registry.StatePending).KeyID)
			tt.change(r, &k)
			r.put(k)
			r.Service = r.service(r.store)
			_, before := r.record()
			out, err := r.activate(alice, k.ID)
			if err != nil {
				t.Fatal(err)
			}
			if (out.Decision == registry.Allow) != tt.allowed || (out.KeyID != "") != tt.allowed || tt.code != "" && !out.Verdict.Has(tt.code) || out.Verdict.Accept() != (tt.code == "") {
				t.Errorf("%s, key %q: %+v", out.Decision, out.KeyID, out.Verdict.Findings)
			}
			if got := r.key(k.ID); got.State != tt.state || got.RegisteredAt != k.RegisteredAt {
				t.Errorf("key %+v", got)
			}
			if _, after := r.record(); len(after)-len(before) != tt.events {
				t.Errorf("%d events", len(after)-len(before))
			}
			if tt.events > 0 {
				r.mustCheck()
			}
		})
	}
}

// TestActivateUnknown: a key that is not there and one of somebody else are the
// same to a flow.
func TestActivateUnknown(t *testing.T) {
	r := newRig(t)
	k := r.commit(r.androidRegistration(), registry.StatePending).KeyID
	for name, tt := range map[string]struct {
		id  account.ID
		key string
	}{
		"not there":       {alice, base64.RawURLEncoding.EncodeToString(make([]byte, 32))},
		"somebody else's": {bob, k},
	} {
		if out, err := r.activate(tt.id, tt.key); !errors.Is(err, registry.ErrKeyUnknown) || out != nil {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	if r.key(k).State != registry.StatePending {
		t.Error("the key has changed")
	}
}

// TestActivateApple: an iPhone's key needs no revocation list.
func TestActivateApple(t *testing.T) {
	r := newRig(t, func(o *registry.Options) { o.Status = nil })
	k := r.commit(r.appleRegistration(applePhone(t).GenerateKey()), registry.StatePending).KeyID
	if out, err := r.activate(alice, k); err != nil || out.Decision != registry.Allow || r.key(k).State != registry.StateActive {
		t.Errorf("%+v, %v", out, err)
	}
	r.mustCheck()
}
