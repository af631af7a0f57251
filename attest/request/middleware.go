package request

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

// defaultMaxBody is Options.MaxBody when that is 0.
const defaultMaxBody = 1 << 20

// Options are Middleware's. nil, or the zero Options, is strict.
type Options struct {
	MaxBody           int64                      // bytes; 0: 1 MiB
	Authority         string                     // the public name of this service, where a proxy rewrites Host; empty: Host
	Account           func(*http.Request) string // whose key it must be, of a session for example; nil: anybody's
	Country           func(*http.Request) string // ISO 3166-1, from a trusted edge and never from the phone; nil, and what is no country, such as XX: unknown
	Logger            *slog.Logger               // gets a line a refusal, with method and path, without query: paths of yours that name people are in that log; nil discards
	DangerousFailOpen bool                       // when the Checker is unavailable, hand requests on unchecked; see Middleware
}

// Middleware lets those requests through that c allows. It must see a request
// before anything that acts on it, and whatever rewrites its URL.
//
// From every request it removes header fields named X-Staunch-..., and
// trailers, which no signature covers. It reads the body, whole, and asks c.
//
//   - Allowed: the handler gets the same bytes, the Identity in its context, and
//     X-Staunch-Key, X-Staunch-Account and X-Staunch-Tier for programs behind it.
//     Each covered field is the one line that was signed. Removed are fields
//     spelt almost like a covered one (X_Payee beside X-Payee), and those by
//     which a client overrides the request line, unless they are covered:
//     X-HTTP-Method-Override, X-HTTP-Method, X-Method-Override, X-Original-URL
//     and X-Rewrite-URL.
//   - Without a signature of ours, and not allowed: 401 with Accept-Signature,
//     which says what to sign (RFC 9421, Section 5.1).
//   - Denied: 403 and {"reason":"ATTEST_REJECTED","advice":"NEW_KEY"}. Why, is in
//     the log alone: whoever attacks would learn from it.
//   - A body that is too large: 413. One that cannot be read: 400.
//   - No answer from c: 503, the handler is not called.
//
// With DangerousFailOpen, and when the error of c wraps ErrUnavailable, the
// handler is called all the same: with the same bytes, without Identity, without
// X-Staunch-... fields. A handler that asks FromContext can tell, and refuse
// what costs money. Other errors stay 503, and so does a client that has gone
// away meanwhile, for both can be brought about by who sends the request.
func Middleware(c Checker, opts *Options) func(http.Handler) http.Handler {
	g := &gate{checker: c}
	if opts != nil {
		g.Options = *opts
	}
	if g.MaxBody == 0 {
		g.MaxBody = defaultMaxBody
	}
	if g.Logger == nil {
		g.Logger = slog.New(slog.DiscardHandler)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, next) })
	}
}

// gate is one Middleware.
type gate struct {
	Options
	checker Checker
}

func (g *gate) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	r = withoutClaims(r)
	if g.Authority != "" {
		r.Host = g.Authority
	}
	m, body, err := FromHTTP(r, g.MaxBody)
	switch {
	case errors.Is(err, ErrBodyTooLarge):
		g.refuse(w, r, answer{status: http.StatusRequestEntityTooLarge, Reason: "REQUEST_TOO_LARGE", Advice: "CONTACT", err: err})
		return
	case err != nil:
		g.refuse(w, r, answer{status: http.StatusBadRequest, Reason: "REQUEST_MALFORMED", Advice: "RETRY", err: err})
		return
	}
	if f := m.checkSize(); f != nil { // too large to be sent to a Checker
		g.refuse(w, r, denial(m, &Decision{Codes: []string{f.Code}}))
		return
	}
	d, err := g.check(r, m)
	switch {
	case err == nil && d.Allow:
		next.ServeHTTP(w, d.Identity.mark(asSigned(withBody(r, body), m)))
	case err == nil:
		g.refuse(w, r, denial(m, d))
	case g.DangerousFailOpen && errors.Is(err, ErrUnavailable) && r.Context().Err() == nil:
		g.log(r, "request handed on unchecked", answer{status: http.StatusOK, err: err})
		next.ServeHTTP(w, asSigned(withBody(r, body), m))
	default:
		g.refuse(w, r, answer{status: http.StatusServiceUnavailable, Reason: "STAUNCH_AWAY", Advice: "RETRY", err: err})
	}
}

// check asks the Checker.
func (g *gate) check(r *http.Request, m *Message) (*Decision, error) {
	if g.checker == nil {
		return nil, errors.New("request: middleware: there is no Checker")
	}
	c := &Check{Message: m}
	if g.Account != nil {
		c.Account = g.Account(r)
	}
	if g.Country != nil {
		c.Country = g.Country(r)
	}
	d, err := g.checker.CheckRequest(r.Context(), c)
	if err == nil && d == nil {
		err = errors.New("request: middleware: the Checker gave neither decision nor error")
	}
	return d, err
}

// withBody gives r, a copy that is ours, the bytes that were checked.
func withBody(r *http.Request, body []byte) *http.Request {
	r.Trailer, r.TransferEncoding = nil, nil
	r.ContentLength = int64(len(body))
	r.Body = http.NoBody
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return r
}

// mark tells the handler who signed, if anybody did.
func (id Identity) mark(r *http.Request) *http.Request {
	if id.Key == "" {
		return r
	}
	r = r.WithContext(context.WithValue(r.Context(), identityKey{}, id))
	r.Header.Set("X-Staunch-Key", id.Key)
	r.Header.Set("X-Staunch-Account", id.Account)
	r.Header.Set("X-Staunch-Tier", id.Tier)
	return r
}

// answer is a refusal.
type answer struct {
	Reason string `json:"reason"`
	Advice string `json:"advice"`

	status int
	accept string   // Accept-Signature
	codes  []string // for the log
	err    error    // for the log
}

// denial is the answer to a request that the Checker does not allow.
func denial(m *Message, d *Decision) answer {
	a := answer{status: http.StatusForbidden, Reason: d.Reason, Advice: d.Advice, codes: d.Codes}
	if a.Reason == "" {
		a.Reason = "ATTEST_REJECTED"
	}
	if a.Advice == "" {
		a.Advice = "CONTACT"
	}
	if _, err := Parse(m); failure(err) != nil && failure(err).Code == CodeSignatureMissing {
		a.status, a.accept = http.StatusUnauthorized, acceptSignature(m)
	}
	return a
}

// acceptSignature says what must be signed. RFC 9421, Section 5.1.
func acceptSignature(m *Message) string {
	names := required()
	covered := names[:]
	if m.needsDigest() {
		covered = append(covered, contentDigest)
	}
	for _, name := range [...]string{contentType, contentEncoding} {
		if _, there := m.Fields[name]; there {
			covered = append(covered, name)
		}
	}
	return Label + `=("` + strings.Join(covered, `" "`) + `");created;tag="` + Tag + `"`
}

func (g *gate) refuse(w http.ResponseWriter, r *http.Request, a answer) {
	g.log(r, "request refused", a)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if a.accept != "" {
		h.Set("Accept-Signature", a.accept)
	}
	if a.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	body, err := json.Marshal(a)
	if err != nil { // two strings
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(a.status)
	w.Write(append(body, '\n'))
}

// log writes a line without query, body, account or any other secret.
func (g *gate) log(r *http.Request, message string, a answer) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", path), slog.Int("status", a.status),
		slog.String("reason", a.Reason), slog.Any("codes", a.codes),
	}
	if a.err != nil {
		attrs = append(attrs, slog.String("error", a.err.Error()))
	}
	g.Logger.LogAttrs(r.Context(), slog.LevelWarn, message, attrs...)
}
