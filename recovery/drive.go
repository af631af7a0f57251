package recovery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/staunchid/staunch/recovery/wire"
)

// step is what is to be done next.
type step struct {
	requests map[string]request
	reg      map[string]wire.RegID       // what each request is about
	blob     map[string]wire.Hash        // which blob the vault will name afterwards
	commit   func(context.Context) error // instead of requests: tell the service
	keep     bool                        // the journal notes the requests, and must be saved before they leave
}

func newStep() *step {
	return &step{requests: map[string]request{}, reg: map[string]wire.RegID{}, blob: map[string]wire.Hash{}}
}

// add notes a request, unless it could not be made.
func (s *step) add(id string, reg wire.RegID, q request, err error) error {
	if err == nil {
		s.requests[id], s.reg[id] = q, reg
	}
	return err
}

// maxSteps bounds drive: drop, create, activate, commit and finalize, with some
// room for requests that come from elsewhere.
const maxSteps = 16

var errUnsettled = errors.New("recovery: what it holds keeps changing: is another device registering? Try again")

// drive looks at what the vaults hold, does at each the one thing that plan says
// is next, and goes on until nothing is. A vault that fails is left out of the
// rest; errs says why.
func (r *round) drive(ctx context.Context, b *Backup, reg *registration, plan func(map[string]*view) (*step, error)) (views map[string]*view, errs map[string]error, err error) {
	views, errs = r.views(ctx, reg.ids())
	for range maxSteps {
		b.note(views, reg)
		s, err := plan(views)
		if err != nil {
			return nil, nil, err
		}
		if s.commit != nil {
			if err := s.commit(ctx); err != nil {
				return nil, nil, err
			}
			continue
		}
		if len(s.requests) == 0 {
			return views, errs, r.c.save(b)
		}
		if s.keep {
			if err := r.c.save(b); err != nil {
				return nil, nil, err
			}
		}
		changed := false
		for id, o := range r.ask(ctx, s.requests) {
			switch {
			case o.err != nil:
				errs[id] = o.err
				delete(views, id)
			case o.answer.Verdict == wire.VerdictOK, o.answer.Verdict == wire.VerdictDeleted:
				views[id].done(s.requests[id].op, s.reg[id], s.blob[id], o.answer)
			case o.answer.Verdict == wire.VerdictBadSig:
				return nil, nil, fmt.Errorf("%w (vault %s)", ErrOtherDevice, id)
			case o.answer.Verdict == wire.VerdictMalformed:
				return nil, nil, fmt.Errorf("recovery: vault %s does not understand %v: is this app too old for it?", id, s.requests[id].op)
			default: // gen mismatch, occupied, unknown, locked: it is not as we thought
				changed = true
			}
		}
		if changed {
			fresh, more := r.views(ctx, slices.Collect(maps.Keys(views)))
			views = fresh
			maps.Copy(errs, more)
		}
	}
	for id := range views {
		errs[id] = errUnsettled
	}
	return nil, errs, nil
}
