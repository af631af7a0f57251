package integrity

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/passkey"
)

// approvalLife is how long an approval of the owner's own may take.
const approvalLife = 5 * time.Minute

// Propose stores an action that the caller wants to do, with the text that he
// must read, and opens the ceremony that approves exactly that. What would be
// refused whatever he signs is refused here, before he is asked for his face.
func (s *Service) Propose(ctx context.Context, c account.Caller, in *Proposal, b *Browser) (*Proposed, error) {
	now := s.now()
	do, ok := s.executors()[in.Action]
	if !ok {
		return nil, &account.Refused{Action: in.Action, Why: account.WhyUnknown}
	}
	params, err := compact(in.Params)
	if err != nil {
		return nil, err
	}
	if err := s.takeProposal(ctx, c, in.Action, do); err != nil {
		return nil, err
	}
	if do.before != nil {
		if err := do.before(ctx, c, in.Action, params); err != nil {
			return nil, err
		}
	}
	var out *Proposed
	err = s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		if err := s.mayPropose(a, in.Action); err != nil {
			return err
		}
		row := ApprovalRow{
			ID: account.NewApprovalID(), Account: a.Account, Action: in.Action, Params: params, Nonce: make([]byte, 32),
			Need: account.Required(in.Action).Class, By: Creator{Kind: c.Kind, Device: c.Device, Session: c.Session},
			CreatedAt: now, ExpiresAt: now.Add(approvalLife).Truncate(time.Second), State: StateOpen,
		}
		rand.Read(row.Nonce) // never returns an error
		text, err := do.text(ctx, tx, a, params)
		if err != nil {
			return err
		}
		row.Text = norm.NFC.String(text)
		if row.Challenge, err = passkey.ApprovalChallenge(s.preimage(row)); err != nil {
			return err
		}
		if err := s.couldConfirm(a, row); err != nil {
			return err
		}
		if err := makeRoom(ctx, tx, a); err != nil {
			return err
		}
		if err := tx.AddApproval(ctx, row); err != nil {
			return err
		}
		d := s.deed(a, "approval.proposed", string(row.ID))
		d.event, d.body = "approval.proposed", map[string]any{"approval": row.ID, "action": row.Action}
		d.more = map[string]any{"action": row.Action}
		if err := s.record(ctx, tx, d); err != nil {
			return err
		}
		out, err = s.askApproval(ctx, tx, a, row, b)
		return err
	})
	return out, s.handleTaken(ctx, c, err)
}

// takeProposal takes from the bucket for beginning things, and from that of the
// action, if it has one.
func (s *Service) takeProposal(ctx context.Context, c account.Caller, action account.Action, do executor) error {
	if err := s.takeBegin(ctx, c); err != nil {
		return err
	}
	if do.bucket == "" || c.Account == "" {
		return nil
	}
	err := s.look(ctx, func(tx Tx) error { // who may not propose it, a guest or a device that cools off, takes nothing from the owner's
		a, err := s.load(ctx, tx, c, s.now())
		if err != nil {
			return err
		}
		if err := s.require(a, account.ApprovalPropose); err != nil {
			return err
		}
		return s.couldConfirm(a, ApprovalRow{Action: action, By: Creator{Kind: a.Kind, Device: a.Device, Session: a.Session}})
	})
	if err != nil {
		return err
	}
	return s.take(ctx, do.bucket, string(c.Account), do.limit)
}

// mayPropose reports whether the caller may propose anything; a device that is
// locked may propose its own new key, and nothing else.
func (s *Service) mayPropose(a *actor, action account.Action) error {
	if action == account.Reattest && a.device != nil && a.device.State == account.Locked {
		return s.require(a, account.ProposeReattest)
	}
	return s.require(a, account.ApprovalPropose)
}

