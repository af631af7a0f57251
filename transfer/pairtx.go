package transfer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/transfer/handover"
)

// Offering is an offer whose proof and evidence a flow has verified.
type Offering struct {
	Envelope []byte
	Token    handover.Secret // N's
	Value    [32]byte        // Wanted.Value, which the proof was verified over
	KeyID    string          // of n_dev: pending until the commit
	Verdict  string          // of the evidence, as the API shows it
	Place    string          // of N
	Network  string
}

// OfferTx begins a transfer: row 1. The same bytes with the same token get the same
// answer.
func (s *Service) OfferTx(ctx context.Context, tx Tx, in *Offering, now time.Time) (*View, error) {
	turn := Turn{Token: in.Token, Step: handover.StepOffer, Envelope: in.Envelope}
	r, w, err := s.expect(ctx, tx, turn, now)
	if err != nil {
		return nil, err
	}
	if w.Repeat {
		return r.view(Receiver, 0, now), nil
	}
	if in.Value != w.Value {
		return nil, errUnverified
	}
	if err := s.unused(ctx, tx, in.Token); err != nil {
		return nil, err
	}
	r = &row{Transfer: *offer(&s.terms.Policy, w.Transfer.ID, in, now)}
	r.MAC = r.Seal(s.rowKey)
	if err := tx.AddTransfer(ctx, r.Transfer); err != nil {
		return nil, err
	}
	if err := tx.PutTransferToken(ctx, Token{sha256.Sum256(in.Token[:]), r.ID, Receiver}); err != nil {
		return nil, err
	}
	if err := s.tell(ctx, tx, r, r.actor(Receiver), now); err != nil {
		return nil, err
	}
	return r.view(Receiver, 0, now), nil
}

// errUnverified is a flow's mistake: it hands over what it has not verified.
var errUnverified = fmt.Errorf("%w: it was not verified over this transcript", ErrProof)

// unused refuses a token that is good for something already.
func (s *Service) unused(ctx context.Context, tx Tx, token [32]byte) error {
	_, there, err := tx.TransferToken(ctx, sha256.Sum256(token[:]))
	if err == nil && (there || token == [32]byte{}) {
		err = fmt.Errorf("%w: draw a new token for each transfer", ErrConflict)
	}
	return err
}

// Claiming is a claim of an active device.
type Claiming struct {
	ID      ID
	Token   handover.Secret // C's
	Account account.ID
	Device  account.DeviceID
	Key     string   // its key in the registry
	Risks   []string // that stand: new_country, recent_recovery …
	Network string
}

// Claim is what C checks and shows.
type Claim struct {
	View
	Repeat       bool   // it was this device's already
	Offer        []byte // the envelope
	Verdict      string
	SameNetwork  bool
	Audience     string
	RecallWindow time.Duration
}

// ClaimTx makes a transfer the caller's: row 2. contended is row 3: another device
// had claimed it, and now it is over for both; the caller commits that and answers
// with an EndedError; View has the account that had it.
func (s *Service) ClaimTx(ctx context.Context, tx Tx, in *Claiming, now time.Time) (c *Claim, contended bool, err error) {
	r, err := s.load(ctx, tx, in.ID, now)
	if err != nil {
		return nil, false, err
	}
	by, err := s.party(ctx, tx, in.ID, in.Token)
	if err == nil && by == Sender && r.Account == in.Account && r.SenderDevice == in.Device {
		c := s.claimed(r, in, now)
		c.Repeat = true
		return c, false, nil
	}
	if r.State == Offered {
		if err := s.alone(ctx, tx, in.Account, now); err != nil {
			return nil, false, err
		}
		if err := s.unused(ctx, tx, in.Token); err != nil {
			return nil, false, err
		}
	}
	if contended, err = r.claim(&s.terms.Policy, in, now); err != nil {
		return nil, false, err
	}
	by = Sender
	actor := r.actor(by)
	if contended { // the second one, in the record of the first one's account
		actor.ID = ""
		if in.Account == r.Account {
			actor.ID = string(in.Device)
		}
	}
	if err := s.save(ctx, tx, r, actor, now); err != nil {
		return nil, false, err
	}
	if contended {
		return &Claim{View: *r.view("", 0, now)}, true, nil
	}
	if err := tx.PutTransferToken(ctx, Token{sha256.Sum256(in.Token[:]), r.ID, Sender}); err != nil {
		return nil, false, err
	}
	return s.claimed(r, in, now), false, nil
}

