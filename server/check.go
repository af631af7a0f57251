package server

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/config"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/store/sqlite"
)

// Stores lists the apps that have a store in dataDir.
func Stores(dataDir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dataDir, "*.db"))
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	var ids []string
	for _, f := range files {
		id := strings.TrimSuffix(filepath.Base(f), ".db")
		if account.AppID(id).Validate() == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// CheckStore reads the whole store of an app and reports what is wrong in it:
// in the file's structure and schema, in the chains of the audit record, and
// between the record and the things that it tells of. A file that is damaged
// so much that it cannot be read, or is no store, is a problem too. A server
// may run meanwhile. keys are the public audit keys: a seal by another one is a
// problem. The MACs of rows are not judged, for that needs the app's root
// secret: CheckApp does. An error means that it could not check.
func CheckStore(ctx context.Context, dataDir, app string, keys ...ed25519.PublicKey) (audit.Report, error) {
	return checkStore(ctx, &config.Config{DataDir: dataDir}, app, checkKeys{audit: keys})
}

// CheckApp is CheckStore for an app of cfg, with the audit keys that cfg names for
// it beside keys, and judges the MACs of rows too. If the configuration names no
// root secret, it does not.
func CheckApp(ctx context.Context, cfg *config.Config, app string, keys ...ed25519.PublicKey) (audit.Report, error) {
	i := slices.IndexFunc(cfg.Apps, func(a config.App) bool { return a.ID == app })
	if i < 0 {
		return audit.Report{}, fmt.Errorf("server: the configuration has no app %q", app)
	}
	l, key := &loaded{}, fmt.Sprintf("app[%d].", i)
	public, err := l.auditPublicKeys(cfg, key, &cfg.Apps[i])
	if err != nil {
		return audit.Report{}, fmt.Errorf("server: %w", err)
	}
	with := checkKeys{audit: append(public, keys...)}
	if file := cfg.Apps[i].RootSecretFile; file != "" {
		root, err := l.readSecret(cfg, key+"root_secret_file", file)
		if err != nil {
			return audit.Report{}, fmt.Errorf("server: %w", err)
		}
		if with.rows, err = rowKey(rootSecret{func() []byte { return root }}, account.AppID(app)); err != nil {
			return audit.Report{}, fmt.Errorf("server: row key: %w", err)
		}
	}
	return checkStore(ctx, cfg, app, with)
}

// checkKeys are the keys by which a store is checked.
type checkKeys struct {
	audit []ed25519.PublicKey
	rows  []byte // nil: MACs are not judged
}

func checkStore(ctx context.Context, cfg *config.Config, app string, keys checkKeys) (audit.Report, error) {
	id := account.AppID(app)
	if err := id.Validate(); err != nil {
		return audit.Report{}, fmt.Errorf("server: %w", err)
	}
	path := storePath(cfg, id)
	if _, err := os.Stat(path); err != nil {
		return audit.Report{}, fmt.Errorf("server: app %s has no store: %w", id, err)
	}
	report, err := checkFile(ctx, path, blobsDir(cfg), id, keys)
	if errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotStore) { // it cannot even be opened
		report, err = audit.Report{App: id, Problems: []audit.Problem{{Kind: store.BrokenFile, Subject: err.Error()}}}, nil
	}
	if err != nil {
		return audit.Report{}, fmt.Errorf("server: %w", err)
	}
	if report.Problems == nil {
		report.Problems = []audit.Problem{} // an array in JSON, also when it is empty
	}
	return report, nil
}

// checkFile opens, checks and closes a store. Its errors name the file.
func checkFile(ctx context.Context, path, blobs string, id account.AppID, keys checkKeys) (report audit.Report, err error) {
	s, err := sqlite.Open(ctx, &sqlite.Options{Path: path, App: id, ReadOnly: true})
	if err != nil {
		return audit.Report{}, err
	}
	report, err = s.CheckBy(ctx, func(tx *sqlite.Tx) (audit.Report, error) {
		var r audit.Reader = tx
		if keys.rows != nil {
			r = tx.Keyed(keys.rows)
		}
		report, err := audit.Check(ctx, r, &audit.CheckOptions{Keys: keys.audit, Legal: account.Legal, Now: time.Now()})
		if err != nil {
			return report, err
		}
		receipts, err := recovery.CheckReceipts(ctx, tx, time.Now())
		report.Problems = append(report.Problems, receipts...)
		if err != nil {
			return report, err
		}
		moves, err := checkMoves(ctx, s, tx, blobs, id)
		report.Problems = append(report.Problems, moves...)
		return report, err
	})
	if closeErr := s.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("close %s: %w", path, closeErr)
	}
	return report, err
}
