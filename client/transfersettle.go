package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
)

// settle does what a view asks of this phone. The server's word alone signs nobody
// out and wipes nothing (spec/transfer.md, "A device believes only what is signed").
func (r *moveRun) settle(ctx context.Context, v *transferv1.View) error {
	if r.file.over() && (r.file.Wiped || r.file.State != "final") {
		return nil
	}
	if r.role() == RoleReceiver {
		return r.settleReceiver(ctx, v)
	}
	return r.settleSender(ctx, v)
}

func (r *moveRun) settleSender(ctx context.Context, v *transferv1.View) error {
	switch s := v.GetState(); {
	case s == transferv1.TransferState_TRANSFER_STATE_ABORTED && r.file.Left:
		return fmt.Errorf("%w: the server says that the move was aborted, and the new phone has signed for it", ErrMoveCheck)
	case s == transferv1.TransferState_TRANSFER_STATE_ABORTED:
		return r.aborted(v.GetReason())
	case s == transferv1.TransferState_TRANSFER_STATE_RECALLED:
		return r.back(ctx)
	case !reached(v, transferv1.TransferState_TRANSFER_STATE_COMMITTED):
		return nil
	}
	half, err := r.sender()
	if err != nil {
		return err
	}
	if !r.file.Left {
		e, err := r.envelope(handover.StepReceipt)
		if err != nil {
			return err
		}
		if err := r.leftFor(ctx, half, e, v); err != nil {
			return err
		}
	}
	if r.file.AckedAt.IsZero() && reached(v, transferv1.TransferState_TRANSFER_STATE_ACKED) {
		e, err := r.envelope(handover.StepAck)
		if err != nil {
			return err
		}
		if err := r.ackedBy(half, e); err != nil {
			return err
		}
	}
	if v.GetState() != transferv1.TransferState_TRANSFER_STATE_FINAL {
		return nil
	}
	return r.final(ctx, half)
}

// final wipes, if either phone has signed that the window to recall is over, or it
// is by this phone's own clock. That counts from when this phone heard of the
// acknowledgement, which may be long after the server did: until then it is locked.
func (r *moveRun) final(ctx context.Context, half *handover.Sender) error {
	over := !r.p.now().Before(r.file.AckedAt.Add(r.file.RecallWindow))
	switch signed := r.watch.has(handover.StepFinal); {
	case signed:
		e, err := r.envelope(handover.StepFinal)
		if err == nil {
			err = checked(half.HandleFinal(e))
		}
		if err != nil && !over {
			return err
		}
	case !over:
		return nil
	}
	if err := r.m.Home.Wipe(ctx); err != nil {
		return fmt.Errorf("client: wipe this phone: %w", err)
	}
	r.file.State, r.file.Wiped, r.file.Half = "final", true, nil
	return r.dir.save(r.file)
}

// back unlocks: the account is this phone's again.
func (r *moveRun) back(ctx context.Context) error {
	if err := r.m.Home.Unlock(ctx); err != nil {
		return fmt.Errorf("client: unlock this phone: %w", err)
	}
	r.file.State, r.file.Left, r.file.Closed, r.file.Half = "recalled", false, true, nil
	return r.dir.save(r.file)
}

// aborted forgets the keys of a move that has come to nothing, and what has arrived
// of it.
func (r *moveRun) aborted(why string) error {
	r.file.State, r.file.Reason, r.file.Half, r.file.URI = "aborted", why, nil, ""
	if err := r.dir.save(r.file); err != nil {
		return err
	}
	return r.dir.clear()
}

func (r *moveRun) settleReceiver(ctx context.Context, v *transferv1.View) error {
	switch v.GetState() {
	case transferv1.TransferState_TRANSFER_STATE_ABORTED:
		if r.file.Placed { // it has opened the keys already, which only a committed move can
			return fmt.Errorf("%w: the server says that the move was aborted, and this phone has its keys", ErrMoveCheck)
		}
		return r.aborted(v.GetReason())
	case transferv1.TransferState_TRANSFER_STATE_RECALLED:
		return r.givenBack(ctx)
	case transferv1.TransferState_TRANSFER_STATE_FINAL:
		r.file.State = "final"
		r.file.Wiped = true // there is nothing to wipe
		return r.dir.save(r.file)
	}
	return nil
}

// mostRecall is for how long after it has taken the keys a recall can wipe the new phone,
// whatever a server says of its window, and if it never answers.
const mostRecall = 30 * 24 * time.Hour

// recallTime is how long the server says that the move can be recalled from now on.
func recallTime(v *transferv1.View) time.Duration {
	if !v.GetRecallUntil().IsValid() || !v.GetAt().IsValid() {
		return mostRecall
	}
	return min(max(v.GetRecallUntil().AsTime().Sub(v.GetAt().AsTime()), 0), mostRecall)
}

// recallWithin lets a recall wipe this phone for that long from now on. It is set when
// the keys are taken, and only ever shortened: a server that drops the answers to the
// acknowledgement would else keep the end from coming.
func (r *moveRun) recallWithin(d time.Duration) {
	by := r.p.now().Add(d)
	if r.file.RecallBy.IsZero() || by.Before(r.file.RecallBy) {
		r.file.RecallBy = by
	}
}

// late reports whether the old phone can no longer take the account back, by this
// phone's own clock. Its key may have become anybody's since, and a server that keeps
// back that the move is final could let it speak. Keys without an end are those of a
// move from before one was kept.
func (r *moveRun) late() bool {
	if r.file.RecallBy.IsZero() {
		return r.file.Placed
	}
	return r.p.now().After(r.file.RecallBy.Add(recallSlack))
}

// recallSlack is for clocks, and for a recall on its way.
const recallSlack = time.Minute

// givenBack gives up the account: with the old phone's signature all of it is wiped;
// without, after another device has removed this one, and when the time for a recall
// is over, it is locked and no more. A freeze stops the server's clock and not this
// phone's: what is locked then waits for whoever clears it up.
func (r *moveRun) givenBack(ctx context.Context) error {
	half, err := r.receiver()
	if err != nil {
		return err
	}
	signed := false
	if r.watch.has(handover.StepRecall) {
		e, err := r.envelope(handover.StepRecall)
		if err == nil {
			_, err = half.HandleRecall(e)
		}
		signed = err == nil && !r.late()
	}
	if err := r.p.dropSession(ctx); err != nil {
		return err
	}
	if home, ok := r.m.Home.(TakenBack); ok {
		if err := home.TakenBack(ctx, signed); err != nil {
			return fmt.Errorf("client: give the account back: %w", err)
		}
	}
	if signed {
		err = r.m.Home.Wipe(ctx)
	} else {
		err = r.m.Home.Lock(ctx)
	}
	if err != nil {
		return fmt.Errorf("client: give the account back: %w", err)
	}
	r.file.State, r.file.Wiped, r.file.Closed, r.file.Half = "recalled", signed, true, nil
	return errors.Join(r.dir.save(r.file), r.dir.clear())
}

// envelope is one that the view has brought.
func (r *moveRun) envelope(step handover.Step) (handover.Envelope, error) {
	r.watch.mu.Lock()
	b := r.watch.envelopes[step]
	r.watch.mu.Unlock()
	e, err := handover.DecodeEnvelope(b)
	if err != nil {
		return e, fmt.Errorf("%w: the server shows no %s: %w", ErrMoveCheck, step, err)
	}
	return e, nil
}
