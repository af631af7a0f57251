package handover

import (
	"bytes"
	"fmt"
)

// turn is a message that was made or taken.
type turn struct {
	Envelope
	value [32]byte
}

// transcript is the running one: each value is over the one before it, so that a
// message says yes to all that went before.
type transcript map[Step]*turn

// before names the message that each follows.
func before(s Step) Step {
	switch s {
	case StepHello:
		return StepOffer
	case StepAnswer:
		return StepHello
	case StepMatched:
		return StepAnswer
	case StepConfirm:
		return StepMatched
	case StepGrant:
		return StepConfirm
	case StepReceipt:
		return StepGrant
	case StepAck, StepRecall:
		return StepReceipt
	case StepFinal:
		return StepAck
	}
	return ""
}

// Before is the transcript value before a message: what the owner's step-up for
// this message is over. The error is ErrOrder.
func (t transcript) Before(s Step) (v [32]byte, err error) {
	if s == StepOffer {
		return v, nil
	}
	prev, ok := t[before(s)]
	if !ok {
		return v, fmt.Errorf("%w: no %s yet for this %s", ErrOrder, before(s), s)
	}
	return prev.value, nil
}

// Value is the transcript value of a message. The error is ErrOrder.
func (t transcript) Value(s Step) (v [32]byte, err error) {
	m, ok := t[s]
	if !ok {
		return v, fmt.Errorf("%w: no %s yet", ErrOrder, s)
	}
	return m.value, nil
}

// next is the value that a message would have here.
func (t transcript) next(s Step, message []byte) (v [32]byte, err error) {
	prev, err := t.Before(s)
	if err != nil {
		return v, err
	}
	return Value(s, prev, message), nil
}

// has reports whether a message is there.
func (t transcript) has(s Step) bool { return t[s] != nil }

// again reports whether this envelope has come before. Another one in its place is
// ErrOrder.
func (t transcript) again(s Step, e Envelope) (bool, error) {
	m, ok := t[s]
	switch {
	case !ok:
		return false, nil
	case bytes.Equal(m.Message, e.Message) && bytes.Equal(m.MAC, e.MAC) && bytes.Equal(m.Proof, e.Proof):
		return true, nil
	}
	return false, fmt.Errorf("%w: another %s is there already", ErrOrder, s)
}
