package appattest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/attest/appattest"
	"github.com/staunchid/staunch/internal/cbor"
)

func TestVerifyAssertion(t *testing.T) {
	k := testKeys()
	extensions := encode(map[string]any{"apple_bundle_version_01": "1", "apple_validation_category_01": []byte{2, 0, 0, 0}})
	for _, tc := range []struct {
		name string
		edit func(s *signer, hash *[]byte)
		code string
	}{
		{"good", func(*signer, *[]byte) {}, ""},
		{"map, flag 0x80", func(s *signer, _ *[]byte) { s.flags, s.extensions = 0xc0, extensions }, ""},
		{"map, no flag", func(s *signer, _ *[]byte) { s.extensions = extensions }, ""},
		{"no flags", func(s *signer, _ *[]byte) { s.flags = 0 }, ""},
		{"counter 2^32-1", func(s *signer, _ *[]byte) { s.counter = 1<<32 - 1 }, ""},
		{"unknown member", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { o["new"] = 1; return o }
		}, ""},

		{"no client data hash", func(_ *signer, h *[]byte) { *h = nil }, "malformed"},
		{"client data hash of 129 bytes", func(_ *signer, h *[]byte) { *h = make([]byte, 129) }, "malformed"},
		{"an array", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { return []any{o["signature"], o["authenticatorData"]} }
		}, "malformed"},
		{"no signature", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { delete(o, "signature"); return o }
		}, "malformed"},
		{"signature null", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { o["signature"] = nil; return o }
		}, "malformed"},
		{"signature text", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { o["signature"] = "text"; return o }
		}, "malformed"},
		{"no authenticatorData", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { delete(o, "authenticatorData"); return o }
		}, "malformed"},
		{"authenticatorData text", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { o["authenticatorData"] = "text"; return o }
		}, "malformed"},
		{"signature twice", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any {
				return rawMap("signature", o["signature"], "authenticatorData", o["authenticatorData"], "signature", o["signature"])
			}
		}, "malformed"},
		{"unknown member twice", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any {
				return rawMap("signature", o["signature"], "authenticatorData", o["authenticatorData"], "new", 1, "new", 1)
			}
		}, "malformed"},
		{"indefinite length", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { return endless(encode(o)) }
		}, "malformed"},
		{"a byte after the assertion", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { return cbor.RawMessage(append(encode(o), 0)) }
		}, "malformed"},

		{"36 bytes", func(s *signer, _ *[]byte) { s.editAuthData = func(b []byte) []byte { return b[:36] } }, "auth_data"},
		{"empty", func(s *signer, _ *[]byte) { s.editAuthData = func(b []byte) []byte { return b[:0] } }, "auth_data"},
		{"flag 0x80 without a map", func(s *signer, _ *[]byte) { s.flags = 0xc0 }, "auth_data"},
		{"trailing byte", func(s *signer, _ *[]byte) { s.extensions = []byte{0} }, "trailing_data"},
		{"trailing byte after the map", func(s *signer, _ *[]byte) { s.extensions = append(bytes.Clone(extensions), 0) }, "trailing_data"},
		{"two maps", func(s *signer, _ *[]byte) { s.extensions = append(bytes.Clone(extensions), extensions...) }, "trailing_data"},
		{"a map with an integer key", func(s *signer, _ *[]byte) { s.extensions = encode(map[int]int{1: 1}) }, "trailing_data"},
		{"category of 3 bytes", func(s *signer, _ *[]byte) {
			s.extensions = encode(map[string]any{"apple_validation_category_01": []byte{2, 0, 0}})
		}, "extension_malformed"},
		{"bundle version a number", func(s *signer, _ *[]byte) {
			s.extensions = encode(map[string]any{"apple_bundle_version_01": 1})
		}, "extension_malformed"},

		{"other client data", func(_ *signer, h *[]byte) { (*h)[0] ^= 1 }, "assertion_signature"},
		{"another key", func(s *signer, _ *[]byte) { s.key = k.other }, "assertion_signature"},
		{"nonce signed without hashing it again", func(s *signer, _ *[]byte) {
			s.digest = func(nonce []byte) []byte { return nonce }
		}, "assertion_signature"},
		{"another counter", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { o["authenticatorData"].([]byte)[36]++; return o }
		}, "assertion_signature"},
		{"a map added", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any {
				o["authenticatorData"] = append(o["authenticatorData"].([]byte), extensions...)
				return o
			}
		}, "assertion_signature"},
		{"signature empty", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { o["signature"] = []byte{}; return o }
		}, "assertion_signature"},
		{"a byte after the signature", func(s *signer, _ *[]byte) {
			s.object = func(o map[string]any) any { o["signature"] = append(o["signature"].([]byte), 0); return o }
		}, "assertion_signature"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSigner()
			hash := bytes.Clone(s.clientDataHash)
			tc.edit(s, &hash)
			object := s.assert()
			for form, key := range map[string][]byte{"spki": spki(k.leaf), "point": point(k.leaf)} {
				a, err := appattest.VerifyAssertion(object, key, hash)
				if got := code(t, err); got != tc.code {
					t.Fatalf("%s: %v, want %q", form, err, tc.code)
				}
				if (a == nil) != (tc.code == "malformed") {
					t.Errorf("%s: Assertion %v with code %q", form, a, tc.code)
				}
			}
		})
	}
}

