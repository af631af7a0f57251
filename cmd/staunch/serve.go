package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/server"
)

// ServeCmd runs the server.
type ServeCmd struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration file; \"staunch config print\" writes a sample."`
}

// Help is the long text of --help.
func (ServeCmd) Help() string {
	return `SIGTERM and SIGINT stop it: it takes no more calls, waits for those that run, and closes the stores. SIGHUP reads policy, certificate, Apple's keys and, if status_list_file is given, the revocation list anew; when one of them is wrong, all stay as they were and the log says why. Tokens, root secrets, listen, data_dir and the list of apps are read at the start alone.

A policy that trusts test roots is refused.

Exit codes: 0 stopped by a signal; 1 it could not start, or it broke down; 2 the command line is wrong.

Example: staunch serve --config /etc/staunch/staunch.toml`
}

// Run runs the server until a signal stops it.
func (c *ServeCmd) Run(s *streams) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return unreadable(c.Config, err)
	}
	log := newLogger(s.err, cfg.Log)
	srv, err := server.New(&server.Options{Config: cfg, Logger: log, VaultCommand: vaultCommand(), VaultLog: s.err})
	if err != nil {
		return startError(err, cfg.Listen, "`listen` in "+c.Config)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	go reloadOnHangup(ctx, srv, log)
	return srv.Run(ctx)
}

// reloadOnHangup reloads on every SIGHUP until ctx ends.
func reloadOnHangup(ctx context.Context, srv *server.Server, log *slog.Logger) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			if err := srv.Reload(ctx); err != nil {
				log.Error("reload failed; what was loaded before stays in force", "error", err)
			}
		}
	}
}

// startError adds what to do to an error of server.New.
func startError(err error, listen, where string) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use by another program; choose another address with %s (port 0 takes a free one): %w", listen, where, err)
	case errors.Is(err, server.ErrInUse):
		return fmt.Errorf("%w; stop the other server first", err)
	}
	return err
}

// newLogger writes what the configuration wants. config.Load has checked it.
func newLogger(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
