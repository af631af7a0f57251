// Command staunch is the account-integrity server and its tools in one binary.
//
//	staunch dev                      a server to play with, in a temporary folder
//	staunch serve --config FILE      the real thing
//	staunch config print | check     the commented sample; is a file good?
//	staunch check --config FILE      reads the stores and looks for damage
//	staunch attest verify ...        judges evidence without a server
//	staunch attest stats ...         what a server has judged; also suspects, replay
//	staunch attest load ...          drives a server with software phones
//	staunch phone enroll ...         a phone in the terminal; also status, freeze, join ...
//	staunch recovery status ...      vaults, witnesses, what waits
//	staunch recovery dlq list ...    records that could not be stored; also retry, drop
//	staunch operator add ...         invites somebody to the console; also list, remove
//	staunch version                  or staunch --version
//	staunch help COMMAND             or staunch COMMAND --help
//
// Messages about what went wrong go to standard error and say what to do. The
// exit code is 0 when the command was done and the answer is yes, 1 when the
// answer is no or the command failed, and 2 when the command line is wrong or
// nothing can be told; where a command has others, its help says so.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// cli is the command line. A command is a struct with a Run method, which may
// take *streams.
type cli struct {
	Dev      DevCmd      `cmd:"" help:"Run a server to play with: temporary data, throw-away keys, software phones."`
	Serve    ServeCmd    `cmd:"" help:"Run the server."`
	Attest   AttestCmd   `cmd:"" help:"Verify evidence, try policies, ask a server's store what it has judged, and drive a server."`
	Phone    PhoneCmd    `cmd:"" help:"Be a phone: enrol, look, freeze, join, approve."`
	Vault    VaultCmd    `cmd:"" help:"Run a vault or a witness of PIN recovery."`
	Recovery RecoveryCmd `cmd:"" help:"Look after PIN recovery: its vaults, what waits, dead letters."`
	Operator OperatorCmd `cmd:"" help:"Look after the people at the console: invite, list, remove."`
	Config   ConfigCmd   `cmd:"" help:"Print the sample configuration, or check a file."`
	Check    CheckCmd    `cmd:"" help:"Look for damage in the stores."`
	Version  VersionCmd  `cmd:"" help:"Print the version; so does --version."`
}

const description = `Account-integrity server: is this a genuine phone, running our genuine app, does this key live in its hardware, and has it signed this very request?

Begin with: staunch dev

Exit codes: 0 done, or the answer is yes; 1 failed, or the answer is no; 2 the command line is wrong, or nothing can be told. Where a command has others, its help says so.`

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// exitError ends the program with a code of its own, as any error with the
// method ExitCode does. Any other error ends it with 1. Without err nothing is
// printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// ExitCode is what the program ends with.
func (e *exitError) ExitCode() int { return e.code }

func (e *exitError) Unwrap() error { return e.err }

// Exit codes besides 0.
const (
	exitNo     = 1 // the answer is no, or the command failed
	exitCannot = 2 // the command line is wrong, or nothing can be told
)

func main() { os.Exit(run(os.Args[1:], &streams{os.Stdin, os.Stdout, os.Stderr})) }

// run parses args, runs the command and returns the exit code.
func run(args []string, s *streams) (code int) {
	type helped struct{ code int }
	defer func() { // --help leaves the parser this way
		if p := recover(); p != nil {
			h, ok := p.(helped)
			if !ok {
				panic(p)
			}
			code = h.code
		}
	}()
	switch { // as many programs take it
	case len(args) > 0 && args[0] == "help":
		args = append(slices.Clone(args[1:]), "--help")
	case len(args) == 1 && args[0] == "--version":
		args = []string{"version"}
	}
	parser, err := kong.New(&cli{},
		kong.Name("staunch"), kong.Description(description),
		kong.Writers(s.out, s.err), kong.Exit(func(code int) { panic(helped{code}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 80}),
		kong.Bind(s),
	)
	if err != nil {
		return report(s.err, &exitError{exitCannot, err})
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		hint := "staunch --help"
		var pe *kong.ParseError
		if errors.As(err, &pe) && pe.Context != nil && pe.Context.Selected() != nil {
			hint = pe.Context.Selected().FullPath() + " --help"
		}
		err = fmt.Errorf("%w (see `%s`)", plainly(err), hint)
		if isPhone(args) { // which prints one line of JSON, whatever happens
			if len(args) > 1 && args[1] == "transfer" {
				return report(s.err, transferFailed(s, true, "", time.Now(), &phoneUsage{err}))
			}
			return report(s.err, phoneFailed(s, true, &phoneUsage{err}))
		}
		return report(s.err, &exitError{exitCannot, err})
	}
	return report(s.err, ctx.Run())
}

// plainly says without the parser's words that a flag has no value.
func plainly(err error) error {
	if flag, _, ok := strings.Cut(err.Error(), ": expected "); ok && strings.HasSuffix(err.Error(), `but got "EOL" (<EOL>)`) {
		return fmt.Errorf("%s needs a value", flag)
	}
	return err
}

// report prints err, if it has a text, and returns the exit code that it means.
func report(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	if text := err.Error(); text != "" { // errors that are joined have a line each
		for line := range strings.SplitSeq(text, "\n") {
			fmt.Fprintf(w, "staunch: %s\n", printable(strings.ReplaceAll(line, "\t", " "))) // some of it is a server's
		}
	}
	var e kong.ExitCoder
	if errors.As(err, &e) {
		return e.ExitCode()
	}
	return exitNo
}
