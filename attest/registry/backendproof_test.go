package registry_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
)

// newBackend makes a key of a backend.
func newBackend(t testing.TB, algorithm string) (registry.BackendKey, func([]byte) ([]byte, error)) {
	t.Helper()
	var public crypto.PublicKey
	var sign func([]byte) ([]byte, error)
	switch algorithm {
	case "ed25519":
		pub, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		public, sign = pub, func(b []byte) ([]byte, error) { return ed25519.Sign(key, b), nil }
	default:
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		public, sign = &key.PublicKey, softKey{PrivateKey: key}.sign
	}
	k, err := registry.ParseBackendKey(publicPEM(t, public))
	if err != nil {
		t.Fatal(err)
	}
	return k, sign
}

func publicPEM(t testing.TB, public crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// backendCall is a call of the backend.
func (r *rig) backendCall(sign func([]byte) ([]byte, error), change ...func(*http.Request, *request.Signing)) *request.Message {
	r.t.Helper()
	req := freeze()
	req.Header.Del("Authorization")
	s := &request.Signing{KeyID: registry.BackendKeyID, Created: r.clock(), Sign: sign}
	for _, c := range change {
		c(req, s)
	}
	if err := request.Sign(req, s); err != nil {
		r.t.Fatal(err)
	}
	return called(r.t, req)
}

// TestProveBackend has a good call and small changes to it, with both kinds of
// keys. A call is good once.
func TestProveBackend(t *testing.T) {
	type change = func(*http.Request, *request.Signing)
	for _, algorithm := range []string{"ed25519", "ecdsa-p256-sha256"} {
		r := newRig(t, withPolicy(t))
		key, sign := newBackend(t, algorithm)
		other, _ := newBackend(t, algorithm)
		phone := r.androidKey()
		for _, tt := range []struct {
			name   string
			key    registry.BackendKey
			change change
			way    func(*request.Message)
			code   string
		}{
			{name: "good", key: key},
			{name: "its algorithm", key: key, change: func(_ *http.Request, s *request.Signing) { s.Alg = algorithm }},
			{name: "another algorithm", key: key, change: func(_ *http.Request, s *request.Signing) { s.Alg = "rsa-pss-sha512" }, code: "common.request_components"},
			{name: "the key of another app", key: other, code: "common.signature_invalid"},
			{name: "no key", code: "common.signature_invalid"},
			{name: "another key id", key: key, change: func(_ *http.Request, s *request.Signing) { s.KeyID = "backend2" }, code: "common.key_unknown"},
			{name: "as a phone", key: key, change: func(_ *http.Request, s *request.Signing) { s.KeyID = phone.ID() }, code: "common.key_unknown"},
			{name: "by a phone", key: key, change: func(_ *http.Request, s *request.Signing) { s.Sign = phone.Sign }, code: "common.signature_invalid"},
			{name: "another path", key: key, way: func(m *request.Message) { m.Path += "r" }, code: "common.signature_invalid"},
			{name: "for another app", key: key, change: func(r *http.Request, _ *request.Signing) { r.Header.Set("Staunch-App", "shop") }, code: "common.request_components"},
			{name: "app is not covered", key: key, change: func(r *http.Request, _ *request.Signing) { r.Header.Del("Staunch-App") },
				way: func(m *request.Message) { m.Fields["staunch-app"] = "demo" }, code: "common.request_components"},
			{name: "another host", key: key, change: func(r *http.Request, _ *request.Signing) { r.Host = "pay.example.com" }, code: "common.request_components"},
			{name: "too old", key: key, change: func(_ *http.Request, s *request.Signing) { s.Created = s.Created.Add(-121 * time.Second) }, code: "common.request_clock"},
		} {
			t.Run(tt.name+"/"+algorithm, func(t *testing.T) {
				if tt.change == nil {
					tt.change = func(*http.Request, *request.Signing) {}
				}
				m, before := r.backendCall(sign, tt.change), r.usedUp()
				if tt.way != nil {
					tt.way(m)
				}
				err := r.ProveBackend(t.Context(), tt.key, m, ourHosts(), false)
				if tt.code != "" {
					if r.mustBeRefused(err, tt.code); r.usedUp() != before {
						t.Error("something was used up")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				r.mustBeRefused(r.ProveBackend(t.Context(), tt.key, m, ourHosts(), false), "common.request_replay")
			})
		}
	}
}

// TestBackendIsNoPhone: what a backend signs is no phone's call.
func TestBackendIsNoPhone(t *testing.T) {
	r := newRig(t, withPolicy(t))
	_, sign := newBackend(t, "ecdsa-p256-sha256")
	r.mustNotProve(&registry.ProofRequest{App: "demo", Message: r.backendCall(sign), Authorities: ourHosts()}, "common.key_unknown")
}

// TestBackendNonceFloor: a call from before what was deleted is none that is new.
func TestBackendNonceFloor(t *testing.T) {
	r := newRig(t, withPolicy(t))
	key, sign := newBackend(t, "ed25519")
	m := r.backendCall(sign)
	if err := r.ProveBackend(t.Context(), key, m, ourHosts(), false); err != nil {
		t.Fatal(err)
	}
	r.advance(3 * time.Minute)
	if err := r.ProveBackend(t.Context(), key, r.backendCall(sign), ourHosts(), false); err != nil { // and cleans
		t.Fatal(err)
	}
	if n := r.rows("attest_nonce"); n != 1 {
		t.Fatalf("%d nonces are left", n)
	}
	r.advance(-3 * time.Minute)
	r.mustBeRefused(r.ProveBackend(t.Context(), key, m, ourHosts(), false), "common.request_clock")
}

// TestParseBackendKey: one public key, of two kinds, and nothing else.
func TestParseBackendKey(t *testing.T) {
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	good := publicPEM(t, pub)
	digest := sha256.Sum256(good)
	for _, tt := range []struct {
		name, text, want string
	}{
		{"good", string(good), ""},
		{"a line behind it", string(good) + "\n", ""},
		{"two", string(good) + string(good), "more behind"},
		{"empty", "", "no PEM"},
		{"no PEM", string(digest[:]), "no PEM"},
		{"a private key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), "PUBLIC KEY"},
		{"no key in it", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: secret})), "backend key"},
		{"another curve", string(publicPEM(t, &p384.PublicKey)), "neither"},
	} {
		_, err := registry.ParseBackendKey([]byte(tt.text))
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "registry: ")) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
