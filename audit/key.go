package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
)

// ErrKey: a text is not an Ed25519 key in PEM. Make one with
// `openssl genpkey -algorithm ed25519`, and its public half with
// `openssl pkey -pubout`.
var ErrKey = errors.New("audit: not an Ed25519 key in PEM")

// Signer signs seals. A key that lies elsewhere, in a key service, implements
// it too: Sign is called within a transaction, so it must bound its time.
type Signer interface {
	Public() ed25519.PublicKey
	Sign(ctx context.Context, message []byte) (signature []byte, err error)
}

// Key is an audit key in memory. It prints as [redacted]; the secret is behind a
// function, because fmt calls no methods on what is in unexported fields.
type Key struct{ reveal func() ed25519.PrivateKey }

// ParseKey reads a private key: PEM "PRIVATE KEY", PKCS #8, Ed25519.
func ParseKey(text []byte) (Key, error) { // RFC 8410, Section 7
	der, err := onlyBlock(text, "PRIVATE KEY")
	if err != nil {
		return Key{}, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return Key{}, fmt.Errorf("%w: it is of another algorithm", ErrKey)
	}
	return Key{func() ed25519.PrivateKey { return key }}, nil
}

// ParsePublicKey reads a public key: PEM "PUBLIC KEY", Ed25519.
func ParsePublicKey(text []byte) (ed25519.PublicKey, error) { // RFC 8410, Section 4
	der, err := onlyBlock(text, "PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: it is of another algorithm", ErrKey)
	}
	return key, nil
}

// onlyBlock gives the bytes of the one PEM block in text.
func onlyBlock(text []byte, kind string) ([]byte, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, fmt.Errorf("%w: there is no PEM block", ErrKey)
	case block.Type != kind:
		return nil, fmt.Errorf("%w: it is a %q, and should be a %q", ErrKey, block.Type, kind)
	}
	if second, _ := pem.Decode(rest); second != nil {
		return nil, fmt.Errorf("%w: there is more than one", ErrKey)
	}
	return block.Bytes, nil
}

// Public is the key that verifies.
func (k Key) Public() ed25519.PublicKey {
	if k.reveal == nil {
		return nil
	}
	return k.reveal().Public().(ed25519.PublicKey)
}

// Sign signs message.
func (k Key) Sign(_ context.Context, message []byte) ([]byte, error) {
	if k.reveal == nil {
		return nil, fmt.Errorf("%w: there is none", ErrKey)
	}
	return ed25519.Sign(k.reveal(), message), nil // RFC 8032, Section 5.1.6
}

func (Key) String() string               { return "[redacted]" }
func (Key) GoString() string             { return "[redacted]" }
func (Key) LogValue() slog.Value         { return slog.StringValue("[redacted]") }
func (Key) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }
