// Package client is the Go SDK. Checker asks a Staunch server, for programs
// beside it: an app's backend, a payment service, an adapter. Phone is a phone's
// half of every flow of accounts and passkeys.
//
// # Checking requests
//
// Checker decides about signed requests by asking VerifyRequest, and goes into
// the middleware of package request:
//
//	token, err := client.ReadToken("service.token")
//	...
//	checker, err := client.NewChecker(&client.Options{
//		URL: "https://staunch.internal:8443", App: "demo", Token: token,
//	})
//	...
//	guard := request.Middleware(checker, nil)
//	http.ListenAndServe(addr, guard(mux))
//
// The token goes along with every call, so the address must be https, or
// loopback. Nothing is ever asked twice: VerifyRequest uses a nonce up, and a
// second try would look like a replay.
//
// # Being a phone
//
// Phone needs the platform's key store and authenticator behind two small
// interfaces, and a function that writes down what it must not forget:
//
//	p, err := client.NewPhone(&client.PhoneOptions{
//		URL: "https://accounts.example.org", Hardware: keystore, Passkeys: authenticator, Keep: keep,
//	})
//	...
//	e, err := p.Enroll(ctx, &client.Enrolment{Name: "Pixel 9"})
//	fmt.Println("keep this on paper:", e.FreezeCode)
//
// It signs each call with the attested key, the session included, and signs in
// or steps up by itself when the server wants to have seen more of the person.
// Before an action is approved it computes the challenge anew from what is shown
// and executed, and stops when the server's differs; it compares the keys of a new
// device with the code that was scanned; and it takes results of the prf extension
// out of whatever it sends. Keys are kept before the server hears of them, so that
// a phone that dies in between finds out what has become of it.
//
// A device whose evidence has grown old, or whose key was revoked, gets a new key by
// Reattest.
//
// What it does not do: it shows nothing and keeps no files. `staunch phone` is
// made of it, with a phone in software.
package client

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Token is the secret of an app's backend, the content of service_token_file.
// It prints as [redacted].
type Token struct{ secret string }

const redacted = "[redacted]"

// NewToken returns a Token. White space around the secret is left out.
func NewToken(secret string) (Token, error) {
	secret = strings.TrimSpace(secret)
	if secret == "" || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Token{}, errors.New("client: a token is one word of printable ASCII: the content of the app's service_token_file")
	}
	return Token{secret}, nil
}

// ReadToken reads a Token from a file.
func ReadToken(file string) (Token, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Token{}, fmt.Errorf("client: token: %w", err)
	}
	t, err := NewToken(string(text))
	if err != nil {
		return Token{}, fmt.Errorf("%w (read from %s)", err, file)
	}
	return t, nil
}

// Format, String, LogValue and MarshalJSON give "[redacted]".
func (Token) Format(s fmt.State, _ rune)   { fmt.Fprint(s, redacted) }
func (Token) String() string               { return redacted }
func (Token) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Token) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// Options say which server is asked, and as whom.
type Options struct {
	URL     string        // of the server: "https://staunch.internal:8443". Required
	App     string        // id of the app; empty: the token's
	Token   Token         // of the app's backend. Required
	Timeout time.Duration // of one call; 0: 2 s
	// Transport makes the connections. nil: one that keeps 64 of them open.
	Transport http.RoundTripper
}

// defaultTimeout leaves a person at a phone waiting no longer than a bad network
// does.
const defaultTimeout = 2 * time.Second

// HTTP checks o and returns an HTTP client that sends the token along with every
// request, whatever its address, and follows no redirect. It is for calls that
// this package has no method for, with the Connect client of package
// attestv1connect; Timeout is not applied.
func (o *Options) HTTP() (*http.Client, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("client: options: URL: %w", err)
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("client: options: URL: %q is no address of a server; write https://HOST:PORT", u.Redacted())
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("client: options: URL: the token would go to %s in the clear; write https://", u.Host)
	case o.Token == Token{}:
		return nil, errors.New("client: options: Token is missing")
	case o.Timeout < 0:
		return nil, errors.New("client: options: Timeout is negative")
	}
	t := &authorized{token: o.Token, next: o.Transport}
	if t.next == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.MaxIdleConnsPerHost = 64
		t.next = own
	}
	// A redirect would carry the token to whoever is named in it.
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// authorized adds the token to each call.
type authorized struct {
	token Token
	next  http.RoundTripper
}

func (a *authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+a.token.secret)
	res, err := a.next.RoundTrip(r)
	if status, ok := r.Context().Value(statusKey{}).(*atomic.Int32); ok && err == nil {
		status.Store(int32(res.StatusCode))
	}
	return res, err
}

// statusKey finds in a call's context where the status of the answer goes.
type statusKey struct{}
