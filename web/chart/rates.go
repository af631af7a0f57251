package chart

import (
	"fmt"
	"math"
	"strings"
)

// Rates lays out shares from 0 to 1, each series as a line of steps: flat over its
// slot, for that is what was measured, and broken where there is no value.
func Rates(id, title string, s Slots, series []Series) *Plot {
	p := layout(id, title, s, series)
	lowest := 1.0
	for _, one := range series {
		for _, v := range one.Values {
			if v < lowest { // never of NaN
				lowest = v
			}
		}
	}
	floor := floorOf(lowest)
	for _, share := range []float64{1, (1 + floor) / 2, floor} {
		p.Axis = append(p.Axis, Label{Percent(share), Height * (1 - share) / (1 - floor)})
	}
	wide := float64(Width) / float64(max(s.Count, 1))
	for k := range series {
		var d strings.Builder
		open := false
		for i := range s.Count {
			v := at(series[k], i)
			if math.IsNaN(v) {
				open = false
				continue
			}
			y := num(Height * (1 - min(max(v, floor), 1)) / (1 - floor))
			if open {
				fmt.Fprintf(&d, "V%s", y)
			} else {
				fmt.Fprintf(&d, "M%s %s", num(float64(i)*wide), y)
			}
			fmt.Fprintf(&d, "H%s", num(float64(i+1)*wide))
			open = true
		}
		p.Shapes = append(p.Shapes, Shape{series[k].Name, d.String(), mark(k, &series[k])})
	}
	p.fill(s, series, func(v float64) string {
		if math.IsNaN(v) {
			return "–"
		}
		return Percent(v)
	})
	if floor > 0 {
		p.Says = "The scale begins at " + Percent(floor) + "."
	}
	return p
}

// floorOf is where the scale of shares begins: at 0 unless all of them are high.
func floorOf(lowest float64) float64 {
	for _, f := range []float64{0.98, 0.9, 0.5} {
		if lowest > f {
			return f
		}
	}
	return 0
}

// Percent writes a share. It never rounds up to all, nor down to none.
func Percent(share float64) string {
	switch text := fmt.Sprintf("%.1f", 100*share); {
	case text == "100.0" && share < 1:
		return "99.9 %"
	case text == "0.0" && share > 0:
		return "0.1 %"
	case strings.HasSuffix(text, ".0"):
		return strings.TrimSuffix(text, ".0") + " %"
	default:
		return text + " %"
	}
}
