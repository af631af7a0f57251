package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// DevCmd runs a server to play with.
type DevCmd struct {
	Dir    string `placeholder:"DIR" help:"Folder for configuration and data, kept for the next start; without it a temporary one."`
	Listen string `default:"127.0.0.1:8080" placeholder:"ADDR" help:"Loopback address to listen on (${default}); port 0 takes a free one."`
	JSON   bool   `name:"json" help:"Print one line {\"url\", \"pages\", \"console\", \"demo\", \"dir\"} once the server answers."`
}

// Help is the long text of --help.
func (DevCmd) Help() string {
	return `Serves the app "demo", which trusts the software phones of package attest/attesttest: no real phone is needed, and none is judged as in earnest. People can sign up in a browser too, at http://localhost:PORT/signup, and operators have a console, at http://console.localhost:PORT; holds and waits take 30 seconds, so that they can be seen to end. The folder gets staunch.toml, policy.toml, service.token and all else that "staunch serve" would want, as a pattern to copy. With --dir a second start goes on with the same accounts, keys, tokens and data.

The first line on standard output is the address, once the server answers. It listens on loopback only, since anybody can make a phone that it accepts.

Exit codes: 0 stopped by a signal; 1 it could not start; 2 the command line is wrong.

Examples:
  staunch dev
  staunch dev --dir ./demo --listen 127.0.0.1:0 --json`
}

// Run serves until a signal comes.
func (c *DevCmd) Run(s *streams) (err error) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return &exitError{exitCannot, fmt.Errorf("--listen: %q is no address; write HOST:PORT, such as 127.0.0.1:8081", c.Listen)}
	}
	if !config.Loopback(host) {
		return &exitError{exitCannot, fmt.Errorf("--listen: %q is not a loopback address; dev trusts software phones, so it serves this machine only. `staunch serve` serves others", host)}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	dir, remove, err := c.folder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if err := writeDevFiles(dir); err != nil {
		return err
	}
	cfg, err := config.Load(filepath.Join(dir, configName))
	if err != nil {
		return err
	}
	cfg.Listen = c.Listen
	log := newLogger(s.err, cfg.Log)
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return startError(err, c.Listen, "--listen 127.0.0.1:8081")
	}
	pages, console := atPort(cfg, listener.Addr())
	srv, err := server.New(&server.Options{Config: cfg, Logger: log, Listener: listener, DangerousTestRoots: true, Demo: true, VaultCommand: vaultCommand(), VaultLog: s.err})
	if err != nil {
		if closing := listener.Close(); !errors.Is(closing, net.ErrClosed) {
			err = errors.Join(err, closing)
		}
		return startError(err, c.Listen, "--listen 127.0.0.1:8081")
	}
	go reloadOnHangup(ctx, srv, log)
	go keepFresh(ctx, srv, cfg.Attest.StatusListFile, log)
	served := make(chan error, 1)
	go func() { served <- srv.Run(ctx) }()
	if err := answers(ctx, srv.URL()); err != nil {
		if ctx.Err() != nil {
			return <-served // a signal came before it served
		}
		stop()
		return errors.Join(err, <-served)
	}
	gone, err := writeURL(dir, srv.URL())
	if err != nil {
		stop()
		return errors.Join(err, <-served)
	}
	defer func() { err = errors.Join(err, gone()) }()
	if err := c.announce(s.out, srv.URL(), pages, console, dir); err != nil {
		stop()
		return errors.Join(err, <-served)
	}
	return <-served
}

// atPort gives pages and console the port that the server listens on, since an
// origin has it, and returns where they are; empty: the configuration has none.
func atPort(cfg *config.Config, addr net.Addr) (pages, console string) {
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "", ""
	}
	for i := range cfg.Apps {
		for j, origin := range cfg.Apps[i].Origins {
			if u, err := url.Parse(origin); err == nil && u.Scheme == "http" {
				cfg.Apps[i].Origins[j] = "http://" + net.JoinHostPort(u.Hostname(), port)
				pages = cmp.Or(pages, cfg.Apps[i].Origins[j])
			}
		}
		console = cmp.Or(console, consoleAtPort(&cfg.Apps[i], port))
	}
	return pages, console
}

// folder makes the folder, and says how to get rid of it.
func (c *DevCmd) folder() (dir string, remove func() error, err error) {
	if c.Dir == "" {
		dir, err = os.MkdirTemp("", devPattern)
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	dir, err = filepath.Abs(c.Dir)
	if err != nil {
		return "", nil, err
	}
	return dir, func() error { return nil }, os.MkdirAll(dir, 0o700)
}

// answers waits until the server does.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client := &http.Client{}
	defer client.CloseIdleConnections()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/healthz", nil)
		if err != nil {
			return err
		}
		if res, err := client.Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server at %s does not answer: %w", url, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// keepFresh makes the revocation list look as if it had just been fetched, now
// and then, so that a server that runs for days does not refuse every phone.
func keepFresh(ctx context.Context, srv *server.Server, file string, log *slog.Logger) {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			err := os.Chtimes(file, now, now)
			if err == nil {
				err = srv.Reload(ctx)
			}
			if err != nil {
				log.Warn("status list not refreshed", "error", err)
			}
		}
	}
}

// program is how a shell finds this binary: by name if it is in the PATH.
func program() string {
	self, err := os.Executable()
	if err != nil {
		return "staunch"
	}
	if found, err := exec.LookPath("staunch"); err == nil {
		a, errA := os.Stat(self)
		b, errB := os.Stat(found)
		if errA == nil && errB == nil && os.SameFile(a, b) {
			return "staunch"
		}
	}
	return self
}

// quoted is text as one word of a shell.
func quoted(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("/._-+:@%", r) && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
