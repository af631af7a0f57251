package attest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/android"
)

// Explanation is a verdict with what decided it, for people who write policies.
type Explanation struct {
	Verdict    Verdict
	Reasons    []Reason       // of the verdict's findings, one each, in their order
	Exceptions []ExceptionTry // in the order in which they were looked at
	Risk       []RiskTry      // every rule of the policy
	Subject    Subject        // whom the stages looked at
	Stages     []StageTry     // every stage of the policy
	Staged     Staged         // the one that decides
}

// Reason says what gave a finding its effect.
type Reason struct {
	Key string // of the policy, elements counted from 0: "app[0].android.boot"; empty: none
	Why string
}

// ExceptionTry is an exception that was held against a deviation of the phone.
type ExceptionTry struct {
	Key      string // "exception[0]"
	ID       string
	Check    string // of the deviation
	Position int
	Applied  bool
	Why      string // why not
}

// RiskTry is a risk rule and the value of its signal.
type RiskTry struct {
	Key   string // "risk[0]"
	Rule  RiskFile
	Value *uint64 // nil: the signal has none, which fires nothing
	Fired bool
}

// StageTry is a stage of the rollout held against a subject and a verdict.
type StageTry struct {
	Key     string // "rollout[0]"
	Mode    Mode
	Matched bool
	Why     string // why not; empty also behind the one that matched, where nobody looks
	Bucket  int    // of the subject under the stage's salt, 0 to 9999
}

// Subject is whom the verdict is about, for the stages of a rollout. It has the
// key that the evidence shows, vouched for or not: a phone whose evidence is
// refused has a bucket, too. The account is for evidence that shows no key.
func (v Verdict) Subject(operation, country, account string) Subject {
	s := Subject{App: v.App, Operation: operation, Country: country, Account: account}
	s.Platform, _, _ = strings.Cut(string(v.Format), "-")
	for _, c := range []*Claims{v.UnverifiedClaims, v.Claims} {
		if c != nil && c.KeyID != "" {
			s.KeyID = c.KeyID
		}
	}
	return s
}

// Explain verifies as Verify does, and says which key of the policy decided
// what. The operation, country and account of s are taken as given; what is
// empty of the rest is that of the verdict.
func (v *Verifier) Explain(ev Evidence, want Expect, p *Policy, s Subject, now time.Time) (*Explanation, error) {
	a := &appraisal{ev: ev, want: &want, p: p, now: now, tries: &[]ExceptionTry{}}
	if err := a.judge(v.cache); err != nil {
		return nil, err
	}
	e := &Explanation{Verdict: a.verdict, Exceptions: *a.tries, Risk: p.tryRisk(a.signals())}
	of := a.verdict.Subject(s.Operation, s.Country, s.Account)
	for _, field := range []struct{ given, found *string }{{&s.App, &of.App}, {&s.Platform, &of.Platform}, {&s.KeyID, &of.KeyID}} {
		if *field.given == "" {
			*field.given = *field.found
		}
	}
	e.Subject, e.Staged, e.Stages = s, p.Stage(s, a.verdict), p.tryStages(s, a.verdict)
	fired := e.fired()
	for _, f := range a.verdict.Findings {
		if f.Code == "common.risk" && len(fired) > 0 {
			e.Reasons = append(e.Reasons, Reason{fired[0], "the rule's effect"})
			fired = fired[1:]
			continue
		}
		e.Reasons = append(e.Reasons, e.reason(f, p))
	}
	return e, nil
}

// trace keeps what became of an exception, for Explain.
func (a *appraisal) trace(exception int, d android.Deviation, why string) {
	if a.tries != nil {
		*a.tries = append(*a.tries, ExceptionTry{
			fmt.Sprintf("exception[%d]", exception), a.p.exceptions[exception].ID, string(d.Check), d.Position, why == "", why,
		})
	}
}

