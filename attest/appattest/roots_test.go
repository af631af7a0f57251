package appattest_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/staunchid/staunch/attest/appattest"
)

func TestAppleRoots(t *testing.T) {
	roots := appattest.AppleRoots()
	for name, tc := range map[string]struct {
		certs []*x509.Certificate
		spki  string
	}{
		"Apple App Attestation Root CA": {roots.Attestation, "1ae751fd29896d0f1f13fe226c063f445d40d8938acc6245c251ecc0679330bd"},
		"Apple Root CA - G3":            {roots.Receipt, "9b219d0fbff36a5fb32090571906bceea68617c833a3f61b81e962a8e64db8af"},
	} {
		if len(tc.certs) != 1 {
			t.Fatalf("%s: %d certificates", name, len(tc.certs))
		}
		cert := tc.certs[0]
		if hash := sha256.Sum256(cert.RawSubjectPublicKeyInfo); hex.EncodeToString(hash[:]) != tc.spki {
			t.Errorf("%s: SPKI %x", name, hash)
		}
		if cert.Subject.CommonName != name {
			t.Errorf("%s: subject %s", name, cert.Subject)
		}
	}

	// A caller that changes its copy changes nobody else's.
	roots.Attestation[0] = nil
	roots.Receipt = append(roots.Receipt, nil)
	if again := appattest.AppleRoots(); again.Attestation[0] == nil || len(again.Receipt) != 1 {
		t.Error("AppleRoots is not fresh")
	}
}

func TestAppleRootsAreThePublishedOnes(t *testing.T) {
	dir := filepath.Join(vectorDir(t), "roots")
	roots := appattest.AppleRoots()
	for name, cert := range map[string]*x509.Certificate{
		"apple_app_attestation_root_ca.pem": roots.Attestation[0],
		"apple_root_ca_g3.pem":              roots.Receipt[0],
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		if block == nil || string(block.Bytes) != string(cert.Raw) {
			t.Errorf("%s differs", name)
		}
	}
}
