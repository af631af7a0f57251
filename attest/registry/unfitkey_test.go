package registry_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
)

func marshalled(t *testing.T, public any) []byte {
	t.Helper()
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return spki
}

func idOf(spki []byte) string {
	sum := sha256.Sum256(spki)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// modulus is an odd number of so many bits, and nobody knows its factors.
func modulus(bits int) *big.Int {
	n := make([]byte, bits/8)
	rand.Read(n)
	n[0] |= 0x80
	n[len(n)-1] |= 1
	return new(big.Int).SetBytes(n)
}

// signedBy is a payment with some signature.
func (r *rig) signedBy(id string, sign func([]byte) ([]byte, error)) *registry.RequestVerdict {
	r.t.Helper()
	req := remit()
	if err := request.Sign(req, &request.Signing{KeyID: id, Created: r.clock(), Sign: sign}); err != nil {
		r.t.Fatal(err)
	}
	return r.check(req)
}

// unfitKeys are public keys that a phone can put into a certificate and that no
// request may be verified by.
func unfitKeys(t *testing.T) map[string][]byte {
	t.Helper()
	key, err := androidPhone(t).GenerateKey(noon, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	off := bytes.Clone(key.PublicKey())
	off[len(off)-1] ^= 1
	return map[string][]byte{
		"off the curve":       off,
		"RSA of 16384 bits":   marshalled(t, &rsa.PublicKey{N: modulus(16384), E: 1<<31 - 1}),
		"RSA of 1024 bits":    marshalled(t, &rsa.PublicKey{N: modulus(1024), E: 65537}),
		"no key at all":       {0x30, 0},
		"P-256 without point": off[:len(off)-65],
	}
}

// TestUnfitKeys: a key that cannot be read, or that takes long, is a reason to
// refuse its requests, whatever brought it into the store, and never an error:
// a service that fails open would open.
func TestUnfitKeys(t *testing.T) {
	r := newRig(t, withPolicy(t, `["ecdsa-p256-sha256"]`, `["ecdsa-p256-sha256", "rsa-v1_5-sha256"]`))
	good := r.key(r.mustAllow(r.androidRegistration()).KeyID)
	for name, spki := range unfitKeys(t) {
		for _, platform := range []string{"android", "apple"} {
			k := good
			k.Platform, k.SPKI, k.ID, k.Serials = platform, spki, idOf(spki), nil
			if platform == "apple" { // whose ids are of points
				k.ID = idOf(append(spki, 0))
			}
			if bytes.Contains(spki, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d}) {
				k.Algorithm = "RSA-2048" // as somebody has written
			}
			r.put(k)
			start := time.Now()
			v := r.signedBy(k.ID, func([]byte) ([]byte, error) { return bytes.Repeat([]byte{7}, 2048), nil })
			r.mustRefuse(v, "common.key_algorithm")
			if v.Verdict.Tier != attest.TierNone || v.Advice != registry.AdviceNewKey {
				t.Errorf("%s: tier %s, advice %s", name, v.Verdict.Tier, v.Advice)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("%s: refused after %s", name, took)
			}
		}
	}
}

// TestNothingIsVerified: where the policy takes no algorithm of the key, the
// signature is not looked at.
func TestNothingIsVerified(t *testing.T) {
	r := newRig(t, withPolicy(t, `["ecdsa-p256-sha256"]`, `["ed25519"]`))
	v := r.signedBy(r.androidKey().ID(), func([]byte) ([]byte, error) { return make([]byte, 64), nil })
	r.mustRefuse(v, "common.key_algorithm")
	if v.Verdict.Tier != attest.TierNone {
		t.Errorf("tier %s", v.Verdict.Tier)
	}
	if n := r.rows("attest_nonce"); n != 0 {
		t.Errorf("%d nonces are used up", n)
	}
}

// TestObservedKeySignsRequests: of what a rollout lets in, only a key is kept
// that could sign.
func TestObservedKeySignsRequests(t *testing.T) {
	r := newRig(t, under(t, observes))
	register := func(spki []byte) *registry.Registered {
		return r.register(r.androidRegistration(func(d *attesttest.AndroidDraft) {
			d.Leaf().PublicKey = spki
			revokedIssuer(d)
		}))
	}
	keys := unfitKeys(t)
	delete(keys, "no key at all") // certificates with these two cannot be read
	delete(keys, "P-256 without point")
	padded := marshalled(t, &rsa.PublicKey{N: modulus(8192), E: 65537})
	i := bytes.Index(padded, []byte{5, 0}) + 1 // the algorithm's NULL becomes a text
	padded = append(append(bytes.Clone(padded[:i-1]), append([]byte{4, 100}, make([]byte, 100)...)...), padded[i+1:]...)
	padded[3], padded[5] = padded[3]+100, padded[5]+100
	keys["RSA with a burden"] = padded
	for name, spki := range keys {
		out := register(spki)
		if out.Decision != registry.Allow || out.KeyID != "" {
			t.Errorf("%s: %s, key %q: %+v", name, out.Decision, out.KeyID, out.Verdict.Findings)
		}
	}
	if n := r.rows("attest_key"); n != 0 {
		t.Errorf("%d keys are kept", n)
	}
	if out := register(marshalled(t, &rsa.PublicKey{N: modulus(8192), E: 65537})); out.KeyID == "" || r.key(out.KeyID).State != registry.StateObserved {
		t.Errorf("RSA of 8192 bits: key %q", out.KeyID)
	}
	r.mustCheck()
}

// TestRSAWithoutNULL: what Register accepts VerifyRequest can read.
func TestRSAWithoutNULL(t *testing.T) {
	r := newRig(t, withPolicy(t, `["ecdsa-p256-sha256"]`, `["rsa-v1_5-sha256"]`))
	phone := androidPhone(t)
	phone.Algorithm = "RSA-2048"
	c := r.challenge(alice)
	key, err := phone.GenerateKey(r.clock(), c, func(d *attesttest.AndroidDraft) {
		spki := d.Leaf().PublicKey
		i := bytes.Index(spki, []byte{1, 1, 1, 5, 0}) // RFC 3279, Section 2.3.1: NULL shall be there
		if i < 0 {
			t.Fatalf("SubjectPublicKeyInfo %x", spki)
		}
		spki = append(bytes.Clone(spki[:i+3]), spki[i+5:]...)
		spki[3] -= 2
		spki[5] -= 2
		d.Leaf().PublicKey = spki
	})
	if err != nil {
		t.Fatal(err)
	}
	out := r.mustAllow(&registry.Registration{App: "demo", Account: alice, Challenge: c, CertificateChain: key.Chain()})
	v := r.signedBy(out.KeyID, key.Sign)
	r.mustPass(v)
	r.mustRefuse(r.signedBy(out.KeyID, func([]byte) ([]byte, error) { return make([]byte, 256), nil }), "common.signature_invalid")
}
