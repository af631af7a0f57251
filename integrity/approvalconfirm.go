package integrity

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// Confirm verifies the assertion over an approval, and does what was approved:
// in one transaction the approval is used up, the proof kept, and the stored
// parameters executed. An approval of the app's own kind is confirmed, and what
// it is for is the backend's business.
func (s *Service) Confirm(ctx context.Context, c account.Caller, in *Confirmation) (*Confirmed, error) {
	now := s.now()
	if in.Approval.Validate() != nil {
		return nil, ErrApprovalUnknown
	}
	var browser *Browser
	if c.Kind == account.Browser {
		browser = &Browser{Cookie: in.Cookie}
	}
	by := bound(c, browser)
	if by == nil {
		return nil, ErrApprovalUnknown
	}
	err := s.look(ctx, func(tx Tx) error { // before the ceremony, so that the reason is the approval's
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		row, err := s.openApproval(ctx, tx, a, in.Approval)
		if err == nil && s.executors()[row.Action].apart {
			return ErrApprovalApart
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	as, err := s.assert(ctx, c, passkey.Approve, approvalCeremony(in.Approval, by), in.Response, by, c.Account, now)
	if err != nil {
		return nil, err
	}
	var out *Confirmed
	err = s.act(ctx, func(tx Tx) (err error) {
		out, err = s.confirm(ctx, tx, c, in.Approval, as, now)
		return err
	})
	return out, s.handleTaken(ctx, c, err)
}

// confirm is the transaction of Confirm.
func (s *Service) confirm(ctx context.Context, tx Tx, c account.Caller, id account.ApprovalID, as *asserted, now time.Time) (*Confirmed, error) {
	a, err := s.load(ctx, tx, c, now)
	if err != nil {
		return nil, err
	}
	row, err := s.openApproval(ctx, tx, a, id)
	if err != nil {
		return nil, err
	}
	row, class, err := s.approve(ctx, tx, a, row, as)
	if err != nil {
		return nil, err
	}
	out := &Confirmed{Approval: row, Action: row.Action, Text: row.Text, Result: json.RawMessage(`{}`)}
	return out, s.execute(ctx, tx, a, row, class, out)
}

// approve uses an approval up with an assertion over it, in the transaction of what
// was approved: it gives the row with its proof, and the class that was reached. The
// assertion is among the caller's proofs from then on.
func (s *Service) approve(ctx context.Context, tx Tx, a *actor, row ApprovalRow, as *asserted) (ApprovalRow, account.Class, error) {
	now := a.now
	refused := func(err error) (ApprovalRow, account.Class, error) { return ApprovalRow{}, account.NoClass, err }
	if challenge, err := passkey.ApprovalChallenge(s.preimage(row)); err != nil || !bytes.Equal(challenge, row.Challenge) {
		return refused(&tampered{a.Account, string(row.ID)}) // what would be executed is not what was hashed
	}
	if !bytes.Equal(asked(as.ceremony.Challenge), row.Challenge) {
		return refused(passkey.ErrRefused) // signed for another approval
	}
	a.Proofs = append(slices.Clone(a.Proofs), account.Proof{
		Method: account.ByAction, At: now, Credential: as.credential.Ref, Synced: as.assertion.BackupEligible, Suspect: as.assertion.Suspect,
		Young: s.young(as.credential, a), Action: row.Action, Digest: row.Challenge,
	})
	class, err := s.meets(a, row)
	if err != nil {
		return refused(err)
	}
	if err := s.use(ctx, tx, as.ceremony, a.account, now); err != nil {
		return refused(err)
	}
	if row.Proof, err = proofOf(s.preimage(row), as); err != nil {
		return refused(err)
	}
	row = row.ended(StateConfirmed, now)
	if ok, err := tx.EndApproval(ctx, row); err != nil {
		return refused(err)
	} else if !ok {
		return refused(ErrApprovalUsed)
	}
	if err := s.weigh(ctx, tx, a.Caller, as, now); err != nil {
		return refused(err)
	}
	if err := s.used(ctx, tx, as, a.Device, now); err != nil {
		return refused(err)
	}
	d := s.deed(a, "approval.confirmed", string(row.ID))
	sum := sha256.Sum256(row.Proof)
	d.class, d.more = class, map[string]any{"action": row.Action, "proof": hex.EncodeToString(sum[:])}
	d.event, d.body = "approval.confirmed", map[string]any{"approval": row.ID, "action": row.Action, "method": account.ByAction}
	return row, class, s.record(ctx, tx, d)
}

// execute does what was approved, with the stored parameters.
func (s *Service) execute(ctx context.Context, tx Tx, a *actor, row ApprovalRow, class account.Class, out *Confirmed) error {
	do, ok := s.executors()[row.Action]
	if !ok { // the app's own: meets has let nothing else by
		return nil
	}
	d := s.deed(a, string(row.Action), string(a.Account))
	d.class, d.more = class, map[string]any{"approval": row.ID}
	result, err := do.run(ctx, tx, a, d, row.Params)
	if err != nil {
		return err
	}
	if result != nil {
		if out.Result, err = json.Marshal(result); err != nil {
			return fmt.Errorf("integrity: result of %s: %w", row.Action, err)
		}
	}
	if do.signals && a.account.State != account.Deleted {
		if out.Signals, err = s.signals(ctx, tx, a.account); err != nil {
			return err
		}
	}
	if d.action == "" { // nothing has changed
		return nil
	}
	return s.record(ctx, tx, d)
}

// Deny refuses an approval. All devices are told, for somebody asked for it; so
// nobody denies, and proposes, and denies, until the owner finds no other alert.
func (s *Service) Deny(ctx context.Context, c account.Caller, id account.ApprovalID) error {
	if err := s.takeChange(ctx, c, "deny"); err != nil {
		return err
	}
	now := s.now()
	return s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.ApprovalDeny); err != nil {
			return err
		}
		row, err := s.openApproval(ctx, tx, a, id)
		if err != nil {
			return err
		}
		if ok, err := tx.EndApproval(ctx, row.ended(StateDenied, now)); err != nil {
			return err
		} else if !ok {
			return ErrApprovalUsed
		}
		if do := s.executors()[row.Action]; do.denied != nil {
			if err := do.denied(ctx, tx, row.Params); err != nil {
				return err
			}
		}
		d := s.deed(a, "approval.denied", string(row.ID))
		d.class, d.more = s.class(a), map[string]any{"action": row.Action}
		d.event, d.body = "approval.denied", map[string]any{"approval": row.ID, "action": row.Action}
		d.alert, d.data = "approval.denied", map[string]any{"approval": row.ID, "action": row.Action, "text": row.Text}
		return s.record(ctx, tx, d)
	})
}

// Approvals gives the open approvals of the caller's account, by time.
func (s *Service) Approvals(ctx context.Context, c account.Caller) ([]ApprovalRow, error) {
	now := s.now()
	var out []ApprovalRow
	err := s.look(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.require(a, account.AccountRead); err != nil {
			return err
		}
		all, err := tx.Approvals(ctx, a.Account)
		out = slices.DeleteFunc(all, func(r ApprovalRow) bool { return !now.Before(r.ExpiresAt) })
		return err
	})
	return out, err
}

// handleTaken counts the answer that a handle is taken, which says that somebody
// has it: a few times a day for each account, and then no more.
func (s *Service) handleTaken(ctx context.Context, c account.Caller, err error) error {
	if !errors.Is(err, ErrHandleTaken) {
		return err
	}
	if limit := s.take(ctx, "handle_taken", string(c.Account), s.policy.Limits.HandleTaken); limit != nil {
		return limit
	}
	return err
}