// fired are the keys of the rules that fired, in the order of their findings.
func (e *Explanation) fired() (keys []string) {
	for _, r := range e.Risk {
		if r.Fired {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

// reason says what gave f its effect.
func (e *Explanation) reason(f Finding, p *Policy) Reason {
	code, _ := LookupCode(f.Code)
	if e.Verdict.Tier == TierNone && f.Effect == Reject {
		return Reason{Why: "raised in verification, before any policy and any exception"}
	}
	key := e.keyIn(code.Key, p)
	switch {
	case f.Code == "common.exception_used", f.Code == "common.exception_inactive":
		for _, try := range e.Exceptions {
			if try.Position == position(f) && try.ID == idIn(f.Detail) {
				return Reason{try.Key, "every use of an exception is on record, and every one that is out of time or spent"}
			}
		}
	case strings.HasSuffix(code.Key, ".profile"):
		check := strings.TrimPrefix(f.Code, "android.")
		for _, try := range e.Exceptions {
			if try.Applied && try.Check == check && try.Position == position(f) {
				return Reason{try.Key, "the exception relaxes what the profile rejects"}
			}
		}
		return Reason{key, profileReason(f, e.Verdict.Profile)}
	case code.Effect == "":
		return Reason{key, "as the key says"}
	case key != "":
		return Reason{key, "what the key demands is not met"}
	}
	return Reason{Why: "the same under every policy"}
}

// profileReason says what the profile does with a deviation.
func profileReason(f Finding, profile string) string {
	check := android.Check(strings.TrimPrefix(f.Code, "android."))
	switch {
	case f.Effect == Note:
		return "profile " + profile + " only notes it"
	case check == android.CheckIssuerName || check == android.CheckRootMissing:
		return "both profiles reject it, and no exception relaxes it here"
	}
	return "profile " + profile + " rejects it, and no exception relaxes it here"
}

// keyIn puts the number of the verdict's app into the key of a code.
func (e *Explanation) keyIn(key string, p *Policy) string {
	i := slices.IndexFunc(p.apps, func(a appPolicy) bool { return a.id == e.Verdict.App })
	if rest, ok := strings.CutPrefix(key, "app"); ok && i >= 0 && (rest == "" || rest[0] == '.') {
		return fmt.Sprintf("app[%d]%s", i, rest)
	}
	return key
}

// idIn is the exception's id at the beginning of a detail.
func idIn(detail string) string {
	if i := strings.IndexAny(detail, ": "); i >= 0 {
		return detail[:i]
	}
	return detail
}

func position(f Finding) int {
	if f.Position == nil {
		return -1
	}
	return *f.Position
}

// tryRisk holds every rule against the signals that have a value.
func (p *Policy) tryRisk(signals map[string]uint64) (all []RiskTry) {
	for i, rule := range p.file.Risk {
		try := RiskTry{Key: fmt.Sprintf("risk[%d]", i), Rule: rule}
		if value, ok := signals[rule.Signal]; ok {
			try.Value, try.Fired = &value, rule.fires(value)
		}
		all = append(all, try)
	}
	return all
}

// tryStages holds every stage against a subject and a verdict, up to the one
// that matches.
func (p *Policy) tryStages(s Subject, v Verdict) (all []StageTry) {
	c := newStaging(s, v)
	decided := c.groundless()
	for i := range p.file.Rollout {
		stage := &p.file.Rollout[i]
		try := StageTry{Key: stageName(i), Mode: Mode(stage.Mode), Bucket: bucket(s, stage.Salt)}
		if !decided {
			misfit := stage.misfit(c)
			decided = misfit == fits
			try.Matched, try.Why = decided, stage.why(misfit, c)
		}
		all = append(all, try)
	}
	return all
}

// why says in words what does not match.
func (r *Stage) why(m unfit, c *staging) string {
	switch m {
	case byApp:
		return "is for app " + r.App
	case byPlatform:
		return "is for platform " + r.Platform
	case byOperation:
		return "is for operation " + r.Operation
	case byCountry:
		return fmt.Sprintf("is for %s, and not for %s", strings.Join(r.Countries, ", "), c.Country)
	case byPercent:
		return fmt.Sprintf("is for %d %% of the keys, buckets below %d, and this is bucket %d", r.Percent, r.Percent*buckets/100, bucket(c.Subject, r.Salt))
	case byAcceptance:
		return "is for rejections, and the verdict accepts"
	case byCode:
		if Mode(r.Mode) != ModeObserve {
			return "is for other codes than " + strings.Join(c.rejecting, ", ")
		}
		i := slices.IndexFunc(c.rejecting, func(code string) bool { return !slices.Contains(r.Codes, code) })
		return "lets in for its codes alone, and " + c.rejecting[i] + " is not among them"
	}
	return ""
}
