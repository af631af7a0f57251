package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/staunchid/staunch/server"
)

// CheckCmd looks for damage.
type CheckCmd struct {
	Config string `xor:"where" placeholder:"FILE" help:"Configuration of the server whose stores are checked."`
	Dir    string `xor:"where" placeholder:"DIR" help:"Folder of \"staunch dev --dir\", or a data_dir."`
	JSON   bool   `name:"json" help:"Print one JSON object a store."`
}

// Help is the long text of --help.
func (CheckCmd) Help() string {
	return `Reads every store as a whole: the structure of its file and its schema, the hash chains of its audit record, and whether every key, with its serials, and every piece of evidence is as the record says. Nothing is written, and a server may run meanwhile. Give either --config or --dir.

Not covered are challenges, the counter and the day of last use of a key, and the outbox: the record does not tell of them. Nor is it seen when the end of a chain was cut off, or a whole chain computed anew.

All stores are read, also after one that is damaged. Exit codes: 0 no damage; 1 damage, one line each; 2 a store could not be checked: it is not there, another app's or of another schema, or the disk fails. A file that is no store at all is damage.

Examples:
  staunch check --config /etc/staunch/staunch.toml
  staunch check --dir ./demo`
}

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
	dataDir, apps, err := c.stores()
	if err != nil {
		return &exitError{exitCannot, err}
	}
	damaged, errs := 0, []error(nil)
	for i, id := range apps {
		fmt.Fprintf(s.err, "checking %s (%d of %d)\n", id, i+1, len(apps))
		ok, err := c.store(ctx, s, dataDir, id)
		switch {
		case ctx.Err() != nil:
			return &exitError{exitCannot, ctx.Err()}
		case err != nil:
			errs = append(errs, fmt.Errorf("%s was not checked: %w", id, err))
		case !ok:
			damaged++
		}
	}
	code := exitNo
	if len(errs) > 0 {
		code = exitCannot // the worst that can be said: who knows what is there
	}
	if damaged > 0 {
		errs = append(errs, fmt.Errorf("%d of %d stores are damaged; stop the server, keep a copy of the files, and restore a backup", damaged, len(apps)))
	}
	if len(errs) == 0 {
		return nil
	}
	return &exitError{code, errors.Join(errs...)}
}

// store checks one store and prints what is found. An error says why it could
// not be checked.
func (c *CheckCmd) store(ctx context.Context, s *streams, dataDir, id string) (ok bool, err error) {
	report, err := server.CheckStore(ctx, dataDir, id)
	ok = err == nil && report.OK()
	switch {
	case c.JSON && err != nil:
		return false, errors.Join(err, json.NewEncoder(s.out).Encode(map[string]any{"app": id, "ok": false, "error": err.Error()}))
	case c.JSON:
		return ok, json.NewEncoder(s.out).Encode(map[string]any{
			"app": id, "accounts": report.Accounts, "entries": report.Entries, "ok": ok, "problems": report.Problems,
		})
	case err != nil:
		return false, err
	}
	fmt.Fprintf(s.out, "%s: %d accounts, %d audit entries, %d problems\n", id, report.Accounts, report.Entries, len(report.Problems))
	for _, p := range report.Problems {
		fmt.Fprintf(s.out, "%s: %s account=%q subject=%q entry=%d\n", id, p.Kind, p.Account, p.Subject, p.Entry)
	}
	return ok, nil
}

// stores finds the folder and the apps.
func (c *CheckCmd) stores() (dataDir string, apps []string, err error) {
	file := c.Config
	if c.Dir != "" {
		file = filepath.Join(c.Dir, configName)
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			apps, err := server.Stores(c.Dir)
			if err == nil && len(apps) == 0 {
				err = fmt.Errorf("there is neither %s nor a store in %s", configName, c.Dir)
			}
			return c.Dir, apps, err
		}
	}
	cfg, err := loadConfig(file)
	if err != nil {
		return "", nil, unreadable(file, err)
	}
	for _, a := range cfg.Apps {
		apps = append(apps, a.ID)
	}
	return cfg.DataDir, apps, nil
}
