package client

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/account"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
)

// pair goes on until the number was typed on the new phone.
func (s *sending) pair(ctx context.Context) error {
	if _, err := s.half.Value(handover.StepHello); err != nil {
		if err := s.hello(ctx); err != nil {
			return err
		}
	}
	if _, err := s.half.Value(handover.StepMatched); err == nil {
		return nil
	}
	// The same bytes again change nothing: it may not have arrived.
	e, err := s.half.Hello(handover.Class(s.file.Class), nil)
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	b, err := e.Encode()
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	m, err := ask(ctx, s.p, s.p.moves.Hello, &transferv1.HelloRequest{Transfer: string(s.file.Transfer), Token: s.file.Token, Envelope: b})
	if err != nil {
		return s.refused(err)
	}
	s.watch.take(m.GetView())
	answer, err := s.watch.envelope(ctx, handover.StepAnswer)
	if err != nil {
		return err
	}
	if err := s.half.HandleAnswer(answer); err != nil {
		return s.cancel(ctx, "integrity", checked(err))
	}
	if err := s.save(s.half); err != nil {
		return err
	}
	number, err := s.half.Number()
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	s.tell.tell(MoveEvent{Event: EventNumber, Number: number})
	matched, err := s.watch.envelope(ctx, handover.StepMatched)
	if err != nil {
		return err
	}
	if _, err := s.half.HandleMatched(matched); err != nil {
		return s.cancel(ctx, "integrity", checked(err))
	}
	s.tell.tell(MoveEvent{Event: EventMatched})
	return s.save(s.half)
}

// hello listens for the new phone, and asks the person: nothing of this phone is
// told before the yes.
func (s *sending) hello(ctx context.Context) error {
	peer := *s.file.Peer
	var heard []byte
	peer.Proximity = string(handover.ClassNone)
	if !s.o.NoProximity && hearBeacon(ctx, s.file.Beacons, s.o.Loopback, func(says [beaconSize]byte) bool {
		_, err := s.half.OpenBeacon(says[:])
		heard = says[:]
		return err == nil
	}) {
		peer.Proximity = string(handover.ClassLAN)
	} else {
		heard = nil
	}
	s.tell.tell(MoveEvent{Event: EventPeer, Peer: &peer})
	yes, err := s.o.Ask(ctx, &peer)
	switch {
	case err != nil:
		return err
	case !yes:
		return s.cancel(ctx, "user_cancelled", ErrDeclined)
	}
	if _, err := s.half.Hello(handover.Class(peer.Proximity), heard); err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	s.file.Class = peer.Proximity
	return s.save(s.half)
}

// confirm is the person's yes, with his passkey, over all that was said so far.
func (s *sending) confirm(ctx context.Context) error {
	if v, _, _ := s.watch.seen(); reached(v, transferv1.TransferState_TRANSFER_STATE_HELD) {
		return s.confirmed(ctx)
	}
	value, err := s.half.Before(handover.StepConfirm)
	if err != nil {
		return fmt.Errorf("client: the move: %w", err)
	}
	up := s.file.StepUp
	for fresh := false; ; up = nil {
		if up == nil {
			u, err := s.p.stepUp(ctx, account.ApproveMove, s.file.Transfer, value, s.o.Show)
			if err != nil {
				return s.refused(err)
			}
			up, fresh = &u, true
		}
		e, hold, err := s.half.Confirm(*up, s.file.Plan.Bytes)
		if err != nil {
			return fmt.Errorf("client: the move: %w", err)
		}
		s.file.StepUp = up
		if err := s.save(s.half); err != nil {
			return err
		}
		b, err := e.Encode()
		if err != nil {
			return fmt.Errorf("client: the move: %w", err)
		}
		m, err := ask(ctx, s.p, s.p.moves.Confirm, &transferv1.ConfirmRequest{Transfer: string(s.file.Transfer), Token: s.file.Token, Envelope: b, HoldShare: hold[:]})
		if err == nil {
			s.watch.take(m.GetView())
			return s.confirmed(ctx)
		}
		if fresh || !staleStepUp(err) {
			return s.refused(err)
		}
	}
}

// confirmed tells of it, and of a hold.
func (s *sending) confirmed(ctx context.Context) error {
	v, err := s.watch.until(ctx, func(v *transferv1.View) bool { return reached(v, transferv1.TransferState_TRANSFER_STATE_HELD) })
	if err != nil {
		return err
	}
	s.tell.tell(MoveEvent{Event: EventConfirmed, Class: s.file.Class, Bytes: s.file.Plan.Bytes})
	if v.GetState() == transferv1.TransferState_TRANSFER_STATE_HELD {
		s.tell.tell(MoveEvent{Event: EventHeld, Until: v.GetOpensAt().AsTime(), Reasons: v.GetHoldReasons()})
	}
	return nil
}

// staleStepUp reports whether an approval, which was confirmed before a crash, came
// too late: it counts for minutes, and once.
func staleStepUp(err error) bool {
	switch reason(err) {
	case "APPROVAL_EXPIRED", "APPROVAL_NOT_FOUND", "APPROVAL_USED", "PASSKEY_CEREMONY_EXPIRED", "PASSKEY_CEREMONY_USED":
		return true
	}
	return false
}
