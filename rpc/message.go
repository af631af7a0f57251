package rpc

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/staunchid/staunch/attest/request"
	"github.com/staunchid/staunch/integrity"
	"github.com/staunchid/staunch/passkey"
)

// received is a request as it came, kept for who verifies its signature: after
// Connect has decoded it, nobody could say any more what was signed.
type received struct {
	message *request.Message
	address string // of the client: host without port
	country string // that it is in; empty: unknown
}

// receivedKey finds the *received of a request in its context.
type receivedKey struct{}

// kept reads the body, keeps what a signature covers, and puts the body back.
// What comes in whole is bounded by MaxMessage and what a stream's frame adds.
func (e *edge) kept(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, body, err := request.FromCall(r, MaxMessage+frame)
		switch {
		case errors.Is(err, request.ErrBodyTooLarge):
			w.Header().Set("Connection", "close")
			e.refuse(w, r, fmt.Errorf("%w: at most %d bytes are read", errTooLarge, MaxMessage))
			return
		case r.Context().Err() != nil:
			e.refuse(w, r, r.Context().Err())
			return
		case err != nil:
			e.refuse(w, r, errRequestf("the body did not come in whole"))
			return
		}
		in := &received{message: m, address: e.address(r), country: e.country(r)}
		r = r.WithContext(context.WithValue(r.Context(), receivedKey{}, in))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		next.ServeHTTP(w, r)
	})
}

// keptIfSigned is kept for a service whose calls need not be signed: those that
// are not go by without being read twice.
func (e *edge) keptIfSigned(next http.Handler) http.Handler {
	kept := e.kept(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if signed(strings.Join(r.Header.Values("Signature-Input"), ", ")) {
			kept.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// frame is what gRPC and Connect's streams put before a message.
const frame = 5

// receivedOf gives what kept has kept. Without it nothing is proved: the empty
// message bears no signature.
func receivedOf(ctx context.Context) *received {
	if in, ok := ctx.Value(receivedKey{}).(*received); ok {
		return in
	}
	return &received{message: &request.Message{}}
}

// remote is the default of Options.Address.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// signed reports whether a Signature-Input says that the request is signed in our
// form. A proxy may have signed it for purposes of its own.
func signed(signatureInput string) bool {
	return strings.Contains(signatureInput, `tag="`+request.Tag+`"`)
}

// tokenOf is the session token of a request, or nil. It is read off the message
// and not off the header, since who verifies the message refuses one in it that
// nobody has signed.
func tokenOf(m *request.Message) (integrity.Token, error) {
	field, there := m.Fields["authorization"]
	if !there {
		return nil, nil
	}
	scheme, text, _ := strings.Cut(field, " ")
	if !strings.EqualFold(scheme, "Staunch") { // RFC 9110, Section 11.1: the scheme has no case
		return nil, errRequestf(`Authorization is "Staunch TOKEN" here; a backend sends none, and signs`)
	}
	return parseToken(text)
}

// parseToken reads a token as it is sent: 32 bytes, base64url without padding.
func parseToken(text string) (integrity.Token, error) {
	token, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(token) != 32 {
		return nil, errSessionToken // without a piece of it
	}
	return token, nil
}

// tokenToText is a token as it is sent; empty: there is none.
func tokenToText(t integrity.Token) string { return base64.RawURLEncoding.EncodeToString(t) }

// maxResponse bounds what an authenticator answers (accounts, "API").
const maxResponse = 64 << 10

// responseFromProto bounds the answer of an authenticator before anything reads
// it.
func responseFromProto(text string) ([]byte, error) {
	if len(text) > maxResponse {
		return nil, fmt.Errorf("%w: %d bytes", passkey.ErrMalformed, len(text))
	}
	return []byte(text), nil
}
