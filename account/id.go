package account

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// AppID names an app: ^[a-z][a-z0-9-]{1,30}$, from the config.
type AppID string

// ID names an account: ^a_[a-z2-7]{26}$.
type ID string

// alphabet is that of RFC 4648, section 6, in lower case.
const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

const accountPrefix = "a_"

// NewID returns a new account ID, of at least 128 random bits.
func NewID() ID { return ID(accountPrefix + strings.ToLower(rand.Text())) }

// ParseID checks that text is an account ID and returns it.
func ParseID(text string) (ID, error) {
	if err := checkID(accountPrefix, text); err != nil {
		return "", err
	}
	return ID(text), nil
}

// Validate reports ErrMalformed if id is not an account ID. The empty ID is
// none: a caller for whom "no account" is a value says so before he asks.
func (id ID) Validate() error { return checkID(accountPrefix, string(id)) }

// Validate reports ErrMalformed if id is not an app ID.
func (id AppID) Validate() error {
	if len(id) < 2 || len(id) > 31 || id[0] < 'a' || id[0] > 'z' {
		return fmt.Errorf("%w: app %q", ErrMalformed, clip(string(id)))
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return fmt.Errorf("%w: app %q", ErrMalformed, clip(string(id)))
		}
	}
	return nil
}

func checkID(prefix, text string) error {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(rest) != 26 || strings.Trim(rest, alphabet) != "" {
		return fmt.Errorf("%w: want %s and 26 characters of base32, have %q", ErrMalformed, prefix, clip(text))
	}
	return nil
}

// clip keeps a hostile text from filling an error.
func clip(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}
