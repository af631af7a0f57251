package passkey_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// model is the AAGUID of the authenticators of these tests.
func model() passkey.AAGUID { return passkey.AAGUID{0xca, 0xfe} }

// metadataOf is the entry of a model whose attestations lead to root.
func metadataOf(m passkey.AAGUID, root []byte, status string, types ...string) map[string]any {
	return map[string]any{
		"aaguid": m.String(), "timeOfLastStatusChange": "2026-01-01",
		"statusReports": []any{map[string]any{"status": status, "effectiveDate": "2026-01-01"}},
		"metadataStatement": map[string]any{
			"aaguid": m.String(), "description": "Test", "protocolFamily": "fido2", "schema": 3,
			"attestationTypes": types, "attestationRootCertificates": []string{base64.StdEncoding.EncodeToString(root)},
		},
	}
}

// published is metadata with these entries.
func published(t *testing.T, entries ...map[string]any) *passkey.Metadata {
	t.Helper()
	blob, root := signedBlob(t, map[string]any{"legalHeader": "x", "no": 7, "nextUpdate": "2026-09-01", "entries": entries})
	m, err := passkey.ParseMetadata(blob, root, now)
	must(t, err)
	if m.Number != 7 || m.NextUpdate.Format(time.DateOnly) != "2026-09-01" || m.Skipped != 0 {
		t.Fatalf("%+v", m)
	}
	return m
}

func TestModels(t *testing.T) {
	other := passkey.AAGUID{1}
	full := func(root []byte) *passkey.Metadata {
		return published(t, metadataOf(model(), root, "FIDO_CERTIFIED", "basic_full", "basic_surrogate"))
	}
	type want struct{ unknown, status, untrusted bool }
	tests := []struct {
		name        string
		attestation passkeytest.Attestation
		models      func(root []byte) *passkey.Models
		want        want
	}{
		{"attested", passkeytest.Certified, func(r []byte) *passkey.Models { return &passkey.Models{Metadata: full(r)} }, want{}},
		{"attested and allowed", passkeytest.Certified, func(r []byte) *passkey.Models {
			return &passkey.Models{Allow: []passkey.AAGUID{other, model()}, Metadata: full(r)}
		}, want{}},
		{"not allowed", passkeytest.Certified, func(r []byte) *passkey.Models {
			return &passkey.Models{Allow: []passkey.AAGUID{other}, Metadata: full(r)}
		}, want{unknown: true}},
		{"denied", passkeytest.Certified, func(r []byte) *passkey.Models {
			return &passkey.Models{Deny: []passkey.AAGUID{model()}, Metadata: full(r)}
		}, want{status: true}},
		{"no metadata of it", passkeytest.Certified, func(r []byte) *passkey.Models {
			return &passkey.Models{Metadata: published(t, metadataOf(other, r, "FIDO_CERTIFIED", "basic_full"))}
		}, want{unknown: true, untrusted: true}},
		{"revoked", passkeytest.Certified, func(r []byte) *passkey.Models {
			return &passkey.Models{Metadata: published(t, metadataOf(model(), r, "REVOKED", "basic_full"))}
		}, want{status: true}},
		{"compromised", passkeytest.Certified, func(r []byte) *passkey.Models {
			return &passkey.Models{Metadata: published(t, metadataOf(model(), r, "ATTESTATION_KEY_COMPROMISE", "basic_full"))}
		}, want{status: true}},
		{"another root", passkeytest.Certified, func([]byte) *passkey.Models {
			a, err := passkeytest.New(&passkeytest.Options{})
			must(t, err)
			root, err := a.Root()
			must(t, err)
			return &passkey.Models{Metadata: full(root)}
		}, want{untrusted: true}},
		{"no statement", passkeytest.None, func(r []byte) *passkey.Models { return &passkey.Models{Metadata: full(r)} }, want{untrusted: true}},
		{"self attestation, which the model does", passkeytest.Self, func(r []byte) *passkey.Models { return &passkey.Models{Metadata: full(r)} }, want{untrusted: true}},
		{"lists alone, allowed", passkeytest.Certified, func([]byte) *passkey.Models {
			return &passkey.Models{Allow: []passkey.AAGUID{model()}}
		}, want{untrusted: true}},
		{"lists alone, denied", passkeytest.None, func([]byte) *passkey.Models {
			return &passkey.Models{Deny: []passkey.AAGUID{model()}}
		}, want{status: true, untrusted: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			device, err := passkeytest.New(&passkeytest.Options{Algorithm: -7, AAGUID: model(), Attestation: tt.attestation})
			must(t, err)
			root, err := device.Root()
			must(t, err)
			models := tt.models(root)
			w := newWorld(t, &passkeytest.Options{}, func(o *passkey.Options) { o.Models = models })
			w.device = device
			c, response := w.created()
			r, err := w.rp.VerifyCreation(c, response, now)
			must(t, err)
			again, err := models.Recheck(r.Record, r.Evidence, now)
			must(t, err)
			for when, r := range map[string]*passkey.Registration{"at registration": r, "again": again} {
				if got := (want{r.ModelUnknown, r.ModelStatus != "", r.AttestationUntrusted != ""}); got != tt.want {
					t.Errorf("%s: %+v (%q, %q), want %+v", when, got, r.ModelStatus, r.AttestationUntrusted, tt.want)
				}
			}
		})
	}
}

