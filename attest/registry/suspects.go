package registry

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
	classes, err := r.classes(ctx)
	if err != nil || len(classes) == 0 {
		return nil, err
	}
	if err := r.read(ctx, classes); err != nil {
		return nil, err
	}
	var out []Suspect
	for _, s := range classes {
		r.judge(s)
		out = append(out, *s)
	}
	slices.SortStableFunc(out, func(a, b Suspect) int { return cmp.Compare(b.Rank, a.Rank) })
	return out, nil
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