func TestAssertionFacts(t *testing.T) {
	k := testKeys()
	s := newSigner()
	s.flags, s.counter = 0xc0, 0x01020304
	s.extensions = encode(map[string]any{"apple_validation_category_01": []byte{2, 0, 0, 0}, "new": 1})
	got, err := appattest.VerifyAssertion(s.assert(), point(k.leaf), s.clientDataHash)
	if err != nil {
		t.Fatal(err)
	}
	rpIDHash := sha256.Sum256([]byte(appID))
	id := sha256.Sum256(point(k.leaf))
	want := &appattest.Assertion{
		KeySPKI: spki(k.leaf), KeyID: id[:], RPIDHash: rpIDHash[:], Flags: 0xc0, Counter: 0x01020304,
		Extensions: &appattest.Extensions{ValidationCategory: new(appattest.CategoryTestFlight), Unknown: []string{"new"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	// After a Failure, what was claimed is there as far as it can be read.
	s.clientDataHash[0] ^= 1
	got, err = appattest.VerifyAssertion(s.assert(), point(k.other), s.clientDataHash)
	if code(t, err) != "assertion_signature" || got.Counter != 0x01020304 || got.Extensions == nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPublicKeyForms(t *testing.T) {
	s := newSigner()
	object := s.assert()
	good := spki(testKeys().leaf)
	offCurve := point(testKeys().leaf)
	offCurve[64] ^= 1
	compressed := append([]byte{2}, good[27:59]...)
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	prefix := bytes.Clone(good)
	prefix[5] ^= 1
	for name, key := range map[string][]byte{
		"none":            nil,
		"off the curve":   offCurve,
		"infinity":        {0},
		"compressed":      compressed,
		"P-384":           must(x509.MarshalPKIXPublicKey(p384.Public())),
		"point cut":       good[26:90],
		"SPKI cut":        good[:90],
		"SPKI and a byte": append(bytes.Clone(good), 0),
		"another prefix":  prefix,
		"hybrid":          append([]byte{6}, good[27:]...),
	} {
		if a, err := appattest.VerifyAssertion(object, key, s.clientDataHash); !errors.Is(err, appattest.ErrMalformed) || a != nil {
			t.Errorf("%s: VerifyAssertion: %v, %v", name, a, err)
		}
		if id, err := appattest.KeyID(key); !errors.Is(err, appattest.ErrMalformed) || id != nil {
			t.Errorf("%s: KeyID: %x, %v", name, id, err)
		}
	}
}

func BenchmarkAssertion(b *testing.B) {
	s := newSigner()
	key := spki(testKeys().leaf)
	plain := s.assert()
	s.flags = 0xc0
	s.extensions = encode(map[string]any{"apple_bundle_version_01": "1", "apple_validation_category_01": []byte{4, 0, 0, 0}})
	withMap := s.assert()
	for name, object := range map[string][]byte{"full": plain, "ios27": withMap} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := appattest.VerifyAssertion(object, key, s.clientDataHash); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("floor", func(b *testing.B) { // one raw P-256 verification
		digest := sha256.Sum256(s.clientDataHash)
		signature := must(ecdsa.SignASN1(rand.Reader, testKeys().leaf, digest[:]))
		b.ReportAllocs()
		for b.Loop() {
			if !ecdsa.VerifyASN1(&testKeys().leaf.PublicKey, digest[:], signature) {
				b.Fatal("not verified")
			}
		}
	})
}
