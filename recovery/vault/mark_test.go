package vault

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/staunchid/staunch/recovery/wire"
)

// good is a mark, and what a witness may hold before it.
func good() (m, before Mark) {
	m = Mark{Gen: 3, Ver: 9, Charges: 5, Base: 2, Closed: 4, State: StateLocked, Last: [16]byte{1}, Redo: [16]byte{2}}
	before = m
	before.Ver--
	return m, before
}

// TestCovers is rule Q1: one good case and small changes to it.
func TestCovers(t *testing.T) {
	other := [16]byte{9}
	for _, c := range []struct {
		name   string
		change func(m, held *Mark)
		want   bool
	}{
		{"ver + 1", func(m, held *Mark) {}, true},
		{"identical", func(m, held *Mark) { *m = *held }, true},
		{"equal ver, else larger", func(m, held *Mark) { m.Ver, m.Charges = held.Ver, 6 }, false},
		{"smaller ver", func(m, held *Mark) { held.Ver = 10 }, false},
		{"larger gen", func(m, held *Mark) { m.Gen++ }, true},
		{"smaller gen", func(m, held *Mark) { held.Gen++ }, false},
		{"a charge", func(m, held *Mark) { held.Charges = 4 }, true},
		{"a charge less", func(m, held *Mark) { held.Charges = 6 }, false},
		{"a base less", func(m, held *Mark) { held.Base = 3 }, false},
		{"a closed less", func(m, held *Mark) { held.Closed = 5 }, false},
		{"equal charges, another last", func(m, held *Mark) { m.Last = other }, false},
		{"equal charges, no last", func(m, held *Mark) { m.Last = [16]byte{} }, true},
		{"equal charges, a last where there was none", func(m, held *Mark) { held.Last = [16]byte{} }, false},
		{"a charge, another last", func(m, held *Mark) { m.Charges, m.Last = 6, other }, true},
		{"equal gen, another redo", func(m, held *Mark) { m.Redo = other }, false},
		{"equal gen, no redo", func(m, held *Mark) { m.Redo = [16]byte{} }, true},
		{"a gen, another redo", func(m, held *Mark) { m.Gen, m.Redo = 4, other }, true},
		{"equal gen, a worse state", func(m, held *Mark) { m.State = StateDeleted }, true},
		{"equal gen, a better state", func(m, held *Mark) { m.State = StateActive }, false},
		{"a gen, a better state", func(m, held *Mark) { m.Gen, m.State = 4, StateActive }, true},
		{"of an account nobody knew", func(m, held *Mark) { *held = Mark{} }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, held := good()
			c.change(&m, &held)
			if got := m.Covers(held); got != c.want {
				t.Errorf("%+v over %+v: %v", m, held, got)
			}
		})
	}
}

func TestJoin(t *testing.T) {
	other := [16]byte{9}
	for _, c := range []struct {
		name string
		a, b func(*Mark)
		want func(*Mark)
	}{
		{"equal", func(*Mark) {}, func(*Mark) {}, func(*Mark) {}},
		{"each number by itself", func(m *Mark) { m.Ver, m.Base = 20, 3 }, func(m *Mark) { m.Closed = 5 }, func(m *Mark) { m.Ver, m.Base, m.Closed = 20, 3, 5 }},
		{"last of the larger charges, whatever the ver", func(m *Mark) { m.Ver = 20 }, func(m *Mark) { m.Charges, m.Last = 6, other }, func(m *Mark) { m.Ver, m.Charges, m.Last = 20, 6, other }},
		{"equal charges with another last: nothing is free", func(*Mark) {}, func(m *Mark) { m.Last = other }, func(m *Mark) { m.Last = [16]byte{} }},
		{"redo and state of the larger gen", func(m *Mark) { m.Ver = 20 }, func(m *Mark) { m.Gen, m.Redo, m.State = 4, other, StateActive }, func(m *Mark) { m.Ver, m.Gen, m.Redo, m.State = 20, 4, other, StateActive }},
		{"equal gen with another redo: nothing is redone", func(*Mark) {}, func(m *Mark) { m.Redo = other }, func(m *Mark) { m.Redo = [16]byte{} }},
		{"equal gen: the worse state", func(m *Mark) { m.State = StateActive }, func(m *Mark) { m.State = StateDeleted }, func(m *Mark) { m.State = StateDeleted }},
		{"with nothing", func(*Mark) {}, func(m *Mark) { *m = Mark{} }, func(*Mark) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, _ := good()
			b, want := a, a
			c.a(&a)
			c.b(&b)
			c.want(&want)
			if got := Join(a, b); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			if got := Join(b, a); got != want {
				t.Errorf("the other way round: %+v, want %+v", got, want)
			}
		})
	}
}

// anyMark is a mark with small numbers, so that many are equal.
func anyMark(r *rand.Rand) Mark {
	n := func() uint32 { return uint32(r.IntN(3)) }
	return Mark{
		Gen: 1 + n(), Ver: 1 + uint64(n()), Charges: 2 + n(), Base: n(), Closed: n(), State: uint8(n()),
		Last: [16]byte{byte(n())}, Redo: [16]byte{byte(n())},
	}
}

// TestJoinLaws: in whatever order witnesses answer, and however often, the join is
// the same, and it has what each of them has.
func TestJoinLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		a, b, c := anyMark(r), anyMark(r), anyMark(r)
		ab := Join(a, b)
		if ab != Join(b, a) || Join(a, a) != a || Join(ab, c) != Join(a, Join(b, c)) || Join(ab, a) != ab {
			t.Fatalf("%+v, %+v, %+v", a, b, c)
		}
		next := ab
		if next.Ver++; !next.Covers(a) || !next.Covers(b) {
			t.Fatalf("%+v does not cover %+v and %+v", next, a, b)
		}
		if b.Covers(a) && Join(a, b) != b && b.Last == a.Last && b.Redo == a.Redo {
			t.Fatalf("%+v covers %+v, and the join is %+v", b, a, Join(a, b))
		}
	}
}

func TestReadMark(t *testing.T) {
	m, _ := good()
	for _, c := range []struct {
		name   string
		change func(*wire.Mark)
		ok     bool
	}{
		{"good", func(*wire.Mark) {}, true},
		{"gen 0", func(m *wire.Mark) { m.Gen = 0 }, false},
		{"ver 0", func(m *wire.Mark) { m.Ver = 0 }, false},
		{"base above charges", func(m *wire.Mark) { m.Base = 6 }, false},
		{"closed above charges", func(m *wire.Mark) { m.Closed = 6 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := m.wire(acctOf(7))
			c.change(w)
			b, err := wire.Encode(w)
			if err != nil {
				t.Fatal(err)
			}
			acct, got, err := readMark(b)
			if !c.ok {
				if !errors.Is(err, wire.ErrMalformed) {
					t.Errorf("it is read: %v", err)
				}
				return
			}
			if err != nil || acct != acctOf(7) || got != m {
				t.Errorf("%x: %+v, %v", acct, got, err)
			}
		})
	}
}
