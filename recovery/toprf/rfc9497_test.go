package toprf

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/cloudflare/circl/group"
)

type hexBytes []byte

func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

type vector struct {
	Input, Blind, BlindedElement, EvaluationElement, Output, Proof, ProofRandomScalar hexBytes
}

type rfcSuite struct {
	Suite      string
	SkSm, PkSm hexBytes
	Vectors    []vector
}

// rfc9497 reads the single-input vectors of the RFC, by suite.
func rfc9497(t testing.TB) map[Suite]rfcSuite {
	t.Helper()
	b, err := os.ReadFile("testdata/rfc9497.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Suites []rfcSuite }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	all := map[Suite]rfcSuite{}
	for _, s := range []Suite{Ristretto255, P256} {
		for _, r := range file.Suites {
			if r.Suite == s.String() {
				all[s] = r
			}
		}
		if len(all[s].Vectors) < 2 {
			t.Fatalf("%v: %d vectors", s, len(all[s].Vectors))
		}
	}
	return all
}

func scalarOf(t testing.TB, s Suite, b []byte) Scalar {
	t.Helper()
	k, err := s.Scalar(b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// subsets calls yield with every choice of t of 0..n-1.
func subsets(n, t int, yield func([]int)) {
	var pick func(from int, chosen []int)
	pick = func(from int, chosen []int) {
		if len(chosen) == t {
			yield(chosen)
			return
		}
		for i := from; i < n; i++ {
			pick(i+1, append(chosen[:len(chosen):len(chosen)], i))
		}
	}
	pick(0, nil)
}

// TestRFC9497: t evaluations of every t-subset combine to the RFC's output of
// the undivided key; undivided, everything is the RFC's.
func TestRFC9497(t *testing.T) {
	for s, rfc := range rfc9497(t) {
		secret := scalarOf(t, s, rfc.SkSm)
		for i, v := range rfc.Vectors {
			b, err := s.blind(v.Input, scalarOf(t, s, v.Blind).s)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Element.Bytes(), v.BlindedElement) {
				t.Errorf("%v %d: blinded to %v", s, i, b.Element)
			}
			for _, of := range [][2]int{{1, 1}, {2, 3}, {3, 5}} {
				t.Run(fmt.Sprintf("%v/%d/%d-of-%d", s, i, of[0], of[1]), func(t *testing.T) {
					testThreshold(t, s, secret, b, v, of[0], of[1])
				})
			}
			e, err := s.Evaluate(secret, b.Element)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(e.Bytes(), v.EvaluationElement) {
				t.Errorf("%v %d: evaluated to %v", s, i, e)
			}
			p, err := s.prove(secret, b.Element, e, scalarOf(t, s, v.ProofRandomScalar).s)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(p[:], v.Proof) {
				t.Errorf("%v %d: the proof %x", s, i, p)
			}
			public, err := s.Element(rfc.PkSm)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(public, b.Element, e, Proof(v.Proof)); err != nil {
				t.Errorf("%v %d: the RFC's proof: %v", s, i, err)
			}
		}
	}
}

func testThreshold(t *testing.T, s Suite, secret Scalar, b *Blinded, v vector, threshold, n int) {
	shares, err := s.Deal(secret, threshold, n)
	if err != nil {
		t.Fatal(err)
	}
	var answers []Answer
	for _, sh := range shares {
		e, err := s.Evaluate(sh.Scalar, b.Element)
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Prove(sh.Scalar, b.Element, e)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(sh.Public, b.Element, e, p); err != nil {
			t.Errorf("share %d: %v", sh.Index, err)
		}
		answers = append(answers, Answer{sh.Index, e})
	}
	if err := s.CheckPolynomial(threshold, answers); err != nil {
		t.Error(err)
	}
	subsets(n, threshold, func(chosen []int) {
		var some []Answer
		var parts []Share
		for _, i := range chosen {
			some, parts = append(some, answers[i]), append(parts, shares[i])
		}
		combined, err := s.Combine(threshold, some)
		if err != nil {
			t.Fatal(err)
		}
		out, err := b.Finalize(combined)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out, v.Output) {
			t.Errorf("servers %v: %x", chosen, []byte(out))
		}
		whole, err := s.CombineScalars(threshold, parts)
		if err != nil {
			t.Fatal(err)
		}
		if whole.Bytes() != secret.Bytes() {
			t.Errorf("servers %v: another secret", chosen)
		}
	})
}

// TestBlindIsDeterministic: the same PIN, seed and registration give the same B;
// each of them changes it. So the scalar is a function of all three.
func TestBlindIsDeterministic(t *testing.T) {
	for _, s := range []Suite{Ristretto255, P256} {
		x, seed, reg := []byte("x"), [32]byte{1}, [16]byte{2}
		first, err := s.Blind(x, seed, reg)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name string
			x    string
			seed [32]byte
			reg  [16]byte
			same bool
		}{
			{"the same", "x", seed, reg, true},
			{"another input", "y", seed, reg, false},
			{"another seed", "x", [32]byte{3}, reg, false},
			{"another registration", "x", seed, [16]byte{4}, false},
		} {
			b, err := s.Blind([]byte(c.x), c.seed, c.reg)
			if err != nil {
				t.Fatal(err)
			}
			if b.Element.Equal(first.Element) != c.same || b.blind.IsEqual(first.blind) != c.same {
				t.Errorf("%v, %s: %v", s, c.name, b.Element)
			}
		}
	}
}

// TestZeroBlind: a scalar of zero would make every input the same.
func TestZeroBlind(t *testing.T) {
	for s, g := range map[Suite]group.Group{Ristretto255: group.Ristretto255, P256: group.P256} {
		if b, err := s.blind([]byte("x"), g.NewScalar()); err == nil {
			t.Errorf("%v: blinded to %v", s, b.Element)
		}
	}
}
