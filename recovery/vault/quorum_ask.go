package vault

import (
	"context"
	"errors"
	"fmt"
)

// ask calls all witnesses at once and returns nil when need of them have given
// no error. Otherwise it returns, as soon as that is certain, what to do about
// it: ErrStale when one has refused, ErrAmnesia when those that remember would
// be too few even if all answered, else ErrUnavailable. It does not wait for the
// rest; their context ends, which takes nothing back that was sent.
func ask(ctx context.Context, witnesses []Peer, need int, call func(context.Context, Peer) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan error, len(witnesses))
	for _, p := range witnesses {
		go func() { answers <- call(ctx, p) }()
	}
	var ok, stale, amnesia, other int
	var why error
	for range witnesses {
		err := <-answers
		switch {
		case err == nil:
			if ok++; ok == need {
				return nil
			}
			continue
		case errors.Is(err, ErrStale):
			stale++
		case errors.Is(err, ErrAmnesia):
			amnesia++
		default:
			other++
		}
		if why == nil || errors.Is(err, ErrStale) {
			why = err
		}
	}
	switch {
	case stale > 0:
		return why
	case len(witnesses)-amnesia < need:
		return fmt.Errorf("%w (%d of %d have restarted, %d are needed): %w", ErrAmnesia, amnesia, len(witnesses), need, why)
	}
	return fmt.Errorf("%w (%d of %d, %d are needed): %w", ErrUnavailable, ok, len(witnesses), need, why)
}
