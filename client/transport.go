package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/request"
)

// unsignedKey marks the context of a call that is made before there is a key.
type unsignedKey struct{}

func unsigned(ctx context.Context) context.Context {
	return context.WithValue(ctx, unsignedKey{}, true)
}

// signerKey finds in a call's context the key that signs it in the place of the
// phone's.
type signerKey struct{}

func signedBy(ctx context.Context, k Key) context.Context {
	return context.WithValue(ctx, signerKey{}, k)
}

// errSigning: the phone's key does not sign. To try again would not help.
var errSigning = errors.New("client: the call cannot be signed")

// signing signs each request as it is sent: the session and the app are put in
// first, so that the signature covers them.
type signing struct {
	phone *Phone
	next  http.RoundTripper
}

func (s *signing) RoundTrip(r *http.Request) (*http.Response, error) {
	p := s.phone
	r = r.Clone(r.Context())
	p.mu.Lock()
	key, app, token := p.key, p.state.App, p.state.token
	p.mu.Unlock()
	if other, ok := r.Context().Value(signerKey{}).(Key); ok {
		key = other
	}
	if app != "" {
		r.Header.Set("Staunch-App", string(app))
	}
	if r.Context().Value(unsignedKey{}) == nil {
		if key == nil {
			return nil, fmt.Errorf("%w: the call is signed with its key", ErrNotEnrolled)
		}
		if (token != Token{}) {
			r.Header.Set("Authorization", "Staunch "+token.secret)
		}
		done, err := p.takeTurn(r.Context(), key)
		if err != nil {
			return nil, err
		}
		defer done()
		err = request.Sign(r, &request.Signing{KeyID: key.ID(), Sign: key.Sign, Created: p.serverNow()})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errSigning, err)
		}
	}
	return s.next.RoundTrip(r)
}

// takeTurn waits until the call that was signed before with a key that counts has
// arrived: the server refuses a number that is not higher than the last one it has
// seen, so that calls which overtake each other would be refused.
func (p *Phone) takeTurn(ctx context.Context, key Key) (done func(), err error) {
	if k, ok := key.(CountingKey); !ok || !k.Counts() {
		return func() {}, nil
	}
	select {
	case p.turn <- struct{}{}:
		return func() { <-p.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err() //nolint:wrapcheck // what the transport would give
	}
}

// neverSent reports whether err says that the server has seen nothing of the
// call: no connection was made.
func neverSent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns)
}

// gone reports whether err says that there was no answer of Staunch's, or one
// that says that its store is away.
func gone(err error) bool {
	var ce *connect.Error
	if !errors.As(err, &ce) {
		return false
	}
	switch ce.Code() {
	case connect.CodeUnavailable:
		return reasonOf(err) == "" || reasonOf(err) == "STORE_AWAY"
	case connect.CodeDeadlineExceeded:
		return true
	case connect.CodeCanceled: // of Connect's own: the connection was reset; of the server's: it stops while we wait
		return reasonOf(err) == "" || reasonOf(err) == "CANCELED"
	case connect.CodeUnknown: // an answer that was cut off in the middle
		return errors.Is(err, io.ErrUnexpectedEOF)
	}
	return false
}
