package insider_test

import (
	"context"
	"testing"
	"time"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/wire"
)

// TestTogether: what is left to the insider, at level process. Whoever rolls back
// the disks of R witnesses together, and keeps the others away, has all tries
// again: and it is seen by the witness that he kept away, by the receipts, and
// for good. L is what the roll-back alone gives, and no bound: he may do it again,
// and with vouchers of the service once is enough for guesses without end, as
// TestRolledBackTogether in recovery/vault shows.
func TestTogether(t *testing.T) {
	t.Parallel()
	k, said := kit(t, recovery.ProfileKR1, 10)
	g := newGame(t, k)
	for range 18 {
		g.guess(nil)
	}
	g.end(most)

	// Three disks go back, of processes that are dead, and the fourth stays dead: it
	// would remember. The store is ahead of the marks now, which is an alarm.
	g.must(k.Kill(k.Parts()...))
	for _, name := range []string{"v1", "v2", "v3"} {
		g.putBack(name)
	}
	g.start("v1", "v2", "v3")
	for range 3 {
		g.guess(nil)
	}
	g.end(most)
	g.owner.Patience = 300 * time.Millisecond
	if _, err := g.owner.Recover(t.Context(), ownersPIN, wire.NewKey()); err == nil {
		t.Error("a vault executes what is ahead of its mark")
	}
	if n, err := k.Events(t.Context(), "recovery.future"); err != nil || n == 0 {
		t.Errorf("events recovery.future: %d, %v", n, err)
	}

	// With the record of before, and the store left as it is.
	g.s.Rewind()
	for range 18 {
		g.guess(nil)
	}
	g.Logf("with %d disks rolled back together: %d PINs tried, and %d may be", 3, g.s.Tested(), 2*most)
	if g.s.Tested() != 2*most {
		t.Errorf("he has tried %d PINs: the documented exception is that a roll-back alone gives him L again, %d", g.s.Tested(), 2*most)
	}

	// The same versions have other records now, which is another alarm; and the
	// fourth, when it is back, has marks that those it joins have forgotten.
	if n, err := k.Events(t.Context(), "recovery.fork"); err != nil || n == 0 {
		t.Errorf("events recovery.fork: %d, %v", n, err)
	}
	if said.has(rolledBack) {
		t.Fatal("that is too early")
	}
	g.start("w1")
	if !said.has(rolledBack) {
		t.Error("the witness that was kept away says nothing")
	}
}

// rolledBack is what a witness logs for operators.
const rolledBack = "recovery.rollback"

// TestFolders: who rolls back the disks of the witnesses one after the other, each
// while the others live, gains nothing; and the others name each of them.
func TestFolders(t *testing.T) {
	t.Parallel()
	k, said := kit(t, recovery.ProfileKR1, 10)
	g := newGame(t, k)
	for range 6 {
		g.guess(nil)
	}
	for i, name := range []string{"v1", "v2", "v3"} {
		g.putBack(name)
		g.must(k.Start(name))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		err := k.Joined(ctx, name)
		cancel()
		t.Logf("disk %d, of %s, was put back: joined: %v", i+1, name, err == nil)
		for range 6 {
			g.guess(g.oldest)
		}
	}
	g.end(most)
	if !said.has(rolledBack) {
		t.Error("nobody is told that journals went back")
	}
}
