package registry_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
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
	req := remit()
	if err := request.Sign(req, &request.Signing{KeyID: k.id, Created: now, Sign: k.sign}); err != nil {
		t.Fatal(err)
	}
	return message(t, req)
}

// sign gives r and s, as RFC 9421, Section 3.3.4, wants them.
func (k softKey) sign(base []byte) ([]byte, error) {
	digest := sha256.Sum256(base)
	r, s, err := ecdsa.Sign(rand.Reader, k.PrivateKey, digest[:])
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
}
