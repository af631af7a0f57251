package handover

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"math"

	"github.com/staunchid/staunch/internal/cbor"
)

const redacted = "[redacted]"

// Secret is 32 secret bytes: the code's, a share, a key. It prints as [redacted],
// whatever the verb, and so it does in logs and JSON.
type Secret [32]byte

func newSecret() (s Secret) {
	rand.Read(s[:]) //nolint:errcheck // crypto/rand: never returns an error
	return s
}

// Equal compares without telling by time where the difference is.
func (s Secret) Equal(other Secret) bool { return subtle.ConstantTimeCompare(s[:], other[:]) == 1 }

// Erase overwrites it.
func (s *Secret) Erase() { clear(s[:]) }

func (Secret) String() string { return redacted }

// Format prints no secret, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// LogValue logs no secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps secrets out of JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Secrets are what moves besides the history, by name: "sealing" the sealing keys,
// "recovery" the device's recovery state. In all at most 64 KiB.
type Secrets map[string][]byte

// maxSecrets is how many bytes they have encoded, at most.
const maxSecrets = 64 << 10

// Code walks the map.
func (s *Secrets) Code(c *cbor.Coder) {
	cbor.TextKeys(c, (*map[string][]byte)(s), 64, 0, 64, func(v *[]byte) { cbor.Octets(c, v, 0, math.MaxInt32) })
}

// Erase overwrites them.
func (s Secrets) Erase() {
	for _, v := range s {
		clear(v)
	}
}

func (Secrets) String() string { return redacted }

// Format prints no secret, whatever the verb.
func (Secrets) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// LogValue logs no secret.
func (Secrets) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps secrets out of JSON.
func (Secrets) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// hidden is embedded in what holds secrets.
type hidden struct{}

func (hidden) String() string { return redacted }

// Format prints no secret, whatever the verb.
func (hidden) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// LogValue logs no secret.
func (hidden) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps secrets out of JSON.
func (hidden) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// same compares two public or secret strings of bytes in constant time.
func same(a, b []byte) bool { return hmac.Equal(a, b) }
