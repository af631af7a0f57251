package account

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"log/slog"
	"strings"
)

// FreezeCode is 80 random bits that can freeze an account and do nothing else.
// It is given out once and stored as its SHA-256.
type FreezeCode [10]byte

// maxFreezeText bounds what is read.
const maxFreezeText = 64

// NewFreezeCode returns a new code.
func NewFreezeCode() FreezeCode {
	var c FreezeCode
	rand.Read(c[:])
	return c
}

// ParseFreezeCode reads a code as Reveal gives it, and as people type it: case,
// spaces and dashes do not matter. The error does not repeat the text.
func ParseFreezeCode(text string) (FreezeCode, error) {
	var c FreezeCode
	if len(text) > maxFreezeText {
		text = "" // no code is that long
	}
	text = strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(text))
	if len(text) != 16 || strings.Trim(text, alphabet) != "" { // the decoder takes line breaks, and more than it needs
		return c, fmt.Errorf("%w: a freeze code is four groups of four letters and digits", ErrMalformed)
	}
	if _, err := base32.StdEncoding.Decode(c[:], []byte(strings.ToUpper(text))); err != nil { // 16 characters are 10 bytes
		return FreezeCode{}, fmt.Errorf("%w: a freeze code is four groups of four letters and digits", ErrMalformed)
	}
	return c, nil
}

// Reveal gives the code as its owner writes it down: xxxx-xxxx-xxxx-xxxx.
func (c FreezeCode) Reveal() string {
	s := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(c[:]))
	return s[0:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:16]
}

// Hash is what is stored.
//
//	SHA-256("staunch/freeze-code/v1" ‖ 0x00 ‖ code)
func (c FreezeCode) Hash() [32]byte {
	return sha256.Sum256(append([]byte("staunch/freeze-code/v1\x00"), c[:]...))
}

// Opens reports whether c is the code of a, in constant time. An account without
// a code, and one that is deleted, has none; the zero FreezeCode is nobody's.
func (c FreezeCode) Opens(a Account) bool {
	sum := c.Hash()
	return c != FreezeCode{} && a.State != Deleted && subtle.ConstantTimeCompare(sum[:], a.FreezeCode) == 1
}

// String, GoString, LogValue and MarshalText keep the code out of logs.
func (FreezeCode) String() string { return "[redacted]" }

// GoString redacts.
func (FreezeCode) GoString() string { return "[redacted]" }

// LogValue redacts.
func (FreezeCode) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// MarshalText redacts.
func (FreezeCode) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }
