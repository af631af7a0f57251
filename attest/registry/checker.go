package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/request"
)

// Checker gives the service in the form that request.Middleware asks, for a
// server that holds both. caller is the app's backend.
func (s *Service) Checker(caller account.Caller) request.Checker { return &checker{s, caller} }

type checker struct {
	s      *Service
	caller account.Caller
}

// CheckRequest judges a request. An error that is no doing of the request's, nor
// of the program around it, wraps request.ErrUnavailable.
func (c *checker) CheckRequest(ctx context.Context, in *request.Check) (*request.Decision, error) {
	v, err := c.s.VerifyRequest(ctx, c.caller, &RequestCheck{
		App: c.s.id, Message: in.Message, Account: account.ID(in.Account), Country: in.Country,
	})
	if err != nil {
		for _, known := range []error{ErrMalformed, ErrNotAllowed, ErrAppUnknown, context.Canceled} {
			if errors.Is(err, known) {
				return nil, err
			}
		}
		return nil, fmt.Errorf("%w: %w", request.ErrUnavailable, err)
	}
	d := &request.Decision{Allow: v.Decision == Allow, Advice: string(v.Advice)}
	for _, f := range v.Verdict.Findings {
		if f.Effect == attest.Reject {
			d.Codes = append(d.Codes, f.Code)
		}
	}
	if k := v.Key; k != nil {
		d.Identity = request.Identity{Key: k.ID, Account: string(k.Account), Platform: k.Platform, Tier: string(k.Tier), RegisteredAt: k.RegisteredAt}
	}
	return d, nil
}
