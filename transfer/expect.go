package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/transfer/handover"
)

// Turn is one message of a phone.
type Turn struct {
	ID       ID
	Token    handover.Secret // as the phone shows it
	Step     handover.Step
	Envelope []byte
	// Value is the one that the sender's proof was verified over: Wanted.Value. Expect
	// does not look at it; the Tx methods take nothing without it.
	Value [32]byte
}

// Wanted is what must be true for a message to be taken.
type Wanted struct {
	// Repeat says that these very bytes are stored already: nothing is to be checked
	// again, and taking them once more gives the answer of today.
	Repeat   bool
	Transfer Transfer
	Party    Party
	Message  any      // a pointer to the decoded message
	Value    [32]byte // what the proof is over
	Before   [32]byte // the value before it, which a step-up in it is for
	KeyID    string   // whose proof: a key of the registry; empty for an offer, whose key is in it
	Proof    []byte
}

// Expect says what a message must prove. It changes nothing: a flow verifies what
// Expect names, outside of the transaction, and hands the same turn to the Tx method
// of its step, which asks Expect again. An offer has no transfer yet: ID is empty,
// and Transfer has the ID that it asks for.
//
// It refuses bytes that are none (ErrMalformed), a message of the other phone, a token
// that is not the transfer's (ErrNotFound), other bytes in a place that is taken
// (ErrConflict), and a message without a place in this state.
func (s *Service) Expect(ctx context.Context, tx Tx, turn Turn, now time.Time) (*Wanted, error) {
	_, w, err := s.expect(ctx, tx, turn, now)
	return w, err
}

func (s *Service) expect(ctx context.Context, tx Tx, turn Turn, now time.Time) (*row, *Wanted, error) {
	e, err := handover.DecodeEnvelope(turn.Envelope)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	message, err := read(turn.Step, e)
	if err != nil {
		return nil, nil, err
	}
	if o, ok := message.(*handover.Offer); ok {
		return s.expectOffer(ctx, tx, turn, o, e, now)
	}
	r, by, err := s.open(ctx, tx, turn.ID, turn.Token, now)
	if err != nil {
		return nil, nil, err
	}
	w := &Wanted{Transfer: r.Transfer, Party: by, Message: message, Proof: e.Proof, KeyID: r.SenderKey}
	if by == Receiver {
		w.KeyID = r.ReceiverKey
	}
	if a := author(turn.Step); a != "" && a != by {
		return nil, nil, fmt.Errorf("%w: the %s is the other phone's to send, not the %s's", ErrNotFound, turn.Step, by)
	}
	// What is stored is recognised before anything else: approvals and ceremonies
	// work once.
	if have := *r.slot(turn.Step); len(have) > 0 {
		if !bytes.Equal(have, turn.Envelope) {
			return nil, nil, fmt.Errorf("%w: another %s", ErrConflict, turn.Step)
		}
		w.Repeat = true
		return r, w, nil
	}
	if err := r.allows(&s.terms, turn.Step, by, message, now); err != nil {
		return nil, nil, err
	}
	if w.Before, err = r.Before(turn.Step); err != nil {
		return nil, nil, err
	}
	w.Value = handover.Value(turn.Step, w.Before, e.Message)
	return r, w, nil
}

// expectOffer is Expect for the message that begins a transfer.
func (s *Service) expectOffer(ctx context.Context, tx Tx, turn Turn, o *handover.Offer, e handover.Envelope, now time.Time) (*row, *Wanted, error) {
	id, err := named(o)
	if err != nil {
		return nil, nil, err
	}
	w := &Wanted{Transfer: Transfer{ID: id}, Party: Receiver, Message: o, Proof: e.Proof, Value: handover.Value(handover.StepOffer, [32]byte{}, e.Message)}
	_, there, err := tx.Transfer(ctx, id)
	if err != nil || !there {
		return nil, w, err
	}
	r, by, err := s.open(ctx, tx, id, turn.Token, now)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, nil, err
	}
	if err != nil || by != Receiver || !bytes.Equal(r.Offer, turn.Envelope) {
		return nil, nil, fmt.Errorf("%w: a transfer %s: show a new code", ErrConflict, id) // a code is good for one
	}
	w.Transfer, w.KeyID, w.Repeat = r.Transfer, r.ReceiverKey, true
	return r, w, nil
}
