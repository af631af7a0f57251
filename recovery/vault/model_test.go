package vault

import (
	"fmt"
	"hash/maphash"
	"testing"
	"time"
)

// search visits every state that can be reached from start, breadth first, and
// returns the largest score it has seen and how many states there are. It stops
// at the first score above stop. Of a state only a fingerprint of 64 bits is
// kept: among ten million the chance that two share one is below 1 in 100,000.
func search[S comparable](start S, next func(S, func(S)), score func(S) int, stop int) (best, states int) {
	seed := maphash.MakeSeed()
	seen := newFingerprints()
	level := []S{start}
	seen.add(maphash.Comparable(seed, start))
	for len(level) > 0 {
		var below []S
		for _, s := range level {
			states++
			if best = max(best, score(s)); best > stop {
				return best, states
			}
			next(s, func(t S) {
				if seen.add(maphash.Comparable(seed, t)) {
					below = append(below, t)
				}
			})
		}
		level = below
	}
	return best, states
}

// fingerprints is a set of numbers, by open addressing.
type fingerprints struct {
	slots []uint64
	n     int
}

func newFingerprints() *fingerprints { return &fingerprints{slots: make([]uint64, 1<<16)} }

// add reports whether x was not there.
func (f *fingerprints) add(x uint64) bool {
	if x == 0 {
		x = 1 // 0 is an empty slot
	}
	if 2*f.n >= len(f.slots) {
		old := f.slots
		f.slots, f.n = make([]uint64, 2*len(old)), 0
		for _, y := range old {
			if y != 0 {
				f.add(y)
			}
		}
	}
	mask := uint64(len(f.slots) - 1)
	for i := x * 0x9e3779b97f4a7c15 >> 1 & mask; ; i = (i + 1) & mask {
		switch f.slots[i] {
		case x:
			return false
		case 0:
			f.slots[i] = x
			f.n++
			return true
		}
	}
}

// report prints what a search has found, with -v.
func report(t *testing.T, best, states int, began time.Time) {
	t.Helper()
	if testing.Verbose() {
		fmt.Printf("    %s: at most %d guesses in %d states, %.1f s\n", t.Name(), best, states, time.Since(began).Seconds())
	}
}
