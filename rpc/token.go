package rpc

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"strings"
)

// minToken is the least length of a token: 32 characters of base64 are 192
// bits, of hex 128.
const minToken = 32

// Token stands for the secret of an app's backend: its SHA-256. The zero Token
// matches nothing.
type Token struct{ sum [sha256.Size]byte }

// NewToken returns the Token of a secret: at least 32 characters, printable
// ASCII without spaces. White space around it is left out.
func NewToken(secret []byte) (Token, error) {
	s := strings.TrimSpace(string(secret))
	if len(s) < minToken {
		return Token{}, fmt.Errorf("rpc: a token has at least %d characters, this one has %d; make one with `openssl rand -hex 32`", minToken, len(s))
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Token{}, fmt.Errorf("rpc: a token is one word of printable ASCII; make one with `openssl rand -hex 32`")
	}
	return Token{sha256.Sum256([]byte(s))}, nil
}

func (t Token) set() bool { return t != Token{} }

// Matches reports whether the secret is this one, in constant time.
func (t Token) Matches(secret string) bool {
	sum := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(t.sum[:], sum[:]) == 1 && t.set()
}

// String, GoString, LogValue and MarshalText keep tokens out of logs, of which
// a digest alone would be enough to try guesses.
func (Token) String() string { return "[redacted]" }

// GoString redacts.
func (Token) GoString() string { return "[redacted]" }

// LogValue redacts.
func (Token) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// MarshalText redacts.
func (Token) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }
