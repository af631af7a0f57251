package handover

import (
	"crypto/hpke"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/transfer/derive"
)

// SenderOptions is the current phone. All is required unless it says otherwise.
type SenderOptions struct {
	Device   []byte // SubjectPublicKeyInfo of its attested key
	Prove    Prove
	Audience string // app ID "@" host: as the server says, and as the app expects

	// Judge judges N's evidence. The zero Judge refuses every N.
	Judge Judge
	// Schema is the history's, Bytes about how many it has: a phone that cannot read
	// or hold it is refused.
	Schema, Bytes uint64

	// What the hello says.
	Account, DeviceID string
	Info              DeviceInfo
	Label             string // for N's screen, at most 64 bytes; empty: none
	// Evidence makes fresh evidence for the own key over a challenge; nil: the platform
	// cannot.
	Evidence func(challenge [32]byte) (Evidence, error)
}

// Peer is the new phone, as its offer and its evidence show it: for the screen, and
// for the person to say yes to.
type Peer struct {
	Info                             DeviceInfo // what it says of itself
	Verdict                          attest.Verdict
	LAN                              []string // where its beacon is
	SchemaLow, SchemaHigh, FreeBytes uint64
}

// Sender is the current phone's half. Not safe for concurrent use.
type Sender struct {
	hidden
	half
	o      SenderOptions
	shown  Peer
	hold   Secret  // since Confirm
	sealed Granted // since Grant
	older  []*turn // grants that were replaced, oldest first
}

// NewSender checks an offer against the code that was scanned, the evidence in it,
// and whether the history fits, in the order of spec/transfer.md, "Checks". Nothing
// is told to N before Hello. An offer that is refused is the end of this transfer:
// tell the server.
func NewSender(code Code, offer Envelope, o *SenderOptions) (*Sender, error) {
	h, err := newHalf(o.Device, o.Prove, o.Judge)
	if err != nil {
		return nil, err
	}
	return newSender(h, code, offer, o)
}

func newSender(h half, code Code, offer Envelope, o *SenderOptions) (*Sender, error) {
	if o.Audience == "" || o.Account == "" || o.DeviceID == "" {
		return nil, errors.New("handover: options: Audience, Account and DeviceID are required")
	}
	m, err := Decode[Offer](offer.Message)
	if err != nil {
		return nil, err
	}
	if public := code.Public(); !same(m.Public[:], public[:]) {
		return nil, fmt.Errorf("%w: the offer is for another code", ErrCommitment)
	}
	if sum := sha256.Sum256(m.Key); !same(sum[:], code.KeyHash[:]) {
		return nil, fmt.Errorf("%w: the new phone's key is not the one in the code", ErrCommitment)
	}
	h.code, h.peer = code, m.Device
	value, err := h.check(StepOffer, offer, m.Device)
	if err != nil {
		return nil, err
	}
	h.transcript[StepOffer] = &turn{offer, value}
	s := &Sender{half: h, o: *o}
	if s.shown, err = h.appraised(&m); err != nil {
		return nil, err
	}
	switch {
	case o.Schema < m.SchemaLow || o.Schema > m.SchemaHigh:
		return nil, fmt.Errorf("%w: it reads %d to %d, and this is %d", ErrSchema, m.SchemaLow, m.SchemaHigh, o.Schema)
	case o.Bytes > m.FreeBytes:
		return nil, fmt.Errorf("%w: %d bytes are free there, and this has %d", ErrSpace, m.FreeBytes, o.Bytes)
	}
	return s, nil
}

// appraised is N, its evidence judged.
func (h *half) appraised(m *Offer) (Peer, error) {
	ev, err := Decode[Evidence](m.Evidence)
	if err != nil {
		return Peer{}, err
	}
	verdict, err := h.judge(&ev, m.Challenge[:], m.Device)
	if err != nil {
		return Peer{}, err
	}
	return Peer{m.Info, verdict, m.BeaconOnLAN, m.SchemaLow, m.SchemaHigh, m.FreeBytes}, nil
}

// Peer is the new phone. After RestoreSender it has no verdict.
func (s *Sender) Peer() Peer { return s.shown }

// OpenBeacon reads what was heard: see Code.OpenBeacon.
func (s *Sender) OpenBeacon(b []byte) (Proximity, error) {
	if s.erased || s.has(StepHello) {
		return Proximity{}, fmt.Errorf("%w: the hello has been said", ErrOrder)
	}
	return s.code.OpenBeacon(b)
}

