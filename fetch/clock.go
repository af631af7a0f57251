package fetch

import (
	"time"

	"github.com/staunchid/staunch/attest/android"
)

// stamp is when a list was fetched, by two clocks: somebody sets the one, and
// the other stands still while a machine sleeps.
type stamp struct {
	wall   time.Time     // UTC, as the verifiers will read it
	mono   time.Time     // when the stamp was made; carries a monotonic reading
	before time.Duration // how old the list was then
}

// stampAt is the stamp of what is asked for now.
func stampAt(now time.Time) stamp { return stamp{wall: now, mono: time.Now()} }

// stampKept is the stamp of a list that was fetched before this process
// started. future: the wall clock was wrong, then or now, so that nobody knows
// how old the list is.
func stampKept(fetchedAt, now time.Time) (s stamp, future bool) {
	if fetchedAt.After(now) {
		return stampAt(now), true
	}
	return stamp{wall: fetchedAt, mono: time.Now(), before: now.Sub(fetchedAt)}, false
}

// age is the greater age of both clocks: an error makes a list old, which a
// fetch cures, and never young.
func (s stamp) age(now time.Time) time.Duration {
	return max(now.Sub(s.wall), s.before+time.Since(s.mono))
}

// aged is list with the FetchedAt that makes its age at now that of the stamp.
func (s stamp) aged(list *android.StatusList, now time.Time) *android.StatusList {
	const rounding = time.Second // the clocks are not read at one moment
	age := s.age(now)
	if age-now.Sub(s.wall) <= rounding {
		return list
	}
	c := *list // shares the entries
	c.FetchedAt = now.Add(-age)
	return &c
}
