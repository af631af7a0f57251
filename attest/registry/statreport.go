package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
)

// The bounds of a report.
const (
	defaultStatGroups = 1000
	maxStatGroups     = 10_000
	defaultStatSpan   = 24 * time.Hour
)

// StatFilter says which statistics are wanted.
type StatFilter struct {
	App account.AppID

	// The hours from that of From to that of To, both whole. Zero: up to now;
	// the 24 hours before To. Rows are kept for 90 days.
	From, To time.Time

	By    []Dim          // one row of the report for every combination of their values; empty: the total only
	Equal map[Dim]string // what must be so; not DimHour and DimDay
	Limit int            // rows of the report; 0: 1000; at most 10000

	// NoAccounts leaves out how many accounts it were, which takes most of the time.
	NoAccounts bool
	// NoTotal leaves out the total, which is another look at the same rows.
	NoTotal bool
}

// StatReport is what was asked for.
type StatReport struct {
	From, To time.Time // as they were taken: whole hours
	By       []Dim
	Findings bool      // a dim is of findings: rows count these, and Total the attempts behind them
	Rows     []StatRow // most attempts first; by time if that is the first dim
	More     bool      // there are more rows than the limit, with fewer attempts
	Total    StatRow   // of all attempts that fit what Equal says of attempts
}

// StatRow is a row of a report: attempts, or findings, that have By in common.
type StatRow struct {
	By        []string // values of StatReport.By
	Attempts  int64
	Accepted  int64
	Rejected  int64 // and denied
	WouldDeny int64 // rejected, and let pass by a rollout that observes

	// Accounts are the distinct ones. AtLeast: there may be more, for one of the
	// hours had more of a kind than are kept, or the hashes changed meanwhile.
	Accounts int64
	AtLeast  bool
}

// Success is the share of attempts whose verdict accepts, whatever was done
// about it; 0 of none.
func (r StatRow) Success() float64 { return ratio(r.Accepted, r.Attempts) }

func ratio(part, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}

// Stats gives statistics to a backend or an operator.
func (s *Service) Stats(ctx context.Context, caller account.Caller, in *StatFilter) (*StatReport, error) {
	all, err := s.Reports(ctx, caller, []*StatFilter{in})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// Reports gives several reports of the same hours, in their order. They tell of one
// moment, and take hardly longer than one of them.
func (s *Service) Reports(ctx context.Context, caller account.Caller, in []*StatFilter) (out []*StatReport, err error) {
	now := s.now()
	for _, one := range in {
		if err := s.mayRead(caller, one.App); err != nil {
			return nil, err
		}
	}
	err = s.view(ctx, func(tx Tx) (err error) {
		out, err = ReadReports(ctx, tx, in, now)
		return err
	})
	if errors.Is(err, ErrMalformed) { // which names the package already
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("registry: stats: %w", err)
	}
	return out, nil
}

// mayRead reports whether a caller may read what is known of the app as a whole.
func (s *Service) mayRead(c account.Caller, app account.AppID) error {
	if app != s.id {
		return ErrAppUnknown
	}
	if !c.In(s.id) || c.Kind != account.Backend && c.Kind != account.Operator {
		return ErrNotAllowed
	}
	return nil
}

// ReadStats reads statistics from the store of in.App. It is for who reads a
// store without a service; a Service asks first who wants to know.
func ReadStats(ctx context.Context, tx Tx, in *StatFilter, now time.Time) (*StatReport, error) {
	all, err := ReadReports(ctx, tx, []*StatFilter{in}, now)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// query checks in. Its limit is one higher, to see whether there is more.
func (in *StatFilter) query(now time.Time) (*StatQuery, error) {
	to, from := in.To, in.From
	if to.IsZero() {
		to = now.Add(1) // so that the hour that begins now is among them
	}
	if from.IsZero() {
		from = to.Add(-defaultStatSpan)
	}
	q := &StatQuery{From: hoursOf(from), To: hoursOf(to.Add(time.Hour - 1)), By: in.By, Equal: in.Equal, Limit: in.Limit + 1, NoAccounts: in.NoAccounts}
	if in.Limit == 0 {
		q.Limit = defaultStatGroups + 1
	}
	switch {
	case from.Unix() < 0 || !to.After(from):
		return nil, fmt.Errorf("%w: statistics from %s to %s: from must be before to", ErrMalformed, from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	case in.Limit < 0 || in.Limit > maxStatGroups:
		return nil, fmt.Errorf("%w: limit %d is not within 0 and %d", ErrMalformed, in.Limit, maxStatGroups)
	}
	for i, d := range in.By {
		if !slices.Contains(Dims(), d) || slices.Contains(in.By[:i], d) {
			return nil, fmt.Errorf("%w: group by %.40q: there twice, or none of %v", ErrMalformed, d, Dims())
		}
		q.Findings = q.Findings || d.OfFinding()
	}
	for d, value := range in.Equal {
		if !slices.Contains(Dims(), d) || d == DimHour || d == DimDay {
			return nil, fmt.Errorf("%w: filter by %.40q: unknown; for times there are from and to", ErrMalformed, d)
		}
		if _, err := strconv.Atoi(value); err != nil && d == DimPosition {
			return nil, fmt.Errorf("%w: position %.20q is no number", ErrMalformed, value)
		}
		q.Findings = q.Findings || d.OfFinding()
	}
	return q, nil
}

// arrange writes times as people read them, and puts rows in their order if
// that is the first they are grouped by.
func arrange(rows []StatRow, by []Dim) {
	for i, d := range by {
		step, layout := int64(3600), "2006-01-02T15:04Z"
		switch d {
		case DimDay:
			step, layout = 24*3600, time.DateOnly
		case DimHour:
		default:
			continue
		}
		for _, r := range rows {
			if n, err := strconv.ParseInt(r.By[i], 10, 64); err == nil {
				r.By[i] = time.Unix(n*step, 0).UTC().Format(layout)
			}
		}
		if i == 0 {
			slices.SortStableFunc(rows, func(a, b StatRow) int { return strings.Compare(a.By[0], b.By[0]) })
		}
	}
}
