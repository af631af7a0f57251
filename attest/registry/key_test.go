package registry_test

import (
	"bytes"
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

// put changes a stored key behind the service's back, with the entry that a
// check wants to see.
func (r *rig) put(k registry.Key) {
	r.t.Helper()
	err := r.store.Update(r.t.Context(), func(tx storetest.Tx) error { return tx.PutAttestedKey(r.t.Context(), k) })
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestRegisterAgain: a phone may attest a key again. An iPhone's key keeps its
// counter; a key of another account, a revoked and a replaced one stay out.
func TestRegisterAgain(t *testing.T) {
	tests := []struct {
		name   string
		change func(*registry.Key) // of what is stored
		code   string              // empty: accepted
		state  registry.State
	}{
		{"active", func(*registry.Key) {}, "", registry.StateActive},
		{"pending", func(k *registry.Key) { k.State = registry.StatePending }, "", registry.StatePending},
		{"observed", func(k *registry.Key) { k.State = registry.StateObserved }, "", registry.StateActive},
		{"revoked", func(k *registry.Key) { k.State = registry.StateRevoked }, "common.key_revoked", registry.StateRevoked},
		{"superseded", func(k *registry.Key) { k.State = registry.StateSuperseded }, "common.key_not_attested", registry.StateSuperseded},
		{"of another account", func(k *registry.Key) { k.Account = bob }, "common.key_exists", registry.StateActive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			key := applePhone(t).GenerateKey()
			first := r.mustAllow(r.appleRegistration(key))
			stored := r.key(first.KeyID)
			stored.Counter, stored.Window, stored.LastUsed = 7, 3, noon.Truncate(24*time.Hour)
			tt.change(&stored)
			r.put(stored)
			r.advance(time.Hour)
			in := r.appleRegistration(key)
			if tt.code != "" {
				out := r.register(in)
				if out.Decision != registry.Deny || !out.Verdict.Has(tt.code) || out.Verdict.Tier != attest.TierContraindicated {
					t.Errorf("%s, tier %s: %+v", out.Decision, out.Verdict.Tier, out.Verdict.Findings)
				}
				if diff := cmp.Diff(stored, r.key(first.KeyID)); diff != "" {
					t.Errorf("the stored key has changed: %s", diff)
				}
				return
			}
			second := r.mustAllow(in)
			want := stored
			want.State, want.RegisteredAt, want.Evidence = tt.state, noon.Add(time.Hour), second.Evidence
			if diff := cmp.Diff(want, r.key(first.KeyID)); diff != "" || second.Evidence == first.Evidence {
				t.Errorf("registered again: %s", diff)
			}
			r.mustCheck()
		})
	}
}

// TestReplaces: the new key takes the place of an old one of the account, and
// of no other.
func TestReplaces(t *testing.T) {
	tests := []struct {
		name     string
		replaces func(*rig, registry.Key) string // given the old key of alice
		code     string
		old      registry.State
	}{
		{"the old key", func(_ *rig, old registry.Key) string { return old.ID }, "", registry.StateSuperseded},
		{"nothing", func(*rig, registry.Key) string { return "" }, "", registry.StateActive},
		{"a revoked key", func(r *rig, old registry.Key) string {
			old.State = registry.StateRevoked
			r.put(old)
			return old.ID
		}, "", registry.StateRevoked},
		{"an unknown key", func(*rig, registry.Key) string {
			return base64.RawURLEncoding.EncodeToString(make([]byte, 32))
		}, "common.account_mismatch", registry.StateActive},
		{"another account's key", func(r *rig, old registry.Key) string {
			old.Account = bob
			r.put(old)
			return old.ID
		}, "common.account_mismatch", registry.StateActive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			old := r.key(r.mustAllow(r.androidRegistration()).KeyID)
			in := r.androidRegistration()
			in.Replaces = tt.replaces(r, old)
			if tt.code != "" {
				out := r.mustDeny(in, tt.code, registry.AdviceContact)
				if out.Verdict.Tier != attest.TierContraindicated {
					t.Errorf("tier %s", out.Verdict.Tier)
				}
			} else if out := r.mustAllow(in); r.key(out.KeyID).State != registry.StateActive {
				t.Errorf("new key is %s", r.key(out.KeyID).State)
			}
			if got := r.key(old.ID).State; got != tt.old {
				t.Errorf("old key is %s, want %s", got, tt.old)
			}
		})
	}
}