// OpenApproval opens a ceremony for an approval that somebody else proposed: the
// app's backend, or another device of the account.
func (s *Service) OpenApproval(ctx context.Context, c account.Caller, id account.ApprovalID, b *Browser) (*Proposed, error) {
	now := s.now()
	if err := s.takeBegin(ctx, c); err != nil {
		return nil, err
	}
	var out *Proposed
	err := s.act(ctx, func(tx Tx) error {
		a, err := s.load(ctx, tx, c, now)
		if err != nil {
			return err
		}
		row, err := s.openApproval(ctx, tx, a, id)
		if err != nil {
			return err
		}
		if err := s.mayPropose(a, row.Action); err != nil {
			return err
		}
		if err := s.couldConfirm(a, row); err != nil {
			return err
		}
		out, err = s.askApproval(ctx, tx, a, row, b)
		return err
	})
	return out, err
}

// openApproval reads an approval of the caller's account that is open.
func (s *Service) openApproval(ctx context.Context, tx Tx, a *actor, id account.ApprovalID) (ApprovalRow, error) {
	if id.Validate() != nil {
		return ApprovalRow{}, ErrApprovalUnknown
	}
	row, found, err := tx.Approval(ctx, id)
	switch {
	case err != nil:
		return row, err
	case !found || row.Account != a.Account:
		return row, ErrApprovalUnknown
	case row.State != StateOpen:
		return row, ErrApprovalUsed
	case !a.now.Before(row.ExpiresAt):
		return row, ErrApprovalExpired
	}
	return row, nil
}

// preimage is what the challenge is the hash of.
func (s *Service) preimage(r ApprovalRow) *passkey.Approval {
	return &passkey.Approval{
		App: s.app, Account: r.Account, ID: r.ID, Action: r.Action, Parameters: r.Params, Text: r.Text, Nonce: r.Nonce, Expires: r.ExpiresAt,
	}
}

// askApproval opens the ceremony: the account's own passkeys, over the challenge
// of the approval, bound to who asks. Who asks again gets the same ceremony.
func (s *Service) askApproval(ctx context.Context, tx Tx, a *actor, row ApprovalRow, b *Browser) (*Proposed, error) {
	by := bound(a.Caller, b)
	if by == nil {
		return nil, fmt.Errorf("%w: an approval is given by a phone that signs the call, or by a browser with the cookie of the ceremony", ErrMalformed)
	}
	rp, err := s.page(b, "")
	if err != nil {
		return nil, err
	}
	passkeys, err := s.credentials(ctx, tx, a.Account)
	if err != nil {
		return nil, err
	}
	allow, err := records(passkeys)
	if err != nil {
		return nil, err
	}
	ceremony, options, err := rp.Request(passkey.Approve, allow, row.Challenge, a.now)
	if err != nil {
		return nil, err
	}
	ceremony.Account = a.Account
	c := ceremonyRow(ceremony)
	c.ID, c.Session, c.Binding = approvalCeremony(row.ID, by), a.Session, by
	c.Challenge = approvalChallenge(row, c.ID)
	c.ExpiresAt = row.ExpiresAt
	out := &Proposed{Approval: row, Preimage: *s.preimage(row), Ceremony: c.ID, Options: options}
	old, found, err := tx.Ceremony(ctx, c.ID)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return out, tx.AddCeremony(ctx, c)
	case !old.UsedAt.IsZero() || old.Session != c.Session || old.Origin != c.Origin:
		return nil, ErrCeremonyUsed // ended with a session, or begun in another one
	}
	return out, nil
}

// compact checks that parameters are one JSON object of a sensible size, and
// writes them in one way: these are the bytes that are hashed and executed.
func compact(params json.RawMessage) (json.RawMessage, error) {
	const most = 8 << 10
	if len(params) == 0 {
		return json.RawMessage(`{}`), nil
	}
	var object map[string]json.RawMessage
	if len(params) > most || json.Unmarshal(params, &object) != nil || object == nil {
		return nil, fmt.Errorf("%w: params are one JSON object of at most %d bytes", ErrMalformed, most)
	}
	return json.Marshal(object)
}
