package passkey

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/staunchid/staunch/account"
)

// PRFSalt is what a client passes to the prf extension for one purpose of an
// app: SHA-256("staunch/prf/v1" ‖ 0x00 ‖ L(app) ‖ L(purpose)), where L(x) is a
// 4-byte big-endian length and x.
func PRFSalt(app account.AppID, purpose string) [32]byte {
	b := append([]byte("staunch/prf/v1"), 0)
	b = appendL(b, app)
	b = appendL(b, purpose)
	return sha256.Sum256(b)
}

// screen is asked before anything reads a response: no more than 64 KiB, and no
// secret in it.
func screen(response []byte) error {
	if len(response) > maxResponse {
		return fmt.Errorf("%w: %d bytes; at most %d are read", ErrMalformed, len(response), maxResponse)
	}
	if mayHoldSecret(response) && holdsSecret(response) {
		return ErrSecretSent // without a piece of it
	}
	return nil
}

// mayHoldSecret is the quick look: is a member prf or hmacGetSecret there, or
// an escape behind which one could hide?
func mayHoldSecret(response []byte) bool {
	for i := 0; i < len(response); i++ {
		switch c := response[i]; {
		case c == '\\' || c >= 0x80:
			return true
		case c == '"':
			rest := response[i+1:]
			if foldPrefix(rest, `prf"`) || foldPrefix(rest, `hmacgetsecret"`) {
				return true
			}
		}
	}
	return false
}

// foldPrefix reports whether b begins with prefix, which is in lower case, as
// encoding/json compares names: it ignores their case.
func foldPrefix(b []byte, prefix string) bool {
	if len(b) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := b[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}

// holdsSecret looks for results of prf (WebAuthn L3 §10.1.4), or of
// hmacGetSecret (CTAP 2.1, Section 12.5), which are the same secret, at any
// depth. It stops at the first byte that is not JSON.
func holdsSecret(response []byte) bool {
	d := json.NewDecoder(bytes.NewReader(response))
	d.UseNumber()
	type level struct {
		object, named bool // named: the next token of the object is a value
		inPRF         bool // a value of the member prf, or below one
	}
	var (
		levels []level
		name   string
	)
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		delim, isDelim := token.(json.Delim)
		if isDelim && (delim == '}' || delim == ']') {
			levels = levels[:len(levels)-1]
			continue
		}
		inPRF := false
		if n := len(levels); n > 0 {
			top := &levels[n-1]
			if top.object && !top.named {
				name, top.named = token.(string), true // a member's name is a string
				continue
			}
			inPRF = top.inPRF
			if top.object {
				top.named = false
				switch {
				case token == nil: // null
				case strings.EqualFold(name, "hmacGetSecret"), inPRF && strings.EqualFold(name, "results"):
					return true
				}
				inPRF = inPRF || strings.EqualFold(name, "prf")
			}
		}
		if isDelim {
			levels = append(levels, level{object: delim == '{', inPRF: inPRF})
		}
	}
}
