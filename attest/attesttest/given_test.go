package attesttest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"slices"
	"testing"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/attesttest"
)

// elsewhere is the public half of a key that this package does not have.
func elsewhere(t *testing.T, curve elliptic.Curve) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return spki
}

// TestMakeFor: evidence for a key that is elsewhere says of it what the row says,
// and is over the server's challenge.
func TestMakeFor(t *testing.T) {
	now := testNow()
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	spki, challenge := elsewhere(t, elliptic.P256()), bytes.Repeat([]byte{7}, 32)
	rows := attesttest.Deviations()
	for _, name := range []string{"android-rkp", "android-factory", "app-repackaged", "software-root-ec", "boot-unlocked", "leaf-signature"} {
		t.Run(name, func(t *testing.T) {
			d := rows[slices.IndexFunc(rows, func(d attesttest.Deviation) bool { return d.Name == name })]
			s, err := d.MakeFor(now, spki, challenge)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(s.Challenge, challenge) {
				t.Errorf("made for challenge %x", s.Challenge)
			}
			ev, want, err := s.Evidence()
			if err != nil {
				t.Fatal(err)
			}
			want.Challenge = challenge
			v, err := verifier.Verify(ev, want, policy(t, d.Policy("google")), now)
			if err != nil {
				t.Fatal(err)
			}
			check(t, d, v, d.Effects.Under("google", false), false, "google")
			if d.Code == "" && !bytes.Equal(v.Claims.KeySPKI, spki) {
				t.Errorf("attested %x", v.Claims.KeySPKI)
			}
		})
	}
}

// TestNotAttested: what is no key of a phone is refused, and so is a row in which
// the phone signs something with the key that is not here.
func TestNotAttested(t *testing.T) {
	now := testNow()
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	good := elsewhere(t, elliptic.P256())
	for name, spki := range map[string][]byte{
		"nothing": nil, "another curve": elsewhere(t, elliptic.P384()), "cut off": good[:len(good)-1], "more behind it": append(bytes.Clone(good), 0),
		"more in it": append([]byte{good[0], good[1] + 2}, append(bytes.Clone(good[2:]), 5, 0)...), // a NULL that nobody reads
	} {
		if _, err := ca.Phone().AttestKey(now, spki, make([]byte, 32)); err == nil {
			t.Errorf("%s: attested", name)
		}
	}
	rsa := ca.Phone()
	rsa.Algorithm = "RSA-2048"
	if _, err := rsa.AttestKey(now, good, nil); err == nil {
		t.Error("a phone that makes RSA keys attests one of P-256")
	}
	key, err := ca.Phone().AttestKey(now, good, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := key.Sign([]byte("x")); err == nil {
		t.Error("a key that is elsewhere signs")
	}
	if _, err := key.Export(); err == nil {
		t.Error("a key that is elsewhere can be exported")
	}
	for _, d := range attesttest.Deviations() {
		if d.Name == "false-leaf" || d.Name == "android-rsa-key" || d.Format != attest.FormatAndroidChain {
			if _, err := d.MakeFor(now, good, nil); err == nil {
				t.Errorf("%s: made for a key that is elsewhere", d.Name)
			}
		}
	}
}
