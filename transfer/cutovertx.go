package transfer

import (
	"context"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/transfer/handover"
	"github.com/staunchid/staunch/transfer/sealed"
)

// pageOf is how many rows are read at once where there may be many.
const pageOf = 1000

// ReviseTx begins the stream anew: what was sent is dropped, and N begins again. The
// same revision once more changes nothing.
func (s *Service) ReviseTx(ctx context.Context, tx Tx, id ID, token [32]byte, revision uint32, bytes uint64, now time.Time) (*View, error) {
	r, by, err := s.open(ctx, tx, id, token, now)
	if err != nil {
		return nil, err
	}
	if by != Sender {
		return nil, fmt.Errorf("%w: the new phone does not revise", ErrNotFound)
	}
	changed, err := r.revise(&s.terms.Policy, revision, bytes, now)
	if err != nil || !changed {
		return r.view(by, 0, now), err
	}
	if err := tx.DropSegments(ctx, id); err != nil {
		return nil, err
	}
	if err := s.save(ctx, tx, r, r.actor(by), now); err != nil {
		return nil, err
	}
	return r.view(by, 0, now), nil
}

// Sealing is a grant whose proof, and step-up after a hold, a flow has verified.
type Sealing struct {
	Turn
	CommitShare    handover.Secret
	Sealed         []byte
	SealingKeyHash [32]byte // SHA-256 of the sealing public key of C's device row
}

// SealTx takes the grant: row 7. Flush comes before it: what it takes survives a
// power cut.
func (s *Service) SealTx(ctx context.Context, tx Tx, in *Sealing, now time.Time) (*View, error) {
	return s.take(ctx, tx, handover.StepGrant, in.Turn, now, func(r *row, w *Wanted) error {
		have, missing, err := s.stream(ctx, tx, r)
		if err != nil {
			return err
		}
		return r.seal(&s.terms.Policy, w.Message.(*handover.Grant), in, have, missing, now)
	})
}

// stream is what is stored of the current revision, up to the first gap or the first
// segment that is not durable yet; missing says that there is more behind.
func (s *Service) stream(ctx context.Context, tx Tx, r *row) (have *sealed.Stream, missing bool, err error) {
	have = sealed.NewStream(r.Revision)
	for {
		page, err := tx.Segments(ctx, r.ID, r.Revision, have.Records(), pageOf)
		if err != nil || len(page) == 0 {
			return have, false, err
		}
		for _, g := range page {
			if !g.Synced && !g.Acked {
				return have, true, nil
			}
			if err := have.Add(g.header(), sealed.Leaf(g.Leaf)); err != nil {
				return have, true, nil //nolint:nilerr // a gap: nothing else can be wrong with a stored row
			}
		}
	}
}

// header is what of a segment's header its row tells.
func (g Segment) header() sealed.Header {
	return sealed.Header{Revision: g.Revision, First: g.First, Plain: g.plain()}
}

// plain is how many bytes of plaintext it has.
func (g Segment) plain() uint32 {
	return g.Bytes - sealed.HeaderSize - g.Records*sealed.TagSize
}

// CommitTx takes the receipt: row 8. From here on the account is N's, whose device it
// names; the flow enrols it in the same transaction.
func (s *Service) CommitTx(ctx context.Context, tx Tx, turn Turn, device account.DeviceID, now time.Time) (*View, error) {
	return s.take(ctx, tx, handover.StepReceipt, turn, now, func(r *row, _ *Wanted) error {
		r.commit(turn.Envelope, device, now)
		return nil
	})
}

// AckTx takes N's word that it has opened the keys: row 9.
func (s *Service) AckTx(ctx context.Context, tx Tx, turn Turn, now time.Time) (*View, error) {
	return s.take(ctx, tx, handover.StepAck, turn, now, func(r *row, _ *Wanted) error {
		r.ack(&s.terms.Policy, turn.Envelope, now)
		return nil
	})
}

