package console

import (
	"net/netip"
	"sync"
	"time"
)

// How many ceremonies a network may begin: a burst, and so many a minute. Nobody
// is kept from signing in by what another network does.
const (
	beginBurst     = 30
	beginPerMinute = 30
	maxNetworks    = 10_000 // in memory; the oldest are forgotten
)

// limit counts what networks begin. It is in memory alone: who restarts the server
// to get more has no need to.
type limit struct {
	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimit() *limit { return &limit{buckets: map[string]bucket{}} }

// take reports whether a network may begin one more.
func (l *limit) take(network string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[network]
	if !known {
		if len(l.buckets) >= maxNetworks {
			l.forget(now)
		}
		b = bucket{beginBurst, now}
	}
	b.tokens = min(beginBurst, b.tokens+max(now.Sub(b.at).Minutes(), 0)*beginPerMinute)
	b.at = now
	ok := b.tokens >= 1
	if ok {
		b.tokens--
	}
	l.buckets[network] = b
	return ok
}

// forget drops those that are full again, and all if that does not help.
func (l *limit) forget(now time.Time) {
	for network, b := range l.buckets {
		if now.Sub(b.at).Minutes()*beginPerMinute+b.tokens >= beginBurst {
			delete(l.buckets, network)
		}
	}
	if len(l.buckets) >= maxNetworks {
		clear(l.buckets)
	}
}

// network is what counts as one: an IPv4 /24 or IPv6 /48, as for people.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return address
	}
	return p.String()
}
