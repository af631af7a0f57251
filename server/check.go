package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/audit"
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
// in the file's structure, in the chains of the audit record, and between the
// record and the things that it tells of. A server may run meanwhile. An error
// means that it could not check.
func CheckStore(ctx context.Context, dataDir, app string) (report audit.Report, err error) {
	id := account.AppID(app)
	if err := id.Validate(); err != nil {
		return audit.Report{}, fmt.Errorf("server: %w", err)
	}
	path := storePath(dataDir, id)
	if _, err := os.Stat(path); err != nil {
		return audit.Report{}, fmt.Errorf("server: app %s has no store: %w", id, err)
	}
	s, err := sqlite.Open(ctx, &sqlite.Options{Path: path, App: id, ReadOnly: true})
	if err != nil {
		return audit.Report{}, fmt.Errorf("server: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	report, err = s.Check(ctx)
	if report.Problems == nil {
		report.Problems = []audit.Problem{} // an array in JSON, also when it is empty
	}
	return report, err
}
