package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// sampleKey is the key of a software phone that is kept in a file between two
// calls: PKCS #8 in PEM, P-256.
type sampleKey struct {
	private *ecdsa.PrivateKey
	spki    []byte
}

// openSampleKey reads the key in file, or with create makes one if there is none.
func openSampleKey(file string, create bool) (*sampleKey, error) {
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && create:
		if text, err = newKeyPEM(); err != nil {
			return nil, err
		}
		if err := writeNew(file, 0o600, func() string { return string(text) }); err != nil {
			return nil, err
		}
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("--key: there is no %s; the call with --challenge makes it, and its key must be registered", file)
	case err != nil:
		return nil, fmt.Errorf("--key: %w", err)
	}
	var parsed any
	if block, _ := pem.Decode(text); block != nil {
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || private.Curve != elliptic.P256() {
		return nil, fmt.Errorf("--key: %s is no P-256 key in PEM as this command writes it", file)
	}
	spki, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("--key: %s: %w", file, err)
	}
	return &sampleKey{private, spki}, nil
}

func newKeyPEM() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// id is what the server calls the key.
func (k *sampleKey) id() string {
	sum := sha256.Sum256(k.spki)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sign signs a signature base: r || s (RFC 9421, Section 3.3.4).
func (k *sampleKey) sign(base []byte) ([]byte, error) {
	digest := sha256.Sum256(base)
	r, s, err := ecdsa.Sign(rand.Reader, k.private, digest[:])
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
}
