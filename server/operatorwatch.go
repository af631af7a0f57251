package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/operator"
)

// followEvery is how often a server reads on in what the record tells of operators.
// It misses what is taken out of the record after that, and so does who removes an
// operator: he waits for twice as long.
const followEvery = time.Second

// keepOperators reads on in the record of a until ctx ends.
func (s *Server) keepOperators(ctx context.Context, a *app) {
	if a.people == nil {
		return
	}
	t := time.NewTicker(followEvery)
	defer t.Stop()
	said := ""
	for {
		err := a.people.Follow(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			said = ""
		case err.Error() != said: // and not every second
			said = err.Error()
			if errors.Is(err, operator.ErrTampered) {
				s.log.Error("nobody is let into the console: its audit record was changed past the program; stop the server, keep a copy of the store, find out who could write to it, and run staunch check", "app", a.id, "error", err)
			} else {
				s.log.Error("what is recorded of operators cannot be read; it is tried again every second", "app", a.id, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// confirm waits until every server has read that an operator is removed, and looks
// whether he still is: somebody may have put him back at once.
func (o *Operators) confirm(ctx context.Context, id operator.ID) error {
	t := time.NewTimer(2 * followEvery)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("server: operator %s is removed; whether that lasts was not seen: %w", id, ctx.Err())
	case <-t.C:
	}
	gone, err := o.people.Removed(ctx, id)
	if err == nil && !gone {
		err = fmt.Errorf("%w: operator %s was removed and is back", operator.ErrTampered, id)
	}
	return err
}
