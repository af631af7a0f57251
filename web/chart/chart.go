// Package chart lays out charts over time, for pages that draw them as SVG on the
// server: no script, no library, nothing that a content policy would have to let in.
//
//	p := chart.Rates("Success", slots, []chart.Series{{Name: "android", Values: rates}})
//	tmpl.Execute(w, p) // paths, ticks, what to say of each slot, and the numbers as a table
//
// A [Plot] is geometry and words; the template is the page's. All of it lies in a
// box of 1000 by 200 units that the page may stretch either way, so that one chart
// fits a phone and a wall; labels are text beside the box, at the reader's size.
//
// What somebody cannot see, or tell by colour, is there in other ways: each series
// has a stroke of its own beside its colour, each slot says its values, and the
// table has all the numbers.
//
// It does no statistics. A value that nobody counted is NaN and leaves a gap: a line
// never goes over what is not known.
package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The box in which everything lies.
const (
	Width  = 1000
	Height = 200
)

// MaxSeries is how many series a chart tells apart.
const MaxSeries = 6

// Slots is what stands along the chart: spans of time of one length, without a gap.
type Slots struct {
	From  time.Time
	Step  time.Duration
	Count int
}

// At is when slot i begins.
func (s Slots) At(i int) time.Time { return s.From.Add(time.Duration(i) * s.Step) }

// Slot is the one that t is in; ok is false if that is none.
func (s Slots) Slot(t time.Time) (i int, ok bool) {
	if t.Before(s.From) {
		return 0, false
	}
	i = int(t.Sub(s.From) / s.Step)
	return i, i < s.Count
}

// name is a slot in a table.
func (s Slots) name(i int) string {
	if s.Step < 24*time.Hour {
		return s.At(i).UTC().Format("2 Jan 15:04")
	}
	return s.At(i).UTC().Format("2 Jan 2006")
}

// Series is a line, or a layer of bars: a value for each slot. NaN is none.
type Series struct {
	Name   string
	Values []float64
	Kind   string // class for its colour beside its place: "good", "warn", "bad"; empty: by its place
}

// Plot is a chart, laid out.
type Plot struct {
	ID     string // unique on its page
	Title  string
	Says   string  // in a sentence
	Bars   bool    // layers of bars, and not lines
	Axis   []Label // from top to bottom
	Ticks  []Label // along the time
	Shapes []Shape
	Spots  []Spot
	Head   []string // of the table
	Rows   [][]string
	Empty  bool // no value anywhere
}

// Label is a text at a place of its axis.
type Label struct {
	Text string
	At   float64 // from the top, 0 to Height; or along the time, in percent, where its slot begins
}

// Over is where the text of an axis stands: on its line, in a picture whose box
// begins 20 below its top.
func (l Label) Over() float64 { return l.At + 16 }

// Shape is a series, drawn.
type Shape struct {
	Name string
	Path string // of an SVG path
	Mark string // class: "s0" to "s5", and what Series.Kind said
}

// Spot is a slot of the chart, and what it says when somebody points at it.
type Spot struct {
	X, Width float64
	Text     string
}

// num writes a length, short.
func num(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// layout begins a plot.
func layout(id, title string, s Slots, series []Series) *Plot {
	p := &Plot{ID: id, Title: title, Empty: true, Head: []string{"Time (UTC)"}}
	for k := range series {
		p.Head = append(p.Head, series[k].Name)
		for _, v := range series[k].Values {
			p.Empty = p.Empty && math.IsNaN(v)
		}
	}
	const ticks = 4
	step := max(1, (s.Count+ticks-1)/ticks)
	for i := 0; i < s.Count; i += step {
		p.Ticks = append(p.Ticks, Label{s.tick(i), 100 * float64(i) / float64(s.Count)})
	}
	return p
}

// tick is a slot below the chart.
func (s Slots) tick(i int) string {
	switch {
	case s.Step < time.Hour*6:
		return s.At(i).UTC().Format("15:04")
	case s.Step < 24*time.Hour:
		return s.At(i).UTC().Format("Mon 2 Jan")
	}
	return s.At(i).UTC().Format("2 Jan")
}

// fill makes what is said of each slot, and the table.
func (p *Plot) fill(s Slots, series []Series, text func(v float64) string) {
	wide := float64(Width) / float64(max(s.Count, 1))
	for i := range s.Count {
		row := []string{s.name(i)}
		var said []string
		for k := range series {
			v := at(series[k], i)
			row = append(row, text(v))
			if !math.IsNaN(v) {
				said = append(said, fmt.Sprintf("%s %s", series[k].Name, text(v)))
			}
		}
		if len(said) == 0 {
			said = []string{"nothing"}
		}
		p.Rows = append(p.Rows, row)
		p.Spots = append(p.Spots, Spot{float64(i) * wide, wide, row[0] + ": " + strings.Join(said, ", ")})
	}
}

func at(s Series, i int) float64 {
	if i >= len(s.Values) {
		return math.NaN()
	}
	return s.Values[i]
}

// mark is the class of a series.
func mark(k int, s *Series) string {
	m := "s" + strconv.Itoa(k%MaxSeries)
	if s.Kind != "" {
		m += " " + s.Kind
	}
	return m
}
