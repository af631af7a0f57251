package handover

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/internal/cbor"
)

// What stored halves begin with.
const (
	receiverState = "staunch/transfer/receiver/v1"
	senderState   = "staunch/transfer/sender/v1"
)

// errState is a stored half that is none, or another phone's.
var errState = errors.New("handover: stored state")

// steps in the order in which they are stored.
func steps() []Step {
	return []Step{StepOffer, StepHello, StepAnswer, StepMatched, StepConfirm, StepGrant, StepReceipt, StepAck, StepRecall, StepFinal}
}

// walk walks what both halves store. Values are not stored but computed again.
func (h *half) walk(c *cbor.Coder) {
	public := h.code.Public()
	c.Fixed(public[:])
	c.Bool(&h.erased)
	c.Fixed(h.code.Secret[:])
	c.Fixed(h.prox[:])
	c.Fixed(h.k0[:])
	if c.Reading() && c.Err() == nil {
		h.code.Beacons = public[1]
		copy(h.code.ID[:], public[3:])
		copy(h.code.KeyHash[:], public[19:])
	}
	all := steps()
	c.Array(len(all))
	for _, s := range all {
		m := h.transcript[s]
		if !c.Null(m != nil) {
			continue
		}
		if c.Reading() {
			m = new(turn)
		}
		m.code(c)
		if !c.Reading() || c.Err() != nil {
			continue
		}
		if err := h.put(s, m); err != nil {
			c.Failf("%w", err)
		}
	}
}

// put notes a message that was stored.
func (h *half) put(s Step, m *turn) (err error) {
	m.value, err = h.next(s, m.Message)
	h.transcript[s] = m
	return err
}

// walk walks all of a new phone's half.
func (r *Receiver) walk(c *cbor.Coder, seed *[]byte) {
	c.Array(6)
	c.Label(receiverState)
	h := &r.half
	c.Array(6)
	h.walk(c)
	cbor.Octets(c, seed, 0, 32)
	left := uint64(max(r.tries, 0))
	cbor.Uint(c, &left, 0, tries)
	r.tries = int(left)
	c.Bool(&r.typed)
	c.Bool(&r.opened)
}

// MarshalBinary is the half, with its secrets: keep it where only the app can read
// it, on a real phone under the hardware's key.
func (r *Receiver) MarshalBinary() ([]byte, error) {
	var seed []byte
	if r.key != nil {
		var err error
		if seed, err = r.key.Bytes(); err != nil { // the key's own bytes: not to be cleared
			return nil, fmt.Errorf("%w: the KEM key: %w", errState, err)
		}
	}
	b, err := cbor.Encode(func(c *cbor.Coder) { r.walk(c, &seed) })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	return b, nil
}

// RestoreReceiver goes on where MarshalBinary was called. Of the options it takes
// those that are no part of the offer.
func RestoreReceiver(state []byte, o *ReceiverOptions) (*Receiver, error) {
	h, err := newHalf(o.Device, o.Prove, o.Judge)
	if err != nil {
		return nil, err
	}
	r := &Receiver{half: h, audience: o.Audience}
	var seed []byte
	if err := cbor.Decode(state, func(c *cbor.Coder) { r.walk(c, &seed) }); err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	offer, err := stored[Offer](&r.half, StepOffer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	if !bytes.Equal(offer.Device, o.Device) {
		return nil, fmt.Errorf("%w: it belongs to another device key", errState)
	}
	if len(seed) > 0 {
		if r.key, err = kem().NewPrivateKey(seed); err != nil {
			return nil, fmt.Errorf("%w: the KEM key: %w", errState, err)
		}
		clear(seed)
	}
	if r.has(StepHello) {
		m, err := stored[Hello](&r.half, StepHello)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errState, err)
		}
		r.peer = m.Device
	}
	return r, nil
}

// walk walks all of a current phone's half.
func (s *Sender) walk(c *cbor.Coder) {
	c.Array(6)
	c.Label(senderState)
	h := &s.half
	c.Array(6)
	h.walk(c)
	c.Fixed(s.hold[:])
	c.Fixed(s.sealed.CommitShare[:])
	cbor.Octets(c, &s.sealed.Sealed, 0, maxSecrets+16)
	cbor.Slice(c, &s.older, 0, maxGrants, func(m **turn) {
		if c.Reading() {
			*m = new(turn)
		}
		(*m).code(c)
	})
}

// MarshalBinary is the half, with its secrets: keep it where only the app can read
// it, on a real phone under the hardware's key.
func (s *Sender) MarshalBinary() ([]byte, error) {
	b, err := cbor.Encode(s.walk)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	return b, nil
}

// RestoreSender goes on where MarshalBinary was called. N's evidence has been judged
// before and is not judged again: Peer has no verdict.
func RestoreSender(state []byte, o *SenderOptions) (*Sender, error) {
	h, err := newHalf(o.Device, o.Prove, o.Judge)
	if err != nil {
		return nil, err
	}
	s := &Sender{half: h, o: *o}
	if err := cbor.Decode(state, s.walk); err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	offer, err := stored[Offer](&s.half, StepOffer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	if sum := sha256.Sum256(offer.Key); !same(sum[:], s.code.KeyHash[:]) {
		return nil, fmt.Errorf("%w: the offer is not the code's", errState)
	}
	if s.has(StepHello) {
		m, err := stored[Hello](&s.half, StepHello)
		if err != nil || !bytes.Equal(m.Device, o.Device) {
			return nil, fmt.Errorf("%w: it belongs to another device key", errState)
		}
	}
	for _, m := range s.older {
		if m.value, err = s.next(StepGrant, m.Message); err != nil {
			return nil, fmt.Errorf("%w: %w", errState, err)
		}
	}
	s.peer = offer.Device
	s.shown = Peer{Info: offer.Info, LAN: offer.BeaconOnLAN, SchemaLow: offer.SchemaLow, SchemaHigh: offer.SchemaHigh, FreeBytes: offer.FreeBytes}
	if m, ok := s.transcript[StepGrant]; ok {
		s.sealed.Envelope = m.Envelope
	}
	return s, nil
}
