package console

import (
	"maps"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/web/chart"
)

// mostRows is how many rows a report has at most.
const mostRows = 10_000

// statistics reads what a page of health shows. Its parts say what they want to know;
// then all is read at once, for the rows of the store take longer than the sums.
type statistics struct {
	c     *call
	asked *asked
	slots chart.Slots
	want  []question
}

// question is a report that is wanted, and what is done with it. That may want more.
type question struct {
	in     *registry.StatFilter
	answer func(*registry.StatReport) error
}

// ask wants a report over the page's time and filters, and more of them.
func (s *statistics) ask(in registry.StatFilter, more map[registry.Dim]string, answer func(*registry.StatReport) error) {
	in.App, in.From, in.To = s.c.app, s.slots.From, s.slots.At(s.slots.Count)
	in.Equal = map[registry.Dim]string{}
	maps.Copy(in.Equal, s.asked.where)
	maps.Copy(in.Equal, more)
	s.want = append(s.want, question{&in, answer})
}

// read answers what is wanted, until nothing more is.
func (s *statistics) read() error {
	for len(s.want) > 0 {
		want := s.want
		s.want = nil
		in := make([]*registry.StatFilter, len(want))
		for i, q := range want {
			in[i] = q.in
		}
		all, err := s.c.read.Reports(s.c.r.Context(), s.c.who, in)
		if err != nil {
			return err
		}
		for i, q := range want {
			if err := q.answer(all[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// total wants the sum. Accounts are counted of a week at most: more takes long.
func (s *statistics) total(p *healthPage) {
	in := registry.StatFilter{NoAccounts: s.slots.At(s.slots.Count).Sub(s.slots.From) > 7*24*time.Hour}
	if _, byCode := s.asked.where[registry.DimCode]; byCode {
		in.By, in.NoTotal = []registry.Dim{registry.DimCode}, true // the total is of attempts, whatever was found
	}
	s.ask(in, nil, func(r *registry.StatReport) error {
		if p.Total, p.Findings = r.Total, r.Findings; r.Findings && len(r.Rows) > 0 {
			p.Total = r.Rows[0]
		}
		return nil
	})
}

// series wants rows by slot.
func (s *statistics) series(more map[registry.Dim]string, answer func([]registry.StatRow) error) {
	in := registry.StatFilter{By: []registry.Dim{s.step()}, Limit: mostRows, NoAccounts: true, NoTotal: true}
	s.ask(in, more, func(r *registry.StatReport) error {
		sums := make([]registry.StatRow, s.slots.Count)
		for _, row := range r.Rows {
			if err := s.add(sums, row, row.By[0]); err != nil {
				return err
			}
		}
		return answer(sums)
	})
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

// rejecting narrows reasons to those that reject.
func rejecting(d registry.Dim) map[registry.Dim]string {
	if d == registry.DimCode {
		return map[registry.Dim]string{registry.DimEffect: "reject"}
	}
	return nil
}
