package console

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/web/chart"
)

// The bounds of what a page shows.
const (
	splitSeries = 5
	mostRows    = 10_000 // of a report
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

// total fills in the sum. Accounts are counted of a week at most: more takes long.
func (s *statistics) total(p *healthPage) error {
	in := registry.StatFilter{NoAccounts: s.slots.At(s.slots.Count).Sub(s.slots.From) > 7*24*time.Hour}
	if _, byCode := s.asked.where[registry.DimCode]; byCode {
		in.By, in.NoTotal = []registry.Dim{registry.DimCode}, true // the total is of attempts, whatever was found
	}
	r, err := s.ask(in, nil)
	if err != nil {
		return err
	}
	if p.Total, p.Findings = r.Total, r.Findings; r.Findings && len(r.Rows) > 0 {
		p.Total = r.Rows[0]
	}
	return nil
}

// series reads rows by slot.
func (s *statistics) series(more map[registry.Dim]string) ([]registry.StatRow, error) {
	r, err := s.ask(registry.StatFilter{By: []registry.Dim{s.step()}, Limit: mostRows, NoAccounts: true, NoTotal: true}, more)
	if err != nil {
		return nil, err
	}
	sums := make([]registry.StatRow, s.slots.Count)
	for _, row := range r.Rows {
		if err := s.add(sums, row, row.By[0]); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// step is the dim of time that is as fine as the slots, or finer.
func (s *statistics) step() registry.Dim {
	if s.slots.Step == 24*time.Hour {
		return registry.DimDay
	}
	return registry.DimHour
}

// add adds a row to the slot that its time is in.
func (s *statistics) add(sums []registry.StatRow, row registry.StatRow, at string) error {
	t, err := slotTime(at)
	if err != nil {
		return err
	}
	if i, ok := s.slots.Slot(t); ok {
		sums[i].Attempts += row.Attempts
		sums[i].Accepted += row.Accepted
		sums[i].Rejected += row.Rejected
		sums[i].WouldDeny += row.WouldDeny
	}
	return nil
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

// part is a value of the dim by which the second chart is split.
type part struct {
	value string
	all   int64
	slots []registry.StatRow
}

// parts reads the most frequent values of a dim by slot, and whether there are
// more values. One look at the rows is enough unless there are very many values;
// then each of the most frequent has one of its own.
func (s *statistics) parts(by registry.Dim) (top []*part, more bool, err error) {
	r, err := s.ask(registry.StatFilter{By: []registry.Dim{by, s.step()}, Limit: mostRows, NoAccounts: true, NoTotal: true}, rejecting(by))
	if err != nil {
		return nil, false, err
	}
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
	if !r.More {
		return top, more, nil
	}
	for _, p := range top { // what was left out is theirs too
		where := map[registry.Dim]string{by: p.value}
		for d, v := range rejecting(by) {
			where[d] = v
		}
		if p.slots, err = s.series(where); err != nil {
			return nil, false, err
		}
	}
	return top, more, nil
}

// split is the chart by one dim: the success of its most frequent values, or of
// reasons how often they were given.
func (s *statistics) split() (*chart.Plot, error) {
	by := s.asked.by
	top, more, err := s.parts(by)
	if err != nil {
		return nil, err
	}
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
	return p, nil
}

// rejecting narrows reasons to those that reject.
func rejecting(d registry.Dim) map[registry.Dim]string {
	if d == registry.DimCode {
		return map[registry.Dim]string{registry.DimEffect: "reject"}
	}
	return nil
}
