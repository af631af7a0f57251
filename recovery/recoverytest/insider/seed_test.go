package insider_test

import (
	"fmt"
	"testing"

	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/recovery/recoverytest/insider"
)

// TestSeed: the known weakness of profile seed. With m replicas of the enclave, and
// r restarts of them in all, an insider tries exactly L·(m + r) PINs: a replica
// that has forgotten takes the record of before.
func TestSeed(t *testing.T) {
	t.Parallel()
	const limit = 3
	k, _ := kit(t, recovery.ProfileSeed, limit)
	for _, m := range []int{1, 3} {
		for r := range 3 {
			t.Run(fmt.Sprintf("m=%d r=%d", m, r), func(t *testing.T) {
				g := newGame(t, k)
				replicas := []string{"v1", "v1-b", "v1-c"}[:m]
				for life := range m + r {
					part := replicas[life%m]
					if life >= m {
						g.restart(part)
					}
					clean, newest := g.s.Records["v1"][0], g.s.Records["v1"][0]
					for range limit + 2 {
						for _, record := range [][]byte{newest, clean} {
							before := len(g.s.Records["v1"])
							g.must(g.s.TrySeed(t.Context(), fmt.Sprintf("%06d", g.n), insider.Move{Part: part, Record: record, Lose: true}))
							g.n++
							if all := g.s.Records["v1"]; len(all) > before {
								newest = all[len(all)-1]
							}
						}
					}
				}
				g.end(limit * (m + r))
				if got, want := g.s.Tested(), limit*(m+r); got != want {
					t.Errorf("he has tried %d PINs of the %d that he can", got, want)
				}
			})
		}
	}
}
