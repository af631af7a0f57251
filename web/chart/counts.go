package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Counts lays out numbers as bars, the series of a slot one on another.
func Counts(id, title string, s Slots, series []Series) *Plot {
	p := layout(id, title, s, series)
	p.Bars = true
	highest := 0.0
	for i := range s.Count {
		sum := 0.0
		for k := range series {
			sum += counted(series[k], i)
		}
		highest = max(highest, sum)
	}
	top := roundUp(highest)
	for _, v := range []float64{top, top / 2, 0} {
		p.Axis = append(p.Axis, Label{short(v), Height * (1 - v/top)})
	}
	wide := float64(Width) / float64(max(s.Count, 1))
	gap := wide / 6
	foot := make([]float64, s.Count)
	for k := range series {
		var d strings.Builder
		for i := range s.Count {
			v := counted(series[k], i)
			if v <= 0 {
				continue
			}
			low := foot[i]
			foot[i] += v
			y, h := Height*(1-foot[i]/top), Height*(foot[i]-low)/top
			fmt.Fprintf(&d, "M%s %sh%sv%sh-%sz", num(float64(i)*wide+gap/2), num(y), num(wide-gap), num(max(h, 0.1)), num(wide-gap))
		}
		p.Shapes = append(p.Shapes, Shape{series[k].Name, d.String(), mark(k, &series[k])})
	}
	p.Empty = highest == 0
	p.fill(s, series, func(v float64) string {
		if math.IsNaN(v) {
			v = 0
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	})
	return p
}

func counted(s Series, i int) float64 {
	v := at(s, i)
	if math.IsNaN(v) || v < 0 {
		return 0
	}
	return v
}

// roundUp is the top of a scale: 2, 4 or 10 with zeros, at least v: its half is whole.
func roundUp(v float64) float64 {
	for ten := 1.0; ; ten *= 10 {
		for _, n := range []float64{2, 4, 10} {
			if n*ten >= v {
				return n * ten
			}
		}
	}
}

// short writes a number of an axis: 1.2k, 3M.
func short(v float64) string {
	for _, unit := range []struct {
		of   float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= unit.of {
			return strconv.FormatFloat(math.Round(10*v/unit.of)/10, 'f', -1, 64) + unit.name
		}
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
