package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/web/chart"
)

// healthReader reads how attestation goes; *registry.Service has it.
type healthReader interface {
	Reports(ctx context.Context, who account.Caller, in []*registry.StatFilter) ([]*registry.StatReport, error)
	Suspects(ctx context.Context, who account.Caller, app account.AppID) ([]registry.Suspect, error)
	Exceptions(ctx context.Context, who account.Caller) ([]registry.ExceptionState, error)
	Stages(ctx context.Context, who account.Caller, from time.Time) ([]registry.StageState, error)
}

type healthPage struct {
	page
	Tabs     []tab
	Asked    *asked
	From, To time.Time
	Total    registry.StatRow
	Findings bool // filtered by what was found: findings are counted
	Verdicts *chart.Plot
	Split    *chart.Plot
	Groups   []group
}

// Success is the share that was accepted, in words.
func (p healthPage) Success() string {
	if p.Total.Attempts == 0 {
		return "–"
	}
	return chart.Percent(p.Total.Success())
}

// Accounts is how many it were.
func (p healthPage) Accounts() string {
	if p.Total.AtLeast {
		return number(p.Total.Accounts) + " at least"
	}
	return number(p.Total.Accounts)
}

// healthPage shows what was decided about phones in a span of time.
func (c *call) healthPage() error {
	a, err := readAsked(c.r.URL.Query())
	if err != nil {
		return err
	}
	p := healthPage{page: c.page("", "Attestation health"), Tabs: healthTabs(), Asked: a}
	s := &statistics{c: c, asked: a, slots: a.span.slots(c.now)}
	p.From, p.To = s.slots.From, s.slots.At(s.slots.Count)
	if p.To.After(c.now) { // the last slot is not over
		p.To = c.now
	}
	s.total(&p)
	s.verdicts(&p)
	s.split(&p)
	dims := groupDims()
	p.Groups = make([]group, len(dims))
	for i, d := range dims {
		s.group(d, &p.Groups[i])
	}
	if err := s.read(); err != nil {
		return err
	}
	return c.pages.Render(c.w, http.StatusOK, "health", p)
}

// tab is a page of a section.
type tab struct{ Path, Label string }

func healthTabs() []tab {
	return []tab{{"/health", "Health"}, {"/health/suspects", "Suspects"}, {"/health/exceptions", "Exceptions"}, {"/health/stages", "Stages"}}
}

// At reports whether a tab is that of the page.
func (p page) At(path string) bool { return p.Path == path }

// Meaning says what a finding's code means; empty: nobody knows.
func (page) Meaning(code string) string {
	c, _ := attest.LookupCode(code)
	return c.Meaning
}

// Value is a value of a dim as people read it.
func (page) Value(dim, value string) string { return valueName(registry.Dim(dim), value) }

// Operation is what a phone wanted.
func (page) Operation(name string) string {
	switch name {
	case "register":
		return "registrations"
	case "request":
		return "requests"
	}
	return name
}

type suspectsPage struct {
	page
	Tabs     []tab
	All      []registry.Suspect
	Proposed int
}

// Name is the class of a suspect.
func (suspectsPage) Name(s registry.Suspect) string {
	name := valueName(registry.DimModel, s.Model)
	if s.ModelSource == "claimed" {
		name += " (claimed)"
	}
	return name
}

// Percent writes a share.
func (suspectsPage) Percent(share float64) string { return chart.Percent(share) }

// Rank has one decimal.
func (suspectsPage) Rank(v float64) string { return fmt.Sprintf("%.1f", v) }

func (c *call) suspectsPage() error {
	all, err := c.read.Suspects(c.r.Context(), c.who, c.app)
	if err != nil {
		return err
	}
	p := suspectsPage{page: c.page("", "Suspected of honesty"), Tabs: healthTabs(), All: all}
	for _, s := range all {
		if s.Proposed {
			p.Proposed++
		}
	}
	return c.pages.Render(c.w, http.StatusOK, "suspects", p)
}

type stagesPage struct {
	page
	Tabs []tab
	From time.Time
	All  []registry.StageState
}

// Where says which countries a stage concerns.
func (stagesPage) Where(countries []string) string {
	if slices.Contains(countries, "*") {
		return "all countries"
	}
	return "countries " + strings.Join(countries, ", ")
}

// Percent writes the share that was accepted.
func (stagesPage) Percent(r registry.StatRow) string {
	if r.Attempts == 0 {
		return "–"
	}
	return chart.Percent(r.Success())
}

// stagesSpan is how far back stages are counted.
const stagesSpan = 7 * 24 * time.Hour

func (c *call) stagesPage() error {
	from := c.now.Add(-stagesSpan)
	all, err := c.read.Stages(c.r.Context(), c.who, from)
	if err != nil {
		return err
	}
	return c.pages.Render(c.w, http.StatusOK, "stages", stagesPage{c.page("", "Stages of the rollout"), healthTabs(), from, all})
}