// Hello is C's first message, once the person has said yes. beacon is what was heard,
// for ClassLAN and ClassNear; for ClassNone it is nil.
func (s *Sender) Hello(class Class, beacon []byte) (Envelope, error) {
	if m, ok := s.transcript[StepHello]; ok {
		old, err := stored[Hello](&s.half, StepHello)
		if err == nil && old.Class != class {
			err = fmt.Errorf("%w: the hello has been said, with class %s", ErrOrder, old.Class)
		}
		return m.Envelope, err
	}
	if s.erased {
		return Envelope{}, ErrErased
	}
	prox, err := s.near(class, beacon)
	if err != nil {
		return Envelope{}, err
	}
	o, err := stored[Offer](&s.half, StepOffer)
	if err != nil {
		return Envelope{}, err
	}
	public, err := kem().NewPublicKey(o.Key)
	if err != nil {
		return Envelope{}, fmt.Errorf("%w: the new phone's key: %w", ErrMalformed, err)
	}
	enc, ctx, err := hpke.NewSender(public, kdf(), aead(), hpkeInfo(s.transcript[StepOffer].value))
	if err != nil {
		return Envelope{}, fmt.Errorf("handover: encapsulate: %w", err)
	}
	return s.hello(class, prox, enc, ctx)
}

// near is the proximity that a class is proved with.
func (s *Sender) near(class Class, beacon []byte) (Proximity, error) {
	switch {
	case !class.offered(s.code.Beacons):
		return Proximity{}, fmt.Errorf("%w: the code offers no class %s", ErrBeacon, class)
	case class == ClassNone && beacon != nil:
		return Proximity{}, fmt.Errorf("%w: a beacon does not go with class none", ErrBeacon)
	case class == ClassNone:
		return Proximity{}, nil
	}
	return s.code.OpenBeacon(beacon)
}

// hello takes what the KEM has given, for the vectors.
func (s *Sender) hello(class Class, prox Proximity, enc []byte, ctx exported) (Envelope, error) {
	evidence, err := s.evidence()
	if err != nil {
		return Envelope{}, err
	}
	b, err := Encode(&Hello{
		Encapsulated: enc, Device: s.own, Account: s.o.Account, DeviceID: s.o.DeviceID, Audience: s.o.Audience,
		Class: class, Info: s.o.Info, Label: s.o.Label, Evidence: evidence,
	})
	if err != nil {
		return Envelope{}, err
	}
	th1, err := s.next(StepHello, b)
	if err != nil {
		return Envelope{}, err
	}
	x, err := exportKey(ctx, th1)
	if err != nil {
		return Envelope{}, err
	}
	if s.k0, err = rootKey(s.code.Secret, prox, x, th1); err != nil {
		return Envelope{}, err
	}
	e, err := s.make(StepHello, b)
	if err != nil {
		s.k0.Erase()
		return Envelope{}, err
	}
	s.code.Secret.Erase()
	return e, nil
}

// evidence is the own one, encoded, or nothing.
func (s *Sender) evidence() ([]byte, error) {
	if s.o.Evidence == nil {
		return nil, nil
	}
	th0 := s.transcript[StepOffer].value
	ev, err := s.o.Evidence(derive.Hash("evidence", th0[:]))
	if err != nil {
		return nil, fmt.Errorf("handover: own evidence: %w", err)
	}
	return Encode(&ev)
}

// HandleAnswer takes N's nonce. Only now there is a number.
func (s *Sender) HandleAnswer(e Envelope) error {
	_, err := taken[Answer](&s.half, StepAnswer, e, nil)
	if ends(err) {
		s.Erase()
	}
	return err
}

// Number is what to show: six digits, which the person types on N.
func (s *Sender) Number() (string, error) {
	k0, err := s.secret()
	if err != nil {
		return "", err
	}
	th2, err := s.Value(StepAnswer)
	if err != nil {
		return "", err
	}
	return number(k0, th2)
}

// HandleMatched takes N's word that the number was typed there.
func (s *Sender) HandleMatched(e Envelope) (*Matched, error) {
	m, err := taken[Matched](&s.half, StepMatched, e, nil)
	if err != nil {
		if ends(err) {
			s.Erase()
		}
		return nil, err
	}
	return &m, nil
}

// Confirm is the owner's yes, with a step-up over Before(StepConfirm), and the hold
// share for the server. If the server refuses the step-up it may be called again
// with another one, before anything is sealed.
func (s *Sender) Confirm(up StepUp, bytes uint64) (Envelope, Secret, error) {
	if _, err := s.secret(); err != nil {
		return Envelope{}, Secret{}, err
	}
	if s.hold == (Secret{}) {
		s.hold = newSecret()
	}
	e, err := remade(&s.half, StepConfirm, StepGrant, &Confirm{HoldShareHash: sha256.Sum256(s.hold[:]), Bytes: bytes, StepUp: up})
	return e, s.hold, err
}

// BulkKey is the key of the history.
func (s *Sender) BulkKey() ([]byte, error) {
	k0, err := s.secret()
	if err != nil {
		return nil, err
	}
	th4, err := s.Value(StepConfirm)
	if err != nil {
		return nil, err
	}
	return sharedKey(k0, "bulk", th4, s.hold)
}

// Erase forgets all secrets; see half.
func (s *Sender) Erase() {
	s.half.Erase()
	s.hold.Erase()
	s.sealed.CommitShare.Erase()
	s.sealed.Sealed = nil
}
