package console

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/web/chart"
)

// errAsked: a page was asked for what there is not: an address that somebody has
// typed, or that is older than the program.
var errAsked = errors.New("console: there is no such question")

// period is a length of time that the charts can show.
type period struct {
	Value, Label string
	steps        int
	step         time.Duration
}

func spans() []period {
	const day = 24 * time.Hour
	return []period{
		{"24h", "24 hours", 24, time.Hour}, {"7d", "7 days", 28, 6 * time.Hour}, {"30d", "30 days", 30, day}, {"90d", "90 days", 90, day},
	}
}

// slots are those of a chart up to now: the last one holds it.
func (s period) slots(now time.Time) chart.Slots {
	last := now.UTC().Truncate(s.step)
	return chart.Slots{From: last.Add(-time.Duration(s.steps-1) * s.step), Step: s.step, Count: s.steps}
}

// choice is an entry of a select.
type choice struct {
	Value, Label string
	Chosen       bool
}

// asked is what the page of health was asked for, by its address.
type asked struct {
	span  period
	by    registry.Dim
	where map[registry.Dim]string // one value each, not empty
}

// splitDims are by what the second chart can be split.
func splitDims() []choice {
	return []choice{
		{Value: "platform", Label: "platform"}, {Value: "model", Label: "model"}, {Value: "country", Label: "country"}, {Value: "code", Label: "reason"},
		{Value: "operation", Label: "operation"}, {Value: "stage", Label: "stage"}, {Value: "os", Label: "OS version"}, {Value: "app_version", Label: "app version"},
	}
}

// fixedDims have few values, which the form offers.
func fixedDims() map[registry.Dim][]choice {
	return map[registry.Dim][]choice{
		registry.DimPlatform:  {{Label: "all platforms"}, {Value: "android", Label: "Android"}, {Value: "apple", Label: "Apple"}},
		registry.DimOperation: {{Label: "all operations"}, {Value: "register", Label: "registrations"}, {Value: "request", Label: "requests"}},
	}
}

// filterDims are those by which a link of a table can filter, beside the fixed ones.
func filterDims() []registry.Dim {
	return []registry.Dim{registry.DimModel, registry.DimCountry, registry.DimCode, registry.DimStage, registry.DimOS, registry.DimAppVersion}
}

// maxValue bounds the text of a filter, longer than any that is counted.
const maxValue = 128

// readAsked reads an address. What it does not know is refused: a filter that was
// dropped would show numbers of something else.
func readAsked(q url.Values) (*asked, error) {
	a := &asked{by: registry.DimPlatform, where: map[registry.Dim]string{}}
	for name, values := range q {
		if len(values) != 1 || len(values[0]) > maxValue {
			return nil, fmt.Errorf("%w: %s", errAsked, name)
		}
		value, known := values[0], true
		d := registry.Dim(name)
		switch {
		case name == "span":
			known = slices.ContainsFunc(spans(), func(s period) bool { return s.Value == value })
		case name == "by":
			known = slices.ContainsFunc(splitDims(), func(c choice) bool { return c.Value == value })
			a.by = registry.Dim(value)
		case fixedDims()[d] != nil:
			known = slices.ContainsFunc(fixedDims()[d], func(c choice) bool { return c.Value == value })
			a.filter(d, value)
		case slices.Contains(filterDims(), d):
			a.filter(d, value)
		default:
			known = false
		}
		if !known {
			return nil, fmt.Errorf("%w: %s=%s", errAsked, name, value)
		}
	}
	i := slices.IndexFunc(spans(), func(s period) bool { return s.Value == q.Get("span") })
	if i < 0 {
		i = 1 // a week
	}
	a.span = spans()[i]
	return a, nil
}

func (a *asked) filter(d registry.Dim, value string) {
	if value != "" {
		a.where[d] = value
	}
}

// address is the page of health with other filters.
func (a *asked) address(change func(url.Values)) string {
	q := url.Values{"span": {a.span.Value}, "by": {string(a.by)}}
	for d, value := range a.where {
		q.Set(string(d), value)
	}
	if change != nil {
		change(q)
	}
	return "/health?" + q.Encode()
}

// With is the address with one more filter.
func (a *asked) With(d registry.Dim, value string) string {
	return a.address(func(q url.Values) { q.Set(string(d), value) })
}

// Spans are the choices of the form.
func (a *asked) Spans() (all []choice) {
	for _, s := range spans() {
		all = append(all, choice{s.Value, s.Label, s.Value == a.span.Value})
	}
	return all
}

// By are the choices of the form.
func (a *asked) By() []choice {
	all := splitDims()
	for i := range all {
		all[i].Chosen = all[i].Value == string(a.by)
	}
	return all
}

// Fixed are the choices of the form for a dim.
func (a *asked) Fixed(d string) []choice {
	all := fixedDims()[registry.Dim(d)]
	for i := range all {
		all[i].Chosen = all[i].Value == a.where[registry.Dim(d)]
	}
	return all
}

// chip is a filter that is on, with the address that takes it away.
type chip struct{ Dim, Value, Label, Without string }

// Chips are the filters that the form does not offer.
func (a *asked) Chips() (all []chip) {
	for _, d := range filterDims() {
		if value, on := a.where[d]; on {
			all = append(all, chip{string(d), value, dimLabel(d) + " " + valueName(d, value), a.address(func(q url.Values) { q.Del(string(d)) })})
		}
	}
	return all
}

// dimLabel is a dim for people.
func dimLabel(d registry.Dim) string {
	for _, c := range splitDims() {
		if c.Value == string(d) {
			return c.Label
		}
	}
	return string(d)
}
