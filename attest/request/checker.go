package request

import (
	"context"
	"time"
)

// Check is what a Checker is asked.
type Check struct {
	Message *Message
	Account string // whose key it must be; empty: anybody's
	Country string // ISO 3166-1, from the backend or a trusted edge; what is no country, such as "": unknown
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

// Checker decides about a request: is it signed by a registered key, now, for
// the first time, and does the policy allow it? An error means that it cannot
// tell; one that wraps ErrUnavailable, that this is no doing of the request's.
//
// It is asked once for each request, with a signature or without, so that it
// can count, and let a rollout that only observes pass.
type Checker interface {
	CheckRequest(ctx context.Context, c *Check) (*Decision, error)
}

type identityKey struct{}

// FromContext is the Identity that Middleware has put into a request's context.
// It is false where nobody has proved anything: without Middleware, when it
// failed open, or when a rollout only observes and the signature is bad.
func FromContext(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(identityKey{}).(Identity)
	return id, ok
}
