package audit_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/staunchid/staunch/audit"
)

func block(t *testing.T, kind string, der []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// keyFiles are a good key and its public half, and what must not pass for either.
func keyFiles(t *testing.T) (private, public []byte, bad map[string][]byte) {
	key := newKey(1)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	private = block(t, "PRIVATE KEY", der, err)
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	public = block(t, "PUBLIC KEY", pub, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecDER, err := x509.MarshalPKCS8PrivateKey(ec)
	ecPub, err2 := x509.MarshalPKIXPublicKey(ec.Public())
	return private, public, map[string][]byte{
		"nothing": nil, "text": []byte("key"), "DER": der,
		"P-256": block(t, "PRIVATE KEY", ecDER, err), "P-256, public": block(t, "PUBLIC KEY", ecPub, err2),
		"another kind":        block(t, "ED25519 PRIVATE KEY", der, nil),
		"cut off":             block(t, "PRIVATE KEY", der[:len(der)-1], nil),
		"cut off, public":     block(t, "PUBLIC KEY", pub[:len(pub)-1], nil),
		"two keys":            append(bytes.Clone(private), private...),
		"two keys, public":    append(bytes.Clone(public), public...),
		"private, and public": append(bytes.Clone(private), public...),
	}
}

func TestParseKey(t *testing.T) {
	private, pub, bad := keyFiles(t)
	key, err := audit.ParseKey(private)
	if err != nil || !key.Public().Equal(newKey(1).Public()) {
		t.Fatalf("%v, %v", key.Public(), err)
	}
	signature, err := key.Sign(t.Context(), []byte("m"))
	if err != nil || !ed25519.Verify(public(newKey(1)), []byte("m"), signature) {
		t.Errorf("signature %x, %v", signature, err)
	}
	got, err := audit.ParsePublicKey(pub)
	if err != nil || !got.Equal(newKey(1).Public()) {
		t.Errorf("public: %v, %v", got, err)
	}
	bad["the public half"] = pub
	for name, text := range bad {
		if _, err := audit.ParseKey(text); !errors.Is(err, audit.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	delete(bad, "the public half")
	bad["the private half"] = private
	for name, text := range bad {
		if _, err := audit.ParsePublicKey(text); !errors.Is(err, audit.ErrKey) {
			t.Errorf("%s, as public: %v", name, err)
		}
	}
	if _, err := (audit.Key{}).Sign(t.Context(), nil); !errors.Is(err, audit.ErrKey) {
		t.Errorf("no key signs: %v", err)
	}
}

// TestKeyRedacted: no way of printing a key shows it.
func TestKeyRedacted(t *testing.T) {
	private, _, _ := keyFiles(t)
	key, err := audit.ParseKey(private)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Key  audit.Key
		Ptr  *audit.Key
		hide audit.Key // fmt calls no methods on it
	}
	h := holder{key, &key, key}
	var out bytes.Buffer
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, format+format+format+"\n", key, &key, h)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "key", key, "holder", h)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "key", key, "holder", h)
	seed := newKey(1).Seed()
	for _, secret := range []string{string(seed[:4]), "01010101", "AQEBAQ", "1 1 1 1", "0x1, 0x1"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("printed: %q in %s", secret, out.String())
		}
	}
	if !strings.Contains(out.String(), "[redacted]") {
		t.Errorf("not redacted: %s", out.String())
	}
}
