package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// statApps are the flags that say whose statistics are wanted.
type statApps struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration of the server whose stores are read; it may run meanwhile."`
	App    string `placeholder:"ID" help:"One app; default: every app of the configuration."`
}

// load reads the configuration and gives the apps.
func (c *statApps) load() (*config.Config, []string, error) {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return nil, nil, unreadable(c.Config, err)
	}
	var apps []string
	for _, a := range cfg.Apps {
		if c.App == "" || c.App == a.ID {
			apps = append(apps, a.ID)
		}
	}
	if len(apps) == 0 {
		return nil, nil, fmt.Errorf("--app: %s has no app %q", c.Config, c.App)
	}
	return cfg, apps, nil
}

// AttestStatsCmd is `staunch attest stats`.
type AttestStatsCmd struct {
	statApps `embed:""`
	Since    string   `default:"24h" help:"How far back, as 90m, 24h or 30d." placeholder:"DURATION"`
	From     *string  `help:"Beginning, as 2026-11-01 or in RFC 3339, instead of --since." placeholder:"TIME"`
	To       *string  `help:"End; default now." placeholder:"TIME"`
	By       []string `default:"platform,operation" help:"What to group by, with commas between; total for none." placeholder:"DIM"`
	Where    []string `sep:"none" help:"Only what has this value; may be given several times." placeholder:"DIM=VALUE"`
	Limit    int      `default:"40" help:"At most so many groups, those with most attempts." placeholder:"N"`
	JSON     bool     `name:"json" help:"Print one JSON object an app."`
}

// Help is the long text of --help.
func (AttestStatsCmd) Help() string {
	return `Counts verdicts: attempts, how many of them the verdict accepts (success, whatever was done about it), how many were
rejected, how many would have been denied if the rollout did not only observe, and how many accounts it were. Hours
are whole: the first and the last one are counted from their beginning to their end. Rows are kept for 90 days.

DIM is hour, day, platform, operation, model, model_source, os, app_version, country, stage, verdict, or of findings:
code, class, effect, position, batch, manufacturer. With one of those the lines count findings and not attempts.

ACCOUNTS counts accounts of phones that have proved who they are: attempts that nobody has signed have none.

A model is attested by the key store, or claimed by the phone, or of a phone that does neither the batch key of its
factory; model_source says which. "other" is what was too long or one too many in its hour. A number of accounts
with a + is the least that it can be.

Exit status: 0 done, 2 cannot tell.

Examples:
  staunch attest stats --config staunch.toml --since 7d --by day
  staunch attest stats --config staunch.toml --by model,os --where operation=register --where country=JP
  staunch attest stats --config staunch.toml --by code,class,position --where verdict=would_deny`
}

// Run prints the statistics of every app.
func (c *AttestStatsCmd) Run(s *streams) error {
	if err := c.run(s, time.Now()); err != nil {
		return &exitError{exitCannot, err}
	}
	return nil
}

func (c *AttestStatsCmd) run(s *streams, now time.Time) error {
	in, err := c.filter(now)
	if err != nil {
		return err
	}
	cfg, apps, err := c.load()
	if err != nil {
		return err
	}
	for i, app := range apps {
		report, err := server.Stats(context.Background(), cfg, app, *in, now)
		if errors.Is(err, registry.ErrMalformed) { // from and to, which the flags gave
			return fmt.Errorf("--from, --to or --since: %w", err)
		}
		if err != nil {
			return err
		}
		if c.JSON {
			err = writeJSON(s.out, statsJSON(app, report))
		} else {
			err = writeStats(s.out, app, report, i > 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// filter reads the flags.
func (c *AttestStatsCmd) filter(now time.Time) (*registry.StatFilter, error) {
	in := &registry.StatFilter{To: now, Equal: map[registry.Dim]string{}, Limit: c.Limit}
	if c.Limit < 1 {
		return nil, fmt.Errorf("--limit: %d is not at least 1", c.Limit)
	}
	var err error
	if c.To != nil {
		if in.To, err = statTime(*c.To); err != nil {
			return nil, fmt.Errorf("--to: %w", err)
		}
	}
	since, err := statSpan(c.Since)
	if err != nil {
		return nil, fmt.Errorf("--since: %w", err)
	}
	in.From = in.To.Add(-since)
	if c.From != nil {
		if in.From, err = statTime(*c.From); err != nil {
			return nil, fmt.Errorf("--from: %w", err)
		}
	}
	if !slices.Equal(c.By, []string{"total"}) {
		for _, name := range c.By {
			d, err := statDim(name)
			if err != nil {
				return nil, fmt.Errorf("--by: %w", err)
			}
			if slices.Contains(in.By, d) {
				return nil, fmt.Errorf("--by: %s is there twice", d)
			}
			in.By = append(in.By, d)
		}
	}
	for _, text := range c.Where {
		name, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("--where: %q has no =; write it as country=JP", text)
		}
		d, err := statDim(name)
		if err != nil {
			return nil, fmt.Errorf("--where: %w", err)
		}
		if _, twice := in.Equal[d]; twice {
			return nil, fmt.Errorf("--where: %s is there twice", d)
		}
		if in.Equal[d], err = statValue(d, value); err != nil {
			return nil, fmt.Errorf("--where: %w", err)
		}
	}
	return in, nil
}

// statDim reads the name of a dim.
func statDim(name string) (registry.Dim, error) {
	d := registry.Dim(strings.TrimSpace(name))
	if slices.Contains(registry.Dims(), d) {
		return d, nil
	}
	var all []string
	for _, d := range registry.Dims() {
		all = append(all, string(d))
	}
	return "", fmt.Errorf("%q is none of %s", name, strings.Join(all, ", "))
}

// statTime reads a day or a moment.
func statTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time; write it as 2026-11-01 or 2026-11-01T12:00:00Z", text)
	}
	return t, nil
}

// statSpan reads a duration, which may be in days.
func statSpan(text string) (time.Duration, error) {
	var d config.Duration
	if err := d.UnmarshalText([]byte(text)); err != nil || d.Duration <= 0 {
		return 0, fmt.Errorf("%q is no duration; write it as 90m, 24h or 30d", text)
	}
	return d.Duration, nil
}
