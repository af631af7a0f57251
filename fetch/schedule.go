package fetch

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// How long a list counts as fresh. The vendor says within these bounds.
const (
	minFresh     = 15 * time.Minute
	maxFresh     = 24 * time.Hour
	defaultFresh = time.Hour // the answer does not say
)

// How long to wait after a failure.
const (
	firstBackOff = 10 * time.Second
	maxBackOff   = 15 * time.Minute
)

// freshness reads how long an answer may be used without asking again: max-age
// less Age, within the bounds. RFC 9111, Sections 4.2.1 and 5.2.2.
func freshness(h http.Header) time.Duration {
	fresh, said := time.Duration(0), false
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache":
				return minFresh
			case "max-age":
				age, ok := deltaSeconds(strings.Trim(value, `"`))
				if !ok || said && age != fresh { // invalid, or said twice: stale
					return minFresh
				}
				fresh, said = age, true
			}
		}
	}
	if !said {
		fresh = defaultFresh
	}
	if age, ok := deltaSeconds(strings.TrimSpace(h.Get("Age"))); ok { // spent in a cache on the way
		fresh -= age
	}
	return min(max(fresh, minFresh), maxFresh)
}

// early is d or up to a tenth less, so that servers that were started together
// do not ask together.
func early(d time.Duration) time.Duration {
	return max(d-rand.N(d/10), minFresh)
}

// backOff is the wait after that many failures in a row: twice the one before,
// up to a bound, of which between half and all.
func backOff(failures int) time.Duration {
	d := firstBackOff
	for range failures - 1 {
		if d *= 2; d >= maxBackOff {
			d = maxBackOff
			break
		}
	}
	return d/2 + rand.N(d/2)
}

// glance is how often a wait looks at the clocks: one that has been set can end
// it early.
const glance = time.Minute

// waitUntil waits as long as remaining says that there is something to wait for.
func waitUntil(ctx context.Context, remaining func() time.Duration) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		d := remaining()
		if d <= 0 {
			return nil
		}
		t := time.NewTimer(min(d, glance))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}
