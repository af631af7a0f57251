package registry

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestCounterAgainstSet holds counter.next against a set of all that was seen,
// for every window, over random walks.
func TestCounterAgainstSet(t *testing.T) {
	for window := range maxCounterWindow + 1 {
		for range 5 {
			var c counter
			seen := map[uint32]bool{}
			var high uint32
			for range 400 {
				n := high + 5 - min(high+5, rand.Uint32N(uint32(window)+12))
				if rand.IntN(30) == 0 {
					n += rand.Uint32N(200)
				}
				want := n > high || n != 0 && high-n < uint32(window) && !seen[n]
				next, ok := c.next(n, window)
				if ok != want {
					t.Fatalf("window %d: %d after %d (seen: %v): %v, want %v", window, n, high, seen[n], ok, want)
				}
				if !ok && next != c {
					t.Fatalf("window %d: %d was refused, and changed %+v to %+v", window, n, c, next)
				}
				if ok {
					c, seen[n], high = next, true, max(high, n)
				}
				for i := range uint32(maxCounterWindow) { // bit i: high-i was seen
					if bit := c.seen>>i&1 == 1; i < high && bit != seen[high-i] {
						t.Fatalf("window %d: bit %d of %b, highest %d", window, i, c.seen, high)
					}
				}
			}
		}
	}
}

// TestCounterEdges has the places where numbers end.
func TestCounterEdges(t *testing.T) {
	tests := []struct {
		name   string
		c      counter
		n      uint32
		window int
		want   counter
		ok     bool
	}{
		{"the first", counter{}, 1, 0, counter{1, 1}, true},
		{"zero", counter{}, 0, 0, counter{}, false},
		{"zero, with a window", counter{3, 7}, 0, 64, counter{3, 7}, false},
		{"equal", counter{5, 1}, 5, 0, counter{5, 1}, false},
		{"equal, with a window", counter{5, 1}, 5, 64, counter{5, 1}, false},
		{"lower", counter{5, 1}, 4, 0, counter{5, 1}, false},
		{"lower, with a window", counter{5, 1}, 4, 2, counter{5, 3}, true},
		{"lower, seen", counter{5, 3}, 4, 2, counter{5, 3}, false},
		{"a window of one is none", counter{5, 1}, 4, 1, counter{5, 1}, false},
		{"last of the window", counter{100, 1}, 37, 64, counter{100, 1 | 1<<63}, true},
		{"behind the window", counter{100, 1}, 36, 64, counter{100, 1}, false},
		{"a window beyond the bitmap", counter{200, 1}, 135, 1000, counter{200, 1}, false},
		{"a negative window", counter{5, 1}, 4, -1, counter{5, 1}, false},
		{"ahead by 63", counter{1, 1}, 64, 0, counter{64, 1 | 1<<63}, true},
		{"ahead by 64", counter{1, 1}, 65, 0, counter{65, 1}, true},
		{"the last there is", counter{1, 1}, math.MaxUint32, 0, counter{math.MaxUint32, 1}, true},
		{"after the last there is", counter{math.MaxUint32, 1}, 0, 64, counter{math.MaxUint32, 1}, false},
		{"a window opened later", counter{9, 1<<9 - 1}, 3, 64, counter{9, 1<<9 - 1}, false},
	}
	for _, tt := range tests {
		if got, ok := tt.c.next(tt.n, tt.window); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %+v, %v, want %+v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}