// TestSelfSignedRootInX5C: a statement brings its own root, and its chain leads
// there. It proves nothing: the root comes from metadata.
func TestSelfSignedRootInX5C(t *testing.T) {
	good, err := passkeytest.New(&passkeytest.Options{})
	must(t, err)
	anchor, err := good.Root()
	must(t, err)
	models := &passkey.Models{Metadata: published(t, metadataOf(model(), anchor, "FIDO_CERTIFIED", "basic_full"))}
	w := newWorld(t, &passkeytest.Options{Algorithm: -7, AAGUID: model(), Attestation: passkeytest.Certified},
		func(o *passkey.Options) { o.Models = models })
	c, response := w.created(func(d *passkeytest.Draft) {
		d.Chain = func(chain [][]byte) [][]byte { return chain } // with the root
	})
	r, err := w.rp.VerifyCreation(c, response, now)
	must(t, err)
	if r.AttestationUntrusted == "" {
		t.Error("a root from the statement is trusted")
	}
	if effect, _ := new(passkey.Policy).AppraiseRegistration(r); effect != passkey.Refuse {
		t.Errorf("the empty policy: %s", effect)
	}
}

// TestRecheckLater: a model that was good is judged anew by a newer blob.
func TestRecheckLater(t *testing.T) {
	device, err := passkeytest.New(&passkeytest.Options{Algorithm: -7, AAGUID: model(), Attestation: passkeytest.Certified})
	must(t, err)
	root, err := device.Root()
	must(t, err)
	w := newWorld(t, &passkeytest.Options{}, func(o *passkey.Options) {
		o.Models = &passkey.Models{Metadata: published(t, metadataOf(model(), root, "FIDO_CERTIFIED", "basic_full"))}
	})
	w.device = device
	c, response := w.created()
	r, err := w.rp.VerifyCreation(c, response, now)
	must(t, err)
	newer := &passkey.Models{Metadata: published(t, metadataOf(model(), root, "USER_VERIFICATION_BYPASS", "basic_full"))}
	again, err := newer.Recheck(r.Record, r.Evidence, now)
	must(t, err)
	if r.ModelStatus != "" || again.ModelStatus == "" {
		t.Errorf("first %q, then %q", r.ModelStatus, again.ModelStatus)
	}
	early, err := newer.Recheck(r.Record, r.Evidence, time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC))
	must(t, err)
	if early.ModelStatus != "" {
		t.Errorf("a status of 2026 in 2025: %q", early.ModelStatus)
	}

	changed := map[string]func(*passkey.Record, *passkey.Evidence){
		"evidence": func(_ *passkey.Record, e *passkey.Evidence) { e.ClientData = append(e.ClientData, ' ') },
		"key":      func(r *passkey.Record, _ *passkey.Evidence) { r.Key = passkeytest.Flip(r.Key) },
		"ID":       func(r *passkey.Record, _ *passkey.Evidence) { r.ID = []byte("x") },
		"AAGUID":   func(r *passkey.Record, _ *passkey.Evidence) { r.AAGUID = passkey.AAGUID{1} },
	}
	for name, change := range changed {
		record, evidence := r.Record, passkey.Evidence{AttestationObject: r.Evidence.AttestationObject, ClientData: append([]byte(nil), r.Evidence.ClientData...)}
		change(&record, &evidence)
		if _, err := newer.Recheck(record, evidence, now); err == nil {
			t.Errorf("%s changed: taken", name)
		}
	}
	if _, err := (*passkey.Models)(nil).Recheck(r.Record, r.Evidence, now); err == nil {
		t.Error("without models: taken")
	}
}

