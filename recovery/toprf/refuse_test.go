package toprf

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The orders of the groups, as each suite writes scalars.
const (
	orderRistretto = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
	orderP256      = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
)

func TestElementRefuses(t *testing.T) {
	// RFC 9496, Appendix A.3 has these for ristretto255.
	for _, c := range []struct {
		name  string
		suite Suite
		hex   string
	}{
		{"identity", Ristretto255, strings.Repeat("00", 32)},
		{"not canonical: the field's order", Ristretto255, "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
		{"not canonical: all ones", Ristretto255, strings.Repeat("ff", 32)},
		{"not canonical: one above the order", Ristretto255, "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
		{"negative", Ristretto255, "0100000000000000000000000000000000000000000000000000000000000000"},
		{"negative, large", Ristretto255, "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
		{"not square", Ristretto255, "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"},
		{"high bit", Ristretto255, "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2df6"},
		{"short", Ristretto255, strings.Repeat("00", 31)},
		{"of P-256", Ristretto255, "03e17e70604bcabe198882c0a1f27a92441e774224ed9c702e51dd17038b102462"},
		{"identity", P256, "00"},
		{"identity, 33 bytes", P256, strings.Repeat("00", 33)},
		{"x not below p", P256, "02ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"},
		{"x of no point", P256, "02" + strings.Repeat("00", 31) + "01"},
		{"another prefix", P256, "04e17e70604bcabe198882c0a1f27a92441e774224ed9c702e51dd17038b102462"},
		{"no suite", 0, "03e17e70604bcabe198882c0a1f27a92441e774224ed9c702e51dd17038b102462"},
	} {
		if e, err := c.suite.Element(unhex(t, c.hex)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v, %s: %v, %v", c.suite, c.name, e, err)
		}
	}
}

func TestScalarRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		suite Suite
		hex   string
	}{
		{"zero", Ristretto255, strings.Repeat("00", 32)},
		{"the order", Ristretto255, orderRistretto},
		{"all ones", Ristretto255, strings.Repeat("ff", 32)},
		{"short", Ristretto255, strings.Repeat("01", 31)},
		{"zero", P256, strings.Repeat("00", 32)},
		{"the order", P256, orderP256},
		{"all ones", P256, strings.Repeat("ff", 32)},
		{"long", P256, strings.Repeat("01", 33)},
		{"no suite", 3, strings.Repeat("01", 32)},
	} {
		if k, err := c.suite.Scalar(unhex(t, c.hex)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v, %s: %x, %v", c.suite, c.name, k.Bytes(), err)
		}
	}
}

// round is a client and three servers of which two must help.
type round struct {
	suite   Suite
	shares  []Share
	b       *Blinded
	answers []Answer
	proofs  []Proof
}

func newRound(t testing.TB, s Suite) *round {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	secret, err := s.RandomScalar()
	must(err)
	r := &round{suite: s}
	r.shares, err = s.Deal(secret, 2, 3)
	must(err)
	r.b, err = s.Blind([]byte("x"), [32]byte{1}, [16]byte{2})
	must(err)
	for _, sh := range r.shares {
		e, err := s.Evaluate(sh.Scalar, r.b.Element)
		must(err)
		p, err := s.Prove(sh.Scalar, r.b.Element, e)
		must(err)
		r.answers, r.proofs = append(r.answers, Answer{sh.Index, e}), append(r.proofs, p)
	}
	return r
}

func TestRefusals(t *testing.T) {
	for _, s := range []Suite{Ristretto255, P256} {
		r := newRound(t, s)
		other := newRound(t, 3-s)
		a, e := r.answers, r.answers[0].E
		spoilt := slices.Clone(a)
		spoilt[2].E = r.b.Element
		lying := slices.Clone(a)
		lying[0].E = r.b.Element
		combine := func(t int, some ...Answer) error { _, err := s.Combine(t, some); return err }
		scalars := func(t int, some ...Share) error { _, err := s.CombineScalars(t, some); return err }
		deal := func(k Scalar, t, n int) error { _, err := s.Deal(k, t, n); return err }
		evaluate := func(k Scalar, b Element) error { _, err := s.Evaluate(k, b); return err }
		challenge, response := r.proofs[0], r.proofs[0]
		challenge[3] ^= 1
		response[35] ^= 1
		for i := range 32 {
			response[32+i] = 0xff
		}
		for _, c := range []struct {
			name string
			err  error
			want error
		}{
			{"good", combine(2, a[0], a[2]), nil},
			{"one of two", combine(2, a[0]), ErrShares},
			{"three of two", combine(2, a...), ErrShares},
			{"none", combine(0), ErrShares},
			{"an index twice", combine(2, a[0], Answer{1, a[1].E}), ErrShares},
			{"index 0", combine(2, a[0], Answer{0, a[1].E}), ErrMalformed},
			{"index 256", combine(2, a[0], Answer{256, a[1].E}), ErrMalformed},
			{"an element of another suite", combine(2, a[0], other.answers[1]), ErrMalformed},
			{"no element", combine(2, a[0], Answer{2, Element{}}), ErrMalformed},
			{"answers that cancel out", combine(2, Answer{1, e}, Answer{2, double(t, s, e)}), ErrMalformed},

			{"one polynomial", s.CheckPolynomial(2, a), nil},
			{"two answers of two", s.CheckPolynomial(2, a[:2]), nil},
			{"the last is false", s.CheckPolynomial(2, spoilt), ErrShares},
			{"the first is false", s.CheckPolynomial(2, lying), ErrShares},
			{"too few", s.CheckPolynomial(2, a[:1]), ErrShares},
			{"a share of itself", s.CheckPolynomial(2, []Answer{a[0], a[1], a[0]}), ErrShares},
			{"threshold 0", s.CheckPolynomial(0, a), ErrShares},
			{"index 0 of many", s.CheckPolynomial(2, append(slices.Clone(a), Answer{0, e})), ErrMalformed},

			{"scalars", scalars(2, r.shares[1:]...), nil},
			{"one scalar", scalars(2, r.shares[0]), ErrShares},
			{"a scalar twice", scalars(2, r.shares[0], r.shares[0]), ErrShares},
			{"a scalar of another suite", scalars(2, r.shares[0], other.shares[1]), ErrMalformed},
			{"no scalar", scalars(2, r.shares[0], Share{Index: 2}), ErrMalformed},

			{"threshold 0 dealt", deal(r.shares[0].Scalar, 0, 3), ErrShares},
			{"threshold above n", deal(r.shares[0].Scalar, 4, 3), ErrShares},
			{"256 shares", deal(r.shares[0].Scalar, 2, 256), ErrShares},
			{"no secret", deal(Scalar{}, 2, 3), ErrMalformed},
			{"a secret of another suite", deal(other.shares[0].Scalar, 2, 3), ErrMalformed},

			{"evaluated without a share", evaluate(Scalar{}, r.b.Element), ErrMalformed},
			{"evaluated of nothing", evaluate(r.shares[0].Scalar, Element{}), ErrMalformed},
			{"evaluated across suites", evaluate(r.shares[0].Scalar, other.b.Element), ErrMalformed},

			{"proof", s.Verify(r.shares[0].Public, r.b.Element, e, r.proofs[0]), nil},
			{"proof of another server", s.Verify(r.shares[1].Public, r.b.Element, e, r.proofs[0]), ErrProof},
			{"proof of another evaluation", s.Verify(r.shares[0].Public, r.b.Element, a[1].E, r.proofs[0]), ErrProof},
			{"proof of another input", s.Verify(r.shares[0].Public, a[1].E, e, r.proofs[0]), ErrProof},
			{"challenge changed", s.Verify(r.shares[0].Public, r.b.Element, e, challenge), ErrProof},
			{"response not canonical", s.Verify(r.shares[0].Public, r.b.Element, e, response), ErrProof},
			{"proof of zeros", s.Verify(r.shares[0].Public, r.b.Element, e, Proof{}), ErrProof},
			{"proof without a key", s.Verify(Element{}, r.b.Element, e, r.proofs[0]), ErrMalformed},
		} {
			if !errors.Is(c.err, c.want) || (c.want == nil) != (c.err == nil) {
				t.Errorf("%v, %s: %v, want %v", s, c.name, c.err, c.want)
			}
		}
		if _, err := r.b.Finalize(Element{}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v: finalized nothing: %v", s, err)
		}
	}
}

// double is 2·e: with e at 1 and 2·e at 2 the polynomial is zero at zero.
func double(t testing.TB, s Suite, e Element) Element {
	t.Helper()
	d, err := s.element(s.group().NewElement().Dbl(e.e))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestWrongShare: one wrong share among t spoils the output, and only a proof or
// more answers tell.
func TestWrongShare(t *testing.T) {
	for _, s := range []Suite{Ristretto255, P256} {
		r := newRound(t, s)
		good, err := s.Combine(2, r.answers[:2])
		if err != nil {
			t.Fatal(err)
		}
		bad, err := s.Combine(2, []Answer{r.answers[0], {2, r.answers[2].E}})
		if err != nil {
			t.Fatal(err)
		}
		x, err1 := r.b.Finalize(good)
		y, err2 := r.b.Finalize(bad)
		if err1 != nil || err2 != nil || string(x) == string(y) {
			t.Errorf("%v: %v, %v", s, err1, err2)
		}
	}
}

// TestSecretsPrintNothing walks the types that hold secrets.
func TestSecretsPrintNothing(t *testing.T) {
	r := newRound(t, Ristretto255)
	combined, err := r.suite.Combine(2, r.answers[:2])
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.b.Finalize(combined)
	if err != nil {
		t.Fatal(err)
	}
	k := r.shares[0].Scalar.Bytes()
	blind := Scalar{Ristretto255, r.b.blind}.Bytes()
	secrets := []string{hex.EncodeToString(k[:8]), hex.EncodeToString(out[:8]), fmt.Sprintf("%d", k[:4])[1:], fmt.Sprintf("%d", []byte(out[:4]))[1:], hex.EncodeToString(blind[:8])}
	for _, v := range []any{r.shares[0].Scalar, &r.shares[0].Scalar, r.shares[0], out, r.b, *r.b} {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		text := log.String() + string(j)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q"} {
			text += fmt.Sprintf(verb, v)
		}
		for _, s := range secrets {
			if strings.Contains(strings.ToLower(text), strings.TrimSuffix(s, "]")) {
				t.Errorf("%T prints %s: %s", v, s, text)
			}
		}
	}
}

// FuzzElement: what is read is written as the same bytes, and is no identity.
func FuzzElement(f *testing.F) {
	for _, s := range []Suite{Ristretto255, P256} {
		r := newRound(f, s)
		f.Add(uint8(s), r.b.Element.Bytes())
		k := r.shares[0].Scalar.Bytes()
		f.Add(uint8(s), k[:])
	}
	f.Add(uint8(1), unhex(f, orderRistretto))
	f.Add(uint8(2), unhex(f, orderP256))
	f.Fuzz(func(t *testing.T, suite uint8, b []byte) {
		s := Suite(suite)
		if e, err := s.Element(b); err == nil && (string(e.Bytes()) != string(b) || e.e.IsIdentity()) {
			t.Fatalf("%x is read as %v", b, e)
		}
		if k, err := s.Scalar(b); err == nil {
			if got := k.Bytes(); string(got[:]) != string(b) || k.s.IsZero() {
				t.Fatalf("%x is read as %x", b, got)
			}
		}
	})
}
