package cpace

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/cloudflare/circl/group"

	"github.com/staunchid/staunch/internal/cbor"
	"github.com/staunchid/staunch/recovery/toprf"
	"github.com/staunchid/staunch/recovery/wire"
)

var seed = wire.Key{7}

// proved is a vault's side, and what the right phone answers to it.
func proved(t testing.TB, s *Session) (*Verifier, *wire.Release) {
	t.Helper()
	x, err := s.Verifier(seed)
	if err != nil {
		t.Fatal(err)
	}
	q := s.release()
	if err := s.Prove(q, x.Share()); err != nil {
		t.Fatal(err)
	}
	return x, q
}

func bothSuites(t *testing.T, run func(t *testing.T, suite wire.Suite)) {
	for _, suite := range []wire.Suite{wire.Suite1, wire.Suite2} {
		t.Run(fmt.Sprint("suite ", uint8(suite)), func(t *testing.T) { run(t, suite) })
	}
}

// TestExchange: one good release and small changes to it, or to what one of the
// sides takes for granted.
func TestExchange(t *testing.T) {
	bothSuites(t, func(t *testing.T, suite wire.Suite) {
		for _, c := range []struct {
			name   string
			phone  func(*Session)      // what the phone takes for granted
			change func(*wire.Release) // on its way
			want   error
		}{
			{"good", nil, nil, nil},
			{"another PIN", func(s *Session) { s.PRS.Key[31] ^= 1 }, nil, ErrProof},
			{"another vault", func(s *Session) { s.Vault = "v2" }, nil, ErrProof},
			{"another account", func(s *Session) { s.Acct[15] ^= 1 }, nil, ErrProof},
			{"another registration", func(s *Session) { s.Reg[15] ^= 1 }, nil, ErrProof},
			{"another B", func(s *Session) { s.B = s.E }, nil, ErrProof},
			{"another E", func(s *Session) { s.E = s.B }, nil, ErrProof},
			{"tag changed", nil, func(q *wire.Release) { q.Tag[31] ^= 1 }, ErrProof},
			{"no tag", nil, func(q *wire.Release) { q.Tag = wire.Tag{} }, ErrProof},
			{"registration changed", nil, func(q *wire.Release) { q.Reg[0] ^= 1 }, ErrProof},
			{"B changed", nil, func(q *wire.Release) { q.B = q.E }, ErrProof},
			{"E changed", nil, func(q *wire.Release) { q.E = q.B }, ErrProof},
			{"vault's half changed", nil, func(q *wire.Release) { q.Ya = q.B }, ErrProof},
			{"phone's half changed", nil, func(q *wire.Release) { q.Yb = q.B }, ErrProof},
			{"vault's half thrown back", nil, func(q *wire.Release) { q.Yb = q.Ya }, ErrProof},
		} {
			t.Run(c.name, func(t *testing.T) {
				x, err := sample(t, suite).Verifier(seed)
				if err != nil {
					t.Fatal(err)
				}
				s := sample(t, suite)
				if c.phone != nil {
					c.phone(s)
				}
				q := s.release()
				if err := s.Prove(q, x.Share()); err != nil {
					t.Fatal(err)
				}
				if c.change != nil {
					c.change(q)
				}
				if err := x.Verify(q); !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
			})
		}
	})
}

// TestHalves: neither side takes the identity, nor what is no element or not
// canonical (draft, scalar_mult_vfy; RFC 9497, Section 2.1).
func TestHalves(t *testing.T) {
	bothSuites(t, func(t *testing.T, suite wire.Suite) {
		x, q := proved(t, sample(t, suite))
		for _, half := range notHalves(suite) {
			bad := *q
			bad.Yb = wire.Element(half)
			if err := x.Verify(&bad); !errors.Is(err, toprf.ErrMalformed) {
				t.Errorf("the vault takes %x: %v", half, err)
			}
			s := sample(t, suite)
			if err := s.Prove(s.release(), wire.Element(half)); !errors.Is(err, toprf.ErrMalformed) {
				t.Errorf("the phone takes %x: %v", half, err)
			}
		}
	})
}

// TestHalvesTellNothing: the vault's half is the same as long as its seed and the
// session are; with another string it is another, which is as good as random to who
// does not know the seed. The phone's is another each time.
func TestHalvesTellNothing(t *testing.T) {
	bothSuites(t, func(t *testing.T, suite wire.Suite) {
		x, first := proved(t, sample(t, suite))
		_, second := proved(t, sample(t, suite))
		if !bytes.Equal(first.Ya, second.Ya) || !bytes.Equal(x.Share(), first.Ya) {
			t.Error("the vault's half changes: the phone would answer a second one")
		}
		if bytes.Equal(first.Yb, second.Yb) || first.Tag == second.Tag {
			t.Error("the phone's half stays the same")
		}
		s := sample(t, suite)
		if other, err := s.Verifier(wire.Key{8}); err != nil || bytes.Equal(other.Share(), x.Share()) {
			t.Errorf("another seed gives the same half, %v", err)
		}
		s.PRS.Key[0] ^= 1
		if other, err := s.Verifier(seed); err != nil || bytes.Equal(other.Share(), x.Share()) {
			t.Errorf("another string gives the same half, %v", err)
		}
	})
}

