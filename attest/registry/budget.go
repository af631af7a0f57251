package registry

import (
	"sync"
	"time"
)

// How many refusals of requests that nobody has signed are put on record: 10 a
// second, and 100 at once. They cost nothing to make, and a flood of them must
// not fill the record; the rest is counted in the statistics alone.
const (
	looseRate  = 10
	looseBurst = 100
)

// budget is a bucket of tokens. The zero budget has none.
type budget struct {
	rate  float64 // a second
	burst float64

	mu   sync.Mutex
	left float64
	last time.Time
}

// take reports whether there is room for one more at now. A clock that is set
// back gives nothing.
func (b *budget) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.last.IsZero():
		b.left, b.last = b.burst, now
	case now.After(b.last):
		b.left = min(b.burst, b.left+now.Sub(b.last).Seconds()*b.rate)
		b.last = now
	}
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
