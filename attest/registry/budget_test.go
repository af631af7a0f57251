package registry

import (
	"fmt"
	"testing"
	"time"
)

// TestBudgets: each key has room of its own, which comes back, and the memory
// of them is bounded. Who would fill it up finds no more room for new keys.
func TestBudgets(t *testing.T) {
	const size = 8
	b := newBudgets(size)
	now := time.Unix(1_800_000_000, 0)
	for i := range size {
		id := fmt.Sprint(i)
		for n := range keyBurst + 2 {
			if got := b.take(id, now); got != (n < keyBurst) {
				t.Errorf("key %d, %d. time: %v", i, n+1, got)
			}
		}
	}
	if b.take("one more", now) {
		t.Error("there is room for one key more than are remembered")
	}
	now = now.Add(time.Minute / keyBurst)
	if !b.take("0", now) || b.take("0", now) {
		t.Error("after a fifth of a minute there is not room for one more")
	}
	if b.take("one more", now) || len(b.of) > size {
		t.Errorf("%d keys are remembered", len(b.of))
	}
	now = now.Add(keyRecovery - time.Second) // all but key 0 have room again
	if !b.take("one more", now) || b.of["0"] == nil || b.of["1"] != nil {
		t.Errorf("%d keys are remembered", len(b.of))
	}
	now = now.Add(-time.Hour)
	for range keyBurst {
		b.take("one more", now)
	}
	if b.take("one more", now) {
		t.Error("a clock that is set back makes room")
	}
}
