package registry

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
)

// suspectReader reads what the rule needs, for all classes at once: it goes over the
// rows of the 30 days four times, however many classes there are.
type suspectReader struct {
	tx       Tx
	app      account.AppID
	now      time.Time
	from, to int64 // hours

	abusive  map[string]bool          // hashes of accounts with any finding of class abuse
	failed   map[suspected]*failures  // in the period in which more of them failed
	tried    map[kind]map[int64]int64 // distinct accounts by period of the hashes
	attempts map[kind]StatSum         // of the kind, whatever came of them
	abuse    map[kind]bool            // by platform and model: not all accounts with abuse were kept
}

// kind is a class of devices that does one thing.
type kind struct{ platform, operation, model, source string }

func (s *Suspect) kind() kind { return kind{s.Platform, s.Operation, s.Model, s.ModelSource} }

// suspected is what a Suspect is about.
type suspected struct {
	kind
	code, position string
}

func (s *Suspect) suspected() suspected {
	return suspected{s.kind(), s.Code, strconv.Itoa(s.Position)}
}

// query is one over the 30 days.
func (r *suspectReader) query(findings bool, equal map[Dim]string, by ...Dim) *StatQuery {
	return &StatQuery{From: r.from, To: r.to, Findings: findings, By: by, Equal: equal}
}

// refused are the findings that count.
func refused() map[Dim]string { return map[Dim]string{DimClass: "honest", DimEffect: "reject"} }

// suspectKind are the dims of a kind, and suspectClass those of a class.
func suspectKind() []Dim  { return []Dim{DimPlatform, DimOperation, DimModel, DimModelSource} }
func suspectClass() []Dim { return append(suspectKind(), DimCode, DimPosition) }

// abused are the findings that speak against honesty.
func abused() map[Dim]string { return map[Dim]string{DimClass: "abuse"} }

// classes are those with most failures. What was tried, and what shows abuse, is
// summed up in the same read.
func (r *suspectReader) classes(ctx context.Context) (all []*Suspect, err error) {
	r.attempts, r.abuse = map[kind]StatSum{}, map[kind]bool{}
	failures := r.query(true, refused(), suspectClass()...)
	failures.Limit = maxSuspects
	queries := []*StatQuery{failures, r.query(false, nil, suspectKind()...), r.query(true, abused(), DimPlatform, DimModel, DimModelSource)}
	err = r.tx.SumStats(ctx, queries, func(query int, sum StatSum) error {
		switch by := sum.By; query {
		case 1:
			r.attempts[kind{by[0], by[1], by[2], by[3]}] = sum
			return nil
		case 2:
			r.abuse[kind{platform: by[0], model: by[1], source: by[2]}] = sum.Accounts > statAccounts
			return nil
		}
		position, err := strconv.Atoi(sum.By[5])
		if err != nil {
			return fmt.Errorf("registry: position %q: %w", sum.By[5], err)
		}
		if sum.By[2] == other { // of many kinds together, and no class
			return nil
		}
		all = append(all, &Suspect{
			Platform: sum.By[0], Operation: sum.By[1], Model: sum.By[2], ModelSource: sum.By[3], Code: sum.By[4], Position: position,
			Attempts: sum.Attempts,
		})
		return nil
	})
	return all, err
}

// read reads the accounts of classes.
func (r *suspectReader) read(ctx context.Context, classes []*Suspect) error {
	r.abusive, r.tried = map[string]bool{}, map[kind]map[int64]int64{}
	for _, s := range classes {
		r.tried[s.kind()] = map[int64]int64{}
	}
	err := r.tx.StatAccounts(ctx, r.query(true, abused()), func(_ []string, hashes [][]byte) error {
		for _, hash := range hashes {
			r.abusive[string(hash)] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.failures(ctx, classes); err != nil {
		return err
	}
	return r.tx.CountStatAccounts(ctx, r.query(false, nil, suspectKind()...), hashHours, func(by []string, period, n int64) error {
		if t := r.tried[kind{by[0], by[1], by[2], by[3]}]; t != nil {
			t[period] = n
		}
		return nil
	})
}

// judge looks at one class.
func (r *suspectReader) judge(s *Suspect) {
	f := r.failed[s.suspected()]
	s.Failed, s.Busiest = int64(len(f.accounts)), f.busiest()
	s.First, s.Last = time.Unix(f.first*3600, 0).UTC(), time.Unix(f.last*3600, 0).UTC()
	s.Tried = r.tried[s.kind()][f.period]
	s.Share = ratio(s.Failed, s.Tried)
	if all := r.attempts[s.kind()]; all.Accounts > statAccounts { // then Tried is too small, and the attempts say more
		s.Share = min(s.Share, ratio(s.Attempts, all.Attempts))
	}
	abusive := int64(0)
	for hash := range f.accounts {
		if r.abusive[hash] {
			abusive++
		}
	}
	s.Abuse = ratio(abusive, s.Failed)
	s.Rank = float64(s.Failed) * s.Share * (1 - s.Abuse)
	if s.Why = s.missing(); r.abuse[kind{platform: s.Platform, model: s.Model, source: s.ModelSource}] {
		s.Why = append(s.Why, "so many accounts of this class show abuse that not all of them were kept")
	}
	if s.Proposed = len(s.Why) == 0; s.Proposed {
		r.draft(s, f)
	}
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

// failures reads those of all classes, and keeps of each the period in which more
// accounts failed.
func (r *suspectReader) failures(ctx context.Context, classes []*Suspect) error {
	periods := map[suspected]map[int64]*failures{}
	for _, s := range classes {
		periods[s.suspected()] = map[int64]*failures{}
	}
	q := r.query(true, refused(), append(suspectClass(), DimHour, DimBatch, DimManufacturer)...)
	err := r.tx.StatAccounts(ctx, q, func(by []string, hashes [][]byte) error {
		of := periods[suspected{kind{by[0], by[1], by[2], by[3]}, by[4], by[5]}]
		if of == nil {
			return nil
		}
		hour, err := strconv.ParseInt(by[6], 10, 64)
		if err != nil {
			return fmt.Errorf("registry: hour %q: %w", by[6], err)
		}
		f := of[hour/hashHours]
		if f == nil {
			f = newFailures(hour)
			of[hour/hashHours] = f
		}
		f.add(hour, by[7], hashes)
		if maker := by[8]; maker != "" && strings.HasPrefix(by[2], maker+" ") {
			f.makers[maker] = true
		}
		return nil
	})
	r.failed = map[suspected]*failures{}
	for class, of := range periods {
		best := &failures{}
		for _, f := range of {
			if len(f.accounts) > len(best.accounts) || len(f.accounts) == len(best.accounts) && f.period > best.period {
				best = f
			}
		}
		r.failed[class] = best
	}
	return err
}

func newFailures(hour int64) *failures {
	return &failures{
		period: hour / hashHours, first: hour, accounts: map[string]bool{},
		hours: map[int64]map[string]bool{}, batches: map[string]map[string]bool{}, makers: map[string]bool{},
	}
}

// add adds a row.
func (f *failures) add(hour int64, batch string, hashes [][]byte) {
	f.first, f.last = min(f.first, hour), max(f.last, hour)
	for _, hash := range hashes {
		f.accounts[string(hash)] = true
		put(f.hours, hour, string(hash))
		if batch != "" {
			put(f.batches, batch, string(hash))
		}
	}
}

// put adds a hash to the set under a key.
func put[K comparable](sets map[K]map[string]bool, key K, hash string) {
	if sets[key] == nil {
		sets[key] = map[string]bool{}
	}
	sets[key][hash] = true
}
