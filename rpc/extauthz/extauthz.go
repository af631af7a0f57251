// Package extauthz lets Envoy ask Staunch about each request before it goes to
// the upstream: Envoy's external authorization (envoy.service.auth.v3), spoken
// over gRPC by a net/http handler. The rules and the answers are those of
// request.Middleware, which each request is put through; no program behind
// Envoy needs to be changed.
//
//	h, err := extauthz.New(&extauthz.Options{Apps: []extauthz.App{
//		{ID: "chat", Token: token, Checker: service.Checker(caller, away)},
//	}})
//	mux.Handle(extauthz.Procedure, h)
//
// # What Envoy must be told
//
// The filter envoy.filters.http.ext_authz, with
//
//	grpc_service: { initial_metadata: [{ key: authorization, value: "Bearer TOKEN" }] }
//	with_request_body: { max_request_bytes: 1048576, allow_partial_message: false, pack_as_bytes: true }
//	encode_raw_headers: true
//	failure_mode_allow: false
//	status_on_error: { code: ServiceUnavailable }
//
// docs/envoy.md has a whole configuration. What Envoy leaves out, Staunch
// cannot judge, so it is refused:
//
//   - No token, or none that an app has: the call fails with UNAUTHENTICATED.
//   - Without encode_raw_headers Envoy writes "!" for each byte that is not
//     UTF-8 and joins the lines of a field. A signed "!" could then be another
//     byte at the upstream, so only raw lines are taken.
//   - Without pack_as_bytes the same happens to the body.
//   - Without with_request_body there is no body at all. That shows, because
//     Envoy marks each body that it sends along, even an empty one. A request
//     without that mark must have neither a Content-Length other than 0 nor a
//     Transfer-Encoding, and a POST, PUT or PATCH must say "Content-Length: 0".
//     What does not show is the body of a GET or DELETE in HTTP/2 or HTTP/3,
//     which need no field for it: configure with_request_body, and let the
//     upstream act on no body of those.
//   - Part of a body, or more than Options.MaxBody, is answered with 413.
//
// # What the route may say
//
// In context_extensions, which a client cannot set: staunch.app, the app that
// the token must be of; staunch.account-header and staunch.country-header, the
// header fields in which a filter before this one has put the account of the
// session and the country. Such a filter must overwrite what a client sends.
// Any other key that begins with "staunch." is refused, for it is a misspelt one.
//
// # What it answers
//
// Allowed: the header fields become those that request.Middleware hands on.
// X-Staunch-Key, X-Staunch-Account and X-Staunch-Tier are set in place of all
// others, and every other X-Staunch-... field is removed, however it is spelt;
// each field that the signature covers becomes the one line that was signed, and
// what overrides the request line is removed. Otherwise what the middleware
// answers, which is 401, 403, 413 or 503 with JSON.
//
// What it does not do: it sees no trailers, and no data of an upgraded
// connection, and judges neither.
package extauthz

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/request"
)

// Procedure is the path of the call: Envoy's name for it.
const Procedure = "/envoy.service.auth.v3.Authorization/Check"

// defaultMaxBody is Options.MaxBody when that is 0.
const defaultMaxBody = 1 << 20

// mostBody bounds Options.MaxBody.
const mostBody = 256 << 20

// roomForFields is how much a message may hold besides the body. Envoy's own
// bound for all header fields is 60 KiB unless it is told otherwise.
const roomForFields = 256 << 10

// Options are what New takes.
type Options struct {
	// Apps are the apps that are served. Required: at least one.
	Apps []App
	// MaxBody is the largest body that is judged, in bytes, at most 256 MiB.
	// 0: 1 MiB.
	MaxBody int64
	// Logger gets one line a call, with the method and without the path. nil
	// discards.
	Logger *slog.Logger
	// Observe is told of each call when it has ended. nil: nobody is.
	Observe func(Call)
}

// App is what one app's requests need.
type App struct {
	ID      string
	Token   Token           // of its backend, which Envoy sends
	Checker request.Checker // decides about its requests
}

