package client

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/attest/request"
	attestv1 "github.com/staunchid/staunch/gen/staunch/attest/v1"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
)

// maxAnswer bounds an answer of the server, whose verdict lists what it found.
const maxAnswer = 1 << 20

// Checker decides about signed requests by asking the server. It is safe for
// concurrent use, and a [request.Checker].
type Checker struct {
	app     string
	timeout time.Duration
	http    *http.Client
	service attestv1connect.AttestServiceClient
}

// NewChecker returns a Checker. It does not call the server yet.
func NewChecker(opts *Options) (*Checker, error) {
	if opts == nil {
		opts = &Options{}
	}
	h, err := opts.HTTP()
	if err != nil {
		return nil, err
	}
	c := &Checker{app: opts.App, timeout: opts.Timeout, http: h}
	if c.timeout == 0 {
		c.timeout = defaultTimeout
	}
	c.service = attestv1connect.NewAttestServiceClient(h, strings.TrimSuffix(opts.URL, "/"),
		connect.WithReadMaxBytes(maxAnswer), connect.WithAcceptCompression("gzip", nil, nil))
	return c, nil
}

// Close closes the connections that are idle.
func (c *Checker) Close() { c.http.CloseIdleConnections() }

// CheckRequest asks VerifyRequest. An error wraps [request.ErrUnavailable] when
// the server cannot be reached or does not answer in time, and not when it
// refuses the call or when ctx has ended.
func (c *Checker) CheckRequest(ctx context.Context, check *request.Check) (*request.Decision, error) {
	if check == nil || check.Message == nil {
		return nil, fmt.Errorf("client: verify request: %w: nil", request.ErrMalformed)
	}
	call, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	res, err := c.service.VerifyRequest(call, connect.NewRequest(checkToProto(c.app, check)))
	switch {
	case err == nil:
		return decisionFromProto(res.Msg), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("client: verify request: %w", ctx.Err())
	case away(err) && !earlier(ctx, call):
		return nil, fmt.Errorf("client: verify request: %w: %w", request.ErrUnavailable, err)
	}
	return nil, fmt.Errorf("client: verify request: %w", err)
}

// away reports whether an error says nothing about the call but that it was not
// answered. A call that the server refuses is none: a request could be made so
// that it is.
func away(err error) bool {
	code := connect.CodeOf(err)
	return code == connect.CodeUnavailable || code == connect.CodeDeadlineExceeded
}

// earlier reports whether ctx ends no later than call, which was made of it: the
// server may say that the time is over before ctx does.
func earlier(ctx, call context.Context) bool {
	end, ok := ctx.Deadline()
	own, _ := call.Deadline()
	return ok && !end.After(own)
}

func checkToProto(app string, check *request.Check) *attestv1.VerifyRequestRequest {
	m := check.Message
	return &attestv1.VerifyRequestRequest{
		App: app, Account: check.Account, Country: strings.ToValidUTF8(check.Country, "?"),
		Method: m.Method, Authority: m.Authority, Path: m.Path, Query: m.Query, Fields: m.Fields,
		SignatureInput: m.SignatureInput, Signature: m.Signature,
		HasBody: m.HasBody, BodySha256: m.BodySHA256, BodySha512: m.BodySHA512, BodyMembers: m.BodyMembers,
	}
}

// decisionFromProto allows what is DECISION_ALLOW, and nothing else.
func decisionFromProto(m *attestv1.VerifyRequestResponse) *request.Decision {
	d := &request.Decision{Allow: m.GetDecision() == attestv1.Decision_DECISION_ALLOW}
	if a := m.GetAdvice(); a != attestv1.Advice_ADVICE_UNSPECIFIED {
		d.Advice = strings.TrimPrefix(a.String(), "ADVICE_")
	}
	for _, f := range m.GetVerdict().GetFindings() {
		if f.GetEffect() == attestv1.Effect_EFFECT_REJECT {
			d.Codes = append(d.Codes, f.GetCode())
		}
	}
	if k := m.GetKey(); k != nil {
		d.Identity = request.Identity{
			Key: k.GetKeyId(), Account: k.GetAccount(),
			Platform: strings.ToLower(strings.TrimPrefix(k.GetPlatform().String(), "PLATFORM_")),
			Tier:     strings.ToLower(strings.TrimPrefix(k.GetTier().String(), "TIER_")),
		}
		if at := k.GetRegisteredAt(); at.IsValid() {
			d.Identity.RegisteredAt = at.AsTime()
		}
	}
	return d
}
