package demo_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func spki(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(der)
}

// TestPhones: the page's phones are what they were asked to be, and the pinned
// policy takes the genuine one alone, for its own key and challenge.
func TestPhones(t *testing.T) {
	s := newSite(t, &fakeServer{})
	key, challenge := spki(t), base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	other := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{8}, 32))
	chain := func(kind string) string {
		w := send(s, http.MethodPost, "/demo/attest", fmt.Sprintf(`{"platform":"android","kind":%q,"spki":%q,"challenge":%q}`, kind, key, challenge))
		text, err := json.Marshal(read[struct{ CertificateChain []string }](t, w).CertificateChain)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, tt := range map[string]struct {
		kind, key, challenge, code string
		want                       bool
	}{
		"good":              {"genuine", key, challenge, "", true},
		"another key":       {"genuine", spki(t), challenge, "", false},
		"another challenge": {"genuine", key, other, "common.challenge_mismatch", false},
		"repackaged":        {"repackaged", key, challenge, "android.app_signer", false},
		"emulator":          {"emulator", key, challenge, "android.software_root", false},
		"unlocked":          {"unlocked", key, challenge, "android.boot_unlocked", false},
		"forged":            {"forged", key, challenge, "android.signature", false},
		"software":          {"software", key, challenge, "android.level_software", false},
		"replayed":          {"replayed", key, challenge, "common.challenge_mismatch", false},
	} {
		t.Run(name, func(t *testing.T) {
			body := fmt.Sprintf(`{"evidence":{"platform":"android","chain":%s},"challenge":%q,"spki":%q}`, chain(tt.kind), tt.challenge, tt.key)
			got := read[struct {
				Accepted bool
				Key      string
				Findings []struct{ Code string }
			}](t, send(s, http.MethodPost, "/demo/verify", body))
			if got.Accepted != tt.want || tt.want && got.Key != key {
				t.Errorf("%+v", got)
			}
			if found := fmt.Sprint(got.Findings); !strings.Contains(found, tt.code) || tt.want && len(got.Findings) > 0 {
				t.Errorf("findings %s, want %s", found, tt.code)
			}
		})
	}
	for name, body := range map[string]string{
		"an iPhone":       fmt.Sprintf(`{"platform":"ios","kind":"genuine","spki":%q,"challenge":%q}`, key, challenge),
		"an unknown kind": fmt.Sprintf(`{"platform":"android","kind":"android-rsa-key","spki":%q,"challenge":%q}`, key, challenge),
		"no challenge":    fmt.Sprintf(`{"platform":"android","kind":"genuine","spki":%q,"challenge":""}`, key),
		"no key":          fmt.Sprintf(`{"platform":"android","kind":"genuine","spki":"AAAA","challenge":%q}`, challenge),
	} {
		if w := send(s, http.MethodPost, "/demo/attest", body); w.Code != 400 {
			t.Errorf("%s: status %d: %s", name, w.Code, w.Body)
		}
	}
}
