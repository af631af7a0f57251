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
// server that holds both. caller is the app's backend. away tells the errors by
// which Update and View say that the store cannot be reached; nil: there are
// none.
func (s *Service) Checker(caller account.Caller, away func(error) bool) request.Checker {
	if away == nil {
		away = func(error) bool { return false }
	}
	return &checker{s, caller, away}
}

type checker struct {
	s      *Service
	caller account.Caller
	away   func(error) bool
}

// CheckRequest judges a request. An error wraps request.ErrUnavailable, on which
// a gate may fail open, when the store is away, or when the service's own time
// for a commit is over; never when ctx has ended, and never for another error:
// whoever sends a request may have found out how to cause it.
func (c *checker) CheckRequest(ctx context.Context, in *request.Check) (*request.Decision, error) {
	v, err := c.s.VerifyRequest(ctx, c.caller, &RequestCheck{
		App: c.s.id, Message: in.Message, Account: account.ID(in.Account), Country: in.Country,
	})
	switch {
	case err == nil:
	case ctx.Err() == nil && (c.away(err) || errors.Is(err, context.DeadlineExceeded)):
		return nil, fmt.Errorf("%w: %w", request.ErrUnavailable, err)
	default:
		return nil, err
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
