package passkey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/passkey/passkeytest"
)

// BenchmarkVerifyAssertion compares the whole with one verification of the same
// message.
func BenchmarkVerifyAssertion(b *testing.B) {
	w := newWorld(b, &passkeytest.Options{Algorithm: -7})
	stored := w.registered()
	c, response := w.asserted()
	a, err := w.rp.VerifyAssertion(c, w.user, stored, response, now)
	must(b, err)
	// The last 32 bytes of an ES256 key in COSE are y; x is before, behind 3
	// bytes of CBOR. WebAuthn L3 §6.5.1.1
	n := len(stored.Record.Key)
	point := slices.Concat([]byte{4}, stored.Record.Key[n-67:n-35], stored.Record.Key[n-32:])
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	must(b, err)
	client := sha256.Sum256(a.ClientDataJSON)

	b.Run("es256", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.rp.VerifyAssertion(c, w.user, stored, response, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			digest := sha256.Sum256(slices.Concat(a.AuthenticatorData, client[:]))
			if !ecdsa.VerifyASN1(key, digest[:], a.Signature) {
				b.Fatal("the signature does not verify")
			}
		}
	})
}

// BenchmarkParseRecord is what finding the row adds.
func BenchmarkParseRecord(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := passkey.ParseRecord([]byte(recordText)); err != nil {
			b.Fatal(err)
		}
	}
}
