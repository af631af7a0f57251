package webhook

import (
	"testing"
	"time"
)

// TestWait: 100 ms, twice as long each time, up to a minute, give or take a fifth.
func TestWait(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 5: 1600 * time.Millisecond, 10: 51200 * time.Millisecond,
		11: time.Minute, 64: time.Minute, 1 << 20: time.Minute,
	} {
		for range 100 {
			if got := wait(failures); got < want*8/10 || got > want*12/10 {
				t.Fatalf("after %d failures %s, want about %s", failures, got, want)
			}
		}
	}
}
