package release

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrKey: a file is not the Ed25519 key that is wanted. Restore it from where it
// is, or make another with `staunch config new-key`.
var ErrKey = errors.New("release: the key cannot be used")

// ReadKey reads an Ed25519 private key: PKCS #8 in PEM (RFC 8410, Section 7).
func ReadKey(path string) (ed25519.PrivateKey, error) {
	der, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	any, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrKey, path, err)
	}
	key, ok := any.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: %s is no Ed25519 key", ErrKey, path)
	}
	return key, nil
}

// ReadPublicKey reads the public half: SubjectPublicKeyInfo in PEM (RFC 8410,
// Section 4).
func ReadPublicKey(path string) (k wire.EdKey, err error) {
	der, err := readPEM(path, "PUBLIC KEY")
	if err != nil {
		return k, err
	}
	any, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return k, fmt.Errorf("%w: %s: %w", ErrKey, path, err)
	}
	key, ok := any.(ed25519.PublicKey)
	if !ok {
		return k, fmt.Errorf("%w: %s is no Ed25519 key", ErrKey, path)
	}
	return wire.EdKey(key), nil
}

func readPEM(path, kind string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%w: %s has no %s in PEM", ErrKey, path, kind)
	}
	return block.Bytes, nil
}

// Public is the public half as documents have it.
func Public(key ed25519.PrivateKey) wire.EdKey { return wire.EdKey(key.Public().(ed25519.PublicKey)) }
