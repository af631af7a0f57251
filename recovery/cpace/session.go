package cpace

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

// ErrProof is a release whose tag does not fit: the PIN was wrong, or the release
// was made for another vault, account or attempt, or changed on its way.
var ErrProof = errors.New("cpace: the tag of a release is wrong: another PIN, or not made for this vault, account and attempt")

// The domains of what is hashed, and what the keys are for.
const (
	generatorDST = "staunch/kr1/generator"
	scalarDST    = "staunch/kr1/share"
	labelISK     = "staunch/kr1/isk"
	labelConfirm = "staunch/kr1/confirm"
)

// Session is what both sides know before they begin. All of it makes the generator,
// so two sides that differ in anything come to different keys.
type Session struct {
	Suite wire.Suite
	PRS   wire.PRS
	Vault string
	Acct  wire.Acct
	Reg   wire.RegID
	B, E  wire.Element // the attempt: the blinded PIN, and this vault's evaluation
}

func (s *Session) suite() toprf.Suite { return toprf.Suite(s.Suite) }

// generator is G (draft, calculate_generator).
func (s *Session) generator() (toprf.Element, error) {
	message := s.PRS.Generator(s.Vault, s.Acct, s.Reg, s.B, s.E)
	defer clear(message)
	g, err := s.suite().HashToElement(message, generatorDST)
	if err != nil {
		return g, fmt.Errorf("cpace: the generator: %w", err)
	}
	return g, nil
}

// Verifier is the vault's side.
type Verifier struct {
	session *Session
	y       toprf.Scalar
	share   toprf.Element
}

// Verifier makes the vault's side from a secret seed: the same seed and session make
// the same half again, so that nothing need be kept between evaluate and release.
func (s *Session) Verifier(seed wire.Key) (*Verifier, error) {
	y, err := s.suite().HashToScalar(seed[:], scalarDST)
	if err != nil {
		return nil, fmt.Errorf("cpace: the vault's scalar: %w", err)
	}
	g, err := s.generator()
	if err != nil {
		return nil, err
	}
	share, err := s.suite().Mul(y, g)
	if err != nil {
		return nil, fmt.Errorf("cpace: the vault's half: %w", err)
	}
	return &Verifier{s, y, share}, nil
}

// Share is Y_a.
func (v *Verifier) Share() wire.Element { return v.share.Bytes() }

// Verify fails with toprf.ErrMalformed when the phone's half is no element, or the
// identity, and with ErrProof unless it answers this half and the tag is right.
func (v *Verifier) Verify(q *wire.Release) error {
	if !bytes.Equal(q.Ya, v.Share()) {
		return ErrProof
	}
	want, err := v.session.tag(v.y, q.Yb, q)
	if err != nil {
		return err
	}
	if !hmac.Equal(want[:], q.Tag[:]) { // in constant time
		return ErrProof
	}
	return nil
}

// Prove is the phone's side: it answers the vault's half, and fills in the halves and
// the tag of a release whose other members are set. It fails with toprf.ErrMalformed
// when the vault's half is no element, or the identity: that vault lies.
func (s *Session) Prove(q *wire.Release, ya wire.Element) error {
	y, err := s.suite().RandomScalar()
	if err != nil {
		return fmt.Errorf("cpace: the phone's scalar: %w", err)
	}
	return s.prove(q, ya, y)
}

// prove is Prove with a given scalar.
func (s *Session) prove(q *wire.Release, ya wire.Element, y toprf.Scalar) error {
	g, err := s.generator()
	if err != nil {
		return err
	}
	share, err := s.suite().Mul(y, g)
	if err != nil {
		return fmt.Errorf("cpace: the phone's half: %w", err)
	}
	q.Ya, q.Yb = ya, share.Bytes()
	q.Tag, err = s.tag(y, ya, q)
	return err
}

// tag is what confirms the key: of y·peer (draft, scalar_mult_vfy), over everything
// that the release says (draft, explicit key confirmation).
func (s *Session) tag(y toprf.Scalar, peer wire.Element, q *wire.Release) (wire.Tag, error) {
	other, err := s.suite().Element(peer) // not canonical, or the identity: refused
	if err != nil {
		return wire.Tag{}, fmt.Errorf("cpace: the half of the other side: %w", err)
	}
	k, err := s.suite().Mul(y, other)
	if err != nil {
		return wire.Tag{}, fmt.Errorf("cpace: the key: %w", err)
	}
	transcript, err := wire.Encode(q.Transcript(s.Vault, s.Acct))
	if err != nil {
		return wire.Tag{}, fmt.Errorf("cpace: the transcript: %w", err)
	}
	isk, err := hkdf.Key(sha256.New, k.Bytes(), []byte(labelISK), string(transcript), sha256.Size)
	if err != nil {
		return wire.Tag{}, fmt.Errorf("cpace: the key: %w", err)
	}
	defer clear(isk)
	mac := hmac.New(sha256.New, isk)
	mac.Write([]byte(labelConfirm))
	return wire.Tag(mac.Sum(nil)), nil
}

const redacted = "[redacted]"

// Format prints no secret, whatever the verb.
func (Verifier) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // as fmt does

// LogValue logs no secret.
func (Verifier) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps secrets out of JSON.
func (Verifier) MarshalText() ([]byte, error) { return []byte(redacted), nil }
