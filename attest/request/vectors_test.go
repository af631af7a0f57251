package request_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/request"
)

var update = flag.Bool("update", false, "write spec/vectors/request.json anew, signatures too")

// vectorFile is what SDKs in other languages read, too.
var vectorFile = filepath.Join("..", "..", "spec", "vectors", "request.json")

type vectors struct {
	Comment string   `json:"comment"`
	Key     string   `json:"key"` // SubjectPublicKeyInfo, hex
	KeyID   string   `json:"keyid"`
	Vectors []vector `json:"vectors"`
}

type vector struct {
	Name    string            `json:"name"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Fields  map[string]string `json:"fields"` // as set by the app
	Cover   []string          `json:"cover"`  // besides those that always are
	Body    string            `json:"body"`
	Created int64             `json:"created"`
	Nonce   string            `json:"nonce"`

	ContentDigest  string `json:"content_digest"` // empty: none
	SignatureInput string `json:"signature_input"`
	Base           string `json:"base"`
	Signature      string `json:"signature"` // by key, r || s, hex
}

// sign does what a phone does with a vector, and returns what it was to sign.
func (v *vector) sign(t *testing.T, keyID string, key func(base []byte) []byte) (base []byte, h http.Header) {
	t.Helper()
	r := outgoing(t, v.Method, v.URL, v.Body)
	for name, value := range v.Fields {
		r.Header.Set(name, value)
	}
	err := request.Sign(r, &request.Signing{
		KeyID: keyID, Created: time.Unix(v.Created, 0), Nonce: v.Nonce, Fields: v.Cover,
		Sign: func(b []byte) ([]byte, error) { base = b; return key(b), nil },
	})
	if err != nil {
		t.Fatalf("%s: %v", v.Name, err)
	}
	return base, r.Header
}

// TestVectors: phones in all languages sign the same bytes.
func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	text, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var f vectors
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		t.Fatal(err)
	}
	der, err := hex.DecodeString(f.Key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Vectors) < 6 {
		t.Errorf("%d vectors", len(f.Vectors))
	}
	for _, v := range f.Vectors {
		signature, err := hex.DecodeString(v.Signature)
		if err != nil {
			t.Fatal(err)
		}
		base, h := v.sign(t, f.KeyID, func([]byte) []byte { return signature })
		if string(base) != v.Base || h.Get("Signature-Input") != v.SignatureInput || h.Get("Content-Digest") != v.ContentDigest {
			t.Errorf("%s:\n%s\n%s\n%s", v.Name, base, h.Get("Signature-Input"), h.Get("Content-Digest"))
		}
		if !request.VerifySignature("ecdsa-p256-sha256", key, base, signature) {
			t.Errorf("%s: the signature is not by the key", v.Name)
		}
	}
}

// writeVectors makes them with a new key, which is then forgotten.
func writeVectors(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	const host = "https://pay.example.com"
	json1 := map[string]string{"Content-Type": "application/json"}
	f := vectors{
		Comment: "Signed requests (docs/requests.md). fields are set before signing, cover is covered besides. base is what key (SubjectPublicKeyInfo, hex) has signed; signature is r || s in hex: any other by that key is as good.",
		Key:     hex.EncodeToString(der), KeyID: keyID,
		Vectors: []vector{
			{Name: "payment", Method: "POST", URL: host + "/v1/remit?dry=0", Fields: json1, Body: `{"amount":12,"payee":"bob"}`},
			{Name: "nothing to post", Method: "POST", URL: host + "/v1/remit"},
			{Name: "get", Method: "GET", URL: host},
			{Name: "get with a query, escapes and another port", Method: "GET", URL: "http://localhost:8080/a%2Fb/c?d=%20&e", Fields: map[string]string{}},
			{Name: "delete at a default port", Method: "DELETE", URL: "https://pay.example.com:443/v1/payees/7"},
			{Name: "put without a body, other fields", Method: "PUT", URL: host + "/v1/payees/7", Fields: map[string]string{"Idempotency-Key": "8 9", "X-Other": "x"}, Cover: []string{"Idempotency-Key"}},
			{Name: "a call to Staunch", Method: "POST", URL: "https://accounts.example.org/staunch.account.v1.AccountService/Freeze", Body: "{}", Fields: map[string]string{
				"Content-Type": "application/json", "Content-Encoding": "identity", "Staunch-App": "demo", "Authorization": "Staunch " + strings.Repeat("A", 43),
			}},
			{Name: "text that is not ASCII in the body", Method: "PATCH", URL: host + "/", Fields: json1, Body: `{"note":"日本"}`},
		},
	}
	for i := range f.Vectors {
		v := &f.Vectors[i]
		v.Created, v.Nonce = 1763700000+int64(i), strings.Repeat(string(rune('a'+i)), 22)
		base, h := v.sign(t, f.KeyID, func(b []byte) []byte {
			digest := sha256.Sum256(b)
			r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
			if err != nil {
				t.Fatal(err)
			}
			sig := make([]byte, 64)
			v.Signature = hex.EncodeToString(append(r.FillBytes(sig[:32])[:32:32], s.FillBytes(sig[32:])...))
			return sig
		})
		v.Base, v.SignatureInput, v.ContentDigest = string(base), h.Get("Signature-Input"), h.Get("Content-Digest")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(f); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorFile, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}
