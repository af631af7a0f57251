package load

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPace(t *testing.T) {
	tests := []struct {
		name  string
		rate  float64
		most  int
		lasts time.Duration
		each  time.Duration // that a turn takes
		turns int
		after time.Duration
	}{
		{"rate and time", 10, 0, time.Second, 0, 10, 900 * time.Millisecond},
		{"rate and number", 10, 5, 0, 0, 5, 400 * time.Millisecond},
		{"number before time", 10, 5, time.Minute, 0, 5, 400 * time.Millisecond},
		{"as fast as it goes", 0, 7, 0, time.Second, 7, 7 * time.Second},
		{"as fast as it goes, for a time", 0, 0, 3 * time.Second, time.Second, 3, 3 * time.Second},
		{"too slow for the rate", 10, 0, time.Second, 300 * time.Millisecond, 4, 1200 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin, turns := time.Now(), 0
				p := newPace(tt.rate, tt.most, tt.lasts)
				for p.next(t.Context()) {
					turns++
					time.Sleep(tt.each)
				}
				if after := time.Since(begin); turns != tt.turns || after != tt.after {
					t.Errorf("%d turns in %s, want %d in %s", turns, after, tt.turns, tt.after)
				}
			})
		})
	}
}

// TestPaceCatchesUp: turns that were late are not lost.
func TestPaceCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(10, 0, time.Second)
		p.next(t.Context())
		time.Sleep(500 * time.Millisecond)
		turns := 1
		for p.next(t.Context()) {
			turns++
		}
		if turns != 10 {
			t.Errorf("%d turns", turns)
		}
	})
}

func TestPaceStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer stop()
		p, turns := newPace(10, 0, time.Hour), 0
		for p.next(ctx) {
			turns++
		}
		if turns != 3 {
			t.Errorf("%d turns", turns)
		}
	})
}
