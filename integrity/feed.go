package integrity

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/event"
)

// maxEvents is how many events one call gives at most.
const maxEvents = 1000

// PollEvents is the anti-abuse feed: what has happened in the app after the event
// with that id, in order, up to limit. Each has its id, so that a reader goes on
// where he was. An event names account and device, class and method, the keyed
// network, signals, findings and a reason; no address, no name and no handle.
func (s *Service) PollEvents(ctx context.Context, c account.Caller, after uint64, limit int) ([]event.Event, error) {
	if err := s.asBackend(c); err != nil {
		return nil, err
	}
	if limit < 1 || limit > maxEvents {
		return nil, fmt.Errorf("%w: limit is 1 to %d", ErrMalformed, maxEvents)
	}
	var out []event.Event
	err := s.look(ctx, func(tx Tx) (err error) {
		out, err = tx.Events(ctx, after, limit)
		return err
	})
	return out, err
}
