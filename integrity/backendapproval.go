package integrity

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// maxAppText bounds the text of an app's approval: a person reads it.
const maxAppText = 500 // characters

// CreateApproval asks an account's owner to approve something of the app's own:
// a payment, a change of address. He reads the text, and signs exactly it and
// the parameters. What follows from that is the backend's business, which reads
// the answer by BackendApproval or from its webhook.
func (s *Service) CreateApproval(ctx context.Context, c account.Caller, in *AppApproval) (*ApprovalRow, error) {
	if err := s.asBackend(c); err != nil {
		return nil, err
	}
	rule := account.AppAction(in.Kind, in.Need, in.Held)
	switch {
	case rule.Class == account.NoClass:
		return nil, fmt.Errorf("%w: an approval of the app has a kind of lower-case letters, digits, '.', '-' and '_', and needs exact or bound", ErrMalformed)
	case in.Account.Validate() != nil:
		return nil, ErrAccountUnknown
	}
	if err := checkText(in.Text); err != nil {
		return nil, err
	}
	params, err := compact(in.Params)
	if err != nil {
		return nil, err
	}
	now := s.now()
	row := ApprovalRow{
		ID: account.NewApprovalID(), Account: in.Account, Action: rule.Action, Params: params, Text: in.Text, Nonce: make([]byte, 32),
		Need: in.Need, By: Creator{Kind: account.Backend, WhileHeld: in.Held}, CreatedAt: now,
		ExpiresAt: now.Add(approvalLife).Truncate(time.Second), State: StateOpen,
	}
	rand.Read(row.Nonce) // never returns an error
	if row.Challenge, err = passkey.ApprovalChallenge(s.preimage(row)); err != nil {
		return nil, err
	}
	if err := s.take(ctx, "app_approval", string(in.Account), s.policy.Limits.AppApproval); err != nil {
		return nil, err
	}
	err = s.act(ctx, func(tx Tx) error {
		a, err := s.account(ctx, tx, in.Account)
		if err != nil {
			return err
		}
		if err := s.takes(ctx, tx, rule, a, now); err != nil {
			return err
		}
		if err := tx.AddApproval(ctx, row); err != nil {
			return err
		}
		d := &deed{caller: c, account: a.ID, action: "approval.proposed", subject: string(row.ID), now: now}
		d.event, d.body = "approval.proposed", map[string]any{"approval": row.ID, "action": row.Action}
		d.more = map[string]any{"action": row.Action}
		return s.record(ctx, tx, d)
	})
	if err != nil {
		return nil, err
	}
	return &row, nil
}

// checkText wants what is shown as it is: a line in NFC, of characters that can
// be seen. What cannot be seen could show another text than is signed.
func checkText(text string) error {
	switch n := utf8.RuneCountInString(text); {
	case strings.TrimSpace(text) == "" || n > maxAppText:
		return fmt.Errorf("%w: the text has %d characters; want 1 to %d", ErrMalformed, n, maxAppText)
	case !utf8.ValidString(text) || !norm.NFC.IsNormalString(text):
		return fmt.Errorf("%w: the text is not UTF-8 in NFC; normalise it before you send it", ErrMalformed)
	}
	for _, r := range text {
		if !unicode.IsGraphic(r) {
			return fmt.Errorf("%w: the text holds %U, which cannot be seen", ErrMalformed, r)
		}
	}
	return nil
}

// BackendApproval says how an approval that the backend has asked for stands,
// with the proof once it is confirmed: see VerifyProof.
func (s *Service) BackendApproval(ctx context.Context, c account.Caller, id account.ApprovalID) (*ApprovalRow, error) {
	if err := s.asBackend(c); err != nil {
		return nil, err
	}
	var out ApprovalRow
	err := s.look(ctx, func(tx Tx) (err error) {
		out, err = s.backendApproval(ctx, tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// backendApproval reads one that the backend has asked for. Those of owners are
// none of its business.
func (s *Service) backendApproval(ctx context.Context, tx Tx, id account.ApprovalID) (ApprovalRow, error) {
	if id.Validate() != nil {
		return ApprovalRow{}, ErrApprovalUnknown
	}
	row, found, err := tx.Approval(ctx, id)
	if err != nil {
		return row, err
	}
	if !found || row.By.Kind != account.Backend {
		return ApprovalRow{}, ErrApprovalUnknown
	}
	return row, nil
}

// CancelApproval takes back what the backend has asked for, if nobody has
// answered yet.
func (s *Service) CancelApproval(ctx context.Context, c account.Caller, id account.ApprovalID) error {
	if err := s.asBackend(c); err != nil {
		return err
	}
	now := s.now()
	return s.act(ctx, func(tx Tx) error {
		row, err := s.backendApproval(ctx, tx, id)
		if err != nil {
			return err
		}
		if ok, err := tx.EndApproval(ctx, row.ended(StateCancelled, now)); err != nil || !ok {
			return firstError(err, ErrApprovalUsed)
		}
		return s.record(ctx, tx, &deed{
			caller: c, account: row.Account, action: "approval.cancelled", subject: string(id), more: map[string]any{"action": row.Action}, now: now,
		})
	})
}