// TestReplacesOnRecord: who was replaced by whom.
func TestReplacesOnRecord(t *testing.T) {
	r := newRig(t)
	old := r.mustAllow(r.androidRegistration()).KeyID
	in := r.androidRegistration()
	in.Replaces = old
	out := r.mustAllow(in)
	entries, events := r.record()
	if len(entries) != 3 || len(events) != 3 {
		t.Fatalf("%d entries and %d events", len(entries), len(events))
	}
	last, digest := entries[2], r.key(old).Digest()
	if last.Action != "attest.supersede" || last.Subject != old || !bytes.Equal(last.Object, digest[:]) || !bytes.Contains(last.Detail, []byte(`"by":"`+out.KeyID+`"`)) {
		t.Errorf("entry %+v: %s", last, last.Detail)
	}
	if e := events[2]; e.Type != "attest.key_superseded" || e.Account != alice || !e.At.Equal(noon) {
		t.Errorf("event %+v", e)
	}
	if e := events[1]; e.Type != "attest.key_registered" || !bytes.Contains(e.Body, []byte(out.KeyID)) {
		t.Errorf("event %+v", e)
	}
	r.mustCheck()
}

// TestKeyDigest: it covers everything but what changes with use.
func TestKeyDigest(t *testing.T) {
	base := registry.Key{}
	free := map[string]bool{"counter": true, "window": true, "last used": true}
	for name, k := range map[string]registry.Key{
		"id": {ID: "x"}, "app": {App: "x"}, "account": {Account: "x"}, "platform": {Platform: "x"}, "spki": {SPKI: []byte{1}},
		"algorithm": {Algorithm: "x"}, "app id": {AppID: "x"}, "tier": {Tier: "x"}, "state": {State: "x"}, "model": {Model: "x"},
		"os": {OS: "x"}, "device": {Device: []byte{1}}, "policy": {PolicyDigest: "x"}, "evidence": {Evidence: "x"},
		"batch": {Batch: []byte{1}}, "provisioning": {Provisioning: "x"},
		"serials": {Serials: []string{"x"}}, "registered at": {RegisteredAt: noon}, "counter": {Counter: 1}, "window": {Window: 1}, "last used": {LastUsed: noon},
	} {
		if (k.Digest() == base.Digest()) != free[name] {
			t.Errorf("%s: covered is %v", name, k.Digest() != base.Digest())
		}
	}
	for _, pair := range [][2]registry.Key{
		{{Model: "xy"}, {Model: "x", OS: "y"}},
		{{Serials: []string{"xy"}}, {Serials: []string{"x", "y"}}},
		{{Batch: []byte("x"), Provisioning: "y"}, {Serials: []string{"x", "y"}}},
		{{Batch: []byte("xy")}, {Batch: []byte("x"), Provisioning: "y"}},
	} {
		if pair[0].Digest() == pair[1].Digest() {
			t.Error("fields run into each other")
		}
	}
}

// TestEvidenceDigest: it covers everything.
func TestEvidenceDigest(t *testing.T) {
	base := registry.Evidence{}
	for name, e := range map[string]registry.Evidence{
		"id": {ID: "x"}, "account": {Account: "x"}, "key": {Key: "x"}, "at": {At: noon}, "until": {Until: noon},
		"verdict": {Verdict: []byte{1}}, "bundle": {Bundle: []byte{1}},
	} {
		if e.Digest() == base.Digest() {
			t.Errorf("%s is not covered", name)
		}
	}
	a, b := registry.Evidence{Verdict: []byte("xy")}, registry.Evidence{Verdict: []byte("x"), Bundle: []byte("y")}
	if a.Digest() == b.Digest() {
		t.Error("fields run into each other")
	}
}

// TestKeysOfOneAccount: an account has as many keys as it registers.
func TestKeysOfOneAccount(t *testing.T) {
	r := newRig(t)
	ids := map[string]bool{}
	for range 3 {
		ids[r.mustAllow(r.androidRegistration()).KeyID] = true
	}
	if len(ids) != 3 {
		t.Errorf("%d keys", len(ids))
	}
	for id := range ids {
		if k := r.key(id); k.Account != alice || k.State != registry.StateActive {
			t.Errorf("key %+v", k)
		}
	}
	r.mustCheck()
}
