package insider_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest/insider"
	"github.com/staunchid/staunch/recovery/wire"
)

// TestRandom plays all moves in any order, against one owner after the other.
func TestRandom(t *testing.T) {
	t.Parallel()
	steps, long := 300, 15*time.Second
	if testing.Short() {
		steps, long = 60, 10*time.Second
	}
	k, _ := kit(t, recovery.ProfileKR1, 10)
	for seed := uint64(0); steps > 0 && (long > 0 || seed == 0); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			begin := time.Now()
			g := newGame(t, k)
			if seed%2 == 1 {
				recovered(g)
			}
			random := rand.New(rand.NewPCG(seed, 1))
			for range 75 {
				if time.Since(begin) > long {
					break
				}
				g.random(random)
				steps--
			}
			g.settled()
			g.end(most)
			long -= time.Since(begin)
		})
	}
}

// random makes one move. Guesses are of a PIN of before, too: of what was charged
// and had no verdict, one may be left.
func (g *game) random(random *rand.Rand) {
	g.Helper()
	parts := g.k.Parts()
	part := parts[random.IntN(len(parts))]
	any := func(vault string) insider.Move {
		all := g.s.Records[vault]
		return insider.Move{Record: all[random.IntN(len(all))], Lose: random.IntN(2) == 0}
	}
	switch random.IntN(16) {
	case 0, 1, 2, 3:
		g.guess(nil)
	case 4, 5, 6:
		g.guess(any)
	case 7:
		g.guess(func(vault string) insider.Move {
			m := any(vault)
			m.Within = time.Duration(1+random.IntN(8)) * time.Millisecond
			return m
		})
	case 8:
		g.guess(g.torn(random.IntN(2) == 0))
	case 9:
		g.replay(wire.OpEvaluate, wire.OpRelease)
	case 10:
		g.storeBack()
	case 11:
		g.restart(part)
	case 12:
		g.restart(parts...)
	case 13: // one dies while it is at work, and comes back with an old disk
		g.guess(func(vault string) insider.Move {
			m := any(vault)
			m.Within = 50 * time.Millisecond
			return m
		})
		g.putBack("v1")
		g.start("v1")
	case 14: // some die, and come back while the others work
		g.must(g.k.Kill(part))
		g.guess(any)
		g.start(part)
	case 15:
		was, v, err := g.s.Register(g.Context(), fmt.Sprint("v", 1+random.IntN(3)))
		if err == nil && was == wire.StateActive && v == wire.VerdictOK {
			g.Error("a registration without a signature beside the owner's")
		}
	}
}
