package registry

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
)

// The conditions under which a suspicion becomes a proposal.
const (
	suspectDays     = 30
	suspectAccounts = 20   // that failed, at least
	suspectShare    = 0.5  // of those that tried, at least
	suspectAbuse    = 0.02 // of those that failed, at most
	suspectSpan     = 48   // hours between the first failure and the last, at least
)

// maxSuspects bounds how many classes are looked at: those with most failures.
const maxSuspects = 200

// Suspect is a class of devices that are refused for something that honest
// devices do: suspected of honesty.
type Suspect struct {
	Platform    string
	Operation   string
	Model       string // "": unknown; with ModelSource "batch" the hash of the batch key
	ModelSource string
	Code        string
	Position    int // -1: none

	Attempts int64   // with this finding
	Failed   int64   // n: distinct accounts that failed
	Tried    int64   // distinct accounts of the class that tried
	Share    float64 // f: Failed / Tried
	Abuse    float64 // a: share of the failed with any finding of class abuse
	Rank     float64 // n · f · (1 - a)

	First, Last time.Time // hours of the first and the last failure
	Busiest     int64     // most accounts that failed within one hour

	Proposed bool     // honesty is likely enough to propose an exception
	Why      []string // what is missing for a proposal, or for a draft
	Draft    string   // text of an [[exception]]; its owner and ticket are empty, so it does not load as it is
}

