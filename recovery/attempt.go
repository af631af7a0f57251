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
	known    knownSet
	reg      wire.RegID
	seed     wire.Key             // a; zero: none is under way
	name     wire.ID16            // h: with another PIN it is another, under the same seed
	answered map[string]wire.Hash // by vault: of its half of the exchange, which h has answered
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
	a.reg, a.name, a.answered = wire.RegID{}, wire.ID16{}, nil
	a.seed.Wipe()
}

// about says which blinded PIN the try is about. What was answered for another one
// binds it to nothing.
func (a *Attempt) about(name wire.ID16) {
	if a.name != name {
		a.name, a.answered = name, nil
	}
}

// answers reports whether a vault's half of the exchange may be answered: it is the
// first, or the same again. A second one would be a second guess for whoever has the
// vault's keys.
func (a *Attempt) answers(vault string, half wire.Element) bool {
	hash := wire.Sum(half)
	if was, known := a.answered[vault]; known {
		return was == hash
	}
	if a.answered == nil {
		a.answered = map[string]wire.Hash{}
	}
	a.answered[vault] = hash
	return true
}

// Open reports whether a try is under way.
func (a *Attempt) Open() bool { return a.seed != (wire.Key{}) }

func (a *Attempt) code(c *cbor.Coder) {
	c.Array(6)
	c.Const(1) // version of the journal
	a.known.code(c)
	a.reg.Code(c)
	a.seed.Code(c)
	a.name.Code(c)
	cbor.TextKeys(c, &a.answered, 32, 0, 64, func(h *wire.Hash) { h.Code(c) })
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