// TestOneGuess: who does not know the string, makes the vault's half with one of his
// own, and keeps its scalar, can tell from the answer whether it was that one; for
// any other the answer fits nothing that he can compute.
func TestOneGuess(t *testing.T) {
	bothSuites(t, func(t *testing.T, suite wire.Suite) {
		owner := sample(t, suite)
		guess := func(first byte) *Session {
			s := sample(t, suite)
			s.PRS.Key = wire.Key(count(first, 32))
			return s
		}
		for made := byte(0); made < 4; made++ { // 1 is the owner's
			x, err := guess(made).Verifier(seed)
			if err != nil {
				t.Fatal(err)
			}
			q := owner.release()
			if err := owner.Prove(q, x.Share()); err != nil {
				t.Fatal(err)
			}
			hits := 0
			for tried := byte(0); tried < 4; tried++ {
				if (&Verifier{guess(tried), x.y, x.share}).Verify(q) == nil {
					hits++
				}
				y, err := guess(tried).Verifier(seed)
				if err != nil {
					t.Fatal(err)
				}
				if y.Verify(q) == nil {
					hits += 10
				}
			}
			// With the scalar of his own half, the key does not depend on the string that he
			// tries: it is right for all or for none.
			if want := map[bool]int{true: 14, false: 0}[made == 1]; hits != want {
				t.Errorf("half made with %d: %d hits, want %d", made, hits, want)
			}
		}
	})
}

// TestByHand computes what the specification says a second time, with the group and
// another encoder.
func TestByHand(t *testing.T) {
	for suite, g := range map[wire.Suite]group.Group{wire.Suite1: group.Ristretto255, wire.Suite2: group.P256} {
		s := sample(t, suite)
		x, q := proved(t, s)
		message, err := cbor.Marshal([]any{s.PRS.Key[:], "v1", s.Acct[:], s.Reg[:], []byte(s.B), []byte(s.E)})
		if err != nil {
			t.Fatal(err)
		}
		y := g.HashToScalar(seed[:], []byte("staunch/kr1/share"))
		ya := g.NewElement().Mul(g.HashToElement(message, []byte("staunch/kr1/generator")), y)
		if b, err := ya.MarshalBinaryCompress(); err != nil || !bytes.Equal(b, x.Share()) {
			t.Errorf("suite %d: Y_a is %x, want %x, %v", suite, x.Share(), b, err)
		}
		yb := g.NewElement()
		if err := yb.UnmarshalBinary(q.Yb); err != nil {
			t.Fatal(err)
		}
		z, err := g.NewElement().Mul(yb, y).MarshalBinaryCompress()
		if err != nil {
			t.Fatal(err)
		}
		transcript, err := cbor.Marshal([]any{
			"staunch/kr1/release", "v1", s.Acct[:], s.Reg[:], []byte(s.B), []byte(s.E), []byte(q.Ya), []byte(q.Yb),
		})
		if err != nil {
			t.Fatal(err)
		}
		sum := func(key, message []byte) []byte {
			h := hmac.New(sha256.New, key)
			h.Write(message)
			return h.Sum(nil)
		}
		isk := sum(sum([]byte("staunch/kr1/isk"), z), append(transcript, 1)) // RFC 5869, Sections 2.2 and 2.3
		if want := sum(isk, []byte("staunch/kr1/confirm")); !bytes.Equal(q.Tag[:], want) {
			t.Errorf("suite %d: the tag is %x, want %x", suite, q.Tag, want)
		}
	}
}

// TestNoSuite: the zero session proves nothing.
func TestNoSuite(t *testing.T) {
	var s Session
	if _, err := s.Verifier(seed); !errors.Is(err, toprf.ErrMalformed) {
		t.Errorf("a vault: %v", err)
	}
	if err := s.Prove(new(wire.Release), nil); !errors.Is(err, toprf.ErrMalformed) {
		t.Errorf("a phone: %v", err)
	}
}

// TestPrintsNothing: neither the string nor the vault's scalar is in any text.
func TestPrintsNothing(t *testing.T) {
	s := sample(t, wire.Suite1)
	x, _ := proved(t, s)
	y := x.y.Bytes()
	for _, v := range []any{x, *x, s, *s} {
		var text strings.Builder
		slog.New(slog.NewJSONHandler(&text, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&text, nil)).Info("x", "v", v)
		for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%d"} {
			fmt.Fprintf(&text, verb, v)
		}
		for _, secret := range [][]byte{s.PRS.Key[:], y[:]} {
			for _, form := range []string{"%x", "%v", "%q"} {
				if shown := strings.Trim(fmt.Sprintf(form, secret[:8]), "[]\""); strings.Contains(strings.ToLower(text.String()), shown) {
					t.Errorf("%T shows %s", v, shown)
				}
			}
		}
	}
}
