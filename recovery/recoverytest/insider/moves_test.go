package insider_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery/recoverytest/insider"
	"github.com/staunchid/staunch/recovery/wire"
)

// most is how many PINs an insider may try of one account with the default: two
// vaults of three for each, ten attempts at each.
const most = 15

// game is a search for one owner's PIN.
type game struct {
	*testing.T
	k     *insider.Kit
	owner *insider.Owner
	s     *insider.Search
	saved map[string]*insider.Snapshot // of every part, when nothing had been tried
	n     int                          // guesses so far
	busy  sync.WaitGroup               // what is done to processes meanwhile
}

func newGame(t *testing.T, k *insider.Kit) *game {
	t.Helper()
	g := &game{T: t, k: k, saved: map[string]*insider.Snapshot{}}
	var err error
	if g.owner, err = k.Enrol(t.Context(), ownersPIN); err != nil {
		t.Fatal(err)
	}
	g.save()
	if g.s, err = k.Search(t.Context(), g.owner); err != nil {
		t.Fatal(err)
	}
	return g
}

// save copies the files of all parts.
func (g *game) save() {
	g.Helper()
	for _, name := range append(g.k.Parts(), insider.APIName) {
		s, err := g.k.Snapshot(name)
		g.must(err)
		g.saved[name] = s
	}
}

func (g *game) must(err error) {
	g.Helper()
	if err != nil {
		g.Fatal(err)
	}
}

// order lets every vault have its turn.
func (g *game) order() []string {
	all := []string{"v1", "v2", "v3", "v1", "v2"}
	return all[g.n%3 : g.n%3+3]
}

// turn is one of some names, in turn.
func (g *game) turn(names ...string) string { return names[g.n%len(names)] }

// guess tries a PIN that was not tried before.
func (g *game) guess(move func(string) insider.Move) {
	g.Helper()
	g.must(g.s.Try(g.Context(), fmt.Sprintf("%06d", g.n), g.order(), move))
	g.n++
}

// putBack makes the files of a part what they were at the beginning; it is dead
// then.
func (g *game) putBack(name string) {
	g.Helper()
	g.must(g.k.PutBack(g.saved[name]))
}

func (g *game) start(names ...string) {
	g.Helper()
	g.must(g.k.Start(names...))
	g.must(g.k.Ready(g.Context(), names...))
}

func (g *game) restart(names ...string) {
	g.Helper()
	g.must(g.k.Restart(g.Context(), names...))
}

// storeBack puts back store and retry log, and brings what is in there from then on.
func (g *game) storeBack() {
	g.Helper()
	g.putBack(insider.APIName)
	g.start(insider.APIName)
	g.must(g.s.Reload(g.Context()))
}

// oldest brings the record of the registration, and stores nothing.
func (g *game) oldest(vault string) insider.Move {
	return insider.Move{Record: g.s.Records[vault][0], Lose: true}
}

// torn lets a call's mark reach some witnesses and not the others: two are stopped
// while the first call of a guess is on its way. Then they go on, or are killed and
// started again.
func (g *game) torn(kill bool) func(string) insider.Move {
	once := false
	return func(vault string) insider.Move {
		if once {
			g.settled()
			return insider.Move{}
		}
		once = true
		var others []string
		for _, name := range g.k.Parts() {
			if name != vault && len(others) < 2 {
				others = append(others, name)
			}
		}
		pause := time.Duration(g.n%5) * 400 * time.Microsecond
		g.busy.Add(1)
		return insider.Move{Within: 200 * time.Millisecond, Also: func(string) {
			defer g.busy.Done()
			time.Sleep(pause)
			err := g.k.Freeze(others...)
			time.Sleep(200 * time.Millisecond)
			if kill {
				err = errors.Join(err, g.k.Kill(others...), g.k.Start(others...))
			} else {
				err = errors.Join(err, g.k.Thaw(others...))
			}
			if err != nil {
				g.Error(err)
			}
		}}
	}
}

// settled waits until every part counts again.
func (g *game) settled() {
	g.Helper()
	g.busy.Wait()
	g.must(g.k.Ready(g.Context()))
}

// replay repeats what the owner's phone has sent, with the newest record.
func (g *game) replay(ops ...wire.Op) {
	g.Helper()
	for _, in := range g.owner.Sent {
		for _, op := range ops {
			if in.Op != op {
				continue
			}
			if err := g.s.Replay(g.Context(), in, insider.Move{}); err != nil && !errors.Is(err, insider.ErrNoVerdict) {
				g.Fatal(err)
			}
		}
	}
}

// end checks that no more was tried than can be, and says how much.
func (g *game) end(bound int) {
	g.Helper()
	g.Logf("%d PINs tried to a verdict in %d guesses, %d may be", g.s.Tested(), g.n, bound)
	if g.s.Tested() > bound {
		g.Errorf("the insider has tried %d PINs, and may %d", g.s.Tested(), bound)
	}
	if g.s.Found() != "" {
		g.Errorf("the vaults say that %s is right, which is not the owner's PIN", g.s.Found())
	}
}
