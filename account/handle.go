package account

import (
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// ErrHandle: this cannot be a handle. Choose one of 2 to 64 letters, digits and
// the like, in one script's spelling.
var ErrHandle = fmt.Errorf("%w: not a handle", ErrMalformed)

const maxHandle = 64 // characters

// ParseHandle checks a handle and gives it as people see it, and as it is
// compared: after the profile UsernameCaseMapped (RFC 8265, Section 3.3).
func ParseHandle(text string) (shown, key string, err error) {
	if n := utf8.RuneCountInString(text); n < 2 || n > maxHandle || len(text) > 4*maxHandle {
		return "", "", fmt.Errorf("%w: it has 2 to %d characters", ErrHandle, maxHandle)
	}
	if shown, err = precis.UsernameCasePreserved.String(text); err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrHandle, err)
	}
	if key, err = precis.UsernameCaseMapped.String(text); err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrHandle, err)
	}
	return shown, key, nil
}
