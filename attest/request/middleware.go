package request

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Check is what a Checker is asked.
type Check struct {
	Message *Message
	Account string // whose key it must be; empty: anybody's
	Country string // two letters, from the backend or a trusted edge; empty: unknown
}

// Decision is a Checker's answer. The zero Decision denies.
type Decision struct {
	Allow    bool
	Reason   string   // stable, sent to the client; empty: ATTEST_REJECTED
	Advice   string   // what the app may try, sent to the client: NEW_KEY, RETRY, CONTACT ...; empty: CONTACT
	Codes    []string // of the findings that reject, for the log; never sent
	Identity Identity // of the key that signed; zero unless the signature is good
}

// Identity is who signed a request.
type Identity struct {
	Key          string // key id
	Account      string
	Platform     string // android, apple
	Tier         string // affirming, warning ...
	RegisteredAt time.Time
}

// Checker decides about a request. An error means that it cannot tell; one that
// wraps ErrUnavailable, that this is no doing of the request's.
//
// It must judge the replay of a nonce, so it is asked once a request.
type Checker interface {
	CheckRequest(ctx context.Context, c *Check) (*Decision, error)
}

// Options are Middleware's. nil, or the zero Options, is strict.
type Options struct {
	MaxBody           int64                      // bytes; 0: 1 MiB
	Authority         string                     // instead of Host, where a proxy rewrites that; empty: Host
	Account           func(*http.Request) string // whose key it must be, of a session for example; nil: anybody's
	Country           func(*http.Request) string // from a trusted edge, never from the phone; nil: unknown
	Logger            *slog.Logger               // gets a line a refusal; nil discards
	DangerousFailOpen bool                       // hand requests on, without Identity, when the Checker is unavailable
}

// Middleware lets requests through that c allows.
func Middleware(c Checker, opts *Options) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler { return http.NotFoundHandler() }
}

// FromContext is the Identity that Middleware has put into a request's context.
func FromContext(ctx context.Context) (Identity, bool) { return Identity{}, false }
