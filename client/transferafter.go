package client

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
)

// MoveStatus asks how the move of this phone stands, and does what is due: it signs
// out, unlocks or wipes, if the other phone, or this one's own clock, says so.
func (p *Phone) MoveStatus(ctx context.Context, m *Moving) (*MoveStanding, error) {
	r, err := p.lastMove(m)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return &MoveStanding{Role: RoleNone, Account: p.State().Account, Device: p.State().Device}, nil
	}
	v, err := r.view(ctx)
	if errors.Is(err, ErrUnreachable) {
		return r.standing(nil), nil
	}
	if err != nil {
		return nil, err
	}
	return r.after(ctx, v)
}

// after does what a view asks of the phone, and says how the move stands then.
func (r *moveRun) after(ctx context.Context, v *transferv1.View) (*MoveStanding, error) {
	r.watch.take(v)
	var err error
	if !r.m.Beside {
		err = r.settle(ctx, v)
	}
	return r.standing(v), err
}

// CancelMove ends a move that is not committed, for both phones.
func (p *Phone) CancelMove(ctx context.Context, m *Moving) (*MoveStanding, error) {
	r, err := p.lastMove(m)
	switch {
	case err != nil:
		return nil, err
	case r == nil:
		return nil, ErrNoMove
	case r.file.State == "aborted":
		return p.MoveStatus(ctx, m)
	}
	res, err := p.moves.Cancel(unsigned(ctx), connect.NewRequest(&transferv1.CancelRequest{
		Transfer: string(r.file.Transfer), Token: r.file.Token, Reason: "user_cancelled",
	}))
	if err = when(err); errors.Is(err, ErrMoveTooLate) && reason(err) == "TRANSFER_WRONG_STATE" {
		return nil, fmt.Errorf("%w: the account has moved; the old phone can take it back, while there is time: recall", ErrMoveTooLate)
	}
	if err != nil && reason(err) != "TRANSFER_ENDED" {
		return nil, err
	}
	r.watch = p.watchMove(r.file.Transfer, r.file.Token, r.retry)
	var v *transferv1.View
	if err == nil {
		v = res.Msg.GetView()
	} else if v, err = r.view(ctx); err != nil {
		return nil, err
	}
	return r.after(ctx, v)
}

// RecallMove takes the account back to this phone, the old one: the new one's
// device, and what it has added, are gone then. show shows what the person approves.
func (p *Phone) RecallMove(ctx context.Context, m *Moving, why string, show func(text string) error) (*MoveStanding, error) {
	r, v, err := p.settled(ctx, m)
	switch {
	case err != nil:
		return nil, err
	case r.role() != RoleSender:
		return nil, fmt.Errorf("%w: recall it on the old phone", ErrNoMove)
	case r.file.State == "recalled":
		return r.standing(v), nil
	case r.file.State == "final", r.file.State == "aborted":
		return nil, fmt.Errorf("%w: it is %s", ErrMoveTooLate, r.file.State)
	case !r.file.Left:
		return nil, fmt.Errorf("%w: it is %s: cancel it", ErrMoveTooEarly, moveState(v))
	}
	half, err := r.sender()
	if err != nil {
		return nil, err
	}
	up, err := r.approve(ctx, half, account.RecallMove, handover.StepRecall, show)
	if err != nil {
		return nil, err
	}
	e, err := half.Recall(why, up)
	if err != nil {
		return nil, fmt.Errorf("client: the move: %w", err)
	}
	b, err := e.Encode()
	if err != nil {
		return nil, fmt.Errorf("client: the move: %w", err)
	}
	if err := r.save(half); err != nil {
		return nil, err
	}
	res, err := p.moves.Recall(unsigned(ctx), connect.NewRequest(&transferv1.RecallRequest{Transfer: string(r.file.Transfer), Token: r.file.Token, Envelope: b}))
	if err != nil {
		return nil, when(err)
	}
	return r.after(ctx, res.Msg.GetView())
}

// FinalizeMove ends the time in which the move can be recalled: on the old phone,
// which is wiped then; on the new one only if the two were near each other.
func (p *Phone) FinalizeMove(ctx context.Context, m *Moving, show func(text string) error) (*MoveStanding, error) {
	r, v, err := p.settled(ctx, m)
	switch {
	case err != nil:
		return nil, err
	case r.file.State == "final":
		return r.standing(v), nil
	case r.file.State == "recalled", r.file.State == "aborted":
		return nil, fmt.Errorf("%w: it is %s", ErrMoveTooLate, r.file.State)
	case !r.file.Closed:
		return nil, fmt.Errorf("%w: the new phone has not opened the keys yet", ErrMoveTooEarly)
	case r.role() == RoleReceiver && r.file.Class != string(handover.ClassNear):
		return nil, fmt.Errorf("%w: the phones were not beside each other, so only the old one can do it, or time does", ErrMoveTooEarly)
	}
	var e handover.Envelope
	if r.role() == RoleSender {
		var half *handover.Sender
		if half, err = r.sender(); err == nil {
			e, err = finalBy(ctx, r, half, show)
		}
	} else {
		var half *handover.Receiver
		if half, err = r.receiver(); err == nil {
			e, err = finalBy(ctx, r, half, show)
		}
	}
	if err != nil {
		return nil, err
	}
	b, err := e.Encode()
	if err != nil {
		return nil, fmt.Errorf("client: the move: %w", err)
	}
	res, err := p.moves.Finalize(unsigned(ctx), connect.NewRequest(&transferv1.FinalizeRequest{Transfer: string(r.file.Transfer), Token: r.file.Token, Envelope: b}))
	if err != nil {
		return nil, when(err)
	}
	return r.after(ctx, res.Msg.GetView())
}

// finisher is either half.
type finisher interface {
	Before(handover.Step) ([32]byte, error)
	Final(handover.StepUp) (handover.Envelope, error)
	MarshalBinary() ([]byte, error)
}

func finalBy(ctx context.Context, r *moveRun, half finisher, show func(string) error) (handover.Envelope, error) {
	up, err := r.approve(ctx, half, account.FinishMove, handover.StepFinal, show)
	if err != nil {
		return handover.Envelope{}, err
	}
	e, err := half.Final(up)
	if err != nil {
		return e, fmt.Errorf("client: the move: %w", err)
	}
	return e, r.save(half)
}

func (r *moveRun) approve(ctx context.Context, half interface {
	Before(handover.Step) ([32]byte, error)
}, action account.Action, step handover.Step, show func(string) error,
) (handover.StepUp, error) {
	value, err := half.Before(step)
	if err != nil {
		return handover.StepUp{}, fmt.Errorf("%w: %w", ErrMoveTooEarly, err)
	}
	up, err := r.p.stepUp(ctx, action, r.file.Transfer, value, show)
	return up, when(err)
}

// when says of a refusal that it is too early or too late.
func when(err error) error {
	e := (*Error)(nil)
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Reason == "TRANSFER_TOO_EARLY":
		return fmt.Errorf("%w: %w", ErrMoveTooEarly, err)
	case e.Reason == "TRANSFER_WRONG_STATE" && (e.State == "committed" || e.State == "acked" || e.State == "final"),
		e.Reason == "TRANSFER_ENDED":
		return fmt.Errorf("%w: %w", ErrMoveTooLate, err)
	case e.Reason == "TRANSFER_WRONG_STATE":
		return fmt.Errorf("%w: %w", ErrMoveTooEarly, err)
	}
	return err
}
