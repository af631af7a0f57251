package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/store/sqlite"
)

// Stats reads the statistics of an app from its store. A server may run
// meanwhile.
func Stats(ctx context.Context, cfg *config.Config, app string, in registry.StatFilter, now time.Time) (out *registry.StatReport, err error) {
	in.App = account.AppID(app)
	err = viewStore(ctx, cfg, in.App, func(tx *sqlite.Tx) (err error) {
		out, err = registry.ReadStats(ctx, tx, &in, now)
		return err
	})
	return out, err
}

// Suspects reads from the store of an app which classes of devices look honest
// and are refused. A server may run meanwhile.
func Suspects(ctx context.Context, cfg *config.Config, app string, now time.Time) (out []registry.Suspect, err error) {
	id := account.AppID(app)
	err = viewStore(ctx, cfg, id, func(tx *sqlite.Tx) (err error) {
		out, err = registry.ReadSuspects(ctx, tx, id, now)
		return err
	})
	return out, err
}

// viewStore opens the store of an app for reading and runs fn over it.
func viewStore(ctx context.Context, cfg *config.Config, app account.AppID, fn func(*sqlite.Tx) error) (err error) {
	path := storePath(cfg, app)
	s, err := sqlite.Open(ctx, &sqlite.Options{Path: path, App: app, ReadOnly: true})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("server: app %s has no store at %s: start the server once, or look at data_dir: %w", app, path, err)
	case err != nil:
		return fmt.Errorf("server: app %s: %w", app, err)
	}
	defer func() {
		if closeErr := s.Close(); closeErr != nil {
			err = errors.Join(err, fmt.Errorf("server: close %s: %w", path, closeErr))
		}
	}()
	return s.View(ctx, fn)
}
