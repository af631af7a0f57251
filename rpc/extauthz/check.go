package extauthz

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/request"
	extauthzv1 "github.com/staunchid/staunch/gen/staunch/extauthz/v1"
)

// check puts the request that Envoy describes through request.Middleware, and
// answers what became of it there: it reached the upstream, or it was refused.
func (h *handler) check(ctx context.Context, req *connect.Request[extauthzv1.CheckRequest]) (*connect.Response[extauthzv1.CheckResponse], error) {
	app, ok := ctx.Value(appKey{}).(App)
	if !ok { // authenticated lets no such call pass
		return nil, connect.NewError(connect.CodeInternal, errors.New("internal error"))
	}
	m, err := fromProto(req.Msg, app.ID)
	if err != nil {
		callOf(ctx).misread(err)
		return connect.NewResponse(away()), nil
	}
	t := &trial{checker: app.Checker, message: m}
	rec := &recorder{header: http.Header{}}
	gate := request.Middleware(t, &request.Options{MaxBody: h.maxBody})
	gate(t).ServeHTTP(rec, m.request.WithContext(ctx))
	callOf(ctx).judged(t, rec)
	if t.passed {
		return connect.NewResponse(allowed(m.request.Header, t.header)), nil
	}
	return connect.NewResponse(rec.refused()), nil
}

// trial is one request on its way: the Checker that Middleware asks, and the
// upstream that it hands the request to.
type trial struct {
	checker request.Checker
	message *message

	decision *request.Decision // of the Checker; nil when it was not asked
	err      error             // of the Checker
	passed   bool              // the request has reached the upstream
	header   http.Header       // with which it has
}

func (t *trial) CheckRequest(ctx context.Context, c *request.Check) (*request.Decision, error) {
	c.Account, c.Country = t.message.account, t.message.country
	t.decision, t.err = t.checker.CheckRequest(ctx, c)
	return t.decision, t.err
}

func (t *trial) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	t.passed, t.header = true, r.Header
}

// allowed tells Envoy to hand the request on, with the header fields that
// Middleware has made of those that were sent: what was proved of the sender and
// nothing that he says of it himself, and each covered field as it was signed.
// Our own fields are named whether any were sent or not.
func allowed(sent, passed http.Header) *extauthzv1.CheckResponse {
	ok := &extauthzv1.OkHttpResponse{}
	names := map[string]bool{"X-Staunch-Key": true, "X-Staunch-Account": true, "X-Staunch-Tier": true}
	for name := range sent {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		switch lines := passed[name]; {
		case len(lines) == 0 || lines[0] == "" && !slices.Equal(lines, sent[name]): // Envoy removes after it has set, so none that is set may be here
			ok.HeadersToRemove = append(ok.HeadersToRemove, strings.ToLower(name))
		case !slices.Equal(lines, sent[name]):
			ok.Headers = append(ok.Headers, overwrite(strings.ToLower(name), lines[0]))
		}
	}
	return &extauthzv1.CheckResponse{
		Status:       &extauthzv1.Status{},
		HttpResponse: &extauthzv1.CheckResponse_OkResponse{OkResponse: ok},
	}
}

// overwrite is a field that takes the place of all of its name.
func overwrite(name, value string) *extauthzv1.HeaderValueOption {
	return &extauthzv1.HeaderValueOption{
		Header:       &extauthzv1.HeaderValue{Key: name, Value: value},
		AppendAction: extauthzv1.AppendAction_APPEND_ACTION_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}

// away is the answer when Staunch cannot tell.
func away() *extauthzv1.CheckResponse {
	rec := &recorder{header: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "Retry-After": {"1"}}}
	rec.WriteHeader(http.StatusServiceUnavailable)
	rec.body.WriteString(`{"reason":"STAUNCH_AWAY","advice":"RETRY"}` + "\n")
	return rec.refused()
}

// recorder keeps what Middleware answers.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// refused tells Envoy to answer the client what was recorded.
func (r *recorder) refused() *extauthzv1.CheckResponse {
	if r.status < http.StatusBadRequest { // not a refusal, so nothing that may be passed on
		return away()
	}
	denied := &extauthzv1.DeniedHttpResponse{Status: &extauthzv1.HttpStatus{Code: int32(r.status)}, Body: r.body.String()}
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		for _, value := range r.header[name] {
			denied.Headers = append(denied.Headers, overwrite(strings.ToLower(name), value))
		}
	}
	return &extauthzv1.CheckResponse{
		Status:       &extauthzv1.Status{Code: int32(codeOf(r.status))}, // 0 would allow
		HttpResponse: &extauthzv1.CheckResponse_DeniedResponse{DeniedResponse: denied},
	}
}

// codeOf is the code beside a refusal, which is never 0.
func codeOf(status int) connect.Code {
	switch status {
	case http.StatusUnauthorized:
		return connect.CodeUnauthenticated
	case http.StatusBadRequest:
		return connect.CodeInvalidArgument
	case http.StatusRequestEntityTooLarge:
		return connect.CodeResourceExhausted
	case http.StatusServiceUnavailable:
		return connect.CodeUnavailable
	default:
		return connect.CodePermissionDenied
	}
}
