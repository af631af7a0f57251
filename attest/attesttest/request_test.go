package attesttest_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/attest/request"
)

// pay is a request that a phone is about to send.
func pay(t testing.TB) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "https://pay.example.com/v1/remit?dry=0", strings.NewReader(`{"amount":1200}`))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// received is r as the server reads it.
func received(t testing.TB, r *http.Request) *request.Parsed {
	t.Helper()
	m, body, err := request.FromHTTP(r, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if string(body) != `{"amount":1200}` {
		t.Fatalf("the body is %q", body)
	}
	p, err := request.Parse(m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSignRequest: what phones send verifies, and names the key.
func TestSignRequest(t *testing.T) {
	now := testNow()
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	for algorithm, name := range map[string]string{"EC-P256": "ecdsa-p256-sha256", "EC-P384": "ecdsa-p384-sha384", "RSA-2048": "rsa-v1_5-sha256"} {
		phone := ca.Phone()
		phone.Algorithm = algorithm
		key, err := phone.GenerateKey(now, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := pay(t)
		if err := key.SignRequest(now, r); err != nil {
			t.Fatal(err)
		}
		p := received(t, r)
		public := mustParse(t, key.PublicKey())
		if !request.VerifySignature(name, public, p.Base, p.Signature) || p.KeyID != key.ID() || !p.Created.Equal(now.Truncate(time.Second)) {
			t.Errorf("%s: %+v", algorithm, p)
		}
		p.Base[0]++
		if request.VerifySignature(name, public, p.Base, p.Signature) {
			t.Errorf("%s: another base verifies", algorithm)
		}
	}

	apple, err := attesttest.TestAppleCA(now)
	if err != nil {
		t.Fatal(err)
	}
	key := apple.Phone().GenerateKey()
	for range 2 {
		r := pay(t)
		if err := key.SignRequest(now, r); err != nil {
			t.Fatal(err)
		}
		p := received(t, r)
		hash := sha256.Sum256(p.Base)
		a, err := appattest.VerifyAssertion(p.Signature, key.PublicKey(), hash[:])
		if err != nil || a.Counter != key.Counter() || p.KeyID != base64.RawURLEncoding.EncodeToString(key.ID()) {
			t.Errorf("%+v, %v", a, err)
		}
	}
	if key.Counter() != 2 {
		t.Errorf("two requests are counted as %d", key.Counter())
	}
}

// TestSignRequestOptions: each option shows in what is sent.
func TestSignRequestOptions(t *testing.T) {
	now := testNow()
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ca.Phone().GenerateKey(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	public := mustParse(t, key.PublicKey()).(*ecdsa.PublicKey)
	verifies := func(p *request.Parsed) bool {
		return request.VerifySignature("ecdsa-p256-sha256", public, p.Base, p.Signature)
	}

	r := pay(t)
	r.Header.Set("Idempotency-Key", "7")
	nonce := strings.Repeat("n", 22)
	err = key.SignRequest(now, r, func(d *attesttest.RequestDraft) {
		d.KeyID, d.Nonce, d.Alg, d.Fields = "other", nonce, "ecdsa-p256-sha256", []string{"Idempotency-Key"}
		d.Created, d.Expires = now.Add(-time.Hour), now
	})
	if err != nil {
		t.Fatal(err)
	}
	p := received(t, r)
	if !verifies(p) || p.KeyID != "other" || p.Nonce != nonce || p.Alg != "ecdsa-p256-sha256" || !p.Covers("idempotency-key") ||
		!p.Created.Equal(now.Add(-time.Hour)) || !p.Expires.Equal(now) {
		t.Errorf("%+v", p)
	}

	r = pay(t)
	if err := key.SignRequest(now, r, func(d *attesttest.RequestDraft) {
		d.Base = func(base []byte) []byte { return append(base, '\n') }
	}); err != nil {
		t.Fatal(err)
	}
	if verifies(received(t, r)) {
		t.Error("another base was signed, and the signature verifies")
	}

	r = pay(t)
	if err := key.SignRequest(now, r, func(d *attesttest.RequestDraft) {
		d.Signature = func([]byte) []byte { return []byte("junk") }
	}); err != nil {
		t.Fatal(err)
	}
	if p := received(t, r); string(p.Signature) != "junk" {
		t.Errorf("sent %q", p.Signature)
	}

	// What request.Sign refuses to write is signed as it is.
	r = pay(t)
	if err := key.SignRequest(now, r, func(d *attesttest.RequestDraft) {
		d.SignatureInput = func(s string) string { return strings.Replace(s, ` "@query"`, "", 1) }
	}); err != nil {
		t.Fatal(err)
	}
	m, _, err := request.FromHTTP(r, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := request.Parse(m); err == nil || !strings.Contains(err.Error(), "@query") {
		t.Fatalf("without the query: %v", err)
	}
	base, err := request.Base(m, []string{"@method", "@authority", "@path", "content-digest"}, strings.TrimPrefix(m.SignatureInput, "staunch="))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.TrimPrefix(m.Signature, "staunch=:"), ":"))
	if err != nil || !request.VerifySignature("ecdsa-p256-sha256", public, base, sig) {
		t.Errorf("the phone did not sign what it sent: %v", err)
	}

	phone := ca.Phone()
	phone.Algorithm = "ML-DSA-65"
	mldsa, err := phone.GenerateKey(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := mldsa.SignRequest(now, pay(t)); err == nil {
		t.Error("a key that cannot sign has signed")
	}
	var none rsa.PublicKey
	if request.VerifySignature("ecdsa-p256-sha256", &none, p.Base, p.Signature) {
		t.Error("a key of another kind verifies")
	}
}

// TestAssertionOptions: an assertion in a request can be any assertion.
func TestAssertionOptions(t *testing.T) {
	now := testNow()
	ca, err := attesttest.TestAppleCA(now)
	if err != nil {
		t.Fatal(err)
	}
	key, r := ca.Phone().GenerateKey(), pay(t)
	err = key.SignRequest(now, r, func(d *attesttest.RequestDraft) {
		d.Assertion = []attesttest.AppleOption{func(d *attesttest.AppleDraft) { d.Counter = 77 }}
	})
	if err != nil {
		t.Fatal(err)
	}
	p := received(t, r)
	hash := sha256.Sum256(p.Base)
	if a, err := appattest.VerifyAssertion(p.Signature, key.PublicKey(), hash[:]); err != nil || a.Counter != 77 {
		t.Errorf("%+v, %v", a, err)
	}
}
