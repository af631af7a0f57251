package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/store/sqlite"
)

// Evidence reads the replay bundle of a decision from the stores of cfg, by the
// evidence id that Register answered. A server may run meanwhile.
func Evidence(ctx context.Context, cfg *config.Config, id string) ([]byte, error) {
	for _, app := range cfg.Apps {
		e, found, err := evidence(ctx, cfg, account.AppID(app.ID), id)
		switch {
		case err != nil:
			return nil, fmt.Errorf("server: app %s: %w", app.ID, err)
		case found && len(e.Bundle) == 0:
			return nil, fmt.Errorf("server: of evidence %s only the verdict was kept, for it holds identifiers of the device: %s", id, e.Verdict)
		case found:
			return e.Bundle, nil
		}
	}
	return nil, fmt.Errorf("server: there is no evidence %s, or it was kept longer than attest.evidence_retention", id)
}

func evidence(ctx context.Context, cfg *config.Config, app account.AppID, id string) (e registry.Evidence, found bool, err error) {
	s, err := sqlite.Open(ctx, &sqlite.Options{Path: storePath(cfg, app), App: app, ReadOnly: true})
	if err != nil {
		return registry.Evidence{}, false, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.View(ctx, func(tx *sqlite.Tx) (err error) {
		e, found, err = tx.Evidence(ctx, id)
		return err
	})
	return e, found, err
}
