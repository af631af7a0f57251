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

	"github.com/staunchid/staunch/config"
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
	return `Reads every store as a whole: the structure of its file, the hash chains of its audit record, and whether every thing in it is as its last audit entry says. Nothing is written, and a server may run meanwhile. Give either --config or --dir.

Exit codes: 0 no damage; 1 damage, one line each; 2 a store cannot be read.

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
	damaged := 0
	for i, id := range apps {
		fmt.Fprintf(s.err, "checking %s (%d of %d)\n", id, i+1, len(apps))
		report, err := server.CheckStore(ctx, dataDir, id)
		if err != nil {
			return &exitError{exitCannot, err}
		}
		if !report.OK() {
			damaged++
		}
		if c.JSON {
			err = json.NewEncoder(s.out).Encode(map[string]any{
				"app": report.App, "accounts": report.Accounts, "entries": report.Entries, "ok": report.OK(), "problems": report.Problems,
			})
			if err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(s.out, "%s: %d accounts, %d audit entries, %d problems\n", id, report.Accounts, report.Entries, len(report.Problems))
		for _, p := range report.Problems {
			fmt.Fprintf(s.out, "%s: %s account=%q subject=%q entry=%d\n", id, p.Kind, p.Account, p.Subject, p.Entry)
		}
	}
	if damaged > 0 {
		return &exitError{exitNo, fmt.Errorf("%d of %d stores are damaged; stop the server, keep a copy of the files, and restore a backup", damaged, len(apps))}
	}
	return nil
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
	cfg, err := config.Load(file)
	if err != nil {
		return "", nil, unreadable(file, err)
	}
	for _, a := range cfg.Apps {
		apps = append(apps, a.ID)
	}
	return cfg.DataDir, apps, nil
}