func (s *Service) claimed(r *row, in *Claiming, now time.Time) *Claim {
	return &Claim{
		View: *r.view(Sender, 0, now), Offer: r.Offer, Verdict: r.Verdict,
		SameNetwork: r.Network != "" && r.Network == in.Network, Audience: s.terms.audience, RecallWindow: s.terms.RecallWindow,
	}
}

// alone refuses a second live transfer of an account. One whose time is over makes
// room.
func (s *Service) alone(ctx context.Context, tx Tx, id account.ID, now time.Time) error {
	all, err := tx.TransfersOf(ctx, id)
	if err != nil {
		return err
	}
	for _, t := range all {
		r, err := s.settled(t, now)
		if err != nil {
			return err
		}
		if r.live() {
			return fmt.Errorf("%w: %s", ErrLive, r.ID)
		}
		if r.State == Aborted {
			if err := s.save(ctx, tx, r, r.actor(""), now); err != nil {
				return err
			}
		}
	}
	return nil
}

// take stores a message that a flow has verified, when it still has its place.
func (s *Service) take(ctx context.Context, tx Tx, step handover.Step, turn Turn, now time.Time, change func(r *row, w *Wanted) error) (*View, error) {
	turn.Step = step
	r, w, err := s.expect(ctx, tx, turn, now)
	if err != nil {
		return nil, err
	}
	if w.Repeat {
		return r.view(w.Party, 0, now), nil
	}
	if turn.Value != w.Value {
		return nil, errUnverified
	}
	if err := change(r, w); err != nil {
		return nil, err
	}
	if err := s.save(ctx, tx, r, r.actor(w.Party), now); err != nil {
		return nil, err
	}
	return r.view(w.Party, 0, now), nil
}

// HelloTx takes C's first message: row 4.
func (s *Service) HelloTx(ctx context.Context, tx Tx, turn Turn, now time.Time) (*View, error) {
	return s.take(ctx, tx, handover.StepHello, turn, now, func(r *row, w *Wanted) error {
		r.hello(w.Message.(*handover.Hello), turn.Envelope)
		return nil
	})
}

// AnswerTx takes N's nonce: row 4.
func (s *Service) AnswerTx(ctx context.Context, tx Tx, turn Turn, now time.Time) (*View, error) {
	return s.take(ctx, tx, handover.StepAnswer, turn, now, func(r *row, _ *Wanted) error {
		r.answer(turn.Envelope)
		return nil
	})
}

// MatchTx takes N's word that the number was typed: row 4. passkey is what the flow
// has verified of N's, and wants to find again in the row when it commits.
func (s *Service) MatchTx(ctx context.Context, tx Tx, turn Turn, passkey []byte, now time.Time) (*View, error) {
	return s.take(ctx, tx, handover.StepMatched, turn, now, func(r *row, _ *Wanted) error {
		r.match(turn.Envelope, passkey)
		return nil
	})
}

// Confirming is a confirm whose proof and step-up a flow has verified.
type Confirming struct {
	Turn
	HoldShare handover.Secret
	Risks     []string // that stand now
}

// ConfirmTx takes the owner's yes: row 5. It makes revision 1.
func (s *Service) ConfirmTx(ctx context.Context, tx Tx, in *Confirming, now time.Time) (*View, error) {
	return s.take(ctx, tx, handover.StepConfirm, in.Turn, now, func(r *row, w *Wanted) error {
		m := w.Message.(*handover.Confirm)
		_, all, err := tx.SegmentBytes(ctx, r.ID)
		if err != nil {
			return err
		}
		if all+min(int64(m.Bytes), s.terms.Window) > s.terms.RelaySpace { // what may wait for N at once
			return &WaitError{Err: ErrQuota, RetryAt: now.Add(retryLater)}
		}
		return r.confirm(&s.terms.Policy, m, in.Envelope, in.HoldShare, in.Risks, now)
	})
}
