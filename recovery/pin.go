package recovery

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/staunchid/staunch/recovery/wire"
)

// ErrPIN is a PIN that the rules refuse, as a *PINError; the user must choose another.
var ErrPIN = errors.New("recovery: PIN refused")

// PINError says why a PIN is refused, in words for the user. It is ErrPIN.
type PINError struct{ Reason string }

func (e *PINError) Error() string { return ErrPIN.Error() + ": " + e.Reason }
func (e *PINError) Unwrap() error { return ErrPIN }

// The lengths of a PIN: characters, and bytes of UTF-8.
const (
	defaultPINMin = 6
	leastPINMin   = 4
	mostPINMin    = 32
	maxPIN        = 64
	maxPINBytes   = wire.MaxSeedPIN
)

// PINRules are what a new PIN must keep to.
type PINRules struct {
	// MinLength is in characters; 0 is 6, and less than 4 is 4. What a service says
	// is signed by nobody: Client.NewPIN takes it only where it is more.
	MinLength int
}

// PIN is what only the owner knows: letters and digits alike, in NFKC. It is
// never sent in the clear, never trimmed, and prints as [redacted].
type PIN struct {
	s      string
	judged bool // by Client.NewPIN, or it has brought keys back: it may be set
}

// NewPIN looks at a PIN while it is being typed. It must be long enough, and none of
// those that many people choose. ErrPIN. To set it takes Client.NewPIN, which knows
// the app's own rule too.
func NewPIN(s string, r PINRules) (PIN, error) {
	p, err := TypedPIN(s)
	if err != nil {
		return PIN{}, err
	}
	least := r.MinLength
	if least == 0 {
		least = defaultPINMin
	}
	least = max(least, leastPINMin)
	if n := utf8.RuneCountInString(p.s); n < least || n > maxPIN {
		return PIN{}, &PINError{fmt.Sprintf("it has %d characters, and must have %d to %d", n, least, maxPIN)}
	}
	if why := common(p.s); why != "" {
		return PIN{}, &PINError{why}
	}
	return p, nil
}

// NewPIN takes a PIN that is being set, by the rules of the app and of the service:
// the larger of both lengths holds. Register takes no others. No vault ever sees a PIN, and a service that asks
// for four digits would know where to begin to guess. ErrPIN.
func (c *Client) NewPIN(ctx context.Context, s string) (PIN, error) {
	if p, err := NewPIN(s, PINRules{MinLength: c.pinMin}); err != nil {
		return p, err // no service can allow it
	}
	cfg, err := c.transport.GetConfig(ctx, nil)
	if err != nil {
		return PIN{}, fmt.Errorf("recovery: get the configuration: %w", err)
	}
	p, err := NewPIN(s, PINRules{MinLength: max(c.pinMin, cfg.PINMin)})
	p.judged = err == nil
	return p, err
}

// TypedPIN takes a PIN that is being tried. It is only normalised, for the rules
// may have been others when it was set. ErrPIN if it can never have been one.
func TypedPIN(s string) (PIN, error) {
	if !utf8.ValidString(s) {
		return PIN{}, &PINError{"it is not UTF-8 text"}
	}
	s = norm.NFKC.String(s)
	switch {
	case s == "":
		return PIN{}, &PINError{"it is empty"}
	case len(s) > maxPINBytes:
		return PIN{}, &PINError{fmt.Sprintf("it has more than %d bytes", maxPINBytes)}
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return PIN{}, &PINError{"it has a control character, such as a line end"}
		}
	}
	return PIN{s: s}, nil
}

// right is a PIN that has brought keys back, and may be behind the next ones.
func (p PIN) right() PIN { return PIN{s: p.s, judged: true} }

// mayBeSet wants a mark that nobody outside this package makes.
func (p PIN) mayBeSet() error {
	if !p.judged {
		return fmt.Errorf("%w: it was only typed: Client.NewPIN applies the rules of app and service, and Recovered.PIN was right", ErrPIN)
	}
	return nil
}

// Equal compares without telling by time where the difference is.
func (p PIN) Equal(other PIN) bool {
	return subtle.ConstantTimeCompare([]byte(p.s), []byte(other.s)) == 1
}

// Format prints no PIN, whatever the verb.
func (PIN) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

func (PIN) String() string { return redacted }

// LogValue logs no PIN.
func (PIN) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps a PIN out of JSON.
func (PIN) MarshalText() ([]byte, error) { return []byte(redacted), nil }

const redacted = "[redacted]"

// stretch is x: the PIN, slowed down, with the registration as salt.
func (p PIN) stretch(reg wire.RegID, a wire.Argon2) wire.Secret {
	return argon2.IDKey([]byte(p.s), reg[:], a.T, a.M, a.P, 32)
}
