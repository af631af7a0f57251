package attesttest_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/staunchid/staunch/attest/attesttest"
)

// TestKeptAndroidKey: a key that was written down is the same key.
func TestKeptAndroidKey(t *testing.T) {
	now := testNow()
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ca.Phone().GenerateKey(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := key.Export()
	if err != nil {
		t.Fatal(err)
	}
	again, err := attesttest.ParseAndroidKey(data)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != key.ID() || !bytes.Equal(again.PublicKey(), key.PublicKey()) {
		t.Error("another key came back")
	}
	sig, err := again.Sign([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("message"))
	public := mustParse(t, key.PublicKey()).(*ecdsa.PublicKey)
	if !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		t.Error("what it signs does not verify with the key that was written down")
	}
}

// TestKeptAppleKey: the counter goes on where it was.
func TestKeptAppleKey(t *testing.T) {
	now := testNow()
	ca, err := attesttest.TestAppleCA(now)
	if err != nil {
		t.Fatal(err)
	}
	key := ca.Phone().GenerateKey()
	for range 3 {
		if _, err := key.Assert(now, make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
	}
	data, err := key.Export()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ca.Phone().ParseAppleKey(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Assert(now, make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.ID(), key.ID()) || again.Counter() != 4 {
		t.Errorf("counter %d, want 4", again.Counter())
	}
}

// TestKeptKeyRefused: what Export has not written is no key.
func TestKeptKeyRefused(t *testing.T) {
	now := testNow()
	android, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	phone := android.Phone()
	phone.Algorithm = "EC-P384"
	p384, err := phone.GenerateKey(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := p384.Export()
	if err != nil {
		t.Fatal(err)
	}
	phone.Algorithm = "ML-DSA-65"
	ml, err := phone.GenerateKey(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ml.Export(); err == nil {
		t.Error("a key that cannot sign is written down")
	}
	if _, err := new(attesttest.AppleKey).Export(); err == nil {
		t.Error("no key is written down")
	}
	apple, err := attesttest.TestAppleCA(now)
	if err != nil {
		t.Fatal(err)
	}
	iphone := apple.Phone()
	if _, err := iphone.ParseAppleKey(wide); err == nil {
		t.Error("a P-384 key became an iPhone's")
	}
	counted := strings.Replace(string(wide), `"v":1`, `"v":1,"counter":7`, 1)
	agreement, err := json.Marshal(map[string]any{"v": 1, "private_key": mustPKCS8(t)})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty": "", "no JSON": "key", "a field too many": strings.Replace(string(wide), `"v":1`, `"v":1,"x":2`, 1),
		"a later version": strings.Replace(string(wide), `"v":1`, `"v":2`, 1), "no key in it": `{"v":1,"private_key":"AAAA"}`,
		"an iPhone's": counted, "a key that cannot sign": string(agreement),
	} {
		if _, err := attesttest.ParseAndroidKey([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// mustPKCS8 is a key that agrees and does not sign.
func mustPKCS8(t *testing.T) []byte {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
