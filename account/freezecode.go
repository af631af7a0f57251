package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"log/slog"
	"strings"
)

// FreezeCode is 80 random bits that can freeze an account and do nothing else.
// It is given out once and stored as its SHA-256.
type FreezeCode [10]byte

// NewFreezeCode returns a new code.
func NewFreezeCode() FreezeCode {
	var c FreezeCode
	rand.Read(c[:])
	return c
}

// ParseFreezeCode reads a code as Reveal gives it. Case, spaces and dashes do
// not matter.
func ParseFreezeCode(text string) (FreezeCode, error) {
	var c FreezeCode
	text = strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(strings.TrimSpace(text)))
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || len(b) != len(c) {
		return c, fmt.Errorf("%w: a freeze code is four groups of four letters and digits", ErrMalformed)
	}
	return FreezeCode(b), nil
}

// Reveal gives the code as its owner writes it down: xxxx-xxxx-xxxx-xxxx.
func (c FreezeCode) Reveal() string {
	s := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(c[:]))
	return s[0:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:16]
}

// Hash is what is stored.
func (c FreezeCode) Hash() [32]byte {
	return sha256.Sum256(append([]byte("staunch/freeze-code/v1\x00"), c[:]...))
}

// String, GoString, LogValue and MarshalText keep the code out of logs.
func (FreezeCode) String() string { return "[redacted]" }

// GoString redacts.
func (FreezeCode) GoString() string { return "[redacted]" }

// LogValue redacts.
func (FreezeCode) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// MarshalText redacts.
func (FreezeCode) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }
