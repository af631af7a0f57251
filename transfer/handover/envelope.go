package handover

import (
	"errors"
	"fmt"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/transfer/derive"
)

// Sizes that the protocol fixes.
const (
	PublicSize       = 51       // what a code and an offer have in common
	KeySize          = 1216     // HPKE's encoding of an MLKEM768-X25519 public key
	EncapsulatedSize = 1120     // of its ciphertext
	MaxEnvelope      = 96 << 10 // bytes
)

// ErrMalformed is bytes that are no envelope, no message or no code.
var ErrMalformed = errors.New("handover: malformed")

// Envelope is a message on its way: with its sender's MAC, if the message has one,
// and device proof.
type Envelope struct {
	Message []byte // a deterministic encoding of one of the messages
	MAC     []byte // 32 bytes, or none
	Proof   []byte // over the transcript value
}

func (e *Envelope) code(c *cbor.Coder) {
	c.Array(3)
	cbor.Octets(c, &e.Message, 1, MaxEnvelope)
	cbor.Octets(c, &e.MAC, 0, 32)
	if n := len(e.MAC); n != 0 && n != 32 {
		c.Failf("a MAC of %d bytes", n)
	}
	cbor.Octets(c, &e.Proof, 1, 4096)
}

// Encode gives its bytes. The error is ErrMalformed.
func (e Envelope) Encode() ([]byte, error) {
	b, err := cbor.Encode(e.code)
	if err == nil && len(b) > MaxEnvelope {
		err = fmt.Errorf("%d bytes, more than %d", len(b), MaxEnvelope)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: envelope: %w", ErrMalformed, err)
	}
	return b, nil
}

// DecodeEnvelope reads one. The error is ErrMalformed.
func DecodeEnvelope(b []byte) (e Envelope, err error) {
	if len(b) > MaxEnvelope {
		return e, fmt.Errorf("%w: envelope: %d bytes, more than %d", ErrMalformed, len(b), MaxEnvelope)
	}
	if err := cbor.Decode(b, e.code); err != nil {
		return Envelope{}, fmt.Errorf("%w: envelope: %w", ErrMalformed, err)
	}
	return e, nil
}

// message is a structure that walks its own fields.
type message[T any] interface {
	*T
	Code(c *cbor.Coder)
}

// Encode gives the bytes of a message.
func Encode[T any, P message[T]](m P) ([]byte, error) {
	b, err := cbor.Encode(m.Code)
	if err != nil {
		return nil, fmt.Errorf("%w: %T: %w", ErrMalformed, *m, err)
	}
	return b, nil
}

// Decode reads a message, the whole of b.
func Decode[T any, P message[T]](b []byte) (m T, err error) {
	if err := cbor.Decode(b, P(&m).Code); err != nil {
		var zero T
		return zero, fmt.Errorf("%w: %T: %w", ErrMalformed, zero, err)
	}
	return m, nil
}

// Step names a message in the transcript.
type Step string

// The steps, in the order of the running transcript; Recall follows Receipt, Final
// follows Ack.
const (
	StepOffer   Step = "offer"
	StepHello   Step = "hello"
	StepAnswer  Step = "answer"
	StepMatched Step = "matched"
	StepConfirm Step = "confirm"
	StepGrant   Step = "grant"
	StepReceipt Step = "receipt"
	StepAck     Step = "ack"
	StepRecall  Step = "recall"
	StepFinal   Step = "final"
)

// Value is the transcript value of a message: what its sender's proof, and its MAC,
// are over. before is the value of the message before it; an offer has none, and
// before is not looked at.
func Value(step Step, before [32]byte, message []byte) [32]byte {
	if step == StepOffer {
		return derive.Hash(string(step), message)
	}
	return derive.Hash(string(step), before[:], message)
}