// Token is the secret of an app's backend; rpc.Token is one.
type Token interface {
	// Matches reports whether the secret is this one, in constant time.
	Matches(secret string) bool
}

// handler serves Procedure.
type handler struct {
	apps    []App
	maxBody int64
	log     *slog.Logger
	observe func(Call)
}

// New returns the handler of Procedure. It checks opts once and copies them.
func New(opts *Options) (http.Handler, error) {
	h := &handler{maxBody: opts.MaxBody, log: opts.Logger, observe: opts.Observe}
	switch {
	case len(opts.Apps) == 0:
		return nil, errors.New("extauthz: options: no Apps")
	case opts.MaxBody < 0:
		return nil, errors.New("extauthz: options: MaxBody is negative")
	case opts.MaxBody > mostBody:
		return nil, fmt.Errorf("extauthz: options: MaxBody is above %d; a body is held in memory several times while it is judged", mostBody)
	}
	if h.maxBody == 0 {
		h.maxBody = defaultMaxBody
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.observe == nil {
		h.observe = func(Call) {}
	}
	seen := map[string]bool{}
	for _, a := range opts.Apps {
		switch {
		case a.ID == "":
			return nil, errors.New("extauthz: options: an app has no ID")
		case seen[a.ID]:
			return nil, fmt.Errorf("extauthz: options: app %s occurs twice", a.ID)
		case a.Token == nil:
			return nil, fmt.Errorf("extauthz: options: app %s has no Token", a.ID)
		case a.Checker == nil:
			return nil, fmt.Errorf("extauthz: options: app %s has no Checker", a.ID)
		}
		seen[a.ID] = true
		h.apps = append(h.apps, a)
	}
	return h.authenticated(connect.NewUnaryHandler(Procedure, h.check,
		connect.WithReadMaxBytes(int(2*h.maxBody)+roomForFields),
		connect.WithRecover(h.recovered),
	)), nil
}

// appKey finds the App of a call in its context.
type appKey struct{}

// authenticated lets calls pass that bring an app's token, and reads nothing of
// others. It speaks gRPC alone, which is what Envoy speaks.
func (h *handler) authenticated(next http.Handler) http.Handler {
	errWriter := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t := r.Header.Get("Content-Type"); t != "application/grpc" && t != "application/grpc+proto" {
			http.Error(w, "extauthz: this is a gRPC call of Envoy's ext_authz filter", http.StatusUnsupportedMediaType)
			return
		}
		c := &call{start: time.Now()}
		ctx := context.WithValue(r.Context(), callKey{}, c)
		defer func() { h.done(ctx, c) }()
		app, ok := h.byToken(r.Header)
		if !ok {
			c.Code, c.Reason = connect.CodeUnauthenticated.String(), "TOKEN_INVALID"
			err := connect.NewError(connect.CodeUnauthenticated, errors.New(
				`the token is of no app; let initial_metadata of Envoy's grpc_service hold "authorization: Bearer TOKEN" with the content of the app's service_token_file`))
			if errWriter.Write(w, r, err) != nil {
				http.Error(w, "extauthz: unauthenticated", http.StatusUnauthorized)
			}
			return
		}
		c.App = app.ID
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, appKey{}, app)))
	})
}

// byToken finds the app whose backend sends this header. It looks at all of
// them, so that the time does not tell which one it was.
func (h *handler) byToken(header http.Header) (found App, ok bool) {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return App{}, false
	}
	scheme, secret, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") { // RFC 9110, Section 11.1: the scheme has no case
		return App{}, false
	}
	for _, app := range h.apps {
		if app.Token.Matches(secret) {
			found, ok = app, true
		}
	}
	return found, ok
}

// recovered turns a panic into an error, which Envoy takes for no.
func (h *handler) recovered(ctx context.Context, _ connect.Spec, _ http.Header, p any) error {
	c := callOf(ctx)
	c.Code, c.Reason = connect.CodeInternal.String(), "INTERNAL"
	h.log.ErrorContext(ctx, "panic", "procedure", Procedure, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return connect.NewError(connect.CodeInternal, errors.New("internal error"))
}
