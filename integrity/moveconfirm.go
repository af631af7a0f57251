package integrity

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
)

// ConfirmMove is the owner's yes, on the current phone: with a passkey over
// move.approve for this very transcript, whatever else that phone has shown. If the
// two phones were not near each other, or something speaks for it, the transfer is
// held, and all devices are told.
func (s *Service) ConfirmMove(ctx context.Context, c account.Caller, turn transfer.Turn, holdShare [32]byte) (*transfer.View, error) {
	turn.Step = handover.StepConfirm
	now := s.now()
	w, err := s.expectedOfCurrent(ctx, c, turn, now)
	if err != nil {
		return nil, err
	}
	turn.Value = w.Value
	in := &transfer.Confirming{Turn: turn, HoldShare: holdShare}
	var out *transfer.View
	if w.Repeat {
		err = s.actMove(ctx, turn.ID, func(_ Tx, moves transfer.Tx) (err error) {
			out, err = s.moves.ConfirmTx(ctx, moves, in, now)
			return err
		})
		return out, err
	}
	m, ok := w.Message.(*handover.Confirm)
	if !ok {
		return nil, fmt.Errorf("%w: a confirm is wanted", transfer.ErrMalformed)
	}
	as, err := s.moveYes(ctx, c, m.StepUp, now)
	if err != nil {
		return nil, err
	}
	err = s.actMove(ctx, turn.ID, func(tx Tx, moves transfer.Tx) error {
		a, err := s.current(ctx, tx, c, w.Transfer, now)
		if err != nil {
			return err
		}
		if in.Risks, err = s.moveRisks(ctx, tx, a, w.Transfer); err != nil {
			return err
		}
		if _, err := s.approveMove(ctx, tx, a, account.ApproveMove, m.StepUp, as, w); err != nil {
			return err
		}
		if out, err = s.moves.ConfirmTx(ctx, moves, in, now); err != nil || out.State != transfer.Held {
			return err
		}
		return s.warnMove(ctx, tx, a, "transfer.held", w.Transfer, map[string]any{"opens_at": out.Opens.UTC(), "reasons": out.HoldReasons})
	})
	return out, err
}

// expectedOfCurrent is expected for a message of the current phone, whose call is
// signed: the caller is that phone.
func (s *Service) expectedOfCurrent(ctx context.Context, c account.Caller, turn transfer.Turn, now time.Time) (*transfer.Wanted, error) {
	w, err := s.expected(ctx, c, turn, now)
	if err != nil || w.Repeat {
		return w, err
	}
	return w, s.look(ctx, func(tx Tx) error {
		_, err := s.current(ctx, tx, c, w.Transfer, now)
		return err
	})
}

// ReviseMove begins the stream of the current phone anew. That takes from a bucket of
// the transfer, where it is not the same call once more.
func (s *Service) ReviseMove(ctx context.Context, c account.Caller, turn transfer.Turn, revision uint32, bytes uint64) (*transfer.View, error) {
	if err := s.moving(c); err != nil {
		return nil, err
	}
	now := s.now()
	revises := bucket{"move_revise", string(turn.ID), s.policy.Limits.MoveRevise}
	var out *transfer.View
	err := s.actMove(ctx, turn.ID, func(tx Tx, moves transfer.Tx) error {
		t, err := s.moves.Standing(ctx, moves, turn.ID, now)
		if err != nil {
			return err
		}
		if _, err := s.current(ctx, tx, c, t, now); err != nil {
			return err
		}
		if out, err = s.moves.ReviseTx(ctx, moves, turn.ID, turn.Token, revision, bytes, now); err != nil || out.Revision == t.Revision || s.policy.LoopbackToo {
			return err
		}
		return s.takeIn(ctx, tx, revises.kind, revises.value, revises.limit, now)
	})
	if err = s.tellLimited(ctx, revises, err, now); err != nil {
		return nil, err
	}
	return out, nil
}

// MoveSeal is a grant, and what comes with it.
type MoveSeal struct {
	transfer.Turn
	CommitShare [32]byte
	Sealed      []byte
}

// SealMove brings the grant of the current phone: all has been sent. After a hold it
// carries a second yes of the owner, over what was confirmed. What was sent is made
// durable first, so that a power cut loses nothing of what was granted.
func (s *Service) SealMove(ctx context.Context, c account.Caller, in *MoveSeal) (*transfer.View, error) {
	turn := in.Turn
	turn.Step = handover.StepGrant
	now := s.now()
	w, err := s.expectedOfCurrent(ctx, c, turn, now)
	if err != nil {
		return nil, err
	}
	turn.Value = w.Value
	m, ok := w.Message.(*handover.Grant)
	if !ok {
		return nil, fmt.Errorf("%w: a grant is wanted", transfer.ErrMalformed)
	}
	sealing := &transfer.Sealing{Turn: turn, CommitShare: in.CommitShare, Sealed: in.Sealed}
	var as *asserted
	if !w.Repeat {
		if err := s.moves.Flush(ctx, turn.ID, turn.Token); err != nil {
			return nil, err
		}
		if m.StepUp != nil { // package transfer knows whether there must be one
			if as, err = s.moveYes(ctx, c, *m.StepUp, now); err != nil {
				return nil, err
			}
		}
	}
	var out *transfer.View
	err = s.actMove(ctx, turn.ID, func(tx Tx, moves transfer.Tx) (err error) {
		if !w.Repeat {
			a, err := s.current(ctx, tx, c, w.Transfer, now)
			if err != nil {
				return err
			}
			if as != nil {
				if _, err := s.approveMove(ctx, tx, a, account.ApproveMove, *m.StepUp, as, w); err != nil {
					return err
				}
			}
			sealing.SealingKeyHash = sha256.Sum256(a.device.SealingKey)
		}
		out, err = s.moves.SealTx(ctx, moves, sealing, now)
		return err
	})
	return out, err
}

// AckMove says that the new phone has opened the keys: from now on the time runs in
// which the old one can take the account back.
func (s *Service) AckMove(ctx context.Context, c account.Caller, turn transfer.Turn) (*transfer.View, error) {
	turn.Step = handover.StepAck
	return s.step(ctx, c, turn, s.moves.AckTx)
}
