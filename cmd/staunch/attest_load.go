package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"connectrpc.com/connect"

	"github.com/staunchid/staunch/client"
	"github.com/staunchid/staunch/gen/staunch/attest/v1/attestv1connect"
	"github.com/staunchid/staunch/internal/load"
)

// AttestLoadCmd is `staunch attest load`: many software phones at once.
type AttestLoadCmd struct {
	URL          string        `name:"url" placeholder:"URL" help:"Address of the server; default: the \"staunch dev\" that runs without --dir."`
	TokenFile    string        `placeholder:"FILE" help:"Token of the app's backend; default: that of the \"staunch dev\" at URL."`
	Dir          string        `placeholder:"DIR" help:"Folder of \"staunch dev --dir\", for address and token."`
	App          string        `placeholder:"ID" help:"Id of the app; default: the token's."`
	Authority    string        `default:"pay.example.com" placeholder:"HOST" help:"Host that requests are signed for; one of the policy's request.authorities (${default})."`
	Phones       int           `default:"100" placeholder:"N" help:"How many phones register (${default})."`
	Mix          string        `default:"honest=80,deviating=15,abusive=5" placeholder:"WEIGHTS" help:"How many are of which kind, in proportion (${default})."`
	Rate         float64       `default:"0" placeholder:"R" help:"Requests a second in total, or with --register-only phones; 0: as many as the server answers (${default})."`
	Duration     time.Duration `default:"30s" placeholder:"D" help:"For how long requests are sent, once the phones are registered (${default})."`
	Requests     int           `placeholder:"N" help:"End after so many requests, if --duration is not over before."`
	RegisterOnly bool          `help:"Register the phones, and send no requests."`
	Deviating    string        `default:"either" enum:"either,accepted,refused" help:"What phones with a faulty model must be answered: ${enum} (${default})."`
	Concurrency  int           `default:"16" placeholder:"C" help:"How many calls are made at once (${default})."`
	JSON         bool          `name:"json" help:"Print the summary as one JSON object."`

	config string // of the "staunch dev" that was found; empty: none
}

// Help is the long text of --help.
func (AttestLoadCmd) Help() string {
	return `Registers software phones and has them send signed requests, as the app's backend hands them on. It knows what each of them must be answered, and counts what is answered otherwise: the surprises.

honest phones must be accepted. deviating ones are good phones of models with one fault; the policy says whether they are accepted, by its profile or an exception, and --deviating what is expected. abusive ones do with a genuine phone what attackers do, all of which must be refused, and for the right reason. What is judged is the verdict: a stage of the rollout that only observes lets refused phones pass, which is not a surprise.

The phones come from test roots whose private keys are public. Only a server that trusts these accepts them: "staunch dev", or another for tests. Their accounts and keys stay in its store.

Ctrl-C ends it early, with the summary so far. Exit codes: 0 no surprises and no errors; 1 there were some, or it could not go on; 2 the command line is wrong.

Examples:
  staunch dev                       # in another terminal
  staunch attest load --phones 200 --rate 50 --duration 30s
  staunch attest load --dir ./demo --mix abusive=1 --requests 500 --json`
}

// Run drives the server.
func (c *AttestLoadCmd) Run(s *streams) error {
	mix, err := load.ParseMix(c.Mix)
	if err != nil {
		return &exitError{exitCannot, err}
	}
	if err := c.find(); err != nil {
		return &exitError{exitCannot, err}
	}
	token, err := client.ReadToken(c.TokenFile)
	if err != nil {
		return &exitError{exitCannot, fmt.Errorf("--token-file: %w", err)}
	}
	http, err := (&client.Options{URL: c.URL, Token: token}).HTTP()
	if err != nil {
		return &exitError{exitCannot, fmt.Errorf("--url: %w", err)}
	}
	defer http.CloseIdleConnections()
	http.Timeout = 30 * time.Second // of one call
	l, err := load.New(&load.Options{
		Service: attestv1connect.NewAttestServiceClient(http, strings.TrimSuffix(c.URL, "/"), connect.WithReadMaxBytes(1<<20), connect.WithAcceptCompression("gzip", nil, nil)),
		App:     c.App, Authority: c.Authority, Phones: c.Phones, Mix: mix, Rate: c.Rate, Duration: c.Duration, Requests: c.Requests,
		RegisterOnly: c.RegisterOnly, Concurrency: c.Concurrency, Deviating: load.Outcome(c.Deviating), Progress: showProgress(s.err),
	})
	if err != nil {
		return &exitError{exitCannot, err}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	fmt.Fprintf(s.err, "%d phones (%s) against %s\n", c.Phones, mix, c.URL)
	report, runErr := l.Run(ctx)
	clearProgress(s.err)
	if c.JSON {
		err = writeJSON(s.out, report)
	} else if len(report.Calls) > 0 {
		c.summary(s.out, report)
	}
	switch {
	case runErr != nil:
		return errors.Join(c.advise(runErr), err)
	case err != nil:
		return err
	case !report.Good():
		return &exitError{code: exitNo} // the summary has said why
	}
	return nil
}

// advise adds to what went wrong which flag puts it right.
func (c *AttestLoadCmd) advise(err error) error {
	switch {
	case errors.Is(err, load.ErrAway):
		return fmt.Errorf("%w. Start one with `staunch dev`, or name its address with --url; this was %s", err, c.URL)
	case errors.Is(err, load.ErrToken):
		return fmt.Errorf("%w. Give the app's service_token_file with --token-file; this was %s", err, c.TokenFile)
	}
	return err
}

// find fills in address and token from the folder of a `staunch dev`.
func (c *AttestLoadCmd) find() error {
	dirs := []string{c.Dir}
	if c.Dir == "" {
		if c.URL != "" && c.TokenFile != "" {
			return nil
		}
		found, err := filepath.Glob(filepath.Join(os.TempDir(), devPattern))
		if err != nil {
			return err
		}
		dirs = found
		slices.SortFunc(dirs, func(a, b string) int { return modified(b).Compare(modified(a)) }) // the newest first
	}
	for _, dir := range dirs {
		text, err := os.ReadFile(filepath.Join(dir, urlName))
		url := strings.TrimSpace(string(text))
		switch {
		case err != nil && c.Dir != "":
			return fmt.Errorf("--dir: no `staunch dev` runs in %s: %w", c.Dir, err)
		case err != nil, c.URL != "" && url != c.URL && c.Dir == "":
			continue
		}
		if c.URL == "" {
			c.URL = url
		}
		if c.TokenFile == "" {
			c.TokenFile = filepath.Join(dir, tokenName)
		}
		c.config = filepath.Join(dir, configName)
		return nil
	}
	if c.URL == "" {
		return errors.New("no `staunch dev` with a temporary folder runs here: start one in another terminal; for one that runs with --dir DIR give --dir DIR, for another server for tests --url and --token-file")
	}
	return fmt.Errorf("--token-file is missing, and no `staunch dev` with a temporary folder runs at %s whose token could be taken; for one that runs with --dir DIR give --dir DIR", c.URL)
}

func modified(dir string) time.Time {
	info, err := os.Stat(filepath.Join(dir, urlName))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
