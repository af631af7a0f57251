package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/server"
)

// AttestReplayCmd is `staunch attest replay`.
type AttestReplayCmd struct {
	Config string `placeholder:"FILE" help:"Configuration of the server that keeps the evidence; then the argument is its id."`
	JSON   bool   `name:"json" help:"Print the outcome as one JSON object."`
	Print  bool   `help:"Print the bundle instead of replaying it."`

	Bundle string `arg:"" help:"Replay bundle in JSON, - for standard input; with --config the evidence id."`
}

// Help is the long text of --help.
func (AttestReplayCmd) Help() string {
	return `A bundle holds everything that a verdict is a function of: evidence, expectations, policy, what the revocation list
said, and time. Replaying verifies it again and compares verdict, tier and findings, so that a decision can be explained
years later, and a release that decides differently says so.

Exit status: 0 equal, 1 different, 2 cannot tell.

Examples:
  staunch attest replay bundle.json
  staunch attest replay --config staunch.toml e_abcdefghijklmnopqrstuvwxyz
  staunch attest replay --config staunch.toml --print e_abcdefghijklmnopqrstuvwxyz > bundle.json`
}

// Run replays and compares.
func (c *AttestReplayCmd) Run(s *streams) error {
	text, err := c.read(s)
	if err != nil {
		return &exitError{exitCannot, err}
	}
	bundle, err := attest.ParseBundle(text)
	if err != nil {
		return &exitError{exitCannot, err}
	}
	if c.Print {
		return writeJSON(s.out, bundle)
	}
	verifier, err := attest.NewVerifier(nil)
	if err != nil {
		return &exitError{exitCannot, err}
	}
	replay, err := verifier.Replay(bundle)
	if err != nil {
		return &exitError{exitCannot, err}
	}
	if err := c.write(s, replay); err != nil {
		return err
	}
	if !replay.Equal {
		return &exitError{code: exitNo}
	}
	return nil
}

func (c *AttestReplayCmd) read(s *streams) ([]byte, error) {
	if c.Config == "" {
		text, err := readBounded(s.in, c.Bundle, 8*attest.MaxInput)
		if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(c.Bundle, "e_") {
			return nil, fmt.Errorf("%s is no file; if it is the id of evidence, --config FILE says which server keeps it", c.Bundle)
		}
		return text, err
	}
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return nil, err
	}
	return server.Evidence(context.Background(), cfg, c.Bundle)
}

func (c *AttestReplayCmd) write(s *streams, r *attest.Replay) error {
	if c.JSON {
		return writeJSON(s.out, struct {
			Equal     bool                 `json:"equal"`
			Then      attest.BundleVerdict `json:"then"`
			Now       attest.BundleVerdict `json:"now"`
			RulesThen int                  `json:"rules_then"`
			RulesNow  int                  `json:"rules_now"`
		}{r.Equal, r.Then, r.Now, r.RulesThen, r.RulesNow})
	}
	p := colours(s.out)
	if r.Equal {
		_, err := fmt.Fprintf(s.out, "%s  %s, tier %s, as it was (rules %d)\n", p.paint(green, "EQUAL"), r.Now.Verdict, r.Now.Tier, r.RulesNow)
		return err
	}
	if _, err := fmt.Fprintf(s.out, "%s  rules %d then, rules %d now\n", p.paint(red, "DIFFERENT"), r.RulesThen, r.RulesNow); err != nil {
		return err
	}
	for _, d := range r.Differ {
		if _, err := fmt.Fprintf(s.out, "  %s\n", printable(d)); err != nil {
			return err
		}
	}
	return nil
}
