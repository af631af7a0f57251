package registry_test

import (
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store/storetest"
)

// newcomer is a key that is new, and how a phone brings it.
type newcomer struct {
	signer
	id string
	in *registry.Registration
}

func (r *rig) newAndroid(opts ...attesttest.AndroidOption) newcomer {
	r.t.Helper()
	c := r.challenge(alice)
	key, err := androidPhone(r.t).GenerateKey(r.clock(), c, opts...)
	if err != nil {
		r.t.Fatal(err)
	}
	return newcomer{key, key.ID(), &registry.Registration{App: "demo", Account: alice, Challenge: c, CertificateChain: key.Chain()}}
}

func (r *rig) newApple(opts ...attesttest.AppleOption) newcomer {
	r.t.Helper()
	key := applePhone(r.t).GenerateKey()
	return newcomer{key, base64.RawURLEncoding.EncodeToString(key.ID()), r.appleRegistration(key, opts...)}
}

// attempt verifies what the newcomer brings.
func (r *rig) attempt(n newcomer) *registry.Attempt {
	r.t.Helper()
	a, err := r.Verify(r.t.Context(), backend, n.in)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// finish is the second half of a flow.
func (r *rig) finish(a *registry.Attempt, state registry.State) *registry.Registered {
	r.t.Helper()
	var out *registry.Registered
	err := r.store.Update(r.t.Context(), func(tx storetest.Tx) (err error) {
		out, err = a.Commit(r.t.Context(), tx, state)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// TestProves: a call with evidence is signed by the key in it. It uses nothing
// up, and the key is good from the commit on; in a flow that goes on, for that
// flow.
func TestProves(t *testing.T) {
	for _, platform := range []string{"android", "apple"} {
		t.Run(platform, func(t *testing.T) {
			r := newRig(t, withPolicy(t))
			n := r.newAndroid()
			if platform == "apple" {
				n = r.newApple()
			}
			in, before := r.call(n), r.usedUp()
			a := r.attempt(n)
			r.mustNotProve(in, "common.key_unknown")
			if err := a.Proves(in.Message, ourHosts(), false, noon); err != nil {
				t.Fatal(err)
			}
			if r.usedUp() != before {
				t.Error("something was used up")
			}
			if out := r.finish(a, registry.StatePending); out.Decision != registry.Allow || out.KeyID != n.id {
				t.Fatalf("%+v", out)
			}
			r.mustNotProve(r.call(n), "common.key_unknown")
			second := r.call(n)
			second.Pending = true
			if p := r.mustProve(second); p.State != registry.StatePending || p.Account != alice || p.KeyID != n.id {
				t.Errorf("%+v", p)
			}
			r.mustCheck()
		})
	}
}

// TestProvesBinding has small changes to a good call with evidence.
func TestProvesBinding(t *testing.T) {
	for _, tt := range []struct {
		name string
		sign func(r *rig, n newcomer) *registry.ProofRequest
		code string
	}{
		{"good", func(r *rig, n newcomer) *registry.ProofRequest { return r.call(n) }, ""},
		{"by another key", func(r *rig, n newcomer) *registry.ProofRequest { return r.call(r.newAndroid()) }, "common.key_unknown"},
		{"by another key, under the id of this", func(r *rig, n newcomer) *registry.ProofRequest {
			return r.call(r.newAndroid(), func(d *attesttest.RequestDraft) { d.KeyID = n.id })
		}, "common.signature_invalid"},
		{"by a registered key", func(r *rig, n newcomer) *registry.ProofRequest { return r.call(r.androidKey()) }, "common.key_unknown"},
		{"not signed", func(r *rig, n newcomer) *registry.ProofRequest { return r.proof(freeze()) }, "common.signature_missing"},
		{"for another host", func(r *rig, n newcomer) *registry.ProofRequest {
			in := r.proof(r.sign(n))
			in.Authorities = []string{"pay.example.org"}
			return in
		}, "common.request_components"},
		{"another session", func(r *rig, n newcomer) *registry.ProofRequest {
			in := r.call(n)
			in.Message.Fields["authorization"] = "Staunch c3RvbGVu"
			return in
		}, "common.signature_invalid"},
		{"too old", func(r *rig, n newcomer) *registry.ProofRequest {
			return r.call(n, func(d *attesttest.RequestDraft) { d.Created = d.Created.Add(-121 * time.Second) })
		}, "common.request_clock"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, withPolicy(t))
			n := r.newAndroid()
			in := tt.sign(r, n)
			err := r.attempt(n).Proves(in.Message, in.Authorities, false, noon)
			if tt.code == "" && err != nil {
				t.Fatal(err)
			}
			if tt.code != "" {
				r.mustBeRefused(err, tt.code)
			}
		})
	}
	t.Run("an iPhone with the assertion of another app", func(t *testing.T) {
		r := newRig(t, withPolicy(t))
		n, other := r.newApple(), sha256.Sum256([]byte("TEAM123456.com.example.other"))
		in := r.call(n, func(d *attesttest.RequestDraft) {
			d.Assertion = []attesttest.AppleOption{func(d *attesttest.AppleDraft) { d.RPIDHash = other[:] }}
		})
		r.mustBeRefused(r.attempt(n).Proves(in.Message, in.Authorities, false, noon), "apple.app_id_mismatch")
	})
	t.Run("evidence over no open challenge", func(t *testing.T) {
		r := newRig(t, withPolicy(t))
		n := r.newAndroid()
		n.in.Challenge = make([]byte, 32)
		in := r.call(n)
		r.mustBeRefused(r.attempt(n).Proves(in.Message, in.Authorities, false, noon), "common.key_unknown")
	})
}

// TestProvesDenies: where the rollout only observes, evidence with a finding
// that is hard or of class abuse lets nobody in who calls Staunch itself; what is
// neither does, and the backend's registrations go on as they did.
func TestProvesDenies(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change attesttest.AndroidOption
		called registry.Decision
	}{
		{"good", func(*attesttest.AndroidDraft) {}, registry.Allow},
		{"hard", revokedIssuer, registry.Deny},
		{"abuse", imported, registry.Deny},
		{"neither", unlocked, registry.Allow},
	} {
		for _, called := range []bool{false, true} {
			r := newRig(t, under(t, observes))
			n := r.newAndroid(tt.change)
			a, want := r.attempt(n), registry.Allow
			if called {
				want = tt.called
				if err := a.Proves(r.call(n).Message, ourHosts(), false, noon); err != nil {
					t.Fatalf("%s: %v", tt.name, err)
				}
			}
			if out := r.finish(a, registry.StateActive); out.Decision != want {
				t.Errorf("%s, called %v: %+v %+v", tt.name, called, out, out.Verdict.Findings)
			}
		}
	}
}

// imported is a phone with a key that was made elsewhere.
func imported(d *attesttest.AndroidDraft) { d.Description.HardwareEnforced.SetInteger(702, 2) }
