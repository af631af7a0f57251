package integrity

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
)

// ticketActions are what tickets are given out for. They are no actions that run:
// their rows say for how long a ticket is good.
var ticketActions = []account.Action{account.StartRecovery, account.OpenRecovery}

// ticketOver reports whether a row is that of a ticket whose day is over.
func (p PendingRow) ticketOver(now time.Time) bool {
	return slices.Contains(ticketActions, p.Action) && !now.Before(p.OpensAt.Add(ticketLife))
}

// recoveryOver ends, by the clock, a recovery that nobody has gone on with, and the
// ticket that a device got for itself. The owner was told when it began, and loses
// nothing by its end: there is an entry, and no alert.
func (s *Service) recoveryOver(ctx context.Context, tx Tx, id account.PendingID, now time.Time) (done bool, err error) {
	p, found, err := tx.Pending(ctx, id) // as it is now, and not when it was listed
	if err != nil || !found || p.State != StateOpen || !p.ticketOver(now) {
		return false, err
	}
	ok, err := tx.EndPending(ctx, p.ended(StateCancelled, now))
	if err != nil || !ok {
		return false, err
	}
	if _, err := s.account(ctx, tx, p.Account); errors.Is(err, ErrAccountUnknown) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	d := s.clockDeed(p.Account, string(p.Action)+".over", now)
	d.subject = string(p.ID)
	return true, s.record(ctx, tx, d)
}

// stillWaiting leaves out what is no action that waits: tickets of devices for
// themselves, and recoveries whose tickets are over, which the clock ends soon.
func stillWaiting(rows []PendingRow, now time.Time) []PendingRow {
	return slices.DeleteFunc(rows, func(p PendingRow) bool { return p.Action == account.OpenRecovery || p.ticketOver(now) })
}
