package attesttest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
	"testing"

	"github.com/staunchid/staunch/attest/attesttest"
)

// TestSign: the forms of RFC 9421, Sections 3.3.2, 3.3.4 and 3.3.5.
func TestSign(t *testing.T) {
	now := testNow()
	ca, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("signature base")
	for _, algorithm := range []string{"EC-P256", "EC-P384", "EC-P521", "RSA-2048"} {
		t.Run(algorithm, func(t *testing.T) {
			phone := ca.Phone()
			phone.Algorithm = algorithm
			key, err := phone.GenerateKey(now, nil)
			if err != nil {
				t.Fatal(err)
			}
			sig, err := key.Sign(message)
			if err != nil {
				t.Fatal(err)
			}
			sum256, sum384 := sha256.Sum256(message), sha512.Sum384(message)
			switch public := mustParse(t, key.PublicKey()).(type) {
			case *ecdsa.PublicKey:
				digest := sum256[:]
				if algorithm == "EC-P384" {
					digest = sum384[:]
				}
				half := len(sig) / 2
				if !ecdsa.Verify(public, digest, new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:])) {
					t.Error("the signature does not verify")
				}
			case *rsa.PublicKey:
				if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum256[:], sig); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestWhatPhonesCannotDo(t *testing.T) {
	now := testNow()
	android, err := attesttest.TestAndroidCA(now)
	if err != nil {
		t.Fatal(err)
	}
	apple, err := attesttest.TestAppleCA(now)
	if err != nil {
		t.Fatal(err)
	}
	phone := android.Phone()
	phone.Algorithm = "ML-DSA-65"
	key, err := phone.GenerateKey(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func() error{
		"sign with ML-DSA":        func() error { _, err := key.Sign(nil); return err },
		"android-key with ML-DSA": func() error { _, _, err := phone.Register(now, attesttest.DemoRPID, make([]byte, 32)); return err },
		"unknown algorithm":       func() error { p := android.Phone(); p.Algorithm = "DSA"; _, err := p.GenerateKey(now, nil); return err },
		"unknown curve": func() error {
			p := android.Phone()
			p.Algorithm = "EC-P1"
			_, err := p.GenerateKey(now, nil)
			return err
		},
		"unknown provisioning": func() error {
			p := android.Phone()
			p.Provisioning = "x"
			_, err := p.GenerateKey(now, nil)
			return err
		},
		"unknown level": func() error {
			p := android.Phone()
			p.Provisioning, p.Level = attesttest.Factory, 9
			_, err := p.GenerateKey(now, nil)
			return err
		},
		"receipt before attestation": func() error { _, err := apple.Phone().GenerateKey().Receipt(now, 1); return err },
		"a phone of no CA": func() error {
			p := &attesttest.AndroidPhone{Provisioning: attesttest.RKP, Algorithm: "EC-P256"}
			_, err := p.GenerateKey(now, nil)
			return err
		},
		"an iPhone of no CA": func() error { _, err := new(attesttest.ApplePhone).GenerateKey().Attest(now, nil); return err },
		"an iPhone without a chain": func() error {
			_, err := apple.Phone().GenerateKey().Attest(now, nil, func(d *attesttest.AppleDraft) { d.Chain = nil })
			return err
		},
		"a receipt without a signer": func() error {
			_, err := apple.Phone().GenerateKey().Attest(now, nil, func(d *attesttest.AppleDraft) { d.Receipt.Chain = d.Receipt.Chain[1:2] })
			return err
		},
		"a key of no phone": func() error { _, err := new(attesttest.AppleKey).Assert(now, nil); return err },
		"a certificate without a signer": func() error {
			_, err := android.Phone().GenerateKey(now, nil, func(d *attesttest.AndroidDraft) { d.Chain = d.Chain[:1] })
			return err
		},
	} {
		if run() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestAssertionsCount: each assertion has the next counter.
func TestAssertionsCount(t *testing.T) {
	now := testNow()
	ca, err := attesttest.TestAppleCA(now)
	if err != nil {
		t.Fatal(err)
	}
	key := ca.Phone().GenerateKey()
	for want := uint32(1); want < 4; want++ {
		if _, err := key.Assert(now, make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
		if key.Counter() != want {
			t.Errorf("counter %d, want %d", key.Counter(), want)
		}
	}
}
