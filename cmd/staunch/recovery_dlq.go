package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/staunchid/staunch/server"
	"github.com/staunchid/staunch/stream"
)

// RecoveryCmd looks after PIN recovery.
type RecoveryCmd struct {
	Status RecoveryStatusCmd `cmd:"" help:"Vaults, witnesses and what waits: is all well?"`
	DLQ    RecoveryDLQCmd    `cmd:"" name:"dlq" help:"Dead letters: records that the retry stream could not store, and gave up."`
}

// RecoveryDLQCmd is about dead letters.
type RecoveryDLQCmd struct {
	List  DLQListCmd  `cmd:"" help:"List dead letters, with the reason of each."`
	Retry DLQRetryCmd `cmd:"" help:"Put dead letters back into the stream, when the reason is gone."`
	Drop  DLQDropCmd  `cmd:"" help:"Delete dead letters for good."`
}

const dlqHelp = `A dead letter is a record of a vault that could not be stored: its app or its vault is not configured any more, its bytes are none of ours, or it was tried max_attempts times. Until it or a newer one is stored, the account's attempts may be answered "try again", or rest on what the vaults' own marks say.

It works on the log in data_dir, or on Kafka, as recovery.retry of the configuration says, and a server may run meanwhile.`

// dlqFlags are those that all three share.
type dlqFlags struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration of the server."`
	JSON   bool   `name:"json" help:"Print one JSON object."`
}

// open opens the dead letters that the configuration names. cancelled ends on Ctrl-C.
func (f *dlqFlags) open() (l server.DeadLetters, cancelled context.Context, done func(), err error) {
	cfg, err := loadConfig(f.Config)
	if err != nil {
		return nil, nil, nil, &exitError{exitCannot, unreadable(f.Config, err)}
	}
	if l, err = server.OpenDeadLetters(cfg); err != nil {
		return nil, nil, nil, &exitError{exitCannot, err}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	return l, ctx, func() {
		stop()
		_ = l.Close() // nothing is under way
	}, nil
}

// DLQListCmd is `staunch recovery dlq list`.
type DLQListCmd struct {
	dlqFlags `embed:""`
}

// Help is the long text of --help.
func (DLQListCmd) Help() string {
	return dlqHelp + `

Exit codes: 0 they are listed, also if there are none; 1 they cannot be read; 2 the command line or the configuration is wrong.

Example: staunch recovery dlq list --config staunch.toml`
}

// Run lists them.
func (c *DLQListCmd) Run(s *streams) error {
	l, ctx, done, err := c.open()
	if err != nil {
		return err
	}
	defer done()
	all, err := l.List(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(s.out, lettersJSON(all))
	}
	return writeLetters(s.out, all)
}

// dlqChosen are the letters that a command is about.
type dlqChosen struct {
	dlqFlags `embed:""`
	All      bool     `help:"All that there are."`
	IDs      []string `arg:"" optional:"" name:"id" help:"IDs, as list prints them."`
}

// Validate wants letters to be named.
func (c *dlqChosen) Validate() error {
	if c.All == (len(c.IDs) > 0) {
		return errors.New("name letters by their IDs, or give --all")
	}
	return nil
}

// DLQRetryCmd is `staunch recovery dlq retry`.
type DLQRetryCmd struct {
	dlqChosen `embed:""`
}

// Help is the long text of --help.
func (DLQRetryCmd) Help() string {
	return dlqHelp + `

A running server takes up what is put back within seconds, and if none runs the next one does. What fails again for the same reason is a dead letter again, with the same ID.

Exit codes: 0 all are put back; 1 some are not: there is no such letter, or it cannot be put back; 2 the command line or the configuration is wrong.

Examples:
  staunch recovery dlq retry --config staunch.toml 5bd1a9d0c1f7e2a4
  staunch recovery dlq retry --config staunch.toml --all`
}

// Run puts letters back.
func (c *DLQRetryCmd) Run(s *streams) error {
	return c.each(s, "retried", "put back", server.DeadLetters.Retry)
}

// DLQDropCmd is `staunch recovery dlq drop`.
type DLQDropCmd struct {
	dlqChosen `embed:""`
}

// Help is the long text of --help.
func (DLQDropCmd) Help() string {
	return dlqHelp + `

What is dropped is lost, with the receipts that wait in it. No attempt comes back by that: the count is in the vaults' marks. But where the record was the only copy of a changed registration, its owner must register anew.

Exit codes: 0 all are dropped; 1 some are not: there is no such letter, or it cannot be deleted; 2 the command line or the configuration is wrong.

Example: staunch recovery dlq drop --config staunch.toml 5bd1a9d0c1f7e2a4`
}

// Run drops letters.
func (c *DLQDropCmd) Run(s *streams) error {
	return c.each(s, "dropped", "dropped", server.DeadLetters.Drop)
}

// each does the same with all chosen letters, also after one fails.
func (c *dlqChosen) each(s *streams, key, word string, do func(server.DeadLetters, context.Context, string) error) error {
	l, ctx, done, err := c.open()
	if err != nil {
		return err
	}
	defer done()
	ids := c.IDs
	if c.All {
		all, err := l.List(ctx)
		if err != nil {
			return err
		}
		for _, one := range all {
			ids = append(ids, one.ID)
		}
	}
	did, errs := []string{}, []error(nil)
	for _, id := range ids {
		if err := do(l, ctx, id); err != nil {
			if errors.Is(err, stream.ErrNoLetter) {
				err = fmt.Errorf("there is no dead letter %q: see `staunch recovery dlq list`", id)
			}
			errs = append(errs, err)
			continue
		}
		did = append(did, id)
	}
	if c.JSON {
		errs = append(errs, writeJSON(s.out, map[string][]string{key: did}))
	} else {
		for _, id := range did {
			fmt.Fprintf(s.out, "%s %s\n", id, word)
		}
		if len(ids) == 0 {
			fmt.Fprintln(s.out, "There are no dead letters.")
		}
	}
	return errors.Join(errs...)
}
