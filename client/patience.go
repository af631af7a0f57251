package client

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"connectrpc.com/connect"
)

// patient makes a call again while the server cannot be reached, and once with
// the right time when the server says that our clock is wrong. Each try is
// signed anew. What may have been done although no answer came is not repeated
// here: its flow knows better.
type patient struct{ phone *Phone }

const (
	firstPause = 100 * time.Millisecond
	mostPause  = 2 * time.Second
	// clockSlack is how far our clock may be off before it is corrected; a phone
	// whose proof is refused for another reason is not helped by another time.
	clockSlack = 5 * time.Second
)

// impatientKey marks the context of a call whose flow tries again by itself.
type impatientKey struct{}

func impatient(ctx context.Context) context.Context {
	return context.WithValue(ctx, impatientKey{}, true)
}

// finishes are the calls that a lost answer makes uncertain.
func finishes(procedure string) bool {
	switch path.Base(procedure) {
	case "FinishEnrol", "FinishSignIn", "FinishStepUp", "FinishAdd", "FinishJoin", "RequestJoin", "ConfirmAction", "Veto", "Reattest", "LeaveDevice", "StartRecovery", "FinishRecovery":
		return true
	}
	return false
}

// WrapUnary tries again.
func (p patient) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if ctx.Value(impatientKey{}) != nil {
			res, err := next(ctx, req)
			return res, typed(err)
		}
		call, cancel := context.WithTimeout(ctx, p.phone.patience)
		defer cancel()
		corrected := false
		for pause := firstPause; ; pause = min(2*pause, mostPause) {
			res, err := next(call, req)
			switch {
			case err == nil:
				return res, nil
			case ctx.Err() != nil: // the caller's doing
				return nil, fmt.Errorf("client: %s: %w", path.Base(req.Spec().Procedure), ctx.Err())
			case errors.Is(err, ErrNotEnrolled):
				return nil, ErrNotEnrolled
			case errors.Is(err, errSigning):
				return nil, err
			case !corrected && p.phone.correct(err):
				corrected = true
				continue
			case !gone(err):
				return nil, typed(err)
			case !neverSent(err) && reasonOf(err) != "STORE_AWAY" && finishes(req.Spec().Procedure):
				return nil, fmt.Errorf("%w: %w", ErrUnreachable, typed(err))
			}
			select {
			case <-call.Done():
				if ctx.Err() != nil {
					return nil, fmt.Errorf("client: %s: %w", path.Base(req.Spec().Procedure), ctx.Err())
				}
				return nil, fmt.Errorf("%w: %w", ErrUnreachable, typed(err))
			case <-time.After(pause):
			}
		}
	}
}

// wait pauses between two tries.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("client: %w", ctx.Err())
	case <-time.After(d):
		return nil
	}
}

// WrapStreamingClient leaves streams to their flow, which reads on where it was.
func (patient) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler is for servers.
func (patient) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

// correct takes the server's time from a refusal of our proof, if our clock is
// off by more than the network may take.
func (p *Phone) correct(err error) bool {
	var e *Error
	if !errors.As(typed(err), &e) || e.Reason != "PROOF_INVALID" || e.ServerTime.IsZero() {
		return false
	}
	off := e.ServerTime.Sub(p.serverNow())
	if off.Abs() < clockSlack {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock += off
	return true
}
