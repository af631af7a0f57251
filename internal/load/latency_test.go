package load

import (
	"testing"
	"time"
)

// TestBuckets: buckets follow each other, and none is wider than a thirtieth.
func TestBuckets(t *testing.T) {
	for b := range len((&latencies{}).counts) - 1 {
		if bucketOf(least(b)) != b || bucketOf(least(b+1)-time.Microsecond) != b {
			t.Fatalf("bucket %d: from %s, which is in %d", b, least(b), bucketOf(least(b)))
		}
		if width := least(b+1) - least(b); width > time.Microsecond && width > least(b)/30 {
			t.Fatalf("bucket %d from %s is %s wide", b, least(b), width)
		}
	}
	if bucketOf(-time.Second) != 0 {
		t.Error("a time before it began")
	}
}

func TestQuantile(t *testing.T) {
	var l latencies
	if l.quantile(.99) != 0 {
		t.Error("of nothing")
	}
	for i := 1; i <= 1000; i++ {
		l.add(time.Duration(i) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{.5: 500 * time.Millisecond, .9: 900 * time.Millisecond, .99: 990 * time.Millisecond, 1: time.Second} {
		if got := l.quantile(q); got < want || got > want+want/25 {
			t.Errorf("%g: %s, want %s and 4 %% at most", q, got, want)
		}
	}
	l.add(240 * time.Hour)
	if l.quantile(1) != 240*time.Hour {
		t.Errorf("the longest: %s", l.quantile(1))
	}
}
