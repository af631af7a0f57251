package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"

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

// CheckRequest asks VerifyRequest. An error wraps [request.ErrUnavailable], on
// which a gate may fail open, in these cases and no other:
//
//   - There is no answer: no connection, or one that broke off.
//   - A proxy answers that it gets none: 502, 503 or 504 without an error of
//     Staunch's.
//   - Staunch says that its store is away: Unavailable, STORE_AWAY.
//   - The Timeout of the Options is over.
//
// Not when Staunch refuses the call or fails at it, whatever the code, nor when
// a proxy throttles (429): who sends a request could bring that about. And not
// when ctx has ended, which is the doing of whoever asks.
func (c *Checker) CheckRequest(ctx context.Context, check *request.Check) (*request.Decision, error) {
	if check == nil || check.Message == nil {
		return nil, fmt.Errorf("client: verify request: %w: nil", request.ErrMalformed)
	}
	call, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var status atomic.Int32 // the transport may go on when the call has ended
	res, err := c.service.VerifyRequest(context.WithValue(call, statusKey{}, &status), connect.NewRequest(checkToProto(c.app, check)))
	switch {
	case err == nil:
		return decisionFromProto(res.Msg), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("client: verify request: %w", ctx.Err())
	case away(err, int(status.Load())) && !earlier(ctx, call):
		return nil, fmt.Errorf("client: verify request: %w: %w", request.ErrUnavailable, err)
	}
	return nil, fmt.Errorf("client: verify request: %w", err)
}

// away reports whether an error says nothing about the call but that it was not
// answered. status is that of the answer, 0 without one. A call that the server
// refuses is none: a request could be made so that it is.
func away(err error, status int) bool {
	switch code := connect.CodeOf(err); {
	case code == connect.CodeDeadlineExceeded: // Staunch has no deadline of its own, it knows ours
		return true
	case code != connect.CodeUnavailable:
		return false
	case connect.IsWireError(err):
		return reasonOf(err) == "STORE_AWAY"
	}
	return status != http.StatusTooManyRequests // which Connect takes for Unavailable
}

// reasonOf is the stable reason that Staunch gives with an error, or empty.
func reasonOf(err error) string {
	var e *connect.Error
	if !errors.As(err, &e) {
		return ""
	}
	for _, d := range e.Details() {
		if value, err := d.Value(); err == nil {
			if info, ok := value.(*errdetails.ErrorInfo); ok && info.GetDomain() == "staunch" {
				return info.GetReason()
			}
		}
	}
	return ""
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
