package load

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is what a phone, or its owner, is like.
type Kind string

// The kinds.
const (
	Honest    Kind = "honest"
	Deviating Kind = "deviating"
	Abusive   Kind = "abusive"
)

// Mix says how many phones of each kind there are, as weights: 8, 1, 1 and 80,
// 10, 10 mean the same.
type Mix struct{ Honest, Deviating, Abusive int }

// DefaultMix is mostly honest, with enough others to see what becomes of them.
func DefaultMix() Mix { return Mix{80, 15, 5} }

// ParseMix reads "honest=80,deviating=15,abusive=5". A kind that is not named
// has none.
func ParseMix(text string) (Mix, error) {
	var m Mix
	fields := map[string]*int{string(Honest): &m.Honest, string(Deviating): &m.Deviating, string(Abusive): &m.Abusive}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		n, err := strconv.Atoi(value)
		field := fields[name]
		if field == nil || err != nil || n < 0 || n > 1_000_000 {
			return Mix{}, fmt.Errorf("load: mix: %q: write it like honest=80,deviating=15,abusive=5, each kind at most once", part)
		}
		*field = n
		delete(fields, name)
	}
	if m == (Mix{}) {
		return Mix{}, fmt.Errorf("load: mix: %q has no phones", text)
	}
	return m, nil
}

func (m Mix) String() string {
	return fmt.Sprintf("honest=%d,deviating=%d,abusive=%d", m.Honest, m.Deviating, m.Abusive)
}

// kinds is a sequence of kinds that has them in their proportion, evenly spread.
func (m Mix) kinds() []Kind {
	weights := []int{m.Honest, m.Deviating, m.Abusive}
	var out []Kind
	for _, i := range spread(weights) {
		out = append(out, []Kind{Honest, Deviating, Abusive}[i])
	}
	return out
}

// spread is a sequence of indices in which each occurs as often as its weight
// says, relative to the others, and as evenly as that goes.
func spread(weights []int) []int {
	common, total := 0, 0
	for _, w := range weights {
		for a, b := common, w; ; a, b = b, a%b {
			if b == 0 {
				common = a
				break
			}
		}
	}
	scaled, credit := make([]int, len(weights)), make([]int, len(weights))
	for i, w := range weights {
		scaled[i] = w / common
		total += scaled[i]
	}
	out := make([]int, 0, total)
	for range total {
		best := 0
		for i := range credit {
			if credit[i] += scaled[i]; credit[i] > credit[best] {
				best = i
			}
		}
		credit[best] -= total
		out = append(out, best)
	}
	return out
}
