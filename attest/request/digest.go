package request

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// contentDigest is the field's name among Message.Fields.
const contentDigest = "content-digest"

// SetBody fills in what a verifier learns of the content, the bytes as sent:
// transfer coding undone, content coding not. Set Fields first: SHA-512 is
// computed only when Content-Digest holds one.
func (m *Message) SetBody(content []byte) {
	m.HasBody = len(content) > 0
	sum := sha256.Sum256(content)
	m.BodySHA256 = sum[:]
	m.BodySHA512 = nil
	if strings.Contains(m.Fields[contentDigest], "sha-512") {
		sum := sha512.Sum512(content)
		m.BodySHA512 = sum[:]
	}
	m.BodyMembers = Members(content)
}

// digestOf writes a Content-Digest.
func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha-256=" + encodeBytes(sum[:])
}

// needsDigest reports whether a Content-Digest must be there and be covered.
func (m *Message) needsDigest() bool {
	return m.HasBody || m.Method == http.MethodPost || m.Method == http.MethodPut || m.Method == http.MethodPatch
}

// checkDigest holds Content-Digest against the content. One that is there is
// judged, whether it must be there or not.
func (m *Message) checkDigest(covered bool) error {
	field, there := m.Fields[contentDigest]
	switch {
	case !there && m.needsDigest():
		return failf(CodeDigest, "there is no Content-Digest: a %s, and every request with a body, needs one", m.Method)
	case !there:
		return nil
	case !covered:
		return failf(CodeDigest, "Content-Digest is not covered by the signature")
	case len(m.BodySHA256) == 0:
		return fmt.Errorf("%w: there is a Content-Digest and no BodySHA256: hash the content, also when it is empty", ErrMalformed)
	}
	var has256, has512 bool
	err := dictionary(field, func(d member) error { // RFC 9530, Section 2
		var want []byte
		switch d.key {
		case "sha-256":
			if has256 {
				return errors.New("sha-256 occurs twice")
			}
			has256, want = true, m.BodySHA256
		case "sha-512":
			if has512 {
				return errors.New("sha-512 occurs twice")
			}
			if len(m.BodySHA512) == 0 {
				return fmt.Errorf("%w: Content-Digest holds sha-512 and there is no BodySHA512: hash the content", ErrMalformed)
			}
			has512, want = true, m.BodySHA512
		default:
			return nil
		}
		got, ok := decodeBytes(d.raw)
		if !ok {
			return fmt.Errorf("%s is no byte sequence, such as :X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", d.key)
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%s is not that of the body: it was changed on the way, or hashed before it was encoded", d.key)
		}
		return nil
	})
	switch {
	case errors.Is(err, ErrMalformed):
		return err
	case err != nil:
		return failf(CodeDigest, "Content-Digest: %s", err)
	case !has256:
		return failf(CodeDigest, "Content-Digest has no sha-256")
	}
	return nil
}
