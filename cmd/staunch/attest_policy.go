package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/staunchid/staunch/attest"
	"github.com/staunchid/staunch/config"
)

// AttestPolicyCmd is about policy and rollout files.
type AttestPolicyCmd struct {
	Print   AttestPolicyPrintCmd   `cmd:"" help:"Print a first policy for real phones, with comments, to fill in."`
	Check   AttestPolicyCheckCmd   `cmd:"" help:"Check a policy file and say in words what it does."`
	Explain AttestPolicyExplainCmd `cmd:"" help:"Say what a policy file decides about kept evidence, and which key of it."`
}

// AttestPolicyCheckCmd is `staunch attest policy check`.
type AttestPolicyCheckCmd struct {
	At   *string `help:"Time of the check, in RFC 3339; default now." placeholder:"TIME"`
	JSON bool    `name:"json" help:"Print the outcome as one JSON object."`

	File string `arg:"" help:"Policy file."`
}

// Help is the long text of --help.
func (AttestPolicyCheckCmd) Help() string {
	return `Reads the file as the server would and prints what it does: apps, stages of the rollout in their order, routes,
risk rules, and exceptions with the days that they have left. A line "warning: ..." tells of what is in order and does
nothing, such as a stage behind another one that takes everything from it.

Exit status: 0 good, warnings or not; 1 wrong, and each line on standard error names file, line and key; 2 the file
cannot be read.

Examples:
  staunch attest policy check policy.toml
  staunch attest policy check --at 2027-05-01T00:00:00Z policy.toml`
}

// Run checks and prints.
func (c *AttestPolicyCheckCmd) Run(s *streams) error {
	now, err := timeFlag(c.At)
	if err != nil {
		return &exitError{exitCannot, err}
	}
	t, err := readPolicyText(c.File)
	switch {
	case err != nil && !errors.Is(err, config.ErrInvalid):
		return &exitError{exitCannot, err}
	case err != nil && c.JSON:
		if err := writeJSON(s.out, policyErrors(c.File, err)); err != nil {
			return &exitError{exitCannot, err}
		}
		return &exitError{code: exitNo}
	case err != nil:
		return err
	case c.JSON:
		err = writeJSON(s.out, t.summary(now))
	default:
		_, err = io.WriteString(s.out, t.inWords(colours(s.out), now))
	}
	if err != nil {
		return &exitError{exitCannot, err}
	}
	return nil
}

// timeFlag reads --at; nil is now.
func timeFlag(at *string) (time.Time, error) {
	if at == nil {
		return time.Now(), nil
	}
	t, err := time.Parse(time.RFC3339, *at)
	if err != nil {
		return time.Time{}, fmt.Errorf("--at: %q is no time in RFC 3339; write it as 2026-11-01T12:00:00Z", *at)
	}
	return t, nil
}

// policyText is a policy file with its text, in which keys have lines.
type policyText struct {
	file   string
	text   []byte
	keys   attest.PolicyFile
	policy *attest.Policy
}

// readPolicyText reads and checks a policy file. What is wrong in it is an
// error that wraps config.ErrInvalid and names file, line and key.
func readPolicyText(file string) (*policyText, error) {
	t := &policyText{file: file}
	var err error
	if t.text, err = config.ReadFile(file); err != nil {
		return nil, err
	}
	if err := config.Decode(t.text, &t.keys); err != nil {
		return nil, asPolicy(file, t.text, err)
	}
	t.policy, err = attest.NewPolicy(&t.keys)
	var wrong *attest.PolicyError
	if errors.As(err, &wrong) {
		return nil, config.InFile(file, &config.Error{Line: t.line(wrong.Key), Key: wrong.Key, Reason: wrong.Reason})
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// line is where a key stands, or what encloses it; 0: nowhere.
func (t *policyText) line(key string) int { return config.Line(t.text, key) }

// at says where a key stands, for people.
func (t *policyText) at(key string) string {
	if n := t.line(key); n > 0 {
		return fmt.Sprintf("line %d", n)
	}
	return "left out"
}

// value is what the file says under a key, as JSON with defaults filled in, or
// "" for a table and for no key.
func (t *policyText) value(key string) string {
	var v any
	if key == "" || json.Unmarshal(t.policy.Canonical(), &v) != nil {
		return ""
	}
	for _, step := range strings.Split(key, ".") {
		name, index, indexed := strings.Cut(strings.TrimSuffix(step, "]"), "[")
		members, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = members[name]
		if !indexed {
			continue
		}
		elements, ok := v.([]any)
		i, err := strconv.Atoi(index)
		if !ok || err != nil || i >= len(elements) {
			return ""
		}
		v = elements[i]
	}
	switch list := v.(type) {
	case map[string]any, nil:
		return ""
	case []any:
		if len(list) > 0 {
			if _, tables := list[0].(map[string]any); tables {
				return ""
			}
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}

// policyProblem is an error or a warning about a file.
type policyProblem struct {
	Line   int    `json:"line"` // 0: unknown
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// policyOutcome is what check --json prints of a file that is wrong.
type policyOutcome struct {
	File   string          `json:"file"`
	Good   bool            `json:"good"`
	Errors []policyProblem `json:"errors"`
}

// policyErrors lists what an error joins.
func policyErrors(file string, err error) policyOutcome {
	out := policyOutcome{File: file, Errors: []policyProblem{}}
	all := []error{err}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		all = joined.Unwrap()
	}
	for _, err := range all {
		var e *config.Error
		if errors.As(err, &e) {
			out.Errors = append(out.Errors, policyProblem{e.Line, e.Key, e.Reason})
		}
	}
	return out
}
