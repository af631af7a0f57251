package registry_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
)

// TestVerifyRequest: a phone of each platform signs a payment, which passes
// once.
func TestVerifyRequest(t *testing.T) {
	r := newRig(t, withPolicy(t))
	android, apple := r.androidKey(), r.appleKey()
	for _, tt := range []struct {
		name, platform, replay string
		key                    signer
	}{
		{"android", "android", "common.request_replay", android},
		{"apple", "apple", "apple.counter_replay", apple},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := r.sign(tt.key)
			v := r.check(req)
			r.mustPass(v)
			want := &registry.VerifiedKey{ID: v.Key.ID, Account: alice, Platform: tt.platform, Tier: attest.TierAffirming, RegisteredAt: noon}
			if d := cmp.Diff(want, v.Key); d != "" {
				t.Error(d)
			}
			if k := r.key(v.Key.ID); k.LastUsed.Format("2006-01-02T15") != "2026-11-21T00" {
				t.Errorf("last used %v", k.LastUsed)
			}
			r.mustRefuse(r.check(req), tt.replay)
			r.mustRefuse(r.check(req), tt.replay)
			next := r.sign(tt.key) // on the same day
			r.mustPass(r.check(next))
			r.mustRefuse(r.check(next), tt.replay)
		})
	}
	r.mustCheck()
}
