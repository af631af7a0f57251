package android_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/android"
	"github.com/staunchid/staunch/attest/attesttest"
)

// rawSignature is one signature of a chain with everything parsed: what a
// verification costs that does nothing else.
type rawSignature struct {
	key       crypto.PublicKey
	algorithm x509.SignatureAlgorithm
	signed    []byte
	signature []byte
}

func (s *rawSignature) verify(b *testing.B) {
	digest, hash := []byte(nil), crypto.Hash(0)
	switch s.algorithm {
	case x509.ECDSAWithSHA256, x509.SHA256WithRSA:
		sum := sha256.Sum256(s.signed)
		digest, hash = sum[:], crypto.SHA256
	case x509.ECDSAWithSHA384, x509.SHA384WithRSA:
		sum := sha512.Sum384(s.signed)
		digest, hash = sum[:], crypto.SHA384
	default:
		b.Fatal("unexpected algorithm ", s.algorithm)
	}
	switch key := s.key.(type) {
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(key, digest, s.signature) {
			b.Fatal("signature")
		}
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(key, hash, digest, s.signature); err != nil {
			b.Fatal(err)
		}
	default:
		b.Fatalf("unexpected key %T", s.key)
	}
}

// BenchmarkVerify measures a cold and a warm verification beside their floors:
// the raw signature verifications of the whole chain, and of leaf and batch.
func BenchmarkVerify(b *testing.B) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		b.Fatal(err)
	}
	text := ""
	for _, pem := range ca.RootsPEM() {
		text += pem
	}
	roots, err := android.ParseRoots(text)
	if err != nil {
		b.Fatal(err)
	}
	status, err := android.ParseStatusList([]byte(`{"entries":{"1":{"status":"REVOKED"}}}`))
	if err != nil {
		b.Fatal(err)
	}
	challenge := []byte("a challenge of the server's: 32 b")
	for _, kind := range []struct {
		name         string
		provisioning attesttest.Provisioning
		rsaRoot      bool
	}{{"factory", attesttest.Factory, true}, {"rkp-rsa", attesttest.RKP, true}, {"rkp-p384", attesttest.RKP, false}} {
		phone := ca.Phone()
		phone.Provisioning, phone.RSARoot = kind.provisioning, kind.rsaRoot
		key, err := phone.GenerateKey(now, challenge)
		if err != nil {
			b.Fatal(err)
		}
		chain := key.Chain()
		opts := &android.Options{Roots: roots, Status: status, Challenge: challenge}
		bench := func(name string, opts *android.Options) {
			b.Run(kind.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := android.Verify(chain, opts, now); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		bench("cold", opts)
		cached := *opts
		cached.Cache = android.NewCache()
		bench("warm", &cached)

		raw := rawSignatures(b, chain)
		floor := func(name string, raw []rawSignature) {
			b.Run(kind.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					for i := range raw {
						raw[i].verify(b)
					}
				}
			})
		}
		floor("floor", raw)
		floor("floor-leaf-batch", raw[:2])
	}
}

// rawSignatures takes the signatures below the root apart, leaf first.
func rawSignatures(b *testing.B, chain [][]byte) (raw []rawSignature) {
	var certs []*x509.Certificate
	for _, c := range chain {
		cert, err := x509.ParseCertificate(c)
		if err != nil {
			b.Fatal(err)
		}
		certs = append(certs, cert)
	}
	for i, c := range certs[:len(certs)-1] {
		raw = append(raw, rawSignature{certs[i+1].PublicKey, c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature})
	}
	return raw
}
