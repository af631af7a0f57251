package registry_test

import (
	"errors"
	"testing"

	"github.com/staunchid/staunch/attest/registry"
)

// TestProvesValue: a device proof beside evidence is by the key in it, over that very
// value, and nothing is used up.
func TestProvesValue(t *testing.T) {
	r := newRig(t, withPolicy(t))
	value := [32]byte{42}
	c := r.challenge(alice)
	key, err := androidPhone(t).GenerateKey(r.clock(), c)
	if err != nil {
		t.Fatal(err)
	}
	in := &registry.Registration{App: "demo", Account: alice, Challenge: c, CertificateChain: key.Chain()}
	other := r.androidKey()
	for _, tt := range []struct {
		name  string
		value [32]byte
		proof []byte
		good  bool
	}{
		{"good", value, androidProof(t, key, value), true},
		{"another value", [32]byte{43}, androidProof(t, key, value), false},
		{"another key", value, androidProof(t, other, value), false},
		{"none", value, nil, false},
	} {
		a, err := r.Verify(t.Context(), backend, in)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.ProvesValue(tt.value, tt.proof); tt.good != (err == nil) || err != nil && !errors.Is(err, registry.ErrProofRefused) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
