package load

import (
	"strings"
	"testing"
)

func TestParseMix(t *testing.T) {
	good := map[string]Mix{
		"honest=80,deviating=15,abusive=5":   {80, 15, 5},
		"abusive=1":                          {0, 0, 1},
		" honest=1, deviating=0 , abusive=2": {1, 0, 2},
	}
	for text, want := range good {
		m, err := ParseMix(text)
		if err != nil || m != want {
			t.Errorf("%q: %v, %v, want %v", text, m, err, want)
		}
		if again, err := ParseMix(m.String()); err != nil || again != m {
			t.Errorf("%q: %v, %v", m.String(), again, err)
		}
	}
	for _, text := range []string{"", "honest", "honest=", "honest=x", "honest=-1", "honest=1,honest=2", "nice=1", "honest=0", "honest=1,,abusive=1", "honest=1000001"} {
		if m, err := ParseMix(text); err == nil {
			t.Errorf("%q: %v, and no error", text, m)
		}
	}
}

// TestSpread: each in its proportion, and evenly.
func TestSpread(t *testing.T) {
	tests := []struct {
		weights []int
		want    string
	}{
		{[]int{1}, "0"},
		{[]int{0, 7}, "1"},
		{[]int{2, 2}, "01"},
		{[]int{3, 1}, "0010"},
		{[]int{4, 2, 1, 1}, "01023010"},
	}
	for _, tt := range tests {
		var b strings.Builder
		for _, i := range spread(tt.weights) {
			b.WriteByte(byte('0' + i))
		}
		if b.String() != tt.want {
			t.Errorf("%v: %s, want %s", tt.weights, b.String(), tt.want)
		}
	}
	counts := map[Kind]int{}
	for _, k := range DefaultMix().kinds() {
		counts[k]++
	}
	if counts[Honest] != 16 || counts[Deviating] != 3 || counts[Abusive] != 1 {
		t.Error(counts)
	}
}
