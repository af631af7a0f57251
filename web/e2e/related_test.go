package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"testing"
	"time"
)

// TestRelatedOrigins: over TLS, on two hosts that share a Relying Party. The
// browser takes the names for this machine's, and the key for a good one.
func TestRelatedOrigins(t *testing.T) {
	tools(t)
	const first, second = "https://accounts.example.org", "https://accounts.example-shop.com"
	r := newRig(t, place{"example.org", []string{first, second, "https://example.org"}})
	l, port := listen(t)
	cert, spki := certificate(t, "example.org", "accounts.example.org", "accounts.example-shop.com")
	serve(t, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS13}), r.handler(t))
	drive(t, "related.mjs", "STAUNCH_URL="+first, "STAUNCH_OTHER="+second, "STAUNCH_AT=127.0.0.1:"+port, "STAUNCH_SPKI="+spki)
}

func certificate(t *testing.T, names ...string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(spki)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, base64.StdEncoding.EncodeToString(sum[:])
}
