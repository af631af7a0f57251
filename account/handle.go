package account

import (
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// ErrHandle: this cannot be a handle. Choose one of 2 to 64 letters and digits of
// any script, or signs of ASCII, without spaces.
var ErrHandle = fmt.Errorf("%w: not a handle", ErrMalformed)

const maxHandle = 64 // characters

// ParseHandle checks a handle and gives it as people see it, and as it is
// compared: two with the same key are the same handle. shown keeps the case
// (UsernameCasePreserved, RFC 8265, Section 3.4), key does not
// (UsernameCaseMapped, Section 3.3). shown read again gives the same two.
//
// A handle is for people and never an authenticator. One that could be taken for
// an identifier, such as that of an account, is refused.
func ParseHandle(text string) (shown, key string, err error) {
	if len(text) > 4*maxHandle {
		return "", "", fmt.Errorf("%w: it has 2 to %d characters", ErrHandle, maxHandle)
	}
	if shown, key, err = fold(text); err != nil {
		return "", "", err
	}
	for _, form := range []string{shown, key} { // two characters may have become one
		if n := utf8.RuneCountInString(form); n < 2 || n > maxHandle || len(form) > 4*maxHandle {
			return "", "", fmt.Errorf("%w: it has 2 to %d characters", ErrHandle, maxHandle)
		}
	}
	// The rules are not idempotent for every text (RFC 8264, Section 7).
	if again, same, err := fold(shown); err != nil || again != shown || same != key {
		return "", "", fmt.Errorf("%w: %q has no stable form", ErrHandle, clip(text))
	}
	if len(key) > 2 && key[1] == '_' && checkID(key[:2], key) == nil {
		return "", "", fmt.Errorf("%w: %q looks like an identifier", ErrHandle, clip(text))
	}
	return shown, key, nil
}

func fold(text string) (shown, key string, err error) {
	if shown, err = precis.UsernameCasePreserved.String(text); err == nil {
		key, err = precis.UsernameCaseMapped.String(text)
	}
	if err != nil {
		return "", "", fmt.Errorf("%w: %q: %w", ErrHandle, clip(text), err)
	}
	return shown, key, nil
}
