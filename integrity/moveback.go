package integrity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
)

// After the commit the old phone has no session any more. It takes the account back,
// or leaves it for good, by its token, its device proof over the transcript, and a
// passkey over move.recall or move.finish. The new phone ends the window by the same
// three, if the two were next to each other.

// RecallMove gives the account back to the old phone: the new device is deleted with
// all that it has added, and the old one is active again.
func (s *Service) RecallMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*transfer.View, error) {
	turn.Step = handover.StepRecall
	return s.settleMove(ctx, c, turn, account.RecallMove, s.recallMove)
}

// FinishMove ends the time in which the account could be taken back: the old device
// is deleted.
func (s *Service) FinishMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*transfer.View, error) {
	turn.Step = handover.StepFinal
	return s.settleMove(ctx, c, turn, account.FinishMove, s.finishMove)
}

// settling is what the two do in their transaction.
type settling struct {
	turn  transfer.Turn
	w     *transfer.Wanted
	class account.Class
}

// settleMove verifies what such a message carries, uses the approval up and does it.
func (s *Service) settleMove(ctx context.Context, c account.Caller, turn transfer.Turn, action account.Action,
	do func(context.Context, Tx, transfer.Tx, *actor, *settling) (*transfer.View, error),
) (*transfer.View, error) {
	now := s.now()
	w, err := s.expected(ctx, c, turn, now)
	if err != nil {
		return nil, err
	}
	turn.Value = w.Value
	m := &settling{turn: turn, w: w}
	var out *transfer.View
	if w.Repeat {
		err = s.actMove(ctx, turn.ID, func(_ Tx, moves transfer.Tx) (err error) {
			if action == account.RecallMove {
				out, err = s.moves.RecallTx(ctx, moves, turn, now)
			} else {
				out, err = s.moves.FinishTx(ctx, moves, turn, now)
			}
			return err
		})
		return out, err
	}
	up, err := stepUpIn(w.Message)
	if err != nil {
		return nil, err
	}
	phone := s.movedPhone(c, w, now)
	as, err := s.moveYes(ctx, phone, up, now)
	if err != nil {
		return nil, err
	}
	err = s.actMove(ctx, turn.ID, func(tx Tx, moves transfer.Tx) error {
		a, err := s.load(ctx, tx, phone, now)
		if err != nil {
			return err
		}
		if m.class, err = s.approveMove(ctx, tx, a, action, up, as, w); err != nil {
			return err
		}
		out, err = do(ctx, tx, moves, a, m)
		return err
	})
	return out, err
}

// movedPhone is the phone that has proved the envelope, as a caller: by its device
// key, and without a session.
func (s *Service) movedPhone(c account.Caller, w *transfer.Wanted, now time.Time) account.Caller {
	t := w.Transfer
	dev := t.SenderDevice
	if w.Party == transfer.Receiver {
		dev = t.NewDevice
	}
	return account.Caller{
		Kind: account.Phone, App: s.app, Account: t.Account, Device: dev, Key: w.KeyID, Network: c.Network, Place: c.Place,
		Proofs: []account.Proof{{Method: account.ByDeviceKey, At: now, Device: dev}},
	}
}

// stepUpIn is the owner's yes in a recall or a final.
func stepUpIn(message any) (handover.StepUp, error) {
	switch m := message.(type) {
	case *handover.Recall:
		return m.StepUp, nil
	case *handover.Final:
		return m.StepUp, nil
	}
	return handover.StepUp{}, fmt.Errorf("%w: a recall or a final is wanted", transfer.ErrMalformed)
}

// recallMove is the transaction of RecallMove.
func (s *Service) recallMove(ctx context.Context, tx Tx, moves transfer.Tx, a *actor, m *settling) (*transfer.View, error) {
	t := m.w.Transfer
	out, err := s.moves.RecallTx(ctx, moves, m.turn, a.now) // first: what goes below ends nothing else then
	if err != nil {
		return nil, err
	}
	newcomer, err := s.device(ctx, tx, t.Account, t.NewDevice)
	if err != nil {
		return nil, err
	}
	d := s.deed(a, "device.recall", string(newcomer.ID))
	d.class, d.event, d.reason = m.class, "device.removed", "recall"
	d.more, d.data = map[string]any{"transfer": t.ID}, map[string]any{"transfer": t.ID}
	if err := s.removeWithAdded(ctx, tx, d, newcomer, account.StepRemove); err != nil {
		return nil, err
	}
	if err := s.removeAddedPasskeys(ctx, tx, d, newcomer, t.CommittedAt); err != nil {
		return nil, err
	}
	if err := s.stayIfSuccessor(ctx, tx, d, a.account, newcomer.ID); err != nil {
		return nil, err
	}
	d.alert, d.device = "transfer.recalled", newcomer.ID
	return out, s.record(ctx, tx, d)
}

// finishMove is the transaction of FinishMove.
func (s *Service) finishMove(ctx context.Context, tx Tx, moves transfer.Tx, a *actor, m *settling) (*transfer.View, error) {
	out, err := s.moves.FinishTx(ctx, moves, m.turn, a.now)
	if err != nil {
		return nil, err
	}
	d := s.deed(a, "device.hold_over", string(m.w.Transfer.SenderDevice))
	d.class = m.class
	return out, s.leaveForGood(ctx, tx, d, a.account, m.w.Transfer)
}

// leaveForGood deletes the old phone's device of a move that is final, with the
// passkeys that only it used. One that was frozen or locked meanwhile is removed.
func (s *Service) leaveForGood(ctx context.Context, tx Tx, d *deed, a account.Account, t transfer.Transfer) error {
	old, found, err := tx.Device(ctx, t.SenderDevice)
	if err != nil || !found || old.State == account.Deleted {
		return err
	}
	if err := s.soundDevice(old); err != nil {
		return err
	}
	step := account.Step{Name: account.StepHoldOver, AccountState: a.State, Final: true}
	if old.State != account.Held {
		step.Name = account.StepRemove
	}
	d.event, d.subject = "device.removed", string(old.ID)
	d.more = map[string]any{"transfer": t.ID}
	if _, err := s.removeBy(ctx, tx, d, old, step); err != nil {
		return err
	}
	return s.record(ctx, tx, d)
}

// movesDue lists what is due of the transfers by the clock. They are looked through by
// their ids: none is left in the list once its time is stored.
func (s *Service) movesDue(ctx context.Context, tx Tx, now time.Time, after Due) ([]Due, error) {
	if s.moves == nil {
		return nil, nil
	}
	moves, err := transferTx(tx)
	if err != nil {
		return nil, err
	}
	ids, err := moves.TransfersDue(ctx, now, transfer.ID(after.ID), tickMost)
	due := make([]Due, len(ids))
	for i, id := range ids {
		due[i] = Due{ID: string(id)}
	}
	return due, err
}

// moveDue stores what time has done to a transfer. When it can no longer be taken
// back, the old device is deleted in the same transaction.
func (s *Service) moveDue(ctx context.Context, tx Tx, id transfer.ID, now time.Time) (bool, error) {
	moves, err := transferTx(tx)
	if err != nil {
		return false, err
	}
	t, changed, err := s.moves.SettleTx(ctx, moves, id, now)
	if err != nil || !changed {
		return false, err
	}
	s.woken(tx, id)
	if t.State != transfer.Final {
		return true, nil
	}
	a, err := s.account(ctx, tx, t.Account)
	if errors.Is(err, ErrAccountUnknown) { // it was deleted, and its devices with it
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return true, s.leaveForGood(ctx, tx, s.clockDeed(a.ID, "device.hold_over", now), a, t)
}
