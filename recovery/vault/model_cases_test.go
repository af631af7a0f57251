package vault

import (
	"os"
	"testing"
	"time"
)

// full reports whether the searches that take minutes are wanted: make model.
func full() bool { return os.Getenv("STAUNCH_MODEL") == "full" }

// quorums of 2 among three honest witnesses: 3/2/2 without a liar, and 4/3/3 with
// one. Quorums of 3 and 2 among four: 5/4/3 with a liar.
func three(limit, ops, restarts int) scheduler {
	return scheduler{honest: 3, q: 2, r: 2, limit: limit, bound: limit, ops: ops, flight: 2, restarts: restarts}
}

func four(limit, ops, restarts int) scheduler {
	return scheduler{honest: 4, q: 3, r: 2, limit: limit, bound: limit, ops: ops, flight: 2, restarts: restarts}
}

// mixed lets calls that charge nothing, and one change of content, come between.
func mixed(s scheduler) scheduler {
	s.status, s.content = true, true
	return s
}

// owned lets the owner release once, which the insider replays at will.
func owned(s scheduler) scheduler {
	s.owner, s.bound = true, 2*s.limit
	return s
}

// alone makes one witness serve one call at a time.
func alone(s scheduler) scheduler {
	s.honest, s.q, s.r, s.flight = 1, 1, 1, 1
	return s
}

// The sizes of searches: those that are made always, those that the race detector
// would take too long for, and those that take minutes.
const (
	quick = iota
	plain
	long
)

// TestModelEqual: an insider who schedules everything gets L guesses, and L more
// after one release by the owner.
func TestModelEqual(t *testing.T) {
	for _, c := range []struct {
		name string
		size int
		s    scheduler
	}{
		{"3-2-2, L 1, 3 calls, 1 restart, mixed", quick, mixed(three(1, 3, 1))},
		{"3-2-2, L 1, 4 calls, 2 restarts, mixed", plain, mixed(three(1, 4, 2))},
		{"3-2-2, L 1, 5 calls, 2 restarts", plain, three(1, 5, 2)},
		{"3-2-2, L 2, 5 calls, 1 restart, mixed", plain, mixed(three(2, 5, 1))},
		{"3-2-2, L 1, 5 calls, 2 restarts, mixed", long, mixed(three(1, 5, 2))},
		{"3-2-2, L 2, 5 calls, 2 restarts, mixed", long, mixed(three(2, 5, 2))},
		{"3-2-2, L 1, 5 calls, 1 restart, a release", plain, owned(three(1, 5, 1))},
		{"3-2-2, L 1, 6 calls, 1 restart, a release", long, owned(three(1, 6, 1))},
		{"3-2-2, L 2, 6 calls, 1 restart, a release", long, owned(three(2, 6, 1))},
		{"one at a time, L 2, 10 calls, a release", quick, alone(owned(three(2, 10, 0)))},
		{"5-4-3, L 1, 3 calls, 1 restart, mixed", quick, mixed(four(1, 3, 1))},
		{"5-4-3, L 1, 4 calls, 1 restart", plain, four(1, 4, 1)},
		{"5-4-3, L 1, 4 calls, 1 restart, mixed", long, mixed(four(1, 4, 1))},
		{"5-4-3, L 1, 5 calls, 1 restart", long, four(1, 5, 1)},
		{"5-4-3, L 2, 5 calls, 1 restart", long, four(2, 5, 1)},
		{"5-4-3, L 1, 4 calls, 1 restart, a release", plain, owned(four(1, 4, 1))},
	} {
		t.Run(c.name, func(t *testing.T) {
			switch {
			case c.size == long && !full():
				t.Skip("takes minutes: run make model")
			case c.size == plain && !full() && (racing || testing.Short()):
				t.Skip("takes minutes with the race detector: make test and make model run it without")
			}
			t.Parallel()
			began := time.Now()
			best, states := search(c.s.start(), c.s.next, score, c.s.bound)
			report(t, best, states, began)
			if best > c.s.bound || !c.s.reached {
				t.Errorf("%d guesses, want %d", best, c.s.bound)
			}
		})
	}
}

// TestModelExceed: without any one of the rules he gets more. Each case is the
// reason for a rule, and shows that the search would find a gap.
func TestModelExceed(t *testing.T) {
	for _, c := range []struct {
		name    string
		s       scheduler
		without func(*scheduler)
	}{
		{"the larger version wins whole", mixed(three(1, 4, 0)), func(s *scheduler) { s.largerWins = true }},
		{"equal charges accepted with another last", three(1, 4, 0), func(s *scheduler) { s.otherLast = true }},
		{"a restarted witness votes zero", three(1, 4, 1), func(s *scheduler) { s.votesZero = true }},
		{"re-join without views", three(1, 4, 1), func(s *scheduler) { s.noViews = true }},
		{"3-2-2 with a liar", three(1, 4, 0), func(s *scheduler) { s.honest, s.q, s.r = 2, 1, 1 }},
		{"sparse marks", alone(owned(three(2, 10, 0))), func(s *scheduler) { s.sparse = true }},
		{"a release nonce not bound to its charge", alone(owned(three(2, 10, 0))), func(s *scheduler) { s.unboundNonce = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			s := c.s
			c.without(&s)
			best, states := search(s.start(), s.next, score, s.bound)
			report(t, best, states, began)
			if best <= s.bound {
				t.Errorf("%d guesses, though a rule is broken: the search finds nothing", best)
			}
		})
	}
}