// Suspects ranks the classes of devices that look honest and are refused, for a
// backend or an operator.
func (s *Service) Suspects(ctx context.Context, caller account.Caller, app account.AppID) ([]Suspect, error) {
	now := s.now()
	if err := s.mayRead(caller, app); err != nil {
		return nil, err
	}
	var out []Suspect
	err := s.view(ctx, func(tx Tx) (err error) {
		out, err = ReadSuspects(ctx, tx, app, now)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("registry: suspects: %w", err)
	}
	return out, nil
}

// ReadSuspects reads the ranking from the store of an app, as ReadStats does.
//
// Looked at are the findings of class honest that rejected in the last 30 days,
// by device class, operation, code and position. A device class is a model as
// attested, else as claimed, else the batch key. Numbers of accounts are never
// added up over a change of the hashes: the period with more failures counts.
func ReadSuspects(ctx context.Context, tx Tx, app account.AppID, now time.Time) ([]Suspect, error) {
	r := suspectReader{tx: tx, app: app, now: now, from: hoursOf(now) - suspectDays*24, to: hoursOf(now) + 1}
	var classes []StatSum
	err := tx.SumStats(ctx, r.query(true, nil,
		map[Dim]string{DimClass: "honest", DimEffect: "reject"}, DimPlatform, DimOperation, DimModel, DimModelSource, DimCode, DimPosition),
		func(s StatSum) error {
			if s.By[2] != other { // of many kinds together, and no class
				classes = append(classes, s)
			}
			return nil
		})
	if err != nil || len(classes) == 0 {
		return nil, err
	}
	r.abusive = map[string]bool{}
	err = tx.StatAccounts(ctx, r.query(true, nil, map[Dim]string{DimClass: "abuse"}), func(_ []string, hash []byte) error {
		r.abusive[string(hash)] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []Suspect
	for _, class := range classes {
		s, err := r.suspect(ctx, class)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b Suspect) int {
		switch {
		case a.Rank > b.Rank:
			return -1
		case a.Rank < b.Rank:
			return 1
		}
		return 0
	})
	return out, nil
}

// suspectReader reads what the rule needs.
type suspectReader struct {
	tx       Tx
	app      account.AppID
	now      time.Time
	from, to int64           // hours
	abusive  map[string]bool // hashes of accounts with any finding of class abuse
}

// query is one over the 30 days, for a class of devices if there is one.
func (r *suspectReader) query(findings bool, s *Suspect, equal map[Dim]string, by ...Dim) *StatQuery {
	q := &StatQuery{From: r.from, To: r.to, Findings: findings, By: by, Equal: equal, Limit: maxSuspects}
	if q.Equal == nil {
		q.Equal = map[Dim]string{}
	}
	if s != nil {
		q.Equal[DimPlatform], q.Equal[DimModel], q.Equal[DimModelSource] = s.Platform, s.Model, s.ModelSource
	}
	return q
}

// suspect looks at one class.
func (r *suspectReader) suspect(ctx context.Context, class StatSum) (Suspect, error) {
	position, err := strconv.Atoi(class.By[5])
	if err != nil {
		return Suspect{}, fmt.Errorf("registry: position %q: %w", class.By[5], err)
	}
	s := Suspect{
		Platform: class.By[0], Operation: class.By[1], Model: class.By[2], ModelSource: class.By[3], Code: class.By[4], Position: position,
		Attempts: class.Attempts,
	}
	f, err := r.failures(ctx, &s)
	if err != nil {
		return s, err
	}
	s.Failed, s.Busiest = int64(len(f.accounts)), f.busiest()
	s.First, s.Last = time.Unix(f.first*3600, 0).UTC(), time.Unix(f.last*3600, 0).UTC()

	tried := r.query(false, &s, map[Dim]string{DimOperation: s.Operation})
	err = r.tx.CountStatAccounts(ctx, tried, hashHours, func(_ []string, period, n int64) error {
		if period == f.period {
			s.Tried = n
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	attempts, incomplete, err := r.attempts(ctx, tried)
	if err != nil {
		return s, err
	}
	s.Share = ratio(s.Failed, s.Tried)
	if incomplete { // then Tried is too small, and the attempts say more
		s.Share = min(s.Share, ratio(s.Attempts, attempts))
	}
	abusive := int64(0)
	for hash := range f.accounts {
		if r.abusive[hash] {
			abusive++
		}
	}
	s.Abuse = ratio(abusive, s.Failed)
	s.Rank = float64(s.Failed) * s.Share * (1 - s.Abuse)
	_, unseen, err := r.attempts(ctx, r.query(true, &s, map[Dim]string{DimClass: "abuse"}))
	if err != nil {
		return s, err
	}
	if s.Why = s.missing(); unseen {
		s.Why = append(s.Why, "so many accounts of this class show abuse that not all of them were kept")
	}
	if s.Proposed = len(s.Why) == 0; s.Proposed {
		r.draft(&s, f)
	}
	return s, nil
}

// missing is the rule: which of the conditions are not met.
func (s *Suspect) missing() (why []string) {
	for _, c := range []struct {
		met bool
		why string
	}{
		{s.Failed >= suspectAccounts, fmt.Sprintf("%d accounts failed, and not %d", s.Failed, suspectAccounts)},
		{s.Share >= suspectShare, fmt.Sprintf("%.1f %% of the class fail, and not %.0f %%", 100*s.Share, 100*suspectShare)},
		{s.Abuse <= suspectAbuse, fmt.Sprintf("%.1f %% of them show abuse, which is more than %.0f %%", 100*s.Abuse, 100*suspectAbuse)},
		{s.Last.Sub(s.First) >= suspectSpan*time.Hour, fmt.Sprintf("they failed within %d hours, and not over %d", int(s.Last.Sub(s.First).Hours()), suspectSpan)},
		{2*s.Busiest <= s.Failed, fmt.Sprintf("one hour holds %d of them, more than half", s.Busiest)},
	} {
		if !c.met {
			why = append(why, c.why)
		}
	}
	return why
}

// attempts are those of a query, and whether some of its rows have more
// accounts than are kept.
func (r *suspectReader) attempts(ctx context.Context, q *StatQuery) (n int64, incomplete bool, err error) {
	err = r.tx.SumStats(ctx, q, func(s StatSum) error {
		n, incomplete = s.Attempts, s.Accounts > statAccounts
		return nil
	})
	return n, incomplete, err
}

// failures are those of a class within one period of the hashes.
type failures struct {
	period      int64
	first, last int64                      // hours
	accounts    map[string]bool            // hashes
	hours       map[int64]map[string]bool  // hashes by hour
	batches     map[string]map[string]bool // hashes by batch key
	makers      map[string]bool
}

// busiest is the number of accounts in the hour with most of them.
func (f *failures) busiest() (n int64) {
	for _, accounts := range f.hours {
		n = max(n, int64(len(accounts)))
	}
	return n
}

// failures reads them, and gives the period in which more accounts failed.
func (r *suspectReader) failures(ctx context.Context, s *Suspect) (*failures, error) {
	periods := map[int64]*failures{}
	q := r.query(true, s, map[Dim]string{
		DimOperation: s.Operation, DimClass: "honest", DimEffect: "reject", DimCode: s.Code, DimPosition: strconv.Itoa(s.Position),
	}, DimHour, DimBatch, DimManufacturer)
	err := r.tx.StatAccounts(ctx, q, func(by []string, hash []byte) error {
		hour, err := strconv.ParseInt(by[0], 10, 64)
		if err != nil {
			return fmt.Errorf("registry: hour %q: %w", by[0], err)
		}
		f := periods[hour/hashHours]
		if f == nil {
			f = &failures{
				period: hour / hashHours, first: hour, accounts: map[string]bool{},
				hours: map[int64]map[string]bool{}, batches: map[string]map[string]bool{}, makers: map[string]bool{},
			}
			periods[f.period] = f
		}
		f.first, f.last = min(f.first, hour), max(f.last, hour)
		f.accounts[string(hash)] = true
		put(f.hours, hour, string(hash))
		if by[1] != "" {
			put(f.batches, by[1], string(hash))
		}
		if by[2] != "" && strings.HasPrefix(s.Model, by[2]+" ") {
			f.makers[by[2]] = true
		}
		return nil
	})
	best := &failures{}
	for _, f := range periods {
		if len(f.accounts) > len(best.accounts) || len(f.accounts) == len(best.accounts) && f.period > best.period {
			best = f
		}
	}
	return best, err
}

// put adds a hash to the set under a key.
func put[K comparable](sets map[K]map[string]bool, key K, hash string) {
	if sets[key] == nil {
		sets[key] = map[string]bool{}
	}
	sets[key][hash] = true
}
