package console

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/web/chart"
)

// expiresSoon is when an exception's end is worth a warning.
const expiresSoon = 14 * 24 * time.Hour

type exceptionsPage struct {
	page
	Tabs []tab
	All  []exceptionView
}

// exceptionView is an exception with what it has done.
type exceptionView struct {
	attest.Exception
	State, Mark     string // "in force", and its class
	Today, Accounts int
	Uses            int // of 30 days
	Matches         []string
	Plot            *chart.Plot
}

// exceptionsPage shows what the policy relaxes, for whom, and how often it was used.
func (c *call) exceptionsPage() error {
	all, err := c.read.Exceptions(c.r.Context(), c.who)
	if err != nil {
		return err
	}
	p := exceptionsPage{page: c.page("", "Exceptions"), Tabs: healthTabs()}
	for i, x := range all {
		p.All = append(p.All, viewException(i, x, c.now))
	}
	return c.pages.Render(c.w, http.StatusOK, "exceptions", p)
}

func viewException(i int, x registry.ExceptionState, now time.Time) exceptionView {
	v := exceptionView{Exception: x.Exception, Matches: matches(x.Match)}
	switch {
	case now.Before(x.NotBefore):
		v.State, v.Mark = "begins "+ago(x.NotBefore, now), ""
	case !now.Before(x.Expires):
		v.State, v.Mark = "expired "+ago(x.Expires, now), "bad"
	case x.Expires.Sub(now) < expiresSoon:
		v.State, v.Mark = "expires "+ago(x.Expires, now), "warn"
	default:
		v.State, v.Mark = "in force", "good"
	}
	const days = 30
	today := now.UTC().Truncate(24 * time.Hour)
	slots := chart.Slots{From: today.AddDate(0, 0, 1-days), Step: 24 * time.Hour, Count: days}
	uses := make([]float64, days)
	for _, d := range x.Days {
		if at, ok := slots.Slot(d.Time()); ok {
			uses[at] = float64(d.Uses)
			v.Uses += d.Uses
		}
		if d.Time().Equal(today) {
			v.Today, v.Accounts = d.Uses, d.Accounts
		}
	}
	v.Plot = chart.Counts(fmt.Sprintf("uses-%d", i), "Uses a day", slots, []chart.Series{{Name: "uses", Values: uses}})
	return v
}

// Cap says how many uses of today's are left.
func (v exceptionView) Cap() string {
	if v.MaxUsesPerDay == 0 {
		return "no cap"
	}
	return fmt.Sprintf("%s of %s a day", number(v.Today), number(v.MaxUsesPerDay))
}

// Spent reports whether it does nothing more today.
func (v exceptionView) Spent() bool { return v.MaxUsesPerDay > 0 && v.Today >= v.MaxUsesPerDay }

// matches says whom an exception is for.
func matches(m *attest.MatchFile) (all []string) {
	if m == nil {
		return nil
	}
	add := func(what string, values []string) {
		if len(values) > 0 {
			all = append(all, what+" "+strings.Join(values, " or "))
		}
	}
	var models, versions []string
	for _, one := range m.Models {
		models = append(models, one.Manufacturer+" "+one.Model)
	}
	for _, v := range m.AttestationVersions {
		versions = append(versions, fmt.Sprint(v))
	}
	add("attested model", models)
	add("batch key", m.BatchSPKI)
	add("boot key", m.BootKeys)
	add("attestation version", versions)
	return all
}
