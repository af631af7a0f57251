package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// longestWait is how long something may wait for its store or its vault.
const longestWait = 5 * time.Minute

// RecoveryStatusCmd is `staunch recovery status`.
type RecoveryStatusCmd struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration of the server; it may run meanwhile."`
	JSON   bool   `name:"json" help:"Print one JSON object."`
}

// Help is the long text of --help.
func (RecoveryStatusCmd) Help() string {
	return `Asks every vault what it runs and whether enough witnesses remember the counts, looks which witnesses answer, and how much waits: records in the retry stream, requests on their way to a vault, dead letters. It takes no attempt of anybody and changes nothing.

ASSURANCE process means: ordinary processes, NOT a TEE. SEALED are the key epochs under which records lie in the store; an old one goes when its records are sealed anew.

Exit codes: 0 all is well; 1 something does not answer, waits longer than 5 minutes, or was given up: what it is stands on standard error; 2 the command line or the configuration is wrong, or nothing can be told.

Example: staunch recovery status --config staunch.toml`
}

// Run prints it.
func (c *RecoveryStatusCmd) Run(s *streams) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return &exitError{exitCannot, unreadable(c.Config, err)}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	now := time.Now()
	st, err := server.ReadRecoveryStatus(ctx, cfg, now)
	if err != nil {
		return &exitError{exitCannot, err}
	}
	wrong := recoveryProblems(st, cfg, now)
	if c.JSON {
		err = writeJSON(s.out, recoveryStatusJSON(st, cfg, now, wrong))
	} else {
		err = writeRecoveryStatus(s.out, st, cfg, now)
	}
	if err != nil {
		return err
	}
	for _, w := range wrong {
		fmt.Fprintln(s.err, printable(w))
	}
	if len(wrong) > 0 {
		return &exitError{code: exitNo}
	}
	return nil
}

// recoveryProblems is what somebody must look at.
func recoveryProblems(st *server.RecoveryStatus, cfg *config.Config, now time.Time) []string {
	wrong := []string{}
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	waits := func(since time.Time) bool { return !since.IsZero() && now.Sub(since) > longestWait }
	answer := 0
	for _, v := range st.Vaults {
		for _, r := range v.Replicas {
			if r.Platform != "" {
				answer++
			}
			if r.Error != "" {
				add("vault %s: %s", r.Name, r.Error)
			} else if age := now.Sub(r.Issued); age > cfg.Vault.EvidenceMaxAge.Duration {
				add("vault %s: its evidence is %s old, older than vault.evidence_max_age: look at its log", r.Name, age.Round(time.Second))
			}
		}
	}
	for _, w := range slices.Sorted(maps.Keys(st.WitnessErrors)) {
		if why := st.WitnessErrors[w]; why != "" {
			add("witness %s: %s", w, why)
		}
	}
	switch {
	case answer > 0:
	case cfg.Vault.Mode == "remote":
		add("no vault answers: do they run, and does the network reach them?")
	default:
		add("no vault answers: does the server run?")
	}
	switch {
	case st.RetryError != "":
		add("retry stream: %s", st.RetryError)
	case waits(st.Retry.Oldest):
		add("retry stream: a record has waited for its store since %s: look at the server's log", st.Retry.Oldest.UTC().Format(time.RFC3339))
	}
	if st.Retry.Dead > 0 {
		add("%s: see `staunch recovery dlq list`", plural(st.Retry.Dead, "dead letter", "dead letters"))
	}
	for _, a := range st.Apps {
		if waits(a.Oldest) {
			add("app %s: a request has been on its way to a vault since %s: look at the server's log", a.App, a.Oldest.UTC().Format(time.RFC3339))
		}
		if n := a.Behind.Lost; n > 0 {
			add("app %s: too few of the vaults are left where %s set the PIN: restore the folder of one that is lost; else owners who have a phone set it anew", a.App, plural(n, "account has", "accounts have"))
		}
	}
	return wrong
}
