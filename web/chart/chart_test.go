package chart_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/web/chart"
)

var (
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	none = math.NaN()
)

func hours(n int) chart.Slots { return chart.Slots{From: noon, Step: time.Hour, Count: n} }

func paths(p *chart.Plot) (out []string) {
	for _, s := range p.Shapes {
		out = append(out, s.Mark+" "+s.Path)
	}
	return out
}

// TestRates: steps, with a gap where nothing was counted, on a scale that holds the lowest.
func TestRates(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   string
		axis   string
	}{
		{"whole", []float64{1, 1, 1, 1}, "M0 0H250V0H500V0H750V0H1000", "100 %, 99 %, 98 %"},
		{"a gap", []float64{1, none, 0, 0.5}, "M0 0H250M500 200H750V100H1000", "100 %, 50 %, 0 %"},
		{"alone", []float64{none, 0.75, none, none}, "M250 100H500", "100 %, 75 %, 50 %"},
		{"at the floor", []float64{0.5}, "M0 100H250", "100 %, 50 %, 0 %"},
		{"high", []float64{0.95, 0.91}, "M0 100H250V180H500", "100 %, 95 %, 90 %"},
		{"nothing", nil, "", "100 %, 99 %, 98 %"},
	} {
		p := chart.Rates("r", "Success", hours(4), []chart.Series{{Name: "all", Values: tt.values}})
		var axis []string
		for _, l := range p.Axis {
			axis = append(axis, l.Text)
		}
		if got := paths(p)[0]; got != strings.TrimSpace("s0 "+tt.want) && got != "s0 "+tt.want || strings.Join(axis, ", ") != tt.axis {
			t.Errorf("%s: %q on %q, want %q on %q", tt.name, got, axis, tt.want, tt.axis)
		}
		if p.Empty != (tt.values == nil) || len(p.Spots) != 4 || len(p.Rows) != 4 {
			t.Errorf("%s: empty %v, %d spots, %d rows", tt.name, p.Empty, len(p.Spots), len(p.Rows))
		}
	}
}

// TestCounts: layers stand on one another, and say what they are.
func TestCounts(t *testing.T) {
	p := chart.Counts("c", "Verdicts", hours(2), []chart.Series{
		{Name: "accepted", Values: []float64{30, none}, Kind: "good"}, {Name: "rejected", Values: []float64{10, 20}, Kind: "bad"},
	})
	want := []string{"s0 good M41.7 50h416.7v150h-416.7z", "s1 bad M41.7 0h416.7v50h-416.7zM541.7 100h416.7v100h-416.7z"}
	if diff := cmp.Diff(want, paths(p)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]string{{"21 Nov 12:00", "30", "10"}, {"21 Nov 13:00", "0", "20"}}, p.Rows); diff != "" {
		t.Error(diff)
	}
	if got := p.Spots[1]; got.X != 500 || got.Width != 500 || got.Text != "21 Nov 13:00: rejected 20" {
		t.Errorf("%+v", got)
	}
	if p.Axis[0].Text != "40" || p.Empty {
		t.Errorf("%+v", p.Axis)
	}
	if p := chart.Counts("c", "Nothing", hours(2), []chart.Series{{Name: "x", Values: []float64{0, none}}}); !p.Empty || paths(p)[0] != "s0 " {
		t.Errorf("nothing: %+v", p)
	}
}

// TestSlots: a moment is in one slot, or in none.
func TestSlots(t *testing.T) {
	s := hours(3)
	for at, want := range map[time.Duration]int{-1: -1, 0: 0, time.Hour - 1: 0, time.Hour: 1, 3*time.Hour - 1: 2, 3 * time.Hour: -1} {
		i, ok := s.Slot(noon.Add(at))
		if ok != (want >= 0) || ok && i != want {
			t.Errorf("%s: %d, %v", at, i, ok)
		}
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 1: "100 %", 0.9996: "99.9 %", 0.0001: "0.1 %", 0.1234: "12.3 %", 0.5: "50 %"} {
		if got := chart.Percent(share); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
}
