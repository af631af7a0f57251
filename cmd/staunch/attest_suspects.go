package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/server"
)

// AttestSuspectsCmd is `staunch attest suspects`.
type AttestSuspectsCmd struct {
	statApps `embed:""`
	Draft    bool `xor:"form" help:"Print the drafts alone, as text for a policy file."`
	JSON     bool `name:"json" xor:"form" help:"Print one JSON object an app."`
}

// Help is the long text of --help.
func (AttestSuspectsCmd) Help() string {
	return `Ranks the classes of phones that were refused in the last 30 days for something that honest phones do: an odd
certificate, a date in the past. A class is a model as attested, else as claimed, else a factory's batch key.

  failed   accounts of the class that had the finding, and were refused for it or would have been
  of       accounts of the class that tried
  abuse    share of the failed that also had a finding of class abuse, with any phone
  rank     failed x share of those that tried x (1 - abuse)

An exception is proposed when at least 20 accounts failed, at least half of those that tried, at most 2 % of them with
abuse, over at least 48 hours, and with no hour that holds more than half of them. Its draft matches attested facts
only. It does not load before somebody has filled in owner and ticket: whoever does so answers for it.

Exit status: 0 done, 2 cannot tell.

Examples:
  staunch attest suspects --config staunch.toml
  staunch attest suspects --config staunch.toml --app chat --draft >> draft.toml`
}

// Run prints the ranking of every app.
func (c *AttestSuspectsCmd) Run(s *streams) error {
	if err := c.run(s, time.Now()); err != nil {
		return &exitError{exitCannot, err}
	}
	return nil
}

func (c *AttestSuspectsCmd) run(s *streams, now time.Time) error {
	cfg, apps, err := c.load()
	if err != nil {
		return err
	}
	for i, app := range apps {
		all, err := server.Suspects(context.Background(), cfg, app, now)
		if err != nil {
			return err
		}
		switch {
		case c.JSON:
			err = writeJSON(s.out, suspectsJSON(app, all))
		case c.Draft:
			err = writeDrafts(s, app, all)
		default:
			err = writeSuspects(s.out, app, all, i > 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeSuspects writes a ranking for people.
func writeSuspects(w io.Writer, app string, all []registry.Suspect, again bool) error {
	p := colours(w)
	var b strings.Builder
	if again {
		b.WriteString("\n")
	}
	if len(all) == 0 {
		b.WriteString(wrap(fmt.Sprintf("%s: no phone was refused in the last 30 days for something that honest phones do. "+
			"For all that was refused see `staunch attest stats --by code,class`.", app), ""))
		_, err := io.WriteString(w, b.String())
		return err
	}
	proposed := 0
	columns := []column{{"", false}, {"MODEL", false}, {"CODE", false}, {"AT", true}, {"FAILED", true}, {"OF", true}, {"SHARE", true}, {"ABUSE", true}, {"RANK", true}}
	var rows [][]string
	for _, s := range all {
		mark := ""
		if s.Proposed {
			mark = "●"
			proposed++
		}
		name := statNames([]registry.Dim{registry.DimModel}, []string{s.Model})[0]
		if s.ModelSource == "claimed" {
			name += " (claimed)"
		}
		at := ""
		if s.Position >= 0 {
			at = fmt.Sprint(s.Position)
		}
		rows = append(rows, []string{mark, name, s.Code, at, fmt.Sprint(s.Failed), fmt.Sprint(s.Tried), percent(s.Share), percent(s.Abuse), fmt.Sprintf("%.1f", s.Rank)})
	}
	fmt.Fprintf(&b, "%s, the last 30 days: %s refused, %d proposed for an exception\n\n", app, plural(len(all), "class of phones", "classes of phones"), proposed)
	columns, fitted, _ := fit(columns, rows, []int{7}, terminalWidth(w)) // nobody did anything bad
	writeTable(&b, p, columns, fitted, func(row, c int, text string) string {
		if all[row].Proposed && c == 0 {
			return p.paint(yellow, text)
		}
		return text
	})
	for i, s := range all {
		what := "not proposed"
		if s.Proposed {
			what = "no draft"
		}
		if len(s.Why) > 0 && (s.Proposed || i < 5) {
			b.WriteString("\n" + wrap(fmt.Sprintf("%s, %s: %s: %s.", strings.TrimSpace(rows[i][1]), s.Code, what, printable(strings.Join(s.Why, "; "))), ""))
		}
	}
	if proposed > 0 {
		b.WriteString("\n● is proposed; --draft prints the text for the policy file.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// writeDrafts writes the drafts, and says on standard error if there are none.
func writeDrafts(s *streams, app string, all []registry.Suspect) error {
	n := 0
	for _, suspect := range all {
		if suspect.Draft == "" {
			continue
		}
		if n++; n > 1 {
			if _, err := io.WriteString(s.out, "\n"); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(s.out, suspect.Draft); err != nil {
			return err
		}
	}
	if n == 0 {
		_, err := fmt.Fprintf(s.err, "staunch: %s: no exception is proposed; without --draft you see why\n", app)
		return err
	}
	return nil
}

// suspectsJSON is a ranking for programs.
func suspectsJSON(app string, all []registry.Suspect) any {
	type suspect struct {
		Platform    string    `json:"platform"`
		Operation   string    `json:"operation"`
		Model       string    `json:"model"`
		ModelSource string    `json:"model_source"`
		Code        string    `json:"code"`
		Position    *int      `json:"position"`
		Attempts    int64     `json:"attempts"`
		Failed      int64     `json:"failed"`
		Tried       int64     `json:"tried"`
		Share       float64   `json:"share"`
		Abuse       float64   `json:"abuse"`
		Rank        float64   `json:"rank"`
		First       time.Time `json:"first"`
		Last        time.Time `json:"last"`
		Busiest     int64     `json:"busiest_hour"`
		Proposed    bool      `json:"proposed"`
		Why         []string  `json:"why"`
		Draft       string    `json:"draft"`
	}
	list := []suspect{}
	for _, s := range all {
		var position *int
		if s.Position >= 0 {
			position = &s.Position
		}
		list = append(list, suspect{
			s.Platform, s.Operation, s.Model, s.ModelSource, s.Code, position, s.Attempts, s.Failed, s.Tried, s.Share, s.Abuse, s.Rank,
			s.First, s.Last, s.Busiest, s.Proposed, append([]string{}, s.Why...), s.Draft,
		})
	}
	return struct {
		App      string    `json:"app"`
		Suspects []suspect `json:"suspects"`
	}{app, list}
}
