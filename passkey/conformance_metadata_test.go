package passkey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// fidoModel is the AAGUID of the authenticators of which there is metadata.
func fidoModel() [16]byte { return [16]byte{0xf1, 0xd0} }

// fidoBlob is a blob of metadata about one model, good but for its fields.
type fidoBlob struct {
	status    string // instead of FIDO_CERTIFIED
	signature bool   // does not verify
	root      bool   // is another than the one that we trust
}

// models reads the blob, signed under a root of its own, for a Relying Party
// that allows this model alone. What is no good is not read, so there is no
// metadata then.
func (b *fidoBlob) models(t testing.TB, auth *passkeytest.Authenticator) *passkey.Models {
	t.Helper()
	anchor, err := auth.Root()
	if err != nil {
		t.Fatal(err)
	}
	status := "FIDO_CERTIFIED"
	if b.status != "" {
		status = b.status
	}
	model := passkey.AAGUID(fidoModel())
	entry := map[string]any{
		"aaguid": model.String(), "timeOfLastStatusChange": "2026-01-01",
		"statusReports": []any{map[string]any{"status": status, "effectiveDate": "2026-01-01"}},
		"metadataStatement": map[string]any{
			"aaguid": model.String(), "description": "Staunch Test Authenticator", "protocolFamily": "fido2", "schema": 3,
			"attestationTypes": []string{"basic_full"}, "attestationRootCertificates": []string{base64.StdEncoding.EncodeToString(anchor)},
			"authenticationAlgorithms": []string{"secp256r1_ecdsa_sha256_raw"}, "authenticatorGetInfo": map[string]any{"versions": []string{"FIDO_2_0"}, "aaguid": model.String()},
		},
	}
	blob, root := signedBlob(t, map[string]any{"legalHeader": "test", "no": 1, "nextUpdate": "2090-01-01", "entries": []any{entry}})
	if b.signature {
		blob = append(blob[:len(blob)-8:len(blob)-8], []byte("AAAAAAAA")...)
	}
	if b.root {
		_, root = signedBlob(t, nil)
	}
	metadata, err := passkey.ParseMetadata(blob, root, time.Now())
	if bad := b.signature || b.root; (err != nil) != bad {
		t.Fatalf("metadata: %v, want an error: %t", err, bad)
	}
	if err == nil && metadata.Skipped > 0 {
		t.Fatal("the metadata has an entry that cannot be read")
	}
	return &passkey.Models{Allow: []passkey.AAGUID{model}, Metadata: metadata}
}

// signedBlob signs a payload as a JWS under a new root.
func signedBlob(t testing.TB, payload any) (blob []byte, root *x509.Certificate) {
	t.Helper()
	key, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Staunch Test Metadata"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err2 := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	root, err3 := x509.ParseCertificate(der)
	header, err4 := json.Marshal(map[string]any{"alg": "ES256", "typ": "JWT", "x5c": []any{base64.StdEncoding.EncodeToString(der)}})
	body, err5 := json.Marshal(payload)
	signed := base64url(header) + "." + base64url(body)
	digest := sha256.Sum256([]byte(signed))
	r, s, err6 := ecdsa.Sign(rand.Reader, key, digest[:])
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return []byte(signed + "." + base64url(signature)), root
}

// fidoModels makes items of certified authenticators of the model, at a Relying
// Party that has metadata.
func fidoModels(items ...fidoItem) []fidoItem {
	for i := range items {
		items[i].opts = passkeytest.Options{Algorithm: -7, Attestation: passkeytest.Certified, AAGUID: fidoModel()}
		if items[i].blob == nil {
			items[i].blob = &fidoBlob{}
		}
	}
	return items
}

func fidoMetadata() []fidoItem {
	return fidoModels(
		fidoItem{id: "P-1", what: "good"},
		fidoItem{id: "F-2", what: "the attestation key is compromised", blob: &fidoBlob{status: "ATTESTATION_KEY_COMPROMISE"}, want: errFinding},
		fidoItem{id: "F-3", what: "the signature of the metadata does not verify", blob: &fidoBlob{signature: true}, want: errFinding},
		fidoItem{id: "F-4", what: "the metadata is of another root", blob: &fidoBlob{root: true}, want: errFinding},
	)
}
