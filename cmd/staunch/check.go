package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// CheckCmd looks for damage.
type CheckCmd struct {
	Config   string   `xor:"where" placeholder:"FILE" help:"Configuration of the server whose stores are checked."`
	Dir      string   `xor:"where" placeholder:"DIR" help:"Folder of \"staunch dev --dir\", or a data_dir."`
	App      string   `placeholder:"ID" help:"Check the store of this app only."`
	AuditKey []string `name:"audit-key" placeholder:"FILE" help:"A public audit key (PEM) whose seals count, beside those of the configuration: one that was replaced, or for a --dir without a configuration. May be given several times."`
	JSON     bool     `name:"json" help:"Print one JSON object."`
}

// Help is the long text of --help.
func (CheckCmd) Help() string {
	return `Reads every store as a whole: the structure of its file and its schema; the audit record with its hash chains, its seals and their signatures; and whether every row that the record tells of is as its last entry says, and carries the right MAC; so is whether an operator of the console, or his session, is back that the record tells has ended. Nothing is written, and a server may run meanwhile. Give either --config or --dir.

Not covered are challenges, the counter and the day of last use of a key, and the outbox: the record does not tell of them. Audit entries that are newer than the last seal are held by their chain only, and a store that was put back as a whole to an earlier state looks like what it was. Of a --dir without a configuration, MACs are not looked at: they need the app's root secret.

All stores are read, also after one with problems. Exit codes: 0 consistent; 1 a store could not be checked: it is not there, another app's or of another schema, or the disk fails; 2 the command line is wrong; 3 problems were found, a line each. With both, 3. A file that is no store at all is a problem.

Examples:
  staunch check --config /etc/staunch/staunch.toml
  staunch check --config /etc/staunch/staunch.toml --app demo --json
  staunch check --dir ./demo`
}

// Exit codes besides 0 and exitCannot, which here means the command line only.
const (
	exitUnchecked = 1 // a store could not be checked
	exitProblems  = 3 // problems were found
)

// Validate wants to know where the stores are.
func (c *CheckCmd) Validate() error {
	if c.Config == "" && c.Dir == "" {
		return errors.New("give either --config=FILE or --dir=DIR")
	}
	return nil
}

// Run checks all stores.
func (c *CheckCmd) Run(s *streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	keys, err := c.keys()
	if err != nil {
		return &exitError{exitUnchecked, err}
	}
	cfg, apps, err := c.stores()
	if err != nil {
		return err
	}
	var all []checkedStore
	for i, id := range apps {
		fmt.Fprintf(s.err, "checking %s (%d of %d)\n", id, i+1, len(apps))
		one := checkStore(ctx, cfg, id, keys)
		if ctx.Err() != nil {
			return &exitError{exitUnchecked, ctx.Err()}
		}
		if !c.JSON {
			one.print(s.out)
		}
		all = append(all, one)
	}
	if c.JSON {
		if err := printChecked(s.out, all); err != nil {
			return &exitError{exitUnchecked, err}
		}
	}
	return verdictOf(all)
}

// checkStore checks one store.
func checkStore(ctx context.Context, cfg *config.Config, id string, keys []ed25519.PublicKey) checkedStore {
	r, err := server.CheckApp(ctx, cfg, id, keys...)
	if err != nil {
		return checkedStore{App: id, Problems: []problem{}, Error: err.Error()}
	}
	s := checkedStore{App: id, Accounts: r.Accounts, Entries: r.Entries, Seals: r.Seals, Unsealed: r.Unsealed, Problems: []problem{}}
	for _, p := range r.Problems {
		s.Problems = append(s.Problems, problem{p.Kind, string(p.Account), p.Subject, p.Entry})
	}
	return s
}

// verdictOf is the exit code, and what there is to do.
func verdictOf(all []checkedStore) error {
	bad, errs := 0, []error(nil)
	for _, s := range all {
		switch {
		case s.Error != "":
			errs = append(errs, fmt.Errorf("%s was not checked: %s", s.App, s.Error))
		case len(s.Problems) > 0:
			bad++
		}
	}
	switch {
	case bad > 0:
		errs = append(errs, fmt.Errorf("problems in %d of %d stores; stop the server, keep a copy of the files, find out who could write to them, and restore a backup", bad, len(all)))
		return &exitError{exitProblems, errors.Join(errs...)}
	case len(errs) > 0:
		return &exitError{exitUnchecked, errors.Join(errs...)}
	}
	return nil
}

// keys reads the audit keys of the command line.
func (c *CheckCmd) keys() (keys []ed25519.PublicKey, err error) {
	for _, file := range c.AuditKey {
		key, err := server.ReadAuditKey(file)
		if err != nil {
			return nil, fmt.Errorf("--audit-key: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// stores gives the configuration, or one that has no more than the stores of a
// folder, and the apps that are to be checked.
func (c *CheckCmd) stores() (cfg *config.Config, apps []string, err error) {
	if cfg, err = c.allStores(); err != nil {
		return nil, nil, &exitError{exitUnchecked, err}
	}
	for _, a := range cfg.Apps {
		apps = append(apps, a.ID)
	}
	switch {
	case c.App == "":
		return cfg, apps, nil
	case !slices.Contains(apps, c.App):
		return nil, nil, &exitError{exitCannot, fmt.Errorf("--app: there is no app %q; there is %s", c.App, strings.Join(apps, ", "))}
	}
	return cfg, []string{c.App}, nil
}

func (c *CheckCmd) allStores() (*config.Config, error) {
	file := c.Config
	if c.Dir != "" {
		file = filepath.Join(c.Dir, configName)
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			ids, err := server.Stores(c.Dir)
			if err == nil && len(ids) == 0 {
				err = fmt.Errorf("there is neither %s nor a store in %s", configName, c.Dir)
			}
			cfg := &config.Config{DataDir: c.Dir}
			for _, id := range ids {
				cfg.Apps = append(cfg.Apps, config.App{ID: id})
			}
			return cfg, err
		}
	}
	cfg, err := loadConfig(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	return cfg, nil
}
