package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/account"
	transferv1 "github.com/staunchid/staunch/gen/staunch/transfer/v1"
	"github.com/staunchid/staunch/transfer/handover"
)

// watchFor is how long one Wait may last.
const watchFor = 25 * time.Second

// watcher follows a transfer as the server shows it. It believes nothing of it: an
// envelope is checked by who takes it.
type watcher struct {
	phone *Phone
	id    account.TransferID
	token []byte
	lost  func(err error, pause time.Duration) // told when the server does not answer

	mu        sync.Mutex
	view      *transferv1.View
	envelopes map[handover.Step][]byte
	err       error         // of the watching; it has ended
	changed   chan struct{} // closed at each news
}

func (p *Phone) watchMove(id account.TransferID, token []byte, lost func(error, time.Duration)) *watcher {
	return &watcher{phone: p, id: id, token: token, lost: lost, envelopes: map[handover.Step][]byte{}, changed: make(chan struct{})}
}

// run watches until ctx ends, or the server does not answer for as long as the
// phone is patient, or knows no such transfer.
func (w *watcher) run(ctx context.Context) {
	pause, since := firstPause, w.phone.now()
	for ctx.Err() == nil {
		err := w.ask(ctx, watchFor)
		switch {
		case err == nil:
			pause, since = firstPause, w.phone.now()
			continue
		case ctx.Err() != nil:
			return
		case reason(err) == "RATE_LIMITED":
			pause, since = mostPause, w.phone.now()
		case !gone(errors.Unwrap(err)) && !gone(err):
			w.end(err)
			return
		case w.phone.now().Sub(since) > w.phone.patience:
			w.end(fmt.Errorf("%w: %w", ErrUnreachable, err))
			return
		}
		w.lost(err, pause)
		if wait(ctx, pause) != nil {
			return
		}
		pause = min(2*pause, mostPause)
	}
}

// ask asks once.
func (w *watcher) ask(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	after := w.view.GetVersion()
	w.mu.Unlock()
	call, cancel := context.WithTimeout(unsigned(impatient(ctx)), d+silence)
	defer cancel()
	res, err := w.phone.moves.Wait(call, connect.NewRequest(&transferv1.WaitRequest{
		Transfer: string(w.id), Token: w.token, AfterVersion: after, Seconds: int32(d.Seconds()), //nolint:gosec // at most 25
	}))
	if err != nil {
		return err
	}
	w.take(res.Msg.GetView())
	return nil
}

// take notes a view, from Wait or from another call's answer.
func (w *watcher) take(v *transferv1.View) {
	if v == nil || v.GetTransfer() != string(w.id) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.GetVersion() < w.view.GetVersion() {
		return // an older answer, which came later
	}
	for _, e := range v.GetEnvelopes() {
		if step := handover.Step(e.GetStep()); isStep(step) { // one of each, however many the server makes up
			w.envelopes[step] = e.GetBytes()
		}
	}
	w.view = v
	close(w.changed)
	w.changed = make(chan struct{})
}

// isStep reports whether there is such a message.
func isStep(s handover.Step) bool {
	switch s {
	case handover.StepOffer, handover.StepHello, handover.StepAnswer, handover.StepMatched, handover.StepConfirm,
		handover.StepGrant, handover.StepReceipt, handover.StepAck, handover.StepRecall, handover.StepFinal:
		return true
	}
	return false
}

func (w *watcher) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	close(w.changed)
	w.changed = make(chan struct{})
}

// seen is the newest view, which may be nil, and what will tell of a newer one.
func (w *watcher) seen() (*transferv1.View, <-chan struct{}, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view, w.changed, w.err
}

// until waits until fn is content with a view. A transfer that ends first is a
// *MoveEnded.
func (w *watcher) until(ctx context.Context, fn func(*transferv1.View) bool) (*transferv1.View, error) {
	for {
		v, changed, err := w.seen()
		switch {
		case v != nil && fn(v):
			return v, nil
		case v != nil && over(v) != nil:
			return v, over(v)
		case err != nil:
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, fmt.Errorf("client: the move: %w", context.Cause(ctx))
		case <-changed:
		}
	}
}

// envelope waits for a message of the other phone.
func (w *watcher) envelope(ctx context.Context, step handover.Step) (handover.Envelope, error) {
	_, err := w.until(ctx, func(*transferv1.View) bool { return w.has(step) })
	if err != nil {
		return handover.Envelope{}, err
	}
	w.mu.Lock()
	b := w.envelopes[step]
	w.mu.Unlock()
	e, err := handover.DecodeEnvelope(b)
	if err != nil {
		return e, fmt.Errorf("%w: %w", ErrMoveCheck, err)
	}
	return e, nil
}

func (w *watcher) has(step handover.Step) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.envelopes[step]) > 0
}

// over is the end without a move that a view tells of, or nil.
func over(v *transferv1.View) error {
	switch v.GetState() {
	case transferv1.TransferState_TRANSFER_STATE_ABORTED, transferv1.TransferState_TRANSFER_STATE_RECALLED:
		return &MoveEnded{State: moveState(v), Reason: v.GetReason()}
	}
	return nil
}

// moveState is the state's name.
func moveState(v *transferv1.View) string { return lower(v.GetState(), "TRANSFER_STATE_") }

// reached reports whether a transfer is in a state or one that follows it without
// an end.
func reached(v *transferv1.View, s transferv1.TransferState) bool {
	return v.GetState() >= s && v.GetState() <= transferv1.TransferState_TRANSFER_STATE_FINAL
}
