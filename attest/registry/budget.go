package registry

import (
	"maps"
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

// How many refusals of requests with a good signature of one key are put on
// record: 5 a minute, and 5 at once. Who has captured one such request can send
// it as often as he likes, and so can who holds a key that was revoked.
const (
	keyRate     = 5.0 / 60
	keyBurst    = 5
	keyBudgets  = 1 << 14 // keys that are remembered at once
	keyRecovery = time.Minute
)

// budgets has a budget for each key. A key whose budget is full again is
// forgotten: that changes nothing. While there is no room for one more, there is
// none on the record either.
type budgets struct {
	size int

	mu    sync.Mutex
	of    map[string]*budget
	swept time.Time
}

func newBudgets(size int) *budgets { return &budgets{size: size, of: map[string]*budget{}} }

// take reports whether there is room for one more refusal of a key at now.
func (b *budgets) take(id string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.of[id]
	if one == nil {
		if len(b.of) >= b.size && now.Sub(b.swept).Abs() >= time.Second {
			b.swept = now
			maps.DeleteFunc(b.of, func(_ string, one *budget) bool { return now.Sub(one.last) >= keyRecovery })
		}
		if len(b.of) >= b.size {
			return false
		}
		one = &budget{rate: keyRate, burst: keyBurst}
		b.of[id] = one
	}
	return one.take(now)
}

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
