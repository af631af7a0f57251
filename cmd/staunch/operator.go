package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/operator"
	"github.com/staunchid/staunch/server"
)

// OperatorCmd looks after the people at the console.
type OperatorCmd struct {
	Add    OperatorAddCmd    `cmd:"" help:"Invite an operator: print a link that works once."`
	List   OperatorListCmd   `cmd:"" help:"List operators: who may come in, who is invited, who was removed."`
	Remove OperatorRemoveCmd `cmd:"" help:"Remove an operator, and end his sessions."`
}

const operatorHelp = `Operators look after an app at its console, the host in [app.console] of the configuration. They read; no operator changes an account. This command is for who runs the server: it needs the app's root secret and writes to its store, beside a server that runs or without one. Run it as the server's own user. What it does is in the app's audit record, with the name of that user.`

// operatorFlags are those that all three share.
type operatorFlags struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration of the server; it may run meanwhile."`
	App    string `placeholder:"ID" help:"App whose console it is, where several have one."`
	JSON   bool   `name:"json" help:"Print one JSON object."`
}

// open opens the operators that the configuration names. ctx ends on Ctrl-C.
func (f *operatorFlags) open() (o *server.Operators, ctx context.Context, done func() error, err error) {
	cfg, err := loadConfig(f.Config)
	if err != nil {
		return nil, nil, nil, &exitError{exitCannot, unreadable(f.Config, err)}
	}
	devPort(cfg, f.Config)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if o, err = server.OpenOperators(ctx, cfg, f.App, localName()); err != nil {
		stop()
		return nil, nil, nil, &exitError{exitCannot, err}
	}
	return o, ctx, func() error {
		stop()
		return o.Close()
	}, nil
}

// localName is who acts, for the audit record.
func localName() string {
	u, err := user.Current()
	if err != nil {
		return "local"
	}
	return "local:" + u.Username
}

// devPort gives the console the port that `staunch dev` listens on, if it runs with
// this configuration.
func devPort(cfg *config.Config, file string) {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(file), urlName))
	if err != nil {
		return
	}
	at, err := url.Parse(strings.TrimSpace(string(text)))
	if err != nil || at.Port() == "" {
		return
	}
	for i := range cfg.Apps {
		consoleAtPort(&cfg.Apps[i], at.Port())
	}
}

// consoleAtPort puts a port into the origin of a console of this machine, and says
// where it is then; empty: there is none.
func consoleAtPort(a *config.App, port string) string {
	if a.Console == nil {
		return ""
	}
	if u, err := url.Parse(a.Console.Origin); err == nil && u.Scheme == "http" {
		a.Console.Origin = "http://" + net.JoinHostPort(u.Hostname(), port)
	}
	return a.Console.Origin
}

// OperatorAddCmd is `staunch operator add`.
type OperatorAddCmd struct {
	operatorFlags `embed:""`
	Name          string `required:"" placeholder:"NAME" help:"Of the operator, in small letters, such as mika or mika@example.org."`
}

// Help is the long text of --help.
func (OperatorAddCmd) Help() string {
	return operatorHelp + `

The link is for one person: whoever opens it first makes a passkey, and is that operator. It works once, for 24 hours, and ends when another is made for the same name. The secret behind "#" is shown here alone. A passkey that is copied to other devices is refused: have a security key at hand. Who has lost his is removed and added again.

Exit codes: 0 invited; 1 refused: the name is taken, or is none; 2 the command line or the configuration is wrong, or the store cannot be opened.

Example: staunch operator add --config staunch.toml --name mika`
}

// Run invites.
func (c *OperatorAddCmd) Run(s *streams) (err error) {
	o, ctx, done, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	in, link, err := o.Invite(ctx, c.Name)
	switch {
	case errors.Is(err, operator.ErrNameTaken):
		return fmt.Errorf("%w; for a new passkey: staunch operator remove --config %s --name %s, then add", err, quoted(c.Config), quoted(c.Name))
	case err != nil:
		return err
	}
	if c.JSON {
		return writeJSON(s.out, struct {
			App   string    `json:"app"`
			ID    string    `json:"id"`
			Name  string    `json:"name"`
			Link  string    `json:"link"`
			Until time.Time `json:"until"`
		}{o.App(), string(in.ID), in.Name, link, in.Until})
	}
	_, err = fmt.Fprintf(s.out, "%s\n\nThis link is for %s, works once, and until %s.\n", link, in.Name, in.Until.Local().Format("2006-01-02 15:04 MST"))
	return err
}

// OperatorListCmd is `staunch operator list`.
type OperatorListCmd struct {
	operatorFlags `embed:""`
}

// Help is the long text of --help.
func (OperatorListCmd) Help() string {
	return operatorHelp + `

Exit codes: 0 they are listed, also if there are none; 1 they cannot be read, or somebody has changed one behind the server's back; 2 the command line or the configuration is wrong, or the store cannot be opened.

Example: staunch operator list --config staunch.toml`
}

// Run lists them.
func (c *OperatorListCmd) Run(s *streams) (err error) {
	o, ctx, done, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	all, err := o.List(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(s.out, operatorsJSON(o.App(), all, time.Now()))
	}
	return writeOperators(s.out, all, time.Now())
}

// OperatorRemoveCmd is `staunch operator remove`.
type OperatorRemoveCmd struct {
	operatorFlags `embed:""`
	Name          string `required:"" placeholder:"NAME" help:"Of the operator, as list prints it."`
}

// Help is the long text of --help.
func (OperatorRemoveCmd) Help() string {
	return operatorHelp + `

His sessions end at once, and neither his passkey nor his link lets anybody in. He stays in the list and in the audit record; his name may be given again. It takes two seconds: then every server has read of it, and it is looked at once more.

Exit codes: 0 removed; 1 there is no such operator, or somebody who can write to the store has put him back at once, or had another row there under his name, which is removed then; 2 the command line or the configuration is wrong, or the store cannot be opened.

Example: staunch operator remove --config staunch.toml --name mika`
}

// Run removes.
func (c *OperatorRemoveCmd) Run(s *streams) (err error) {
	o, ctx, done, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	id, err := o.Remove(ctx, c.Name)
	if errors.Is(err, operator.ErrUnknown) {
		return fmt.Errorf("there is no operator %q: see `staunch operator list --config %s`", c.Name, quoted(c.Config))
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(s.out, map[string]string{"app": o.App(), "removed": string(id)})
	}
	_, err = fmt.Fprintf(s.out, "%s removed\n", printable(c.Name))
	return err
}
