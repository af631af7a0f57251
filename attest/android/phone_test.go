package android_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

// testNow is when the software phones attest.
func testNow() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

const day, year = 24 * time.Hour, 365 * 24 * time.Hour

func challenge() []byte { return []byte("32 random bytes from the server.") }

// testCA is made once: its RSA signatures take a while.
var testCA = sync.OnceValues(func() (*attesttest.AndroidCA, error) { return attesttest.TestAndroidCA(testNow()) })

func phone(t testing.TB, kind attesttest.Provisioning) *attesttest.AndroidPhone {
	t.Helper()
	ca, err := testCA()
	if err != nil {
		t.Fatal(err)
	}
	p := ca.Phone()
	p.Provisioning = kind
	return p
}

// attested is the chain of a good phone, changed by options.
func attested(t testing.TB, kind attesttest.Provisioning, opts ...attesttest.AndroidOption) [][]byte {
	t.Helper()
	key, err := phone(t, kind).GenerateKey(testNow(), challenge(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return key.Chain()
}

// testRoots are the fixed test roots.
func testRoots(t testing.TB) android.Roots {
	t.Helper()
	texts, _ := attesttest.TestRootsPEM()
	roots, err := android.ParseRoots(strings.Join(texts, ""))
	if err != nil {
		t.Fatal(err)
	}
	return roots
}

// trusting are options that a good phone passes.
func trusting(t testing.TB) *android.Options {
	t.Helper()
	return &android.Options{Roots: testRoots(t), Status: statusList(t, nil), Challenge: challenge()}
}

func statusList(t testing.TB, entries map[string]string) *android.StatusList {
	t.Helper()
	return android.NewStatusList("sha256:none", nil, len(entries), entries)
}

// at changes the certificate at a position.
func at(position int, edit func(*attesttest.Certificate)) attesttest.AndroidOption {
	return func(d *attesttest.AndroidDraft) { edit(d.Chain[position]) }
}

// described replaces the KeyDescription.
func described(der []byte) attesttest.AndroidOption {
	return func(d *attesttest.AndroidDraft) { d.Description.DER = der }
}

// code is "" for an accepted chain, "malformed", or the failure's code.
func code(t testing.TB, err error) string {
	t.Helper()
	var failure *android.Failure
	switch {
	case err == nil:
		return ""
	case errors.Is(err, android.ErrMalformed):
		return "malformed"
	case errors.As(err, &failure):
		if failure.Unverified == nil {
			t.Errorf("%v carries nothing", err)
		}
		return failure.Code
	}
	t.Fatalf("neither malformed nor a failure: %v", err)
	return ""
}

// position is the failure's, or -1.
func position(err error) int {
	var failure *android.Failure
	if errors.As(err, &failure) {
		return failure.Position
	}
	return -1
}

func newKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func spkiOf(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// rekey gives an issuer another key.
func rekey(t testing.TB, key crypto.Signer) func(*attesttest.Certificate) {
	return func(c *attesttest.Certificate) { c.DER, c.Key, c.PublicKey = nil, key, spkiOf(t, key) }
}

// lookAlike gives a root another key, and nothing else.
func lookAlike(t testing.TB) func(*attesttest.Certificate) {
	key := newKey(t, elliptic.P384())
	return func(c *attesttest.Certificate) {
		rekey(t, key)(c)
		c.Signer = key
	}
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// OBJECT IDENTIFIERs of Appendix A.2.
func oidKeyDescription() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 1, 17}
}
func oidProvisioningInfo() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 1, 30}
}
func oidKeyUsage() asn1.ObjectIdentifier         { return asn1.ObjectIdentifier{2, 5, 29, 15} }
func oidBasicConstraints() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, 19} }

// insertIssuer puts one more CA below the certificate at a position.
func insertIssuer(t testing.TB, position int) attesttest.AndroidOption {
	key := newKey(t, elliptic.P256())
	return func(d *attesttest.AndroidDraft) {
		c := &attesttest.Certificate{
			Subject: attesttest.Name("CN", "one more"), NotBefore: d.Now.Add(-day), NotAfter: d.Now.Add(day),
			PublicKey: spkiOf(t, key), Key: key,
		}
		d.Chain = append(d.Chain[:position:position], append([]*attesttest.Certificate{c}, d.Chain[position:]...)...)
	}
}

func serialOf(t testing.TB, raw []byte) string {
	t.Helper()
	c, err := android.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c.Serial()
}

func digestOf(b []byte) [32]byte { return sha256.Sum256(b) }
