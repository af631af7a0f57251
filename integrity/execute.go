package integrity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/staunchid/staunch/account"
)

// executor is what an action of the table does once its approval is confirmed.
type executor struct {
	// text says in plain words what will happen. It reads and changes nothing, and
	// refuses parameters that cannot be executed.
	text func(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (string, error)
	// run does it, in the transaction in which the approval is used up. The caller
	// has met the action's requirement. It completes d, which is recorded after it;
	// without an action, nothing has changed and nothing is recorded.
	run func(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error)
	// before runs before the proposal's transaction, for what counts whatever
	// becomes of it; denied runs in that of a denial. nil: nothing.
	before func(ctx context.Context, c account.Caller, action account.Action, params json.RawMessage) error
	denied func(ctx context.Context, tx Tx, params json.RawMessage) error
	// bucket and limit are those of the account, from which a proposal takes.
	bucket string
	limit  Limit
	// apart: the answer comes in a call of its own, which executes what was approved;
	// Confirm refuses it.
	apart bool
	// signals: authenticators are told what the account has afterwards.
	signals bool
}

// executors is the table of what can be proposed (accounts, "Assurance"). What
// is not in it is refused.
func (s *Service) executors() map[account.Action]executor {
	return map[account.Action]executor{
		account.AddDevice:        s.joinExecutor(account.AddDevice),
		account.ApproveGuest:     s.joinExecutor(account.ApproveGuest),
		account.RemoveDevice:     {text: s.textRemoveDevice, run: s.runRemoveDevice, signals: true},
		account.UnfreezeDevice:   {text: s.textUnfreezeDevice, run: s.runUnfreezeDevice},
		account.RotateSealing:    {text: s.textRotateSealing, run: s.runRotateSealing},
		account.Reattest:         {text: s.textReattest, run: s.runReattest},
		account.RemoveCredential: {text: s.textRemoveCredential, run: s.runRemoveCredential, signals: true},
		account.ChangeHandle: s.notRecallable(account.ChangeHandle, executor{
			text: s.textChangeHandle, run: s.runChangeHandle, signals: true, bucket: "handle_change", limit: s.policy.Limits.HandleChange,
		}),
		account.RenewFreezeCode: s.notRecallable(account.RenewFreezeCode, executor{text: s.textRenewFreezeCode, run: s.runRenewFreezeCode}),
		account.UnfreezeAccount: {text: s.textUnfreeze, run: s.runUnfreeze},
		account.DeleteAccount:   {text: s.textDelete, run: s.runDelete},
		account.ApproveMove:     s.moveExecutor(account.ApproveMove),
		account.RecallMove:      s.moveExecutor(account.RecallMove),
		account.FinishMove:      s.moveExecutor(account.FinishMove),
		account.SetupRecovery:   s.notRecallable(account.SetupRecovery, executor{text: s.textSetupRecovery, run: s.runSetupRecovery}),
		account.OpenRecovery: {
			text: s.textOpenRecovery, run: s.runOpenRecovery, bucket: "recovery_open", limit: s.policy.Limits.RecoveryOpen,
		},
	}
}

// notRecallable keeps a phone to which the account has moved, and whoever it has let
// in, from what would outlast a recall: a PIN, a freeze code or a handle of a
// phisher's. The old phone's time to take the account back is over first.
func (s *Service) notRecallable(action account.Action, e executor) executor {
	stays := func(ctx context.Context, tx Tx, a *actor) error {
		devices, err := s.devices(ctx, tx, a.Account)
		if err != nil {
			return err
		}
		for _, old := range devices {
			if err := s.recallStays(a, action, old); err != nil {
				return err
			}
		}
		return nil
	}
	text, run := e.text, e.run
	e.text = func(ctx context.Context, tx Tx, a *actor, params json.RawMessage) (string, error) {
		if err := stays(ctx, tx, a); err != nil {
			return "", err
		}
		return text(ctx, tx, a, params)
	}
	e.run = func(ctx context.Context, tx Tx, a *actor, d *deed, params json.RawMessage) (any, error) {
		if err := stays(ctx, tx, a); err != nil {
			return nil, err
		}
		return run(ctx, tx, a, d, params)
	}
	return e
}

// parameters reads the parameters of an action: the members that it has, and no
// others.
func parameters[T any](params json.RawMessage) (p T, err error) {
	d := json.NewDecoder(bytes.NewReader(params))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("%w: params: %w", ErrMalformed, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return p, fmt.Errorf("%w: params are one JSON object", ErrMalformed)
	}
	return p, nil
}

// none are the parameters of an action that has none.
type none struct{}
