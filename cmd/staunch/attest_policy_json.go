package main

import (
	"fmt"
	"time"

	"github.com/staunchid/staunch/attest"
)

// policySummary is what check --json prints of a good file.
type policySummary struct {
	File       string             `json:"file"`
	Good       bool               `json:"good"`
	Name       string             `json:"name"`
	Digest     string             `json:"digest"`
	ExtraRoots bool               `json:"extra_roots"`
	At         time.Time          `json:"at"`
	Apps       []policyApp        `json:"apps"`
	Rollout    []policyItem       `json:"rollout"`
	Exceptions []policyException  `json:"exceptions"`
	Routes     []policyItem       `json:"routes"`
	Risk       []policyItem       `json:"risk"`
	Policy     *attest.PolicyFile `json:"policy"`
	Warnings   []policyProblem    `json:"warnings"`
}

type policyApp struct {
	ID      string `json:"id"`
	Line    int    `json:"line"`
	Android bool   `json:"android"`
	Apple   bool   `json:"apple"`
	Profile string `json:"profile"` // of Android; empty: refused
}

// policyItem is an element of a list, with what it does in words.
type policyItem struct {
	Key   string `json:"key"`
	Line  int    `json:"line"`
	Words string `json:"words"`
}

type policyException struct {
	policyItem
	ID       string    `json:"id"`
	Owner    string    `json:"owner"`
	Ticket   string    `json:"ticket"`
	Expires  time.Time `json:"expires"`
	DaysLeft int       `json:"days_left"` // whole days; 0 also when it is over
	InForce  bool      `json:"in_force"`
}

func (t *policyText) summary(now time.Time) policySummary {
	f := &t.keys
	s := policySummary{
		File: t.file, Good: true, Name: f.Name, Digest: t.policy.Digest(), ExtraRoots: t.policy.TrustsExtraRoots(), At: now.UTC(),
		Apps: []policyApp{}, Exceptions: []policyException{}, Policy: f, Warnings: []policyProblem{},
		Rollout: items(t, "rollout", f.Rollout, stageWords), Routes: items(t, "route", f.Route, routeWords),
		Risk: items(t, "risk", f.Risk, func(r *attest.RiskFile) string {
			return fmt.Sprintf("%s from %d on: %s", r.Signal, r.AtLeast, r.Effect)
		}),
	}
	for i := range f.App {
		a := &f.App[i]
		app := policyApp{ID: a.ID, Line: t.line(fmt.Sprintf("app[%d]", i)), Android: a.Android != nil, Apple: a.Apple != nil}
		if app.Android {
			app.Profile = a.Android.Profile
		}
		s.Apps = append(s.Apps, app)
	}
	words := items(t, "exception", f.Exception, func(e *attest.Exception) string { return exceptionWords(e, now) })
	for i := range f.Exception {
		e := &f.Exception[i]
		x := policyException{policyItem: words[i], ID: e.ID, Owner: e.Owner, Ticket: e.Ticket, Expires: e.Expires.UTC()}
		x.InForce = !now.Before(e.NotBefore) && now.Before(e.Expires)
		x.DaysLeft = max(0, int(e.Expires.Sub(now)/(24*time.Hour)))
		s.Exceptions = append(s.Exceptions, x)
	}
	for _, w := range t.policy.Warnings(now) {
		s.Warnings = append(s.Warnings, policyProblem{t.line(w.Key), w.Key, w.Reason})
	}
	return s
}

func items[T any](t *policyText, name string, list []T, words func(*T) string) []policyItem {
	out := []policyItem{}
	for i := range list {
		key := fmt.Sprintf("%s[%d]", name, i)
		out = append(out, policyItem{key, t.line(key), words(&list[i])})
	}
	return out
}

// explanationJSON is what explain --json prints.
type explanationJSON struct {
	LetIn      bool              `json:"let_in"`
	Verdict    attest.Verdict    `json:"verdict"`
	Reasons    []explainedReason `json:"reasons"` // of the verdict's findings, in their order
	Exceptions []explainedTry    `json:"exceptions"`
	Risk       []explainedRisk   `json:"risk"`
	Subject    explainedSubject  `json:"subject"`
	Stages     []explainedStage  `json:"stages"`
	Stage      *string           `json:"stage"` // null: none matches
	Mode       attest.Mode       `json:"mode"`
	Then       string            `json:"then"` // verdict of the bundle, under its own policy
}

type explainedReason struct {
	Code string `json:"code"`
	Key  string `json:"key"`  // empty: no key of the policy has a say
	Line int    `json:"line"` // 0: the key is left out
	Why  string `json:"why"`
}

type explainedTry struct {
	Key      string `json:"key"`
	Line     int    `json:"line"`
	ID       string `json:"id"`
	Check    string `json:"check"`
	Position int    `json:"position"`
	Applied  bool   `json:"applied"`
	Why      string `json:"why"`
}

type explainedRisk struct {
	Key    string  `json:"key"`
	Line   int     `json:"line"`
	Signal string  `json:"signal"`
	Value  *uint64 `json:"value"` // null: none
	Fired  bool    `json:"fired"`
}

type explainedSubject struct {
	App       string `json:"app"`
	Platform  string `json:"platform"`
	Operation string `json:"operation"`
	Country   string `json:"country"`
	KeyID     string `json:"key_id"`
	Account   string `json:"account"`
}

type explainedStage struct {
	Key     string      `json:"key"`
	Line    int         `json:"line"`
	Mode    attest.Mode `json:"mode"`
	Matched bool        `json:"matched"`
	Why     string      `json:"why"`
	Bucket  int         `json:"bucket"`
}

func (x *policyExplanation) asJSON() explanationJSON {
	out := explanationJSON{
		LetIn: x.letIn(), Verdict: x.Verdict, Reasons: []explainedReason{}, Exceptions: []explainedTry{}, Risk: []explainedRisk{},
		Subject: explainedSubject(x.Subject), Stages: []explainedStage{}, Mode: x.Staged.Mode, Then: x.then.Verdict,
	}
	if x.Staged.Name != "" {
		out.Stage = &x.Staged.Name
	}
	for i, r := range x.Reasons {
		out.Reasons = append(out.Reasons, explainedReason{x.Verdict.Findings[i].Code, r.Key, x.policy.line(r.Key), r.Why})
	}
	for _, e := range x.Exceptions {
		out.Exceptions = append(out.Exceptions, explainedTry{e.Key, x.policy.line(e.Key), e.ID, e.Check, e.Position, e.Applied, e.Why})
	}
	for _, r := range x.Risk {
		out.Risk = append(out.Risk, explainedRisk{r.Key, x.policy.line(r.Key), r.Rule.Signal, r.Value, r.Fired})
	}
	for _, s := range x.Stages {
		out.Stages = append(out.Stages, explainedStage{s.Key, x.policy.line(s.Key), s.Mode, s.Matched, s.Why, s.Bucket})
	}
	return out
}
