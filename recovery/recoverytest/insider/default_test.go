package insider_test

import (
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest/insider"
	"github.com/staunchid/staunch/recovery/wire"
)

// TestDefault: whatever an insider restarts, rolls back or replays, he tries at
// most 15 PINs of an account with kr1-2of3.
func TestDefault(t *testing.T) {
	t.Parallel()
	strategies := []struct {
		name   string
		first  func(g *game)                           // nil: nothing
		move   func(g *game) func(string) insider.Move // of each call; nil: the zero Move
		then   func(g *game)                           // after each guess; nil: nothing
		all    bool                                    // he has every try that there is: 15
		rounds int                                     // 0: 18
	}{
		{name: "plain", all: true},
		{name: "nothing is stored, and the oldest record brought", move: func(g *game) func(string) insider.Move { return g.oldest }, all: true},
		{name: "a vault is restarted", then: func(g *game) { g.restart(g.turn("v1", "v2", "v3")) }},
		{name: "a witness is restarted", then: func(g *game) { g.restart("w1") }},
		{name: "all are restarted at once", then: func(g *game) { g.restart(g.k.Parts()...) }},
		{name: "the store is put back", then: (*game).storeBack, all: true},
		{name: "the store is put back, and a vault restarted", then: func(g *game) { g.storeBack(); g.restart(g.turn("v1", "v2", "v3")) }},
		{name: "the oldest record, and all are restarted", move: func(g *game) func(string) insider.Move { return g.oldest }, then: func(g *game) { g.restart(g.k.Parts()...) }},
		{name: "a folder is put back", then: func(g *game) { g.putBack("v1"); g.start("v1") }},
		{name: "a folder and the store are put back", then: func(g *game) { g.putBack("v1"); g.start("v1"); g.storeBack() }},
		{name: "a folder is put back, and all restarted", then: func(g *game) {
			g.putBack("v1")
			g.must(g.k.Kill(g.k.Parts()...))
			g.start(g.k.Parts()...)
		}},
		{name: "two witnesses stop during the call, and go on", rounds: 9, move: func(g *game) func(string) insider.Move { return g.torn(false) }, then: (*game).settled},
		{name: "two witnesses stop during the call, and are killed", rounds: 9, move: func(g *game) func(string) insider.Move { return g.torn(true) }, then: (*game).settled},
		{name: "the owner's attempt is replayed", first: recovered, then: func(g *game) { g.replay(wire.OpEvaluate, wire.OpRelease) }},
		{name: "the owner's release is replayed", first: recovered, then: func(g *game) { g.replay(wire.OpRelease) }, all: true},
		{name: "the owner's registration is replayed", then: func(g *game) { g.replay(wire.OpCreate) }, all: true},
		{name: "he registers beside it", then: func(g *game) {
			was, v, err := g.s.Register(g.Context(), g.turn("v1", "v2", "v3"))
			if err == nil && was == wire.StateActive && v == wire.VerdictOK {
				g.Error("a registration without a signature beside the owner's")
			}
		}},
	}
	k, _ := kit(t, recovery.ProfileKR1, 10)
	for _, st := range strategies {
		t.Run(st.name, func(t *testing.T) {
			g := newGame(t, k)
			if st.first != nil {
				st.first(g)
			}
			if st.rounds == 0 {
				st.rounds = 18
			}
			for range st.rounds {
				var move func(string) insider.Move
				if st.move != nil {
					move = st.move(g)
				}
				g.guess(move)
				if st.then != nil {
					st.then(g)
				}
			}
			g.end(most)
			if st.all && g.s.Tested() != most {
				t.Errorf("he has tried %d PINs: the search does not take what there is", g.s.Tested())
			}
		})
	}
}

// recovered has the owner recover, so that there is something to replay.
func recovered(g *game) {
	g.Helper()
	if got, err := g.owner.Recover(g.Context(), ownersPIN, wire.NewKey()); err != nil || got != g.owner.Secret {
		g.Fatalf("the owner gets %q: %v", got, err)
	}
	g.must(g.s.Reload(g.Context()))
}

// TestReplaced: with vouchers an insider destroys a registration, and gains no
// try: his own is in its place.
func TestReplaced(t *testing.T) {
	t.Parallel()
	k, _ := kit(t, recovery.ProfileKR1, 10)
	g := newGame(t, k)
	for range 4 {
		g.guess(nil)
	}
	for _, vault := range []string{"v1", "v2", "v3"} {
		if d, c, err := g.s.Replace(g.Context(), vault); err != nil || d != wire.VerdictOK || c != wire.VerdictOK {
			t.Fatalf("%s: deleted %v, created %v: %v", vault, d, c, err)
		}
	}
	for range 20 {
		g.guess(nil)
	}
	g.end(4)
	g.storeBack() // also with the records of before
	for range 20 {
		g.guess(g.oldest)
	}
	g.end(4)
	g.owner.Patience = 300 * time.Millisecond
	if _, err := g.owner.Recover(g.Context(), ownersPIN, wire.NewKey()); err == nil {
		t.Error("the registration is there again")
	}
}
