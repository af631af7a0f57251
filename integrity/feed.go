package integrity

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
)

// pollReader names how far the app's backend has polled. Up to there it is done,
// and what is a week old is deleted.
const pollReader = "backend.poll"

// maxEvents is how many events one call gives at most.
const maxEvents = 1000

// PollEvents is the anti-abuse feed: what has happened in the app after the event
// with that id, in order, up to limit. Each has its id, so that a reader goes on
// where he was. An event names account and device, class and method, the keyed
// network, signals, findings and a reason; no address, no name and no handle.
// Whoever asks for what comes after an event is done with it.
func (s *Service) PollEvents(ctx context.Context, c account.Caller, after uint64, limit int) ([]event.Event, error) {
	if err := s.asBackend(c); err != nil {
		return nil, err
	}
	if limit < 1 || limit > maxEvents {
		return nil, fmt.Errorf("%w: limit is 1 to %d", ErrMalformed, maxEvents)
	}
	var out []event.Event
	var at uint64
	err := s.look(ctx, func(tx Tx) (err error) {
		if at, err = tx.Cursor(ctx, pollReader); err != nil {
			return err
		}
		out, err = tx.Events(ctx, after, limit)
		return err
	})
	if err != nil || after <= at {
		return out, err
	}
	return out, s.update(ctx, func(tx Tx) error {
		at, err := tx.Cursor(ctx, pollReader) // another call may have been faster
		if err != nil || after <= at {
			return err
		}
		return tx.PutCursor(ctx, pollReader, after)
	})
}
