package registry_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/store/storetest"
)

// androidProof and appleProof are device proofs over some value, as phones make
// them.
func androidProof(t testing.TB, key *attesttest.AndroidKey, value [32]byte) []byte {
	t.Helper()
	sig, err := key.Sign(request.DeviceProof(value))
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func (r *rig) appleProof(key *attesttest.AppleKey, value [32]byte, opts ...attesttest.AppleOption) []byte {
	r.t.Helper()
	hash := sha256.Sum256(request.DeviceProof(value))
	assertion, err := key.Assert(r.clock(), hash[:], opts...)
	if err != nil {
		r.t.Fatal(err)
	}
	return assertion
}

// TestDeviceProofBytes: what is signed, byte for byte.
func TestDeviceProofBytes(t *testing.T) {
	want := "737461756e63682f6465766963652d70726f6f662f7631" + "00" + "2a00000000000000000000000000000000000000000000000000000000000007"
	if got := hex.EncodeToString(request.DeviceProof([32]byte{0: 42, 31: 7})); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestVerifyProof: key, state and signature are judged, and nothing is used up:
// the same proof is good again, also behind a later request.
func TestVerifyProof(t *testing.T) {
	r := newRig(t, withPolicy(t))
	value := [32]byte{42}
	android, apple := r.androidKey(), r.appleKey()
	appleID := base64.RawURLEncoding.EncodeToString(apple.ID())
	inApple, inAndroid := r.appleProof(apple, value), androidProof(t, android, value)
	other := sha256.Sum256([]byte("TEAM123456.com.example.other"))
	foreign := r.appleProof(apple, value, func(d *attesttest.AppleDraft) { d.RPIDHash = other[:] })
	for _, tt := range []struct {
		name, id string
		value    [32]byte
		proof    []byte
		code     string
	}{
		{"android", android.ID(), value, inAndroid, ""},
		{"apple", appleID, value, inApple, ""},
		{"another value", android.ID(), [32]byte{43}, inAndroid, "common.signature_invalid"},
		{"another value, apple", appleID, [32]byte{43}, inApple, "apple.assertion_signature"},
		{"another key", r.androidKey().ID(), value, inAndroid, "common.signature_invalid"},
		{"an unknown key", "AAAA", value, inAndroid, "common.key_unknown"},
		{"no key", "", value, inAndroid, "common.key_unknown"},
		{"no proof", android.ID(), value, nil, "common.signature_invalid"},
		{"no assertion", appleID, value, inAndroid, "apple.assertion_signature"},
		{"by another app", appleID, value, foreign, "apple.app_id_mismatch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := r.usedUp()
			for range 2 {
				err := r.VerifyProof(t.Context(), tt.id, tt.value, tt.proof)
				if tt.code == "" && err != nil {
					t.Fatal(err)
				}
				if tt.code != "" {
					r.mustBeRefused(err, tt.code)
				}
			}
			if r.usedUp() != before {
				t.Error("something was used up")
			}
		})
	}
	r.mustProve(r.call(apple)) // whose counter is higher
	if err := r.VerifyProof(t.Context(), appleID, value, inApple); err != nil {
		t.Errorf("behind a request: %v", err)
	}
}

// TestVerifyProofStates has the states of the key.
func TestVerifyProofStates(t *testing.T) {
	for _, tt := range []struct {
		state registry.State
		code  string
	}{
		{registry.StateActive, ""},
		{registry.StatePending, ""}, // of a flow that goes on
		{registry.StateRevoked, "common.key_revoked"},
		{registry.StateSuperseded, "common.key_not_attested"},
		{registry.StateObserved, "common.key_not_attested"},
	} {
		r := newRig(t, withPolicy(t))
		key := r.androidKey()
		r.change(key.ID(), func(k *registry.Key) { k.State = tt.state })
		err := r.VerifyProof(t.Context(), key.ID(), [32]byte{1}, androidProof(t, key, [32]byte{1}))
		if tt.code == "" && err != nil {
			t.Errorf("%s: %v", tt.state, err)
		}
		if tt.code != "" {
			r.mustBeRefused(err, tt.code)
		}
	}
}

// TestDeviceProofIsNoCall: what a key has signed as the one is never the other.
func TestDeviceProofIsNoCall(t *testing.T) {
	r := newRig(t, withPolicy(t))
	key, value := r.androidKey(), [32]byte{42}
	r.mustNotProve(r.call(key, func(d *attesttest.RequestDraft) {
		d.Base = func([]byte) []byte { return request.DeviceProof(value) }
	}), "common.signature_invalid")
	sig, err := key.Sign(value[:])
	if err != nil {
		t.Fatal(err)
	}
	r.mustBeRefused(r.VerifyProof(t.Context(), key.ID(), value, sig), "common.signature_invalid")
}

// TestProofFaults: a store that is away refuses nothing and lets nothing through,
// and a call whose transaction failed is good for another try, unless it took
// effect.
func TestProofFaults(t *testing.T) {
	backendKey, sign := newBackend(t, "ed25519")
	for _, tt := range []struct {
		name string
		make func(r *rig) func(*registry.Service) error
		at   []string
	}{
		{"prove", func(r *rig) func(*registry.Service) error {
			in := r.call(r.androidKey())
			return func(s *registry.Service) error { _, err := s.Prove(r.t.Context(), in); return err }
		}, []string{"begin", "AttestedKey", "KeyStandings", "NonceFloor", "AddNonces", "DeleteNonces", "MoveKeys", "commit"}},
		{"prove backend", func(r *rig) func(*registry.Service) error {
			m := r.backendCall(sign)
			return func(s *registry.Service) error {
				return s.ProveBackend(r.t.Context(), backendKey, m, ourHosts(), false)
			}
		}, []string{"begin", "NonceFloor", "AddNonces", "DeleteNonces", "commit"}},
		{"device proof", func(r *rig) func(*registry.Service) error {
			key := r.androidKey()
			proof := androidProof(r.t, key, [32]byte{1})
			return func(s *registry.Service) error {
				return s.VerifyProof(r.t.Context(), key.ID(), [32]byte{1}, proof)
			}
		}, []string{"begin", "AttestedKey", "KeyStandings"}},
	} {
		for _, when := range []storetest.When{storetest.Before, storetest.After} {
			r := newRig(t, withPolicy(t))
			fired := map[string]bool{}
			for n := 1; ; n++ {
				do, before := tt.make(r), r.usedUp()
				faulty := storetest.NewFaulty(r.store, n, when)
				err := do(r.service(faulty))
				if faulty.Fired() == "" {
					if err != nil {
						t.Errorf("%s without a fault: %v", tt.name, err)
					}
					break
				}
				fired[faulty.Fired()] = true
				if !errors.Is(err, storetest.ErrFault) || errors.Is(err, registry.ErrProofRefused) {
					t.Fatalf("%s, fault at %s: %v", tt.name, faulty.Fired(), err)
				}
				done := r.usedUp() != before
				if again := do(r.Service); (again == nil) == done {
					t.Errorf("%s, fault at %s: used up %v, another try: %v", tt.name, faulty.Fired(), done, again)
				}
			}
			for _, name := range tt.at {
				if !fired[name] {
					t.Errorf("%s: no fault at %s: %v", tt.name, name, fired)
				}
			}
		}
	}
}

// TestSettle: the flow's transaction is what uses a call up, and one that is
// rolled back does not. One that runs twice settles twice.
func TestSettle(t *testing.T) {
	r := newRig(t, withPolicy(t))
	for _, key := range []signer{r.androidKey(), r.appleKey()} {
		p, err := r.ProveLater(t.Context(), r.call(key))
		if err != nil {
			t.Fatal(err)
		}
		back := errors.New("rolled back")
		settle := func(end error) (err error) {
			return r.store.Update(context.Background(), func(tx storetest.Tx) error {
				if _, err = p.Settle(t.Context(), tx); err != nil {
					return err
				}
				return end
			})
		}
		before := r.usedUp()
		for range 2 {
			if err := settle(back); !errors.Is(err, back) || r.usedUp() != before {
				t.Errorf("%v, used up %v", err, r.usedUp())
			}
		}
		if err := settle(nil); err != nil || r.usedUp() == before {
			t.Errorf("%v, used up %v", err, r.usedUp())
		}
		if err := settle(nil); !errors.Is(err, registry.ErrProofRefused) {
			t.Errorf("settled twice: %v", err)
		}
	}
}
