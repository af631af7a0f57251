package registry_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/store/storetest"
)

// softKey is a key that signs requests and that nobody has attested.
type softKey struct {
	*ecdsa.PrivateKey
	id   string
	spki []byte
}

// softKeys puts n of them into the store.
func (r *rig) softKeys(n int) []softKey {
	r.t.Helper()
	keys := make([]softKey, n)
	for i := range keys {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			r.t.Fatal(err)
		}
		spki, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
		if err != nil {
			r.t.Fatal(err)
		}
		id := sha256.Sum256(spki)
		keys[i] = softKey{k, base64.RawURLEncoding.EncodeToString(id[:]), spki}
	}
	err := r.store.Update(context.Background(), func(tx storetest.Tx) error {
		for _, k := range keys {
			err := tx.PutAttestedKey(context.Background(), registry.Key{
				ID: k.id, App: "demo", Account: alice, Platform: "android", SPKI: k.spki, Algorithm: "EC-P256", Tier: attest.TierAffirming,
				State: registry.StateActive, Model: "Google Pixel 9", OS: "16.0.0", RegisteredAt: noon.Add(-time.Hour),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return keys
}

// message signs a payment.
func (k softKey) message(t testing.TB, now time.Time) *request.Message {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "https://pay.example.com/v1/remit?dry=0", strings.NewReader(payment))
	if err != nil {
		t.Fatal(err)
	}
	err = request.Sign(req, &request.Signing{KeyID: k.id, Created: now, Sign: func(base []byte) ([]byte, error) {
		digest := sha256.Sum256(base)
		r, s, err := ecdsa.Sign(rand.Reader, k.PrivateKey, digest[:])
		if err != nil {
			return nil, err
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return message(t, req)
}

// BenchmarkVerifyRequest judges signed requests, 64 at a time, and beside it
// does nothing but the P-256 verifications.
func BenchmarkVerifyRequest(b *testing.B) {
	b.Run("android", func(b *testing.B) {
		r := newRig(b, withPolicy(b))
		keys := r.softKeys(1000)
		messages := make([]*request.Message, b.N)
		for i := range messages {
			messages[i] = keys[i%len(keys)].message(b, noon)
		}
		var next atomic.Int64
		b.SetParallelism(32)
		b.ReportAllocs()
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				v, err := r.VerifyRequest(b.Context(), backend, &registry.RequestCheck{App: "demo", Message: messages[next.Add(1)-1]})
				if err != nil || v.Decision != registry.Allow {
					b.Errorf("%+v, %v", v, err)
					return
				}
			}
		})
	})
	b.Run("floor", func(b *testing.B) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		digest := sha256.Sum256([]byte(payment))
		sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		if err != nil {
			b.Fatal(err)
		}
		b.SetParallelism(32)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
					b.Error("not verified")
				}
			}
		})
	})
}
