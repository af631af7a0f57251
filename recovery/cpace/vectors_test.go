package cpace

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

var update = flag.Bool("update", false, "write spec/vectors/kr1/exchange.json anew")

const vectors = "../../spec/vectors/kr1/exchange.json"

// text is bytes in hexadecimal, as vectors have them.
type text []byte

func (b text) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }

type exchangeVector struct {
	Suite      wire.Suite `json:"suite"`
	PRS        text       `json:"prs_i"`
	Vault      string     `json:"vault"`
	Acct       text       `json:"acct"`
	RegID      text       `json:"reg_id"`
	B          text       `json:"b"`
	E          text       `json:"e"`
	Generator  text       `json:"g"`
	Seed       text       `json:"y_a_seed"`
	ScalarA    text       `json:"y_a_scalar"`
	Ya         text       `json:"y_a"`
	ScalarB    text       `json:"y_b_scalar"`
	Yb         text       `json:"y_b"`
	Z          text       `json:"z"`
	Transcript text       `json:"transcript"`
	Tag        text       `json:"tag"`
	Refused    []text     `json:"refused_halves"`
}

// count returns n bytes that rise from first.
func count(first byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

// sample is a session as a vault and the right phone have it.
func sample(t testing.TB, suite wire.Suite) *Session {
	t.Helper()
	b, err := toprf.Suite(suite).HashToElement([]byte("b"), "test")
	if err != nil {
		t.Fatal(err)
	}
	e, err := toprf.Suite(suite).HashToElement([]byte("e"), "test")
	if err != nil {
		t.Fatal(err)
	}
	return &Session{
		Suite: suite, PRS: wire.PRS{Key: wire.Key(count(1, 32))}, Vault: "v1", Acct: wire.Acct(count(2, 16)), Reg: wire.RegID(count(3, 16)),
		B: b.Bytes(), E: e.Bytes(),
	}
}

// release is what Prove fills in.
func (s *Session) release() *wire.Release { return &wire.Release{Reg: s.Reg, B: s.B, E: s.E} }

// notHalves are what neither side may take: the identity, what is no element, one
// that is not canonical, and another suite's.
func notHalves(suite wire.Suite) []text {
	size := suite.ElementSize()
	odd := append(make(text, size-1), 1)
	if suite == wire.Suite1 {
		odd = append(text{1}, make(text, size-1)...) // negative: RFC 9496, Section 4.3.1
	}
	return []text{make(text, size), bytes.Repeat(text{0xff}, size), odd, {}, make(text, size+1)}
}

// TestVectors: each step of an exchange, with given scalars.
func TestVectors(t *testing.T) {
	var file struct {
		About string            `json:"about"`
		Cases []*exchangeVector `json:"cases"`
	}
	file.About = "The exchange that proves a PIN to one vault, spec/kr1.md, 3. The order is that of the table. z is the common element. " +
		"refused_halves: neither side may take them."
	for _, suite := range []wire.Suite{wire.Suite1, wire.Suite2} {
		s, group := sample(t, suite), toprf.Suite(suite)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		v := &exchangeVector{
			Suite: suite, PRS: s.PRS.Key[:], Vault: s.Vault, Acct: s.Acct[:], RegID: s.Reg[:], B: text(s.B), E: text(s.E),
			Seed: count(4, 32), Refused: notHalves(suite),
		}
		g, err := s.generator()
		must(err)
		x, err := s.Verifier(wire.Key(v.Seed))
		must(err)
		y, err := group.HashToScalar([]byte("y_b"), "test")
		must(err)
		z, err := group.Mul(y, x.share)
		must(err)
		q := s.release()
		must(s.prove(q, x.Share(), y))
		must(x.Verify(q))
		transcript, err := wire.Encode(q.Transcript(s.Vault, s.Acct))
		must(err)
		ya, yb := x.y.Bytes(), y.Bytes()
		v.Generator, v.ScalarA, v.Ya, v.ScalarB, v.Yb, v.Z = g.Bytes(), ya[:], text(q.Ya), yb[:], text(q.Yb), z.Bytes()
		v.Transcript, v.Tag = transcript, q.Tag[:]
		file.Cases = append(file.Cases, v)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(file); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectors, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Error("exchange.json is not what comes out; -update writes it, and every other implementation must follow")
	}
}
