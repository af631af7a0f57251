package console

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/web/chart"
)

// splitSeries is how many lines the second chart has at most.
const splitSeries = 5

// verdicts is the chart of all attempts by what became of them.
func (s *statistics) verdicts(p *healthPage) {
	title := "Verdicts"
	if _, byCode := s.asked.where[registry.DimCode]; byCode {
		title = "Findings, by the verdict they stand in"
	}
	s.series(nil, func(rows []registry.StatRow) error {
		p.Verdicts = chart.Counts("verdicts", title, s.slots, []chart.Series{
			{Name: "accepted", Kind: "good", Values: values(rows, func(r registry.StatRow) float64 { return float64(r.Accepted) })},
			{Name: "would be denied, if not only observed", Kind: "warn", Values: values(rows, func(r registry.StatRow) float64 { return float64(r.WouldDeny) })},
			{Name: "rejected", Kind: "bad", Values: values(rows, func(r registry.StatRow) float64 { return float64(r.Rejected) })},
		})
		return nil
	})
}

// part is a value of the dim by which the second chart is split.
type part struct {
	value string
	all   int64
	slots []registry.StatRow
}

// split wants the chart by one dim. One look at the rows is enough unless there are
// very many values; then there is another one for the most frequent.
func (s *statistics) split(p *healthPage) {
	by := s.asked.by
	in := registry.StatFilter{By: []registry.Dim{by, s.step()}, Limit: mostRows, NoAccounts: true, NoTotal: true}
	s.ask(in, rejecting(by), func(r *registry.StatReport) error {
		top, more, err := s.parts(r)
		if err != nil {
			return err
		}
		if r.More { // what was left out is theirs too
			for _, one := range top {
				where := map[registry.Dim]string{by: one.value}
				maps.Copy(where, rejecting(by))
				s.series(where, func(rows []registry.StatRow) error {
					one.slots = rows
					p.Split = s.splitChart(top, more)
					return nil
				})
			}
		}
		p.Split = s.splitChart(top, more)
		return nil
	})
}

// parts are the most frequent values of a dim by slot, and whether there are more
// values.
func (s *statistics) parts(r *registry.StatReport) (top []*part, more bool, err error) {
	known := map[string]*part{}
	for _, row := range r.Rows {
		p := known[row.By[0]]
		if p == nil {
			p = &part{value: row.By[0], slots: make([]registry.StatRow, s.slots.Count)}
			known[row.By[0]], top = p, append(top, p)
		}
		p.all += row.Attempts
		if err := s.add(p.slots, row, row.By[1]); err != nil {
			return nil, false, err
		}
	}
	slices.SortStableFunc(top, func(a, b *part) int { return cmp.Or(cmp.Compare(b.all, a.all), cmp.Compare(a.value, b.value)) })
	if more = len(top) > splitSeries; more {
		top = top[:splitSeries]
	}
	return top, more, nil
}

// splitChart shows the success of the most frequent values of a dim, or of reasons how
// often they were given.
func (s *statistics) splitChart(top []*part, more bool) *chart.Plot {
	by := s.asked.by
	var all []chart.Series
	for _, one := range top {
		of := func(r registry.StatRow) float64 { return float64(r.Attempts) }
		if by != registry.DimCode {
			of = func(r registry.StatRow) float64 {
				if r.Attempts == 0 {
					return math.NaN()
				}
				return r.Success()
			}
		}
		all = append(all, chart.Series{Name: valueName(by, one.value), Values: values(one.slots, of)})
	}
	var p *chart.Plot
	if by == registry.DimCode {
		p = chart.Counts("split", "Reasons of rejections", s.slots, all)
	} else {
		p = chart.Rates("split", "Success by "+dimLabel(by), s.slots, all)
	}
	if more {
		p.Says = strings.TrimSpace(p.Says + " The most frequent " + number(splitSeries) + " are shown.")
	}
	return p
}
