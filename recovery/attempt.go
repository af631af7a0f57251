package recovery

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/wire"
)

// Attempt is a try at a PIN, from its first request to its verdict. While it is
// kept, the same PIN makes the same request again, and costs nothing again: so
// it is saved before the first request leaves. The zero Attempt is a new one.
// It prints as [redacted].
type Attempt struct {
	known knownSet
	reg   wire.RegID
	seed  wire.Key // a; zero: none is under way
}

// begin keeps the seed of a try at the same registration, and makes one for a
// new try. It reports whether it has.
func (a *Attempt) begin(reg wire.RegID) bool {
	if a.reg == reg && a.seed != (wire.Key{}) {
		return false
	}
	a.reg = reg
	rand.Read(a.seed[:]) //nolint:errcheck // crypto/rand: never returns an error
	return true
}

// end erases the seed: there was a verdict. What is known of the vault set stays.
func (a *Attempt) end() {
	a.reg = wire.RegID{}
	a.seed.Wipe()
}

// Open reports whether a try is under way.
func (a *Attempt) Open() bool { return a.seed != (wire.Key{}) }

func (a *Attempt) code(c *cbor.Coder) {
	c.Array(4)
	c.Const(1) // version of the journal
	a.known.code(c)
	a.reg.Code(c)
	a.seed.Code(c)
}

// Encode gives the bytes to keep.
func (a *Attempt) Encode() ([]byte, error) {
	b, err := cbor.Encode(a.code)
	if err != nil {
		return nil, fmt.Errorf("recovery: encode an attempt: %w", err)
	}
	return b, nil
}

// ParseAttempt reads what Encode has written.
func ParseAttempt(b []byte) (*Attempt, error) {
	a := new(Attempt)
	if err := cbor.Decode(b, a.code); err != nil {
		return nil, fmt.Errorf("%w: an attempt of this phone: %w", ErrMalformed, err)
	}
	return a, nil
}

func (Attempt) String() string { return redacted }

// Format prints no seed, whatever the verb.
func (Attempt) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// LogValue logs no seed.
func (Attempt) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps seeds out of JSON.
func (Attempt) MarshalText() ([]byte, error) { return []byte(redacted), nil }
