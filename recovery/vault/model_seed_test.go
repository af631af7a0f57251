package vault

import (
	"context"
	"fmt"
	"math/bits"
	"testing"
	"time"
)

// seedWorld is what an insider has made of the seed profile: what its TEEs
// remember, and the records he has kept. All is of one account; a record is its
// used and its version.
type seedWorld struct {
	own      [3]small
	records  uint64 // a bit each: used * 16 + version
	guesses  uint8
	restarts uint8
}

// seedRules are m TEEs, each restarted r times at most in all, and the limit.
type seedRules struct{ m, r, limit int }

// next is every call of the insider: any record, to any TEE, by the real Memory
// (R4: given at least own, then own is given + 1).
func (r *seedRules) next(s seedWorld, yield func(seedWorld)) {
	ctx := context.Background()
	for i := range r.m {
		if int(s.restarts) < r.r && s.own[i] != 0 {
			t := s
			t.own[i] = 0
			t.restarts++
			yield(t)
		}
		for records := s.records; records != 0; records &= records - 1 {
			at := bits.TrailingZeros64(records)
			given := Mark{Gen: 1, Ver: uint64(at % 16), Charges: uint32(at / 16)}
			f := NewMemory()
			if s.own[i] != 0 {
				f.marks[acctOf(1)] = s.own[i].mark()
			}
			own, err := f.Load(ctx, acctOf(1))
			if err != nil || given.Ver < own.Ver || given.Charges >= uint32(r.limit) {
				continue
			}
			given.Ver++
			given.Charges++
			if f.Advance(ctx, acctOf(1), given) != nil {
				continue
			}
			t := s
			t.own[i] = pack(given)
			t.records |= 1 << (given.Charges*16 + uint32(given.Ver))
			t.guesses++
			yield(t)
		}
	}
}

// TestModelSeed: with m TEEs that he restarts r times in all, an insider has
// exactly L·(m+r) guesses at the seed profile.
func TestModelSeed(t *testing.T) {
	for _, r := range []seedRules{{1, 0, 3}, {1, 2, 2}, {2, 0, 2}, {2, 1, 2}, {3, 0, 2}, {3, 1, 1}, {3, 2, 1}, {2, 2, 2}} {
		t.Run(fmt.Sprintf("%d TEEs, %d restarts, L %d", r.m, r.r, r.limit), func(t *testing.T) {
			began := time.Now()
			start := seedWorld{records: 1 << 1} // used 0, version 1
			best, states := search(start, r.next, func(s seedWorld) int { return int(s.guesses) }, 99)
			report(t, best, states, began)
			if want := r.limit * (r.m + r.r); best != want {
				t.Errorf("%d guesses, want %d", best, want)
			}
		})
	}
}
