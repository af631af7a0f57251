package attesttest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/request"
)

// RequestOption changes how a request is signed. Any function will do.
//
//	func(d *attesttest.RequestDraft) { d.Created = d.Created.Add(-time.Hour) } // a clock that is slow
type RequestOption func(*RequestDraft)

// RequestDraft is the signature of a request while it can still be changed. The
// fields down to Fields are what request.Sign takes; those below make what no
// good phone sends. What somebody on the way does is done to the request itself,
// once it is signed.
type RequestDraft struct {
	KeyID   string
	Created time.Time
	Expires time.Time // zero: none
	Nonce   string    // empty: 16 random bytes
	Alg     string    // empty: not said
	Fields  []string  // header fields to cover besides those that must be

	SignatureInput func(string) string      // the whole field, which is then signed as it is
	Base           func(base []byte) []byte // what the key signs instead of the base
	Signature      func(sig []byte) []byte  // what is sent instead of the signature
	Assertion      []AppleOption            // of the assertion; AppleKey only
}

// SignRequest signs r at now, as an app on an Android phone does: the attested
// key signs the signature base, ECDSA as r || s (RFC 9421, Section 3.3).
func (k *AndroidKey) SignRequest(now time.Time, r *http.Request, opts ...RequestOption) error {
	d := &RequestDraft{KeyID: k.ID(), Created: now}
	return d.sign(r, opts, k.Sign)
}

// SignRequest signs r at now, as an app on an iPhone does: an assertion over
// SHA-256 of the signature base. What is sent as the signature is the whole
// assertion.
func (k *AppleKey) SignRequest(now time.Time, r *http.Request, opts ...RequestOption) error {
	d := &RequestDraft{KeyID: base64.RawURLEncoding.EncodeToString(k.ID()), Created: now}
	return d.sign(r, opts, func(base []byte) ([]byte, error) {
		hash := sha256.Sum256(base)
		return k.Assert(now, hash[:], d.Assertion...)
	})
}

// sign signs r with the key behind the function.
func (d *RequestDraft) sign(r *http.Request, opts []RequestOption, key func([]byte) ([]byte, error)) error {
	for _, opt := range opts {
		opt(d)
	}
	s := &request.Signing{KeyID: d.KeyID, Created: d.Created, Expires: d.Expires, Nonce: d.Nonce, Alg: d.Alg, Fields: d.Fields}
	s.Sign = func(base []byte) ([]byte, error) {
		if d.Base != nil {
			base = d.Base(base)
		}
		sig, err := key(base)
		if err == nil && d.Signature != nil {
			sig = d.Signature(sig)
		}
		return sig, err
	}
	if d.SignatureInput == nil {
		return request.Sign(r, s)
	}
	again := s.Sign
	s.Sign = func([]byte) ([]byte, error) { return []byte{0}, nil } // the key signs once, below
	if err := request.Sign(r, s); err != nil {
		return err
	}
	return d.signAs(r, d.SignatureInput(r.Header.Get("Signature-Input")), again)
}

// signAs signs r again, with a Signature-Input that request.Sign does not write.
func (d *RequestDraft) signAs(r *http.Request, input string, sign func([]byte) ([]byte, error)) error {
	r.Header.Set("Signature-Input", input)
	m, _, err := request.FromHTTP(r, math.MaxInt64-1)
	if err != nil {
		return fmt.Errorf("attesttest: %w", err)
	}
	if r.GetBody != nil {
		if r.Body, err = r.GetBody(); err != nil {
			return fmt.Errorf("attesttest: %w", err)
		}
	}
	label, params, _ := strings.Cut(input, "=")
	list, _, _ := strings.Cut(strings.TrimPrefix(params, "("), ")")
	var components []string
	for name := range strings.FieldsSeq(list) {
		name = strings.Trim(name, `"`)
		components = append(components, name)
		if values := r.Header.Values(name); len(values) > 0 {
			m.Fields[name] = strings.Join(values, ", ")
		}
	}
	base, err := request.Base(m, components, params)
	if err != nil {
		return fmt.Errorf("attesttest: %w", err)
	}
	sig, err := sign(base)
	if err != nil {
		return err
	}
	r.Header.Set("Signature", label+"=:"+base64.StdEncoding.EncodeToString(sig)+":")
	return nil
}
