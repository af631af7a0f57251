package console

import (
	"strings"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/web/chart"
)

// groupRows is how many rows a table has.
const groupRows = 12

// group is a table by one dim.
type group struct {
	Dim   registry.Dim
	Label string
	Rows  []groupRow
	More  bool
}

type groupRow struct {
	Name, Note, Link string // Link: empty, where it cannot be a filter
	registry.StatRow
	Of float64 // share of the largest
}

// Share is the success in percent, 0 to 100.
func (r groupRow) Share() float64 { return 100 * r.Success() }

// Percent writes it.
func (r groupRow) Percent() string { return chart.Percent(r.Success()) }

// Mark is the class of its bar.
func (r groupRow) Mark() string {
	switch s := r.Success(); {
	case s < 0.5:
		return "bad"
	case s < 0.9:
		return "warn"
	}
	return "good"
}

func groupDims() []registry.Dim {
	return []registry.Dim{registry.DimPlatform, registry.DimModel, registry.DimCountry, registry.DimCode}
}

// group wants a table.
func (s *statistics) group(d registry.Dim, g *group) {
	g.Dim, g.Label = d, dimLabel(d)
	in := registry.StatFilter{By: []registry.Dim{d}, Limit: groupRows, NoAccounts: true, NoTotal: true}
	s.ask(in, rejecting(d), func(r *registry.StatReport) error {
		g.More = r.More
		for _, row := range r.Rows {
			one := groupRow{Name: valueName(d, row.By[0]), StatRow: row, Of: 100 * float64(row.Attempts) / float64(r.Rows[0].Attempts)}
			if row.By[0] != "" {
				one.Link = s.asked.With(d, row.By[0])
			}
			if code, known := attest.LookupCode(row.By[0]); known && d == registry.DimCode {
				one.Note = code.Meaning
			}
			g.Rows = append(g.Rows, one)
		}
		return nil
	})
}

// valueName is a value of a dim as people read it.
func valueName(d registry.Dim, v string) string {
	switch {
	case v == "" && d == registry.DimStage:
		return "no stage"
	case v == "":
		return "unknown"
	case v == "apple":
		return "Apple"
	case v == "android":
		return "Android"
	case v == "ZZ" && d == registry.DimCountry:
		return "unknown (ZZ)"
	case d == registry.DimModel && len(v) == 64 && strings.Trim(v, "0123456789abcdef") == "":
		return "batch " + v[:12] + "…"
	}
	return v
}
