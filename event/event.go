// Package event holds what happened, for those who want to be told: the entry
// of the outbox.
//
// A service appends an event in the transaction that makes it true, so that
// there is no event without its change and no change without its event.
//
//	return tx.AppendEvent(ctx, event.Event{
//		Type: "attest.key_registered", Account: id, At: now, Body: body,
//	})
//
// Delivery reads the outbox afterwards: at least once, in order within an
// account, each event with its ID, so that a receiver can leave out what it has
// seen. Delivery is not part of this package, and neither are the kinds of
// events: a pillar names its own, with its name in front.
//
// A body is one JSON object without secrets, names, addresses or identifiers
// of a device.
package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
)

// ErrInvalid: an event is not one that may stand in the outbox. It is a fault
// of the program.
var ErrInvalid = errors.New("event: invalid event")

// Event is one thing that happened.
type Event struct {
	ID      uint64 // given by the store: ascending, never reused
	Type    string // "PILLAR.WHAT"
	Account account.ID
	Body    json.RawMessage // one JSON object
	At      time.Time
}

// Appender is in the transaction of every pillar. It writes e to the outbox
// and gives it its ID; the ID in e is not looked at.
type Appender interface {
	AppendEvent(ctx context.Context, e Event) error
}

// Validate reports ErrInvalid unless e may stand in the outbox. Every store
// asks it before it writes.
func (e Event) Validate() error {
	switch {
	case !validType(e.Type):
		return fmt.Errorf("%w: type %q", ErrInvalid, e.Type)
	case e.At.IsZero():
		return fmt.Errorf("%w: %s without a time", ErrInvalid, e.Type)
	case len(e.Body) == 0 || e.Body[0] != '{' || !json.Valid(e.Body):
		return fmt.Errorf("%w: body of %s is no JSON object", ErrInvalid, e.Type)
	}
	if e.Account != "" {
		if err := e.Account.Validate(); err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	return nil
}

// validType reports whether t is two lower-case words with a dot between.
func validType(t string) bool {
	pillar, what, ok := strings.Cut(t, ".")
	const letters = "abcdefghijklmnopqrstuvwxyz_"
	return ok && pillar != "" && what != "" && strings.Trim(pillar+what, letters) == ""
}
