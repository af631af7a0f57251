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
	Print ConfigPrintCmd `cmd:"" help:"Print the sample configuration, with a comment for every key."`
	Check ConfigCheckCmd `cmd:"" help:"Check a configuration and the files that it names."`
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
	File string `arg:"" help:"Configuration file."`
}

// Help is the long text of --help.
func (ConfigCheckCmd) Help() string {
	return `Reads the file, and the policy, revocation list, certificate and secrets that it names, as the server would. It opens no store and no port.

A line "warning: ..." on standard output tells of what is in order and may surprise: part of the policy that does nothing, a revocation list that is missing or old, a secret that others can read. The server logs the same when it starts.

Exit codes: 0 all is good, warnings or not; 1 something is wrong, and every line on standard error names file, key and, unless the key is missing, its line; 2 the file cannot be read.

Example: staunch config check staunch.toml`
}

// Run checks a file.
func (c *ConfigCheckCmd) Run(s *streams) error {
	cfg, err := config.Load(c.File)
	if err != nil && !errors.Is(err, config.ErrInvalid) {
		return &exitError{exitCannot, unreadable(c.File, err)}
	}
	if err != nil {
		return err
	}
	warnings, err := server.Check(cfg, time.Now())
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

// unreadable says what to do about a configuration that cannot be read.
func unreadable(file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s; `staunch config print > %s` writes a sample: %w", file, file, err)
	}
	return err
}
