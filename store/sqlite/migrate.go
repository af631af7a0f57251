package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations are the steps of the schema, in the files NNNN_name.sql.
func migrations() fs.FS {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}

// steps reads them in order; they are numbered from 1 without gaps.
func steps(files fs.FS) ([]string, error) {
	names, err := fs.Glob(files, "*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var out []string
	for i, name := range names {
		if len(name) < 5 || name[4] != '_' {
			return nil, fmt.Errorf("migration %s is not named NNNN_name.sql", name)
		}
		if n, err := strconv.Atoi(name[:4]); err != nil || n != i+1 {
			return nil, fmt.Errorf("migration %s is number %d", name, i+1)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		out = append(out, string(text))
	}
	return out, nil
}

// migrate brings the file to the last step. A file that is beyond it stays as it
// is, for checkSchema to refuse.
func (s *Store) migrate(ctx context.Context, c *conn, files fs.FS) error {
	steps, err := steps(files)
	if err != nil {
		return err
	}
	have, err := s.schema(ctx, c)
	if err != nil {
		return err
	}
	if have > 0 && have < len(steps) {
		if err := s.copyFile(ctx, c, have); err != nil {
			return fmt.Errorf("copy before migration: %w", err)
		}
	}
	if err := s.run(ctx, c, have, steps); err != nil {
		return err
	}
	switch {
	case have == 0:
		s.log.Info("sqlite: store made", "app", s.app, "path", s.path, "schema", len(steps))
	case have < len(steps):
		s.log.Info("sqlite: schema moved", "app", s.app, "path", s.path, "from", have, "to", len(steps))
	}
	return nil
}

// run moves the schema from have to the last step in one transaction, so that
// nobody sees a file that is half made. If another process did so meanwhile,
// nothing is left to do.
func (s *Store) run(ctx context.Context, c *conn, have int, steps []string) (err error) {
	if have >= len(steps) {
		return nil
	}
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return fault(err)
	}
	done := false
	defer func() {
		if !done {
			c.rollback()
		}
	}()
	if now, err := s.schema(ctx, c); err != nil || now != have {
		return err
	}
	for n := have; n < len(steps); n++ {
		if err := c.db.Exec(steps[n]); err != nil {
			return fmt.Errorf("migration %d: %w", n+1, fault(err))
		}
	}
	if have == 0 {
		err = c.exec(`INSERT INTO app_meta (one, app, schema) VALUES (1, ?, ?)`, string(s.app), len(steps))
	} else {
		err = c.exec(`UPDATE app_meta SET schema = ? WHERE one = 1`, len(steps))
	}
	if err != nil {
		return fault(err)
	}
	if err := c.exec("COMMIT"); err != nil {
		return fault(err)
	}
	done = true
	return nil
}

// schema gives the number of the schema, 0 for an empty file. It refuses a file
// that is not this app's.
func (s *Store) schema(ctx context.Context, c *conn) (int, error) {
	var ours, others int
	const tables = `SELECT count(*) FILTER (WHERE name = 'app_meta'), count(*) FILTER (WHERE name <> 'app_meta') FROM sqlite_schema`
	if err := c.each(ctx, tables, nil, func(s *engine.Stmt) error { return s.Scan(&ours, &others) }); err != nil {
		return 0, fault(err)
	}
	if ours == 0 && others == 0 {
		return 0, nil
	}
	var app account.AppID
	var n int
	named := false
	if ours > 0 {
		err := c.each(ctx, `SELECT app, schema FROM app_meta WHERE one = 1`, nil, func(s *engine.Stmt) error {
			named = true
			return s.Scan(&app, &n)
		})
		if err != nil {
			return 0, fault(err)
		}
	}
	switch {
	case !named:
		return 0, fmt.Errorf("%w: it does not name its app", store.ErrNotStore)
	case app != s.app:
		return 0, fmt.Errorf("%w: it is %s's, not %s's", store.ErrOtherApp, app, s.app)
	case n < 1:
		return 0, fmt.Errorf("%w: its schema is %d", store.ErrNotStore, n)
	}
	return n, nil
}

// checkSchema refuses what this program cannot read as it is.
func (s *Store) checkSchema(ctx context.Context, c *conn, files fs.FS) error {
	steps, err := steps(files)
	if err != nil {
		return err
	}
	switch have, err := s.schema(ctx, c); {
	case err != nil:
		return err
	case have > len(steps):
		return fmt.Errorf("%w: it is %d, and the newest known is %d", store.ErrNewer, have, len(steps))
	case have == 0:
		return fmt.Errorf("%w: it is empty", store.ErrNotStore)
	case have < len(steps):
		return fmt.Errorf("%w: it is %d, and should be %d", store.ErrOlder, have, len(steps))
	}
	return nil
}

// copyFile copies the store to PATH.schema-NNNN, whole or not at all.
func (s *Store) copyFile(ctx context.Context, c *conn, have int) error {
	name := fmt.Sprintf("%s.schema-%04d", s.path, have)
	part := name + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // VACUUM INTO takes an empty file
	if err != nil {
		return err
	}
	defer f.Close()
	if err := c.each(ctx, `VACUUM INTO ?`, []any{part}, func(*engine.Stmt) error { return nil }); err != nil {
		return fault(err)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(part, name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}
