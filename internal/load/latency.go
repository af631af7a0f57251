package load

import (
	"math/bits"
	"time"
)

// latencies are how long calls took, in buckets that are 3 % wide and reach to
// days, so that a long run needs no more room than a short one.
type latencies struct {
	counts [40 * 32]uint32
	n      int64
	max    time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.n++
	l.max = max(l.max, d)
	l.counts[min(bucketOf(d), len(l.counts)-1)]++
}

// bucketOf counts microseconds: one a bucket up to 32, then 32 buckets for each
// doubling.
func bucketOf(d time.Duration) int {
	us := uint64(max(d.Microseconds(), 0))
	if us < 32 {
		return int(us)
	}
	doubling := bits.Len64(us) - 5
	return doubling*32 + int(us>>(doubling-1)) - 32
}

// least is the shortest time in a bucket.
func least(bucket int) time.Duration {
	if bucket < 32 {
		return time.Duration(bucket) * time.Microsecond
	}
	doubling, rest := bucket/32, bucket%32
	return time.Duration(32+rest) << (doubling - 1) * time.Microsecond
}

// quantile is the time that a part q of the calls did not exceed, to 3 %.
func (l *latencies) quantile(q float64) time.Duration {
	rank := int64(q * float64(l.n))
	for i, c := range l.counts {
		if rank -= int64(c); rank < 0 {
			return min(least(i+1), l.max)
		}
	}
	return l.max
}
