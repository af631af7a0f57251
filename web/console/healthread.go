package console

import (
	"errors"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/web/chart"
)

// The bounds of what a page shows.
const (
	groupRows   = 12
	splitSeries = 5
)

// statistics reads what a page of health shows.
type statistics struct {
	c     *call
	asked *asked
	slots chart.Slots
}

// together runs jobs beside each other; they read the same store, which takes
// several readers.
func together(jobs []func() error) error {
	errs := make([]error, len(jobs))
	var wg sync.WaitGroup
	for i, job := range jobs {
		wg.Go(func() { errs[i] = job() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// ask reads a report over the page's time and filters, and more of them.
func (s *statistics) ask(in registry.StatFilter, more map[registry.Dim]string) (*registry.StatReport, error) {
	in.App, in.From, in.To = s.c.app, s.slots.From, s.slots.At(s.slots.Count)
	in.Equal = map[registry.Dim]string{}
	for d, v := range s.asked.where {
		in.Equal[d] = v
	}
	for d, v := range more {
		in.Equal[d] = v
	}
	return s.c.read.Stats(s.c.r.Context(), s.c.who, &in)
}

// total fills in the sum. Accounts are counted where their hashes did not change.
func (s *statistics) total(p *healthPage) error {
	in := registry.StatFilter{NoAccounts: s.slots.Count*int(s.slots.Step/time.Hour) > 31*24}
	if _, byCode := s.asked.where[registry.DimCode]; byCode {
		in.By = []registry.Dim{registry.DimCode} // the total is of attempts, whatever was found
	}
	r, err := s.ask(in, nil)
	if err != nil {
		return err
	}
	if p.Total, p.Findings = r.Total, r.Findings; r.Findings {
		p.Total = registry.StatRow{}
		if len(r.Rows) > 0 {
			p.Total = r.Rows[0]
		}
	}
	return nil
}

// series reads rows by slot, for one line or layer.
func (s *statistics) series(more map[registry.Dim]string) ([]registry.StatRow, error) {
	by := registry.DimHour
	if s.slots.Step == 24*time.Hour {
		by = registry.DimDay
	}
	r, err := s.ask(registry.StatFilter{By: []registry.Dim{by}, Limit: 4000, NoAccounts: true}, more)
	if err != nil {
		return nil, err
	}
	sums := make([]registry.StatRow, s.slots.Count)
	for _, row := range r.Rows {
		at, err := slotTime(row.By[0])
		if err != nil {
			return nil, err
		}
		if i, ok := s.slots.Slot(at); ok {
			sums[i].Attempts += row.Attempts
			sums[i].Accepted += row.Accepted
			sums[i].Rejected += row.Rejected
			sums[i].WouldDeny += row.WouldDeny
		}
	}
	return sums, nil
}

// slotTime reads a time as reports write it.
func slotTime(text string) (time.Time, error) {
	if len(text) == len(time.DateOnly) {
		return time.Parse(time.DateOnly, text)
	}
	return time.Parse("2006-01-02T15:04Z", text)
}

func values(rows []registry.StatRow, of func(registry.StatRow) float64) []float64 {
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i] = of(r)
	}
	return out
}

// verdicts is the chart of all attempts by what became of them.
func (s *statistics) verdicts() (*chart.Plot, error) {
	rows, err := s.series(nil)
	if err != nil {
		return nil, err
	}
	title := "Verdicts"
	if _, byCode := s.asked.where[registry.DimCode]; byCode {
		title = "Findings, by the verdict they stand in"
	}
	return chart.Counts("verdicts", title, s.slots, []chart.Series{
		{Name: "accepted", Kind: "good", Values: values(rows, func(r registry.StatRow) float64 { return float64(r.Accepted) })},
		{Name: "would be denied, if not only observed", Kind: "warn", Values: values(rows, func(r registry.StatRow) float64 { return float64(r.WouldDeny) })},
		{Name: "rejected", Kind: "bad", Values: values(rows, func(r registry.StatRow) float64 { return float64(r.Rejected) })},
	}), nil
}

// split is the chart by one dim: the success of its most frequent values, or of
// reasons how often they were given.
func (s *statistics) split() (*chart.Plot, error) {
	by := s.asked.by
	more := rejecting(by)
	top, err := s.ask(registry.StatFilter{By: []registry.Dim{by}, Limit: splitSeries, NoAccounts: true}, more)
	if err != nil {
		return nil, err
	}
	var all []chart.Series
	for _, row := range top.Rows {
		where := map[registry.Dim]string{by: row.By[0]}
		for d, v := range more {
			where[d] = v
		}
		rows, err := s.series(where)
		if err != nil {
			return nil, err
		}
		one := chart.Series{Name: valueName(by, row.By[0])}
		if by == registry.DimCode {
			one.Values = values(rows, func(r registry.StatRow) float64 { return float64(r.Attempts) })
		} else {
			one.Values = values(rows, func(r registry.StatRow) float64 {
				if r.Attempts == 0 {
					return math.NaN()
				}
				return r.Success()
			})
		}
		all = append(all, one)
	}
	var p *chart.Plot
	if by == registry.DimCode {
		p = chart.Counts("split", "Reasons of rejections", s.slots, all)
	} else {
		p = chart.Rates("split", "Success by "+dimLabel(by), s.slots, all)
	}
	if top.More {
		p.Says = strings.TrimSpace(p.Says + " The most frequent " + number(splitSeries) + " are shown.")
	}
	return p, nil
}

// rejecting narrows reasons to those that reject.
func rejecting(d registry.Dim) map[registry.Dim]string {
	if d == registry.DimCode {
		return map[registry.Dim]string{registry.DimEffect: "reject"}
	}
	return nil
}

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

func (s *statistics) group(d registry.Dim) (group, error) {
	g := group{Dim: d, Label: dimLabel(d)}
	r, err := s.ask(registry.StatFilter{By: []registry.Dim{d}, Limit: groupRows, NoAccounts: true}, rejecting(d))
	if err != nil {
		return g, err
	}
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
	return g, nil
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
