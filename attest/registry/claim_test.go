package registry_test

import (
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
)

// claimed is a rig that observes first and enforces when enforce is called. Bob
// has claimed the key of alice's phone, whose evidence, over her challenge, he
// has seen on its way.
func claimed(t *testing.T) (r *rig, hers *registry.Registration, key string, enforce func()) {
	t.Helper()
	p := changedPolicy(t, observes)
	r = newRig(t, func(o *registry.Options) { o.Policy = func() *attest.Policy { return p } })
	hers = r.androidRegistration()
	his := *hers
	his.Account, his.Challenge = bob, r.challenge(bob)
	out := r.register(&his)
	if k := r.key(out.KeyID); k.State != registry.StateObserved || k.Account != bob {
		t.Fatalf("key %+v", k)
	}
	return r, hers, out.KeyID, func() { p = demoPolicy(t) }
}

// registerOf is a good registration of some account's own key.
func (r *rig) registerOf(id account.ID) *registry.Registration {
	r.t.Helper()
	c := r.challenge(id)
	key, err := androidPhone(r.t).GenerateKey(r.clock(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return &registry.Registration{App: "demo", Account: id, Challenge: c, CertificateChain: key.Chain()}
}

func (r *rig) revoke(key string) {
	r.t.Helper()
	if _, err := r.RevokeKey(r.t.Context(), backend, "demo", key, "claimed"); err != nil {
		r.t.Fatal(err)
	}
}

// TestClaimsStandInNobodysWay: whatever is done to a key that was never better
// than observed, its true owner registers it.
func TestClaimsStandInNobodysWay(t *testing.T) {
	replace := func(r *rig, key string) {
		in := r.registerOf(bob)
		in.Replaces = key
		r.mustAllow(in)
	}
	tests := []struct {
		name  string
		done  func(r *rig, key string)
		state registry.State // of the claimed key then
	}{
		{"nothing", func(*rig, string) {}, registry.StateObserved},
		{"observed at the end of its flow", func(r *rig, key string) {
			r.change(key, func(k *registry.Key) { k.Tier = attest.TierAffirming })
		}, registry.StateObserved},
		{"replaced", replace, registry.StateObserved},
		{"replaced twice", func(r *rig, key string) { replace(r, key); replace(r, key) }, registry.StateObserved},
		{"replaced by an observed one", func(r *rig, key string) {
			in := r.registerOf(bob)
			in.Replaces, in.Challenge = key, r.challenge(bob)
			if out := r.register(in); out.Decision != registry.Allow || r.key(out.KeyID).State != registry.StateObserved {
				r.t.Fatalf("%+v", out)
			}
		}, registry.StateObserved},
		{"revoked", (*rig).revoke, registry.StateRevoked},
		{"revoked twice", func(r *rig, key string) { r.revoke(key); r.revoke(key) }, registry.StateRevoked},
		{"revoked and replaced", func(r *rig, key string) { r.revoke(key); replace(r, key) }, registry.StateRevoked},
		{"replaced and revoked", func(r *rig, key string) { replace(r, key); r.revoke(key) }, registry.StateRevoked},
		{"superseded, by an earlier version", func(r *rig, key string) {
			r.change(key, func(k *registry.Key) { k.State = registry.StateSuperseded })
		}, registry.StateSuperseded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, hers, key, enforce := claimed(t)
			tt.done(r, key)
			if k := r.key(key); k.State != tt.state || k.Account != bob {
				t.Fatalf("the claimed key is %s, of %s", k.State, k.Account)
			}
			enforce()
			out := r.mustAllow(hers)
			if k := r.key(key); out.KeyID != key || k.State != registry.StateActive || k.Account != alice {
				t.Errorf("%+v", k)
			}
			if e := r.lastEntry(bob); e.Action != "attest.release" || e.Subject != key {
				t.Errorf("bob's last entry is %+v", e)
			}
			r.mustCheck()
		})
	}
}

// TestRevokedClaim: the revocation of a key that was only observed holds for
// the account that claimed it, also when it brings proof, and in every mode.
func TestRevokedClaim(t *testing.T) {
	p := changedPolicy(t, observes)
	r := newRig(t, func(o *registry.Options) { o.Policy = func() *attest.Policy { return p } })
	key := applePhone(t).GenerateKey()
	id := r.register(r.appleRegistration(key, func(d *attesttest.AppleDraft) { d.RPIDHash = make([]byte, 32) })).KeyID
	r.revoke(id)
	for _, mode := range []string{"observe", "enforce"} {
		p = changedPolicy(t, func(f *attest.PolicyFile) { f.Rollout = []attest.Stage{stage(mode)} })
		r.mustDeny(r.appleRegistration(key), "common.key_revoked", registry.AdviceContact)
		if k := r.key(id); k.State != registry.StateRevoked || k.Account != alice {
			t.Errorf("%s: %+v", mode, k)
		}
	}
	r.mustAllow(r.appleOf(bob, key))
	if k := r.key(id); k.State != registry.StateActive || k.Account != bob {
		t.Errorf("%+v", k)
	}
	r.mustCheck()
}

// TestProvedKeysStay: a key that was accepted once is its account's for ever.
func TestProvedKeysStay(t *testing.T) {
	for _, tt := range []struct {
		state          registry.State
		same, anothers string // findings; empty: accepted
	}{
		{registry.StateActive, "", "common.key_exists"},
		{registry.StatePending, "", "common.key_exists"},
		{registry.StateRevoked, "common.key_revoked", "common.key_exists"},
		{registry.StateSuperseded, "common.key_not_attested", "common.key_exists"},
	} {
		for id, code := range map[account.ID]string{alice: tt.same, bob: tt.anothers} {
			r := newRig(t)
			key := applePhone(t).GenerateKey()
			k := r.key(r.mustAllow(r.appleRegistration(key)).KeyID)
			k.State = tt.state
			r.put(k)
			out := r.register(r.appleOf(id, key))
			if (out.Decision == registry.Allow) != (code == "") || code != "" && !out.Verdict.Has(code) {
				t.Errorf("%s, %s: %s: %+v", tt.state, id, out.Decision, out.Verdict.Findings)
			}
			if got := r.key(k.ID); got.State != tt.state || got.Account != alice {
				t.Errorf("%s, %s: now %s, of %s", tt.state, id, got.State, got.Account)
			}
		}
	}
}
