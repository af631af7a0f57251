package integrity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/transfer"
)

// CancelMove ends a transfer that is not committed: by one of its phones, with its
// token, or by any device or session of the account, without one.
func (s *Service) CancelMove(ctx context.Context, c account.Caller, id transfer.ID, token [32]byte, why transfer.Reason) (*transfer.View, error) {
	if err := s.moving(c); err != nil {
		return nil, err
	}
	now := s.now()
	in := &transfer.Cancelling{ID: id, Token: token, Reason: why}
	var out *transfer.View
	err := s.actMove(ctx, id, func(tx Tx, moves transfer.Tx) error {
		if token == [32]byte{} {
			a, err := s.load(ctx, tx, c, now)
			if err != nil {
				return err
			}
			if err := s.require(a, account.MoveCancel); err != nil {
				return err
			}
			in.Account, in.By = a.Account, audit.ActorOf(c)
		}
		var err error
		out, err = s.moves.CancelTx(ctx, moves, in, now)
		return err
	})
	return out, err
}

// MoveWait asks for what is newer of a transfer.
type MoveWait struct {
	ID    transfer.ID
	Token [32]byte // of a phone; zero: the caller is a device or session of the account
	After uint64   // the version that the caller knows
	For   time.Duration
}

// WaitMove answers when there is something newer than the caller knows, or after the
// time that it asks for.
func (s *Service) WaitMove(ctx context.Context, c account.Caller, in *MoveWait) (*transfer.View, error) {
	if err := s.moving(c); err != nil {
		return nil, err
	}
	ask := transfer.Waiting{ID: in.ID, Token: in.Token, After: in.After}
	who := c.Device
	if in.Token == [32]byte{} {
		err := s.look(ctx, func(tx Tx) error {
			a, err := s.load(ctx, tx, c, s.now())
			if err != nil {
				return err
			}
			return s.require(a, account.AccountRead)
		})
		if err != nil {
			return nil, err
		}
		ask.Account = c.Account
	}
	v, err := s.moves.Wait(ctx, &ask) // at once: whoever may not see it fills no bucket
	if err != nil {
		return nil, err
	}
	if v.Party != "" {
		who = account.DeviceID(v.Party)
	}
	if err := s.takeMove(ctx, "move_wait", string(in.ID)+" "+string(who), s.policy.Limits.MoveWait); err != nil {
		return nil, err
	}
	if in.For == 0 || v.Version > in.After {
		return v, nil
	}
	ask.For = in.For
	return s.moves.Wait(ctx, &ask)
}

// Moves lists the transfers of the caller's account that can still be cancelled or
// taken back, to any of its devices and sessions.
func (s *Service) Moves(ctx context.Context, c account.Caller) ([]*transfer.View, error) {
	if err := s.moving(c); err != nil {
		return nil, err
	}
	now := s.now()
	var out []*transfer.View
	err := s.lookMove(ctx, func(tx Tx, moves transfer.Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.AccountRead); err != nil {
			return err
		}
		out, err = s.moves.List(ctx, moves, a.Account, now)
		return err
	})
	return out, err
}

// endMoves ends the transfers of what is revoked. Those that are not committed are
// over. When the account, or the old phone, is frozen or locked, the clock of a recall
// stands. When a device is deleted that a move has brought, and the move could still
// be taken back, it is undone (spec/transfer.md, "States", rows 10 to 12).
func (s *Service) endMoves(ctx context.Context, tx Tx, scope Scope, now time.Time) error {
	if s.moves == nil || !scope.all() && scope.Device == "" {
		return nil
	}
	moves, err := transferTx(tx)
	if err != nil {
		return err
	}
	var changed []transfer.Transfer
	if scope.Gone && scope.Device != "" {
		if changed, err = s.moves.GoneTx(ctx, moves, scope.Device, now); err == nil {
			err = s.warnUndone(ctx, tx, changed, now)
		}
	} else {
		why := transfer.Frozen
		if scope.Gone {
			why = transfer.AccountChanged
		}
		changed, err = s.moves.EndTx(ctx, moves, scope.Account, scope.Device, why, now)
	}
	s.wokenAll(tx, changed)
	return err
}

// thawMoves lets the clocks of recalls go on.
func (s *Service) thawMoves(ctx context.Context, tx Tx, id account.ID, now time.Time) error {
	if s.moves == nil {
		return nil
	}
	moves, err := transferTx(tx)
	if err != nil {
		return err
	}
	changed, err := s.moves.ThawTx(ctx, moves, id, now)
	s.wokenAll(tx, changed)
	return err
}

func (s *Service) wokenAll(tx Tx, changed []transfer.Transfer) {
	for _, t := range changed {
		s.woken(tx, t.ID)
	}
}

// removeAddedPasskeys removes the passkeys of browsers that a recalled device has
// let in since the move, which no device of theirs goes with. The alerts of the
// account say which they are.
func (s *Service) removeAddedPasskeys(ctx context.Context, tx Tx, d *deed, dev account.Device, since time.Time) error {
	var refs []account.CredentialRef
	var broken error
	err := s.eachAlert(ctx, tx, dev.Account, func(row AlertRow) bool {
		if row.Kind != string(account.AddDevice) || row.At.Before(since) {
			return true
		}
		var joined struct {
			By         account.DeviceID      `json:"approved_by"`
			Credential account.CredentialRef `json:"credential"`
		}
		if err := json.Unmarshal(row.Data, &joined); err != nil {
			broken = fmt.Errorf("integrity: alert %d: %w", row.Seq, err)
			return false
		}
		if joined.By == dev.ID && joined.Credential != "" {
			refs = append(refs, joined.Credential)
		}
		return true
	})
	if err = firstError(err, broken); err != nil || len(refs) == 0 {
		return err
	}
	passkeys, err := s.credentials(ctx, tx, dev.Account)
	if err != nil {
		return err
	}
	for _, c := range passkeys {
		if !slices.Contains(refs, c.Ref) {
			continue
		}
		if err := s.removeCredential(ctx, tx, d, c); err != nil {
			return err
		}
	}
	return nil
}

// recallStays keeps a phone to which the account has moved, and whoever it has let
// in, from freezing or removing the old phone, or a passkey of it, while that can take
// the account back: a phisher would do so at once. A device that was there before the move may.
func (s *Service) recallStays(a *actor, action account.Action, going account.Device) error {
	h := going.Hold
	moved := h.Reason == account.HoldLeaving && h.Until.IsZero() && h.Left == 0
	if !moved || a.device != nil && (a.device.ID == going.ID || a.device.AddedAt.Before(h.Since)) {
		return nil
	}
	return &account.Refused{Action: action, Why: account.WhyNotOlder}
}
