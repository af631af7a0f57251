package attesttest_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"github.com/staunchid/staunch/attest/attesttest"
	"github.com/staunchid/staunch/internal/cbor"
)

func testNow() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

func pool(t *testing.T, pems []string) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	for _, text := range pems {
		if !p.AppendCertsFromPEM([]byte(text)) {
			t.Fatal("no certificate in the PEM text")
		}
	}
	return p
}

// verifyX509 has crypto/x509 judge a chain, leaf first: a good phone's chain
// must satisfy RFC 5280 too.
func verifyX509(t *testing.T, chain [][]byte, roots *x509.CertPool, now time.Time) *x509.Certificate {
	t.Helper()
	inter := x509.NewCertPool()
	for _, der := range chain[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		inter.AddCert(c)
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		t.Fatal(err)
	}
	leaf.UnhandledCriticalExtensions = nil
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: inter, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestAndroidChainSatisfiesX509(t *testing.T) {
	now := testNow()
	fixed, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := attesttest.NewAndroidCA(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		ca   *attesttest.AndroidCA
		edit func(*attesttest.AndroidPhone)
		want int
	}{
		{"rkp", fixed, func(*attesttest.AndroidPhone) {}, 5},
		{"rkp under RSA", fixed, func(p *attesttest.AndroidPhone) { p.RSARoot = true }, 5},
		{"rkp of another CA", fresh, func(*attesttest.AndroidPhone) {}, 5},
		{"factory", fixed, func(p *attesttest.AndroidPhone) { p.Provisioning = attesttest.Factory }, 4},
		{"factory StrongBox", fresh, func(p *attesttest.AndroidPhone) {
			p.Provisioning, p.Level = attesttest.Factory, attesttest.StrongBox
		}, 4},
		{"none", fixed, func(p *attesttest.AndroidPhone) { p.Provisioning = attesttest.None }, 4},
		{"P-521 key", fixed, func(p *attesttest.AndroidPhone) { p.Algorithm = "EC-P521" }, 5},
		{"RSA key", fixed, func(p *attesttest.AndroidPhone) { p.Algorithm = "RSA-2048" }, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			phone := tc.ca.Phone()
			tc.edit(phone)
			key, err := phone.GenerateKey(now, []byte("challenge"))
			if err != nil {
				t.Fatal(err)
			}
			if len(key.Chain()) != tc.want {
				t.Fatalf("chain of %d, want %d", len(key.Chain()), tc.want)
			}
			verifyX509(t, key.Chain(), pool(t, tc.ca.RootsPEM()), now)
			again, err := phone.GenerateKey(now, []byte("challenge"))
			if err != nil {
				t.Fatal(err)
			}
			for i, der := range again.Chain()[1:] {
				if string(der) != string(key.Chain()[i+1]) {
					t.Errorf("issuer %d has changed between two keys", i+1)
				}
			}
		})
	}
}

func TestAppleAttestationSatisfiesX509(t *testing.T) {
	now := testNow()
	ca, err := attesttest.TestAppleCA(now)
	if err != nil {
		t.Fatal(err)
	}
	key := ca.Phone().GenerateKey()
	hash := sha256.Sum256([]byte("challenge"))
	object, err := key.Attest(now, hash[:])
	if err != nil {
		t.Fatal(err)
	}
	var o struct {
		Fmt     string `cbor:"fmt"`
		AttStmt struct {
			X5C     [][]byte `cbor:"x5c"`
			Receipt []byte   `cbor:"receipt"`
		} `cbor:"attStmt"`
		AuthData []byte `cbor:"authData"`
	}
	if err := cbor.Unmarshal(object, &o); err != nil {
		t.Fatal(err)
	}
	leaf := verifyX509(t, o.AttStmt.X5C, pool(t, ca.RootsPEM()[:1]), now)
	if len(o.AuthData) < 164 || len(hash) != 32 {
		t.Fatalf("authenticator data of %d bytes", len(o.AuthData))
	}
	if id := sha256.Sum256(key.Point()); string(id[:]) != string(key.ID()) {
		t.Error("key id is not the hash of the point")
	}
	if !leaf.PublicKey.(*ecdsa.PublicKey).Equal(mustParse(t, key.PublicKey())) {
		t.Error("the leaf has another key")
	}
	verifyCMS(t, o.AttStmt.Receipt, pool(t, ca.RootsPEM()[1:]), now)
	receipt, err := key.Receipt(now, 3)
	if err != nil {
		t.Fatal(err)
	}
	verifyCMS(t, receipt, pool(t, ca.RootsPEM()[1:]), now)
}

func verifyCMS(t *testing.T, cms []byte, roots *x509.CertPool, now time.Time) {
	t.Helper()
	p, err := pkcs7.Parse(cms)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.VerifyWithChainAtTime(roots, now); err != nil {
		t.Fatal(err)
	}
	if len(p.Certificates) != 3 {
		t.Errorf("%d certificates in the receipt, want 3", len(p.Certificates))
	}
}

func mustParse(t *testing.T, spki []byte) any {
	t.Helper()
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestRootsAreTheFixedOnes(t *testing.T) {
	now := testNow()
	android, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	apple, err := attesttest.TestAppleCA(now)
	if err != nil {
		t.Fatal(err)
	}
	wantAndroid, wantApple := attesttest.TestRootsPEM()
	for i := range wantAndroid {
		samePEM(t, android.RootsPEM()[i], wantAndroid[i])
		samePEM(t, apple.RootsPEM()[i], wantApple[i])
	}
}

func samePEM(t *testing.T, a, b string) {
	t.Helper()
	x, _ := pem.Decode([]byte(a))
	y, _ := pem.Decode([]byte(b))
	if x == nil || y == nil || string(x.Bytes) != string(y.Bytes) {
		t.Error("root differs from the published one")
	}
}
