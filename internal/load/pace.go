package load

import (
	"context"
	"sync/atomic"
	"time"
)

// pace hands out turns: at a rate, up to a number, for a time.
type pace struct {
	begin time.Time
	every time.Duration // 0: at once
	most  int64         // 0: any number
	end   time.Time     // zero: never
	turns atomic.Int64
}

func newPace(rate float64, most int, lasts time.Duration) *pace {
	p := &pace{begin: time.Now(), most: int64(most)}
	if rate > 0 {
		p.every = time.Duration(float64(time.Second) / rate)
	}
	if lasts > 0 {
		p.end = p.begin.Add(lasts)
	}
	return p
}

// next waits for the next turn, and reports whether there is one. A turn that is
// late is taken at once, and the ones behind it are not put off: the rate holds
// over the whole time, as long as the server keeps up.
func (p *pace) next(ctx context.Context) bool {
	i := p.turns.Add(1) - 1
	if p.most > 0 && i >= p.most {
		return false
	}
	due := time.Now()
	if p.every > 0 {
		due = p.begin.Add(time.Duration(i) * p.every)
	}
	if !p.end.IsZero() && (!due.Before(p.end) || !time.Now().Before(p.end)) {
		return false
	}
	wait := time.Until(due)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
