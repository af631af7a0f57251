package toprf

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/cloudflare/circl/group"
)

var update = flag.Bool("update", false, "write the vectors of spec/vectors/kr1 anew")

// The vectors of the threshold OPRF, for implementers in other languages.
type (
	toprfVectors struct {
		About string         `json:"about"`
		Cases []*toprfVector `json:"cases"`
	}
	toprfVector struct {
		Suite        uint8          `json:"suite"`
		T            int            `json:"t"`
		N            int            `json:"n"`
		Coefficients []string       `json:"coefficients"`
		X            string         `json:"x"`
		Seed         string         `json:"a"`
		RegID        string         `json:"reg_id"`
		Blind        string         `json:"r"`
		B            string         `json:"b"`
		ProofRandom  string         `json:"proof_random_scalar"`
		Servers      []serverVector `json:"servers"`
		Combined     string         `json:"combined"`
		Output       string         `json:"rwd"`
	}
	serverVector struct {
		Index  int    `json:"index"`
		Share  string `json:"k_i"`
		Public string `json:"public_k_i"`
		E      string `json:"e_i"`
		Proof  string `json:"proof"`
	}
)

// TestVectors computes the vectors from fixed inputs and compares.
func TestVectors(t *testing.T) {
	all := toprfVectors{About: "The threshold OPRF of spec/kr1.md. coefficients: the polynomial, the key k first; " +
		"r: the blinding scalar of (a, reg_id, x); combined: k·B of any t answers; proof: with proof_random_scalar for its random scalar."}
	for _, s := range []Suite{Ristretto255, P256} {
		for _, of := range [][2]int{{1, 1}, {2, 3}, {3, 5}} {
			all.Cases = append(all.Cases, newVector(t, s, of[0], of[1]))
		}
	}
	got, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "../../spec/vectors/kr1/toprf.json"
	if *update {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got)+"\n" {
		t.Errorf("%s is not what comes out; -update writes it, and every other implementation must follow", file)
	}
}

func newVector(t *testing.T, s Suite, threshold, n int) *toprfVector {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	text := func(b []byte) string { return hex.EncodeToString(b) }
	scalar := func(k group.Scalar) string { b := Scalar{s, k}.Bytes(); return text(b[:]) }
	x, seed, reg := make([]byte, 32), [32]byte{}, [16]byte{}
	for i := range 32 {
		x[i], seed[i] = byte(i), byte(0x40+i)
	}
	copy(reg[:], seed[8:])
	v := &toprfVector{Suite: uint8(s), T: threshold, N: n, X: text(x), Seed: text(seed[:]), RegID: text(reg[:])}
	var coefficients []group.Scalar
	for i := range threshold {
		c := s.group().HashToScalar([]byte{byte(i)}, []byte("coefficient"))
		coefficients, v.Coefficients = append(coefficients, c), append(v.Coefficients, scalar(c))
	}
	r := s.group().HashToScalar([]byte("r"), []byte("proof"))
	v.ProofRandom = scalar(r)
	b, err := s.Blind(x, seed, reg)
	must(err)
	v.Blind, v.B = scalar(b.blind), text(b.Element.Bytes())
	shares, err := s.deal(coefficients, n)
	must(err)
	var answers []Answer
	for _, sh := range shares {
		e, err := s.Evaluate(sh.Scalar, b.Element)
		must(err)
		p, err := s.prove(sh.Scalar, b.Element, e, r)
		must(err)
		must(s.Verify(sh.Public, b.Element, e, p))
		answers = append(answers, Answer{sh.Index, e})
		v.Servers = append(v.Servers, serverVector{sh.Index, scalar(sh.Scalar.s), text(sh.Public.Bytes()), text(e.Bytes()), text(p[:])})
	}
	combined, err := s.Combine(threshold, answers[n-threshold:])
	must(err)
	out, err := b.Finalize(combined)
	must(err)
	v.Combined, v.Output = text(combined.Bytes()), text(out)
	return v
}
