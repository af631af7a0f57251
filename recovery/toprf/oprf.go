package toprf

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/zk/dleq"

	"github.com/staunchid/staunch/internal/cbor"
)

// Blinded is an input that the servers can evaluate and cannot see.
type Blinded struct {
	Element Element // B: what is sent
	suite   Suite
	input   []byte
	blind   group.Scalar
}

// Blind blinds x, which has at most 65,535 bytes. The blinding scalar is derived
// from the seed, the registration and x: the same three give the same B, and
// without the seed B tells nothing of x.
func (s Suite) Blind(x []byte, seed [32]byte, regID [16]byte) (*Blinded, error) {
	if err := s.valid(); err != nil {
		return nil, err
	}
	message, err := cbor.Marshal([]any{seed[:], regID[:], x})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return s.blind(x, s.group().HashToScalar(message, []byte(blindDST)))
}

// blind is Blind of RFC 9497, Section 3.3.1, with a given scalar.
func (s Suite) blind(x []byte, r group.Scalar) (*Blinded, error) {
	if len(x) > 1<<16-1 {
		return nil, fmt.Errorf("%w: an input of %d bytes", ErrMalformed, len(x))
	}
	p, err := s.element(s.group().HashToElement(x, []byte("HashToGroup-"+s.context())))
	if err != nil {
		return nil, err
	}
	b, err := s.element(s.group().NewElement().Mul(p.e, r)) // the identity, if r is zero: refused
	if err != nil {
		return nil, err
	}
	return &Blinded{Element: b, suite: s, input: append([]byte(nil), x...), blind: r}, nil
}

// Evaluate is a server's part: E = k·B (RFC 9497, Section 3.3.2, BlindEvaluate).
func (s Suite) Evaluate(k Scalar, b Element) (Element, error) { return s.Mul(k, b) }

// Mul is k·B, and never the identity.
func (s Suite) Mul(k Scalar, b Element) (Element, error) {
	if err := k.in(s); err != nil {
		return Element{}, err
	}
	if err := b.in(s); err != nil {
		return Element{}, err
	}
	return s.element(s.group().NewElement().Mul(b.e, k.s))
}

// Proof shows that an evaluation used the share behind a public key, and
// nothing else: the challenge c, then the response s.
type Proof [2 * ScalarSize]byte

func (s Suite) dleq() dleq.Params {
	return dleq.Params{G: s.group(), H: s.hash(), DST: []byte(s.context())}
}

// Prove proves that e is k·b for the k behind k·G (RFC 9497, Section 2.2.1).
func (s Suite) Prove(k Scalar, b, e Element) (Proof, error) {
	if err := s.valid(); err != nil {
		return Proof{}, err
	}
	return s.prove(k, b, e, s.group().RandomScalar(rand.Reader))
}

// prove is Prove with a given random scalar.
func (s Suite) prove(k Scalar, b, e Element, r group.Scalar) (Proof, error) {
	if err := k.in(s); err != nil {
		return Proof{}, err
	}
	for _, x := range []Element{b, e} {
		if err := x.in(s); err != nil {
			return Proof{}, err
		}
	}
	public := s.group().NewElement().MulGen(k.s)
	p, err := dleq.Prover{Params: s.dleq()}.ProveBatchWithRandomnessRFC9497(
		k.s, public, []group.Element{b.e}, []group.Element{e.e}, r)
	if err != nil {
		return Proof{}, fmt.Errorf("toprf: proving: %w", err)
	}
	enc, err := p.MarshalBinary()
	if err != nil || len(enc) != len(Proof{}) {
		return Proof{}, fmt.Errorf("toprf: a proof of %d bytes: %w", len(enc), err)
	}
	return Proof(enc), nil
}

// Verify fails with ErrProof unless the proof shows that e was made of b with
// the share behind public (RFC 9497, Section 2.2.2).
func (s Suite) Verify(public, b, e Element, p Proof) error {
	for _, x := range []Element{public, b, e} {
		if err := x.in(s); err != nil {
			return err
		}
	}
	var proof dleq.Proof
	if err := proof.UnmarshalBinary(s.group(), p[:]); err != nil {
		return fmt.Errorf("%w: its scalars are not canonical", ErrProof)
	}
	if !(dleq.Verifier{Params: s.dleq()}).VerifyBatchRFC9497(
		public.e, []group.Element{b.e}, []group.Element{e.e}, &proof) {
		return ErrProof
	}
	return nil
}

// Answer is one server's evaluation.
type Answer struct {
	Index int     // the point of its share
	E     Element // k_i·B
}

// Combine gives k·B from exactly t evaluations of B. It cannot tell a false one:
// see CheckPolynomial and Verify.
func (s Suite) Combine(t int, answers []Answer) (Element, error) {
	indices, err := s.indices(answers)
	if err != nil {
		return Element{}, err
	}
	if err := s.checkIndices(t, indices); err != nil {
		return Element{}, err
	}
	return s.element(s.interpolate(answers, indices, 0))
}

// CheckPolynomial fails with ErrShares unless all answers, at least t, lie on
// one polynomial of degree t−1 in the exponent. With exactly t answers there is
// nothing to compare, so it says nothing about them.
func (s Suite) CheckPolynomial(t int, answers []Answer) error {
	indices, err := s.indices(answers)
	if err != nil {
		return err
	}
	if t < 1 || len(answers) < t {
		return fmt.Errorf("%w: %d answers, at least %d wanted", ErrShares, len(answers), t)
	}
	if err := distinct(indices); err != nil {
		return err
	}
	for _, a := range answers[t:] {
		if !s.interpolate(answers[:t], indices[:t], a.Index).IsEqual(a.E.e) {
			return fmt.Errorf("%w: the evaluation of server %d, or of one before it, is false", ErrShares, a.Index)
		}
	}
	return nil
}

func (s Suite) indices(answers []Answer) ([]int, error) {
	indices := make([]int, len(answers))
	for i, a := range answers {
		if err := a.E.in(s); err != nil {
			return nil, err
		}
		indices[i] = a.Index
	}
	return indices, s.valid()
}

// interpolate evaluates the polynomial through the answers at a point.
func (s Suite) interpolate(answers []Answer, indices []int, at int) group.Element {
	g := s.group()
	sum := g.Identity()
	for i, a := range answers {
		sum.Add(sum, g.NewElement().Mul(a.E.e, s.lagrange(indices, i, at)))
	}
	return sum
}

// Finalize takes the blinding off and hashes (RFC 9497, Section 3.3.1).
func (b *Blinded) Finalize(combined Element) (Output, error) {
	s := b.suite
	if err := combined.in(s); err != nil {
		return nil, err
	}
	inverse := s.group().NewScalar().Inv(b.blind)
	n, err := s.element(s.group().NewElement().Mul(combined.e, inverse))
	if err != nil {
		return nil, err
	}
	h := s.hash().New()
	for _, part := range [][]byte{b.input, n.enc} {
		h.Write(binary.BigEndian.AppendUint16(nil, uint16(len(part))))
		h.Write(part)
	}
	h.Write([]byte("Finalize"))
	return h.Sum(nil), nil
}

// Format prints no secret, whatever the verb.
func (Blinded) Format(f fmt.State, verb rune) { Scalar{}.Format(f, verb) }

// LogValue logs no secret.
func (Blinded) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps secrets out of JSON.
func (Blinded) MarshalText() ([]byte, error) { return []byte(redacted), nil }
