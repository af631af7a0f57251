package handover

import (
	"errors"
	"fmt"

	"github.com/staunchid/staunch/attest"
)

// Prove makes the device proof over a transcript value with the phone's own key: a
// signature over request.DeviceProof(value).
type Prove func(value [32]byte) ([]byte, error)

// half is what both phones have.
type half struct {
	transcript
	code   Code // without its secret once there is K0
	prox   Proximity
	k0     Secret // since the hello; zero: none
	erased bool

	own, peer []byte // SubjectPublicKeyInfo
	prove     Prove
	verify    func(spki []byte, value [32]byte, proof []byte) error // VerifyProof
	judge     func(e *Evidence, challenge, spki []byte) (attest.Verdict, error)
}

func newHalf(own []byte, prove Prove, judge Judge) (half, error) {
	switch {
	case len(own) == 0:
		return half{}, errors.New("handover: options: Device is required: the SubjectPublicKeyInfo of the phone's attested key")
	case prove == nil:
		return half{}, errors.New("handover: options: Prove is required: it signs with the phone's attested key")
	}
	return half{transcript: transcript{}, own: own, prove: prove, verify: VerifyProof, judge: judge.judge}, nil
}

// ID is the transfer's name: "t_" and 26 characters.
func (h *half) ID() string { return h.code.TransferID() }

// Erase forgets all secrets: the code's, K0 and what hangs on it. What was signed
// stays, so that a recall and the end of the window work. Call it when the transfer
// is acknowledged, recalled or aborted, and store the half.
func (h *half) Erase() {
	h.erased = true
	h.code.Secret.Erase()
	clear(h.prox[:])
	h.k0.Erase()
}

// secret gives K0.
func (h *half) secret() (Secret, error) {
	switch {
	case h.erased:
		return Secret{}, ErrErased
	case !h.has(StepHello):
		return Secret{}, fmt.Errorf("%w: no hello yet", ErrOrder)
	}
	return h.k0, nil
}

// macOf is the label of who makes a message; empty: the message has no MAC.
func macOf(s Step) string {
	switch s {
	case StepHello, StepConfirm:
		return macOfC
	case StepAnswer, StepMatched:
		return macOfN
	}
	return ""
}

// mac is the MAC of a message, or nothing if it has none. th1 is the value of the
// hello, which may be this very message.
func (h *half) mac(s Step, value [32]byte) ([]byte, error) {
	label := macOf(s)
	if label == "" {
		return nil, nil
	}
	k0, th1 := h.k0, value
	if s != StepHello {
		var err error
		if k0, err = h.secret(); err != nil {
			return nil, err
		}
		th1 = h.transcript[StepHello].value
	}
	return mac(k0, label, th1, value)
}

// make signs an own message and notes it.
func (h *half) make(s Step, message []byte) (Envelope, error) {
	value, err := h.next(s, message)
	if err != nil {
		return Envelope{}, err
	}
	m, err := h.mac(s, value)
	if err != nil {
		return Envelope{}, err
	}
	proof, err := h.prove(value)
	if err != nil {
		return Envelope{}, fmt.Errorf("handover: device proof of %s: %w", s, err)
	}
	e := Envelope{Message: message, MAC: m, Proof: proof} // every message fits: see the bounds of each
	h.transcript[s] = &turn{e, value}
	return e, nil
}

// made encodes and signs an own message.
func made[T any, P message[T]](h *half, s Step, m P) (Envelope, error) {
	b, err := Encode(m)
	if err != nil {
		return Envelope{}, err
	}
	return h.make(s, b)
}

// check verifies who has sent a message: its MAC, or that it has none, and its
// device proof by one of the keys. It gives the message's value.
func (h *half) check(s Step, e Envelope, keys ...[]byte) (value [32]byte, err error) {
	if value, err = h.next(s, e.Message); err != nil {
		return value, err
	}
	want, err := h.mac(s, value)
	if err != nil {
		return value, err
	}
	if !same(want, e.MAC) {
		return value, fmt.Errorf("%w: %s", ErrMAC, s)
	}
	for _, spki := range keys {
		if err = h.verify(spki, value, e.Proof); err == nil {
			return value, nil
		}
	}
	return value, fmt.Errorf("%s: %w", s, err)
}

// taken decodes a message of the other phone, checks it and notes it. One that has
// come before is not checked again. judge, if there is one, says what else is
// wrong with it.
func taken[T any, P message[T]](h *half, s Step, e Envelope, judge func(P) error) (m T, err error) {
	repeat, err := h.again(s, e)
	if err != nil {
		return m, err
	}
	if m, err = Decode[T, P](e.Message); err != nil || repeat {
		return m, err
	}
	value, err := h.check(s, e, h.peer)
	if err == nil && judge != nil {
		err = judge(&m)
	}
	if err != nil {
		var zero T
		return zero, err
	}
	h.transcript[s] = &turn{e, value}
	return m, nil
}

// stored decodes a message that is there.
func stored[T any, P message[T]](h *half, s Step) (m T, err error) {
	if !h.has(s) {
		return m, fmt.Errorf("%w: no %s yet", ErrOrder, s)
	}
	return Decode[T, P](h.transcript[s].Message)
}

// ends reports whether a message of the handshake ends it: there is no second try at
// anything. A message whose turn it is not ends nothing.
func ends(err error) bool {
	return errors.Is(err, ErrMAC) || errors.Is(err, ErrForged) || errors.Is(err, ErrMalformed)
}

// remade makes an own message that nothing follows yet: the same again if it says
// the same, else another in its place.
func remade[T any, P message[T]](h *half, s, next Step, m P) (Envelope, error) {
	b, err := Encode(m)
	if err != nil {
		return Envelope{}, err
	}
	if old, ok := h.transcript[s]; ok {
		if same(old.Message, b) {
			return old.Envelope, nil
		}
		if h.has(next) {
			return Envelope{}, fmt.Errorf("%w: another %s is there already, and was answered", ErrOrder, s)
		}
	}
	return h.make(s, b)
}
