package wire

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"

	"github.com/staunchid/staunch/internal/cbor"
)

const redacted = "[redacted]"

type (
	// Key is 32 secret bytes: a master key, or one derived from it.
	Key [32]byte
	// Scalar is an encoded secret scalar of the OPRF's group.
	Scalar [ScalarSize]byte
	// Secret is secret bytes of any other length: rwd, a sealing key.
	Secret []byte
)

// hidden is embedded in what holds secrets that are no Key.
type hidden struct{}

// NewKey returns a random key.
func NewKey() (k Key) {
	rand.Read(k[:]) //nolint:errcheck // crypto/rand: never returns an error
	return k
}

// Equal compares without telling by time where the difference is.
func (k Key) Equal(other Key) bool { return subtle.ConstantTimeCompare(k[:], other[:]) == 1 }

// Equal compares without telling by time where the difference is.
func (s Scalar) Equal(other Scalar) bool { return subtle.ConstantTimeCompare(s[:], other[:]) == 1 }

// Wipe overwrites the key.
func (k *Key) Wipe() { clear(k[:]) }

// Wipe overwrites the scalar.
func (s *Scalar) Wipe() { clear(s[:]) }

// Wipe overwrites the secret.
func (s Secret) Wipe() { clear(s) }

// Code walks it as a byte string.
func (k *Key) Code(c *cbor.Coder) { c.Fixed(k[:]) }

// Code walks it as a byte string.
func (s *Scalar) Code(c *cbor.Coder) { c.Fixed(s[:]) }

// What follows keeps secrets out of logs. Format answers for every verb of fmt,
// so that %x and %d print nothing either.

func (Key) String() string    { return redacted }
func (Scalar) String() string { return redacted }
func (Secret) String() string { return redacted }
func (hidden) String() string { return redacted }

// Format prints no secret, whatever the verb.
func (Key) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// Format prints no secret, whatever the verb.
func (Scalar) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// Format prints no secret, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// Format prints no secret, whatever the verb.
func (hidden) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// LogValue logs no secret.
func (hidden) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps secrets out of JSON.
func (hidden) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue logs no secret.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// LogValue logs no secret.
func (Scalar) LogValue() slog.Value { return slog.StringValue(redacted) }

// LogValue logs no secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps secrets out of JSON.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalText keeps secrets out of JSON.
func (Scalar) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalText keeps secrets out of JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
