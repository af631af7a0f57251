package integrity

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
	"github.com/staunchid/staunch/transfer"
	"github.com/staunchid/staunch/transfer/handover"
)

// The owner says yes to a move three times at most: before anything is sent, once
// more after a hold, and when he takes the account back or ends the time for that.
// Each is an approval of the moment: its parameters name the transfer and the
// transcript value before the message that carries the answer. So a yes to one
// transfer, or to one step of it, is good for no other. The answer comes with
// that message, whose call confirms the approval; ConfirmAction does not.

// moveParams are the parameters of move.approve, move.recall and move.finish.
type moveParams struct {
	Transfer transfer.ID `json:"transfer"`
	Value    string      `json:"value"` // of the transcript, in hex
}

// moveExecutor renders the text of such an approval. Nothing is executed.
func (s *Service) moveExecutor(action account.Action) executor {
	return executor{apart: true, text: func(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (string, error) {
		return s.textMove(ctx, tx, a, action, params)
	}}
}

// textMove is what the owner reads. It refuses what the transfer would refuse in
// this moment, from this device.
func (s *Service) textMove(ctx context.Context, tx Tx, a *actor, action account.Action, params json.RawMessage) (string, error) {
	if s.moves == nil {
		return "", ErrNoMoves
	}
	p, err := parameters[moveParams](params)
	if err != nil {
		return "", err
	}
	t, err := s.ownMove(ctx, tx, a, p.Transfer)
	if err != nil {
		return "", err
	}
	step, err := moveStep(action, t)
	if err != nil {
		return "", err
	}
	before, err := t.Before(step)
	if err != nil {
		return "", err
	}
	if p.Value != hex.EncodeToString(before[:]) {
		return "", fmt.Errorf("%w: params: value is the transcript value before the %s, in hex, as both phones and the server have it", ErrMalformed, step)
	}
	where := ""
	if t.Place != "" {
		where = ", near " + t.Place
	}
	to := inQuotes(t.Peer()) + where
	switch step {
	case handover.StepConfirm:
		return fmt.Sprintf("Move your account to %s%s? This device is signed out when everything has arrived there. Say yes only if you hold that phone in your hand.",
			to, verdictOf(t).warning()), nil
	case handover.StepGrant:
		return fmt.Sprintf("Finish moving your account to %s? The wait is over: this device is signed out when everything has arrived there.", to), nil
	case handover.StepRecall:
		return fmt.Sprintf("Take your account back from %s? That phone and everything it has added are removed, and this device has the account again.", to), nil
	}
	if a.Device == t.NewDevice {
		return "Keep your account on this phone for good? The old phone can no longer take it back, and wipes it.", nil
	}
	return fmt.Sprintf("Leave your account to %s for good? This device can no longer take it back, and wipes it.", to), nil
}

// warning is what the server's verdict adds to a text.
func (v MoveVerdict) warning() string {
	if v.Verdict == "TRUSTED" {
		return ""
	}
	return " (this server has a warning about that phone)"
}

// moveStep is the message that an approval of the action is for, in this state.
func moveStep(action account.Action, t transfer.Transfer) (handover.Step, error) {
	switch {
	case action == account.ApproveMove && t.State == transfer.Claimed && len(t.Matched) > 0:
		return handover.StepConfirm, nil
	case action == account.ApproveMove && t.State == transfer.Streaming:
		return handover.StepGrant, nil
	case action == account.ApproveMove && t.State == transfer.Held:
		return "", &transfer.EarlyError{OpensAt: t.Opens}
	case action == account.RecallMove && (t.State == transfer.Committed || t.State == transfer.Acked):
		return handover.StepRecall, nil
	case action == account.FinishMove && t.State == transfer.Acked:
		return handover.StepFinal, nil
	case t.State == transfer.Aborted || t.State == transfer.Recalled || t.State == transfer.Final:
		return "", &transfer.EndedError{State: t.State, Reason: t.Reason}
	}
	return "", &transfer.StateError{State: t.State}
}

// ownMove reads a transfer in which the caller's device is one of the two phones,
// as it stands now.
func (s *Service) ownMove(ctx context.Context, tx Tx, a *actor, id transfer.ID) (transfer.Transfer, error) {
	moves, err := transferTx(tx)
	if err != nil {
		return transfer.Transfer{}, err
	}
	t, err := s.moves.Standing(ctx, moves, id, a.now)
	switch {
	case err != nil:
		return t, err
	case a.Device == "" || t.Account != a.Account || a.Device != t.SenderDevice && a.Device != t.NewDevice:
		return transfer.Transfer{}, transfer.ErrNotFound
	}
	return t, nil
}

// moveYes verifies the answer of the passkey to an approval of a move, outside
// the transaction.
func (s *Service) moveYes(ctx context.Context, c account.Caller, up handover.StepUp, now time.Time) (*asserted, error) {
	id := account.ApprovalID(up.Approval)
	if id.Validate() != nil {
		return nil, ErrApprovalUnknown
	}
	by := bound(c, nil)
	if by == nil {
		return nil, ErrApprovalUnknown
	}
	err := s.look(ctx, func(tx Tx) error { // first, so that the reason is the approval's
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		_, err = s.openApproval(ctx, tx, a, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.assert(ctx, c, passkey.Approve, approvalCeremony(id, by), up.Assertion, by, c.Account, now)
}

// approveMove uses the approval up, in the transaction of the message that carries
// the answer. It is one of this action, this transfer and this moment.
func (s *Service) approveMove(ctx context.Context, tx Tx, a *actor, action account.Action, up handover.StepUp, as *asserted, w *transfer.Wanted) (account.Class, error) {
	row, err := s.openApproval(ctx, tx, a, account.ApprovalID(up.Approval))
	if err != nil {
		return account.NoClass, err
	}
	p, err := parameters[moveParams](row.Params)
	if err != nil {
		return account.NoClass, err
	}
	if row.Action != action || p.Transfer != w.Transfer.ID || !strings.EqualFold(p.Value, hex.EncodeToString(w.Before[:])) {
		return account.NoClass, ErrApprovalOther
	}
	_, class, err := s.approve(ctx, tx, a, row, as)
	return class, err
}