func TestParseMetadata(t *testing.T) {
	payload := map[string]any{"legalHeader": "x", "no": 1, "nextUpdate": "2026-09-01", "entries": []any{}}
	blob, root := signedBlob(t, payload)
	_, otherRoot := signedBlob(t, payload)
	parts := strings.Split(string(blob), ".")
	header := func(change func(map[string]any)) string {
		text, err := base64.RawURLEncoding.DecodeString(parts[0])
		must(t, err)
		var h map[string]any
		must(t, json.Unmarshal(text, &h))
		change(h)
		text, err = json.Marshal(h)
		must(t, err)
		return b64(text) + "." + parts[1] + "." + parts[2]
	}
	tests := []struct {
		name, blob string
		root       *x509.Certificate
		at         time.Time
		good       bool
	}{
		{"good", string(blob), root, now, true},
		{"newline at the end", string(blob) + "\n", root, now, true},
		{"past nextUpdate", string(blob), root, now.AddDate(1, 0, 0), true},
		{"no root", string(blob), nil, now, false},
		{"another root", string(blob), otherRoot, now, false},
		{"certificate expired", string(blob), root, now.AddDate(80, 0, 0), false},
		{"certificate not yet valid", string(blob), root, now.AddDate(-20, 0, 0), false},
		{"empty", "", root, now, false},
		{"two parts", parts[0] + "." + parts[1], root, now, false},
		{"no signature", parts[0] + "." + parts[1] + ".", root, now, false},
		{"short signature", parts[0] + "." + parts[1] + "." + parts[2][:40], root, now, false},
		{"another payload", parts[0] + "." + b64([]byte(`{"no":2,"nextUpdate":"2026-09-01","entries":[]}`)) + "." + parts[2], root, now, false},
		{"alg none", header(func(h map[string]any) { h["alg"] = "none" }), root, now, false},
		{"alg of another key", header(func(h map[string]any) { h["alg"] = "RS256" }), root, now, false},
		{"no certificates", header(func(h map[string]any) { delete(h, "x5c") }), root, now, false},
		{"certificates elsewhere", header(func(h map[string]any) { h["x5u"] = "https://example.org" }), root, now, false},
		{"critical header", header(func(h map[string]any) { h["crit"] = []string{"b64"} }), root, now, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := passkey.ParseMetadata([]byte(tt.blob), tt.root, tt.at); (err == nil) != tt.good {
				t.Errorf("%v, want good: %t", err, tt.good)
			}
		})
	}
	production, err := passkey.MetadataRoot()
	must(t, err)
	if !production.IsCA {
		t.Error("the root of the metadata service is no CA")
	}
}

// TestMetadataRS256: what is published is signed with RSA, by a leaf under an
// intermediate.
func TestMetadataRS256(t *testing.T) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	leafKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	template := func(ca bool) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: map[bool]string{true: "Root", false: "Leaf"}[ca]}, IsCA: ca, BasicConstraintsValid: true,
			NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
		}
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, template(true), template(true), rootKey.Public(), rootKey)
	must(t, err)
	root, err := x509.ParseCertificate(rootDER)
	must(t, err)
	leaf, err := x509.CreateCertificate(rand.Reader, template(false), root, leafKey.Public(), rootKey)
	must(t, err)
	sign := func(header map[string]any) string {
		header["x5c"] = [][]byte{leaf, rootDER}
		signed := b64(marshal(t, header)) + "." + b64([]byte(`{"legalHeader":"x","no":3,"nextUpdate":"2026-09-01","entries":[]}`))
		digest := sha256.Sum256([]byte(signed))
		signature, err := rsa.SignPKCS1v15(rand.Reader, leafKey, crypto.SHA256, digest[:])
		must(t, err)
		return signed + "." + b64(signature)
	}
	good := sign(map[string]any{"alg": "RS256"})
	for name, blob := range map[string]string{
		"wrong signature": good[:len(good)-6] + "AAAAAA",
		"no algorithm":    sign(map[string]any{}),
		"another one":     sign(map[string]any{"alg": "PS256"}),
		"ES256":           sign(map[string]any{"alg": "ES256"}),
		"x5u":             sign(map[string]any{"alg": "RS256", "x5u": "https://example.org"}),
		"crit":            sign(map[string]any{"alg": "RS256", "crit": []string{"exp"}}),
	} {
		if _, err := passkey.ParseMetadata([]byte(blob), root, now); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := passkey.ParseMetadata([]byte(good), root, now); err != nil {
		t.Errorf("good: %v", err)
	}
}
