package request

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signing is what Sign needs. KeyID and Sign are required.
type Signing struct {
	KeyID   string                            // as Register gave it
	Sign    func(base []byte) ([]byte, error) // Android: by the attested key, ECDSA as r || s; Apple: the whole assertion over SHA-256(base)
	Created time.Time                         // zero: now
	Expires time.Time                         // zero: none
	Nonce   string                            // empty: 16 random bytes. Where the route wants one of the server: its challenge in base64url
	Alg     string                            // empty: not said. Apple: leave it empty
	Fields  []string                          // header fields to cover besides those that always are
}

// Sign adds Content-Digest, Signature-Input and Signature to a request that is
// about to be sent, in place of those that it has. It reads the body and puts it
// back. Content-Type and Content-Encoding, Authorization and Staunch-App are
// covered whenever they are there, so set them first. Sign again before sending
// again: a nonce passes once.
//
// It does what a phone does, for tests, tools and backends in Go.
func Sign(r *http.Request, s *Signing) error {
	if s == nil || s.KeyID == "" || s.Sign == nil {
		return errors.New("request: sign: KeyID and Sign are required")
	}
	body, err := takeBody(r)
	if err != nil {
		return err
	}
	m := lineOf(r)
	components := required()
	covered := components[:]
	m.HasBody = len(body) > 0
	r.Header.Del("Content-Digest")
	if m.needsDigest() {
		r.Header.Set("Content-Digest", digestOf(body))
		covered = append(covered, contentDigest)
	}
	for _, name := range append([]string{contentType, contentEncoding}, CallFields()...) {
		if len(r.Header.Values(name)) > 0 {
			covered = append(covered, name)
		}
	}
	for _, name := range s.Fields {
		if name = strings.ToLower(name); !slices.Contains(covered, name) {
			covered = append(covered, name)
		}
	}
	m.SignatureInput = Label + "=" + s.params(covered)
	r.Header.Set("Signature-Input", m.SignatureInput)
	m.setFields(r.Header)
	m.SetBody(body)
	base, err := Base(m, covered, strings.TrimPrefix(m.SignatureInput, Label+"="))
	if err != nil {
		return fmt.Errorf("request: sign: %w", err)
	}
	signature, err := s.Sign(base)
	if err != nil {
		return fmt.Errorf("request: sign: %w", err)
	}
	m.Signature = Label + "=" + encodeBytes(signature)
	r.Header.Set("Signature", m.Signature)
	if _, err := Parse(m); err != nil { // what no verifier takes is better found here
		return fmt.Errorf("request: sign: no verifier takes this: %w", err)
	}
	return nil
}

// params is the value of "@signature-params" (RFC 9421, Section 2.3).
func (s *Signing) params(components []string) string {
	created, nonce := s.Created, s.Nonce
	if created.IsZero() {
		created = time.Now()
	}
	if nonce == "" {
		var random [16]byte
		rand.Read(random[:])
		nonce = base64.RawURLEncoding.EncodeToString(random[:])
	}
	b := make([]byte, 0, 256)
	b = append(b, '(')
	for i, name := range components {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, '"')
	}
	b = append(b, ");created="...)
	b = strconv.AppendInt(b, created.Unix(), 10)
	if !s.Expires.IsZero() {
		b = append(b, ";expires="...)
		b = strconv.AppendInt(b, s.Expires.Unix(), 10)
	}
	b = append(b, `;nonce="`...)
	b = append(b, nonce...)
	if s.Alg != "" {
		b = append(b, `";alg="`...)
		b = append(b, s.Alg...)
	}
	b = append(b, `";keyid="`...)
	b = append(b, s.KeyID...)
	b = append(b, `";tag="`+Tag+`"`...)
	return string(b)
}

// takeBody reads the body and puts it back, to be read again.
func takeBody(r *http.Request) ([]byte, error) {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("request: sign: read the body: %w", err)
	}
	if err := r.Body.Close(); err != nil {
		return nil, fmt.Errorf("request: sign: close the body: %w", err)
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return body, nil
}
