package transfer

import (
	"fmt"

	"github.com/staunchid/staunch/transfer/handover"
)

// slot is where the row keeps an envelope; nil for a step that there is not.
func (t *Transfer) slot(step handover.Step) *[]byte {
	switch step {
	case handover.StepOffer:
		return &t.Offer
	case handover.StepHello:
		return &t.Hello
	case handover.StepAnswer:
		return &t.Answer
	case handover.StepMatched:
		return &t.Matched
	case handover.StepConfirm:
		return &t.Confirm
	case handover.StepGrant:
		return &t.Grant
	case handover.StepReceipt:
		return &t.Receipt
	case handover.StepAck:
		return &t.Ack
	case handover.StepRecall:
		return &t.Recall
	case handover.StepFinal:
		return &t.Final
	}
	return nil
}

// keep puts an envelope into its place, at the version that the row has by now.
func (t *Transfer) keep(step handover.Step, envelope []byte) {
	*t.slot(step) = envelope
	stamps := make(map[handover.Step]uint64, len(t.Stamps)+1) // the row may share its map with a copy of it
	for k, v := range t.Stamps {
		stamps[k] = v
	}
	stamps[step] = t.Version
	t.Stamps = stamps
}

// steps are those of the running transcript before recall and final, in order.
func steps() []handover.Step {
	return []handover.Step{
		handover.StepOffer, handover.StepHello, handover.StepAnswer, handover.StepMatched,
		handover.StepConfirm, handover.StepGrant, handover.StepReceipt, handover.StepAck,
	}
}

// author is the phone that a step is of; empty: either may take it.
func author(step handover.Step) Party {
	switch step {
	case handover.StepHello, handover.StepConfirm, handover.StepGrant, handover.StepRecall:
		return Sender
	case handover.StepFinal:
		return ""
	}
	return Receiver
}

// hasMAC reports whether a message carries a MAC of the two phones' key
// (spec/transfer.md, "One running transcript").
func hasMAC(step handover.Step) bool {
	switch step {
	case handover.StepHello, handover.StepAnswer, handover.StepMatched, handover.StepConfirm:
		return true
	}
	return false
}

// Before gives the transcript value that a step goes on from: that of the message
// before it, which must be there. It is what a step-up in the message is for.
func (t *Transfer) Before(step handover.Step) (value [32]byte, err error) {
	last := step
	switch step {
	case handover.StepRecall: // from th6, whether or not N has acknowledged since
		last = handover.StepAck
	case handover.StepFinal:
		last = ""
	}
	for _, s := range steps() {
		if s == last {
			return value, nil
		}
		stored := *t.slot(s)
		if len(stored) == 0 {
			return value, fmt.Errorf("%w: the %s has not come", &StateError{t.State}, s)
		}
		e, err := handover.DecodeEnvelope(stored)
		if err != nil {
			return value, fmt.Errorf("transfer: the stored %s of %s: %w", s, t.ID, err)
		}
		value = handover.Value(s, value, e.Message)
	}
	return value, nil
}

// read decodes the message of a step.
func read(step handover.Step, e handover.Envelope) (message any, err error) {
	if has := len(e.MAC) > 0; has != hasMAC(step) {
		return nil, fmt.Errorf("%w: %s: a MAC of %d bytes", ErrMalformed, step, len(e.MAC))
	}
	switch step {
	case handover.StepOffer:
		message, err = pointer(handover.Decode[handover.Offer](e.Message))
	case handover.StepHello:
		message, err = pointer(handover.Decode[handover.Hello](e.Message))
	case handover.StepAnswer:
		message, err = pointer(handover.Decode[handover.Answer](e.Message))
	case handover.StepMatched:
		message, err = pointer(handover.Decode[handover.Matched](e.Message))
	case handover.StepConfirm:
		message, err = pointer(handover.Decode[handover.Confirm](e.Message))
	case handover.StepGrant:
		message, err = pointer(handover.Decode[handover.Grant](e.Message))
	case handover.StepReceipt:
		message, err = pointer(handover.Decode[handover.Receipt](e.Message))
	case handover.StepAck:
		message, err = pointer(handover.Decode[handover.Ack](e.Message))
	case handover.StepRecall:
		message, err = pointer(handover.Decode[handover.Recall](e.Message))
	case handover.StepFinal:
		message, err = pointer(handover.Decode[handover.Final](e.Message))
	default:
		return nil, fmt.Errorf("%w: there is no step %.16q", ErrMalformed, string(step))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return message, nil
}

func pointer[T any](m T, err error) (any, error) { return &m, err }

// named checks an offer against the code that it must belong to, and gives the ID
// that it asks for.
func named(o *handover.Offer) (ID, error) {
	id, err := o.TransferID()
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrMalformed, err)
	case o.SchemaLow > o.SchemaHigh:
		return "", fmt.Errorf("%w: schemas from %d to %d", ErrMalformed, o.SchemaLow, o.SchemaHigh)
	}
	return ID(id), nil
}
