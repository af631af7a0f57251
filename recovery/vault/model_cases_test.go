package vault

import (
	"testing"
	"time"
)

// TestModelEqual: an insider who schedules everything gets L guesses, and L more
// after one release by the owner.
func TestModelEqual(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules scheduler
	}{
		{"L 1, quorums of 2 of 3", scheduler{honest: 3, q: 2, r: 2, limit: 1, ops: 4, flight: 2, restarts: 1, bound: 1, status: true, content: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			best, states := search(c.rules.start(), c.rules.next, score, c.rules.bound)
			report(t, c.name, best, states, began)
			if best > c.rules.bound || !c.rules.reached {
				t.Errorf("%d guesses, want %d", best, c.rules.bound)
			}
		})
	}
}

// TestModelExceed: without any one of the rules he gets more. Each case is the
// reason for a rule, and shows that the search would find a gap.
func TestModelExceed(t *testing.T) {
	three := scheduler{honest: 3, q: 2, r: 2, limit: 1, ops: 4, flight: 2, bound: 1}
	for _, c := range []struct {
		name  string
		rules func(*scheduler)
	}{
		{"the larger version wins whole", func(r *scheduler) { r.largerWins, r.status = true, true }},
		{"equal charges accepted with another last", func(r *scheduler) { r.otherLast = true }},
		{"a restarted witness votes zero", func(r *scheduler) { r.votesZero, r.restarts = true, 1 }},
		{"re-join without views", func(r *scheduler) { r.noViews, r.restarts = true, 1 }},
		{"3/2/2 with a liar", func(r *scheduler) { r.honest, r.q, r.r = 2, 1, 1 }},
		{"sparse marks", func(r *scheduler) { r.sparse, r.owner, r.bound, r.ops, r.flight = true, true, 2, 7, 1 }},
		{"a release nonce not bound to its charge", func(r *scheduler) {
			r.unboundNonce, r.owner, r.limit, r.bound, r.ops, r.flight = true, true, 2, 4, 10, 1
			r.honest, r.q, r.r = 1, 1, 1
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			r := three
			c.rules(&r)
			best, states := search(r.start(), r.next, score, r.bound)
			report(t, c.name, best, states, began)
			if best <= r.bound {
				t.Errorf("%d guesses, though a rule is broken: the search finds nothing", best)
			}
		})
	}
}
