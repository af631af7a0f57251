package server

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
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
// problem. An error means that it could not check.
func CheckStore(ctx context.Context, dataDir, app string, keys ...ed25519.PublicKey) (audit.Report, error) {
	id := account.AppID(app)
	if err := id.Validate(); err != nil {
		return audit.Report{}, fmt.Errorf("server: %w", err)
	}
	path := storePath(dataDir, id)
	if _, err := os.Stat(path); err != nil {
		return audit.Report{}, fmt.Errorf("server: app %s has no store: %w", id, err)
	}
	report, err := checkFile(ctx, path, id, keys)
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
func checkFile(ctx context.Context, path string, id account.AppID, keys []ed25519.PublicKey) (report audit.Report, err error) {
	s, err := sqlite.Open(ctx, &sqlite.Options{Path: path, App: id, ReadOnly: true})
	if err != nil {
		return audit.Report{}, err
	}
	report, err = s.CheckBy(ctx, func(tx *sqlite.Tx) (audit.Report, error) {
		return audit.Check(ctx, tx, &audit.CheckOptions{Keys: keys, Legal: account.Legal, Now: time.Now()})
	})
	if closeErr := s.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("close %s: %w", path, closeErr)
	}
	return report, err
}

// ReadAuditKey reads the public half of an audit key from a file that has
// either half of it.
func ReadAuditKey(file string) (ed25519.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("server: audit key: %w", err)
	}
	if key, err := audit.ParseKey(text); err == nil {
		return key.Public(), nil
	}
	key, err := audit.ParsePublicKey(text)
	if err != nil {
		return nil, fmt.Errorf("server: audit key %s: %w", file, err)
	}
	return key, nil
}
