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
	now := s.now()
	if err := s.mayRead(caller, in.App); err != nil {
		return nil, err
	}
	var out *StatReport
	err := s.view(ctx, func(tx Tx) (err error) {
		out, err = ReadStats(ctx, tx, in, now)
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
	q, err := in.query(now)
	if err != nil {
		return nil, err
	}
	out := &StatReport{
		From: time.Unix(q.From*3600, 0).UTC(), To: time.Unix(q.To*3600, 0).UTC(), By: slices.Clone(in.By), Findings: q.Findings,
	}
	if len(q.By) > 0 {
		if out.Rows, err = readGroups(ctx, tx, q, in.NoAccounts); err != nil {
			return nil, err
		}
		if out.More = len(out.Rows) == q.Limit; out.More {
			out.Rows = out.Rows[:q.Limit-1]
		}
		arrange(out.Rows, in.By)
	}
	if in.NoTotal {
		return out, nil
	}
	all := StatQuery{From: q.From, To: q.To, Equal: map[Dim]string{}}
	for d, value := range q.Equal {
		if !d.OfFinding() {
			all.Equal[d] = value
		}
	}
	total, err := readGroups(ctx, tx, &all, in.NoAccounts)
	if err != nil {
		return nil, err
	}
	if len(total) > 0 {
		out.Total = total[0]
	}
	return out, nil
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
	q := &StatQuery{From: hoursOf(from), To: hoursOf(to.Add(time.Hour - 1)), By: in.By, Equal: in.Equal, Limit: in.Limit + 1}
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

// readGroups reads rows with their distinct accounts, or without.
func readGroups(ctx context.Context, tx Tx, q *StatQuery, noAccounts bool) ([]StatRow, error) {
	var rows []StatRow
	index := map[string]int{}
	err := tx.SumStats(ctx, q, func(s StatSum) error {
		index[strings.Join(s.By, "\x00")] = len(rows)
		rows = append(rows, StatRow{
			By: s.By, Attempts: s.Attempts, Accepted: s.Accepted, Rejected: s.Rejected, WouldDeny: s.WouldDeny,
			AtLeast: s.Accounts > statAccounts,
		})
		return nil
	})
	if err != nil || noAccounts {
		return rows, err
	}
	err = tx.CountStatAccounts(ctx, q, hashHours, func(by []string, _, n int64) error {
		i, ok := index[strings.Join(by, "\x00")]
		if !ok {
			return nil
		}
		// One account may be in two periods under two hashes, so that these are
		// never added up.
		rows[i].AtLeast = rows[i].AtLeast || rows[i].Accounts > 0
		rows[i].Accounts = max(rows[i].Accounts, n)
		return nil
	})
	return rows, err
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
