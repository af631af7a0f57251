package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// ConfigCmd is about configuration files.
type ConfigCmd struct {
	Print      ConfigPrintCmd      `cmd:"" help:"Print the sample configuration, with a comment for every key."`
	Check      ConfigCheckCmd      `cmd:"" help:"Check a configuration and the files that it names."`
	NewKey     ConfigNewKeyCmd     `cmd:"" name:"new-key" help:"Make a key that seals the audit record, or by which a backend signs."`
	WebhookKey ConfigWebhookKeyCmd `cmd:"" name:"webhook-key" help:"Print the public key by which a backend verifies what is delivered to it."`
}

// ConfigPrintCmd prints the sample.
type ConfigPrintCmd struct{}

// Help is the long text of --help.
func (ConfigPrintCmd) Help() string {
	return "Example: staunch config print > staunch.toml"
}

// Run prints the sample.
func (ConfigPrintCmd) Run(s *streams) error {
	text, err := config.Sample()
	if err != nil {
		return err
	}
	_, err = io.WriteString(s.out, text)
	return err
}

// ConfigCheckCmd checks a file.
type ConfigCheckCmd struct {
	JSON bool   `name:"json" help:"Print the outcome as one JSON object."`
	File string `arg:"" help:"Configuration file."`
}

// Help is the long text of --help.
func (ConfigCheckCmd) Help() string {
	return `Reads the file, and the policy, revocation list, certificate and secrets that it names, as the server would. It opens no store and no port.

A line "warning: ..." on standard output tells of what is in order and may surprise: part of the policy that does nothing, a revocation list that is missing or old, a secret that others can read. The server logs the same when it starts.

Exit codes: 0 all is good, warnings or not; 1 something is wrong, and every line on standard error names file, key and, unless the key is missing, its line; 2 the file cannot be read. With --json the errors are in the object.

Examples:
  staunch config check staunch.toml
  staunch config check --json staunch.toml`
}

// Run checks a file.
func (c *ConfigCheckCmd) Run(s *streams) error {
	cfg, err := loadConfig(c.File)
	if err != nil && !errors.Is(err, config.ErrInvalid) {
		return &exitError{exitCannot, unreadable(c.File, err)}
	}
	var warnings []*config.Error
	if err == nil {
		warnings, err = server.Check(cfg, time.Now())
	}
	if c.JSON {
		return c.json(s.out, warnings, err)
	}
	for _, w := range warnings {
		text := strings.TrimPrefix(w.Error(), "config: ")
		if _, err := fmt.Fprintf(s.out, "warning: %s\n", text); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s is good\n", c.File)
	return err
}

// configProblem is an error or a warning about the configuration or about a
// file that it names.
type configProblem struct {
	File   string `json:"file"`
	Line   int    `json:"line"` // 0: unknown
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// configOutcome is what check --json prints.
type configOutcome struct {
	File     string          `json:"file"`
	Good     bool            `json:"good"`
	Errors   []configProblem `json:"errors"`
	Warnings []configProblem `json:"warnings"`
}

func (c *ConfigCheckCmd) json(w io.Writer, warnings []*config.Error, err error) error {
	out := configOutcome{c.File, err == nil, []configProblem{}, []configProblem{}}
	for _, e := range warnings {
		out.Warnings = append(out.Warnings, configProblem{e.File, e.Line, e.Key, e.Reason})
	}
	for _, one := range joined(err) {
		var e *config.Error
		if !errors.As(one, &e) {
			e = &config.Error{File: c.File, Reason: one.Error()}
		}
		out.Errors = append(out.Errors, configProblem{e.File, e.Line, e.Key, e.Reason})
	}
	if err := writeJSON(w, out); err != nil {
		return &exitError{exitCannot, err}
	}
	if err != nil {
		return &exitError{code: exitNo}
	}
	return nil
}

// joined are the errors that err joins, at whatever depth; none for nil.
func joined(err error) (all []error) {
	if err == nil {
		return nil
	}
	several, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // what wraps a joined error has its own text
	if !ok {
		return []error{err}
	}
	for _, e := range several.Unwrap() {
		all = append(all, joined(e)...)
	}
	return all
}

// unreadable says what to do about a configuration that cannot be read.
func unreadable(file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s; `staunch config print > %s` writes a sample: %w", file, file, err)
	}
	return err
}
