package integrity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer"
)

// movedAlert is what alerts tell of moves; empty: it is none of theirs.
func movedAlert(a AlertRow, t told) string {
	phone := newPhone(t)
	switch a.Kind {
	case "transfer.claimed":
		return "A move of your account to a new phone has begun" + phone + ". If this was not you, cancel it and freeze your account."
	case "transfer.held":
		return fmt.Sprintf("Your account is about to move to a new phone%s. Nothing can be opened there before %s. If this was not you, cancel it now and freeze your account.",
			phone, when(t.OpensAt, a.At))
	case "transfer.committed":
		return fmt.Sprintf("Your account has moved from %s to a new phone%s. If this was not you, take it back on the old phone, or remove the new one.",
			name(t.Old, "your old phone"), phone)
	case "transfer.recalled":
		return fmt.Sprintf("Your account was taken back to the old phone, and the new one%s was removed.", quoted(t.Name))
	case "transfer.contended":
		return "A second phone has scanned the code of the new phone to which your account was to move, so the move has ended" + phone +
			". Somebody else may have seen that code: show a new one where nobody looks on."
	}
	return ""
}

// newPhone is what an alert says of the phone that a move goes to: its model, as it
// says, and where the server sees it.
func newPhone(t told) string {
	if t.Near == "" {
		return colon(t.Name)
	}
	if t.Name == "" {
		return colon("seen at " + t.Near)
	}
	return colon(t.Name + ", seen at " + t.Near)
}

func colon(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// warnUndone tells of moves that are undone because the new phone has been removed: the
// old phone has the account again. After a recovery that brings neither of them back,
// there is nothing to tell.
func (s *Service) warnUndone(ctx context.Context, tx Tx, undone []transfer.Transfer, now time.Time) error {
	for _, t := range undone {
		a, err := s.account(ctx, tx, t.Account)
		if errors.Is(err, ErrAccountUnknown) || err == nil && a.Hold.Reason == account.HoldRecovered {
			continue
		}
		if err != nil {
			return err
		}
		d := s.clockDeed(t.Account, "transfer.recalled", now)
		d.alert, d.device, d.data = "transfer.recalled", t.NewDevice, map[string]any{"transfer": t.ID}
		if p := t.Peer(); p != "" {
			d.data["name"] = p
		}
		if err := s.warn(ctx, tx, d); err != nil {
			return err
		}
	}
	return nil
}
