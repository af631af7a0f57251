package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// statReading is a report that is being read: the queries for its rows and for its
// total, and what they gave.
type statReading struct {
	in          *StatFilter
	out         *StatReport
	rows, total *statAnswer // nil: not wanted
}

// statAnswer is a query with its groups.
type statAnswer struct {
	query *StatQuery
	rows  []StatRow
}

// ReadReports reads several reports of the same hours from the store of an app, in
// their order, as ReadStats reads one. The rows of the hours are read once for all,
// and once more for each number of accounts.
func ReadReports(ctx context.Context, tx Tx, in []*StatFilter, now time.Time) ([]*StatReport, error) {
	var all []*statReading
	var answers []*statAnswer
	for _, f := range in {
		r, err := f.reading(now)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 && (!r.out.From.Equal(all[0].out.From) || !r.out.To.Equal(all[0].out.To)) {
			return nil, fmt.Errorf("%w: reports of different hours cannot be read together: ask for each by itself", ErrMalformed)
		}
		all = append(all, r)
		for _, a := range []*statAnswer{r.rows, r.total} {
			if a != nil {
				answers = append(answers, a)
			}
		}
	}
	if err := sumUp(ctx, tx, answers); err != nil {
		return nil, err
	}
	var out []*StatReport
	for _, r := range all {
		if err := r.finish(ctx, tx); err != nil {
			return nil, err
		}
		out = append(out, r.out)
	}
	return out, nil
}

// reading checks in, and says what is to be asked of the store.
func (in *StatFilter) reading(now time.Time) (*statReading, error) {
	q, err := in.query(now)
	if err != nil {
		return nil, err
	}
	r := &statReading{in: in, out: &StatReport{
		From: time.Unix(q.From*3600, 0).UTC(), To: time.Unix(q.To*3600, 0).UTC(), By: slices.Clone(in.By), Findings: q.Findings,
	}}
	if len(q.By) > 0 {
		r.rows = &statAnswer{query: q}
	}
	if !in.NoTotal {
		total := &StatQuery{From: q.From, To: q.To, Equal: maps.Clone(q.Equal), NoAccounts: in.NoAccounts}
		maps.DeleteFunc(total.Equal, func(d Dim, _ string) bool { return d.OfFinding() })
		r.total = &statAnswer{query: total}
	}
	return r, nil
}

// finish puts the answers into the report.
func (r *statReading) finish(ctx context.Context, tx Tx) error {
	if a := r.rows; a != nil {
		if err := a.count(ctx, tx, r.in); err != nil {
			return err
		}
		r.out.Rows = a.rows
		if r.out.More = len(a.rows) == a.query.Limit; r.out.More {
			r.out.Rows = a.rows[:a.query.Limit-1]
		}
		arrange(r.out.Rows, r.in.By)
	}
	if a := r.total; a != nil {
		if err := a.count(ctx, tx, r.in); err != nil {
			return err
		}
		if len(a.rows) > 0 {
			r.out.Total = a.rows[0]
		}
	}
	return nil
}

// sumUp reads the groups of all queries at once.
func sumUp(ctx context.Context, tx Tx, all []*statAnswer) error {
	queries := make([]*StatQuery, len(all))
	for i, a := range all {
		queries[i] = a.query
	}
	return tx.SumStats(ctx, queries, func(i int, s StatSum) error {
		all[i].rows = append(all[i].rows, StatRow{
			By: s.By, Attempts: s.Attempts, Accepted: s.Accepted, Rejected: s.Rejected, WouldDeny: s.WouldDeny,
			AtLeast: s.Accounts > statAccounts,
		})
		return nil
	})
}

// count adds the distinct accounts of each group, where they are wanted.
func (a *statAnswer) count(ctx context.Context, tx Tx, in *StatFilter) error {
	if in.NoAccounts {
		return nil
	}
	index := map[string]int{}
	for i, r := range a.rows {
		index[strings.Join(r.By, "\x00")] = i
	}
	return tx.CountStatAccounts(ctx, a.query, hashHours, func(by []string, _, n int64) error {
		i, ok := index[strings.Join(by, "\x00")]
		if !ok {
			return nil
		}
		// One account may be in two periods under two hashes, so that these are
		// never added up.
		r := &a.rows[i]
		r.AtLeast = r.AtLeast || r.Accounts > 0
		r.Accounts = max(r.Accounts, n)
		return nil
	})
}