// RecallTx gives the account back to C: row 12. The flow takes N's device away, and
// lets C's stay, in the same transaction.
func (s *Service) RecallTx(ctx context.Context, tx Tx, turn Turn, now time.Time) (*View, error) {
	return s.take(ctx, tx, handover.StepRecall, turn, now, func(r *row, _ *Wanted) error {
		r.recall(turn.Envelope, now)
		return nil
	})
}

// FinishTx ends the recall window early: row 10. The flow deletes C's device in the
// same transaction.
func (s *Service) FinishTx(ctx context.Context, tx Tx, turn Turn, now time.Time) (*View, error) {
	return s.take(ctx, tx, handover.StepFinal, turn, now, func(r *row, _ *Wanted) error {
		first, err := s.arrival(ctx, tx, r, now)
		switch {
		case err != nil:
			return err
		case first != nil && first.RecallUntil.IsZero():
			return fmt.Errorf("%w: %s, which brought the phone that hands it over, has not been acknowledged", &StateError{r.State}, first.ID)
		case first != nil:
			return fmt.Errorf("%w: until then %s can be recalled, which brought the phone that hands it over", &EarlyError{first.RecallUntil}, first.ID)
		}
		r.finish(turn.Envelope, now)
		return nil
	})
}

// arrival is the move that has brought the phone which hands the account over in
// this one, as long as it can be recalled; nil: there is none. Until that is over no
// move from there on is final: a phisher would move the account on to a phone beside
// his first one, end that window at once, and with the first phone gone there was
// nothing left to take back.
func (s *Service) arrival(ctx context.Context, tx Tx, r *row, now time.Time) (*row, error) {
	rows, err := tx.TransfersOfDevice(ctx, r.SenderDevice)
	if err != nil {
		return nil, err
	}
	for _, t := range rows {
		if t.NewDevice != r.SenderDevice {
			continue
		}
		first, err := s.settled(t, now)
		if err != nil {
			return nil, err
		}
		if first.recallable() {
			return first, nil
		}
	}
	return nil, nil
}

// Cancelling ends a transfer that is not committed. It is by a phone, with its token,
// or by a session or device of the account, which By names.
type Cancelling struct {
	ID      ID
	Token   handover.Secret // of a phone; zero: Account's
	Account account.ID      // whose session it is, when there is no token
	By      audit.Actor
	Reason  Reason // a session's is always CancelledElsewhere
}

// CancelTx is row 11 by a person. A transfer that has been aborted stays as it is.
func (s *Service) CancelTx(ctx context.Context, tx Tx, in *Cancelling, now time.Time) (*View, error) {
	r, by, actor, err := s.canceller(ctx, tx, in, now)
	if err != nil {
		return nil, err
	}
	why := in.Reason
	if by == "" {
		why = CancelledElsewhere
	}
	if err := r.cancel(by, why, now); err != nil {
		return nil, err
	}
	if r.was.State != Aborted {
		if err := s.save(ctx, tx, r, actor, now); err != nil {
			return nil, err
		}
	}
	return r.view(by, 0, now), nil
}

func (s *Service) canceller(ctx context.Context, tx Tx, in *Cancelling, now time.Time) (*row, Party, audit.Actor, error) {
	if (in.Token != handover.Secret{}) {
		r, by, err := s.open(ctx, tx, in.ID, in.Token, now)
		if err != nil {
			return nil, "", audit.Actor{}, err
		}
		return r, by, r.actor(by), nil
	}
	r, err := s.load(ctx, tx, in.ID, now)
	if err == nil && (in.Account == "" || r.Account != in.Account) {
		err = ErrNotFound
	}
	return r, "", in.By, err
}

// AbortTx is row 11 by the server: what can never succeed any more ends (AccountChanged),
// in the transaction that finds it.
func (s *Service) AbortTx(ctx context.Context, tx Tx, id ID, why Reason, now time.Time) (*View, error) {
	r, err := s.load(ctx, tx, id, now)
	if err != nil {
		return nil, err
	}
	if !r.live() {
		return nil, r.in(Offered, Claimed, Held, Streaming, Sealed)
	}
	r.abort(why, now)
	if err := s.save(ctx, tx, r, r.actor(""), now); err != nil {
		return nil, err
	}
	return r.view("", 0, now), nil
}
