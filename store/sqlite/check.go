package sqlite

import (
	"context"
	"fmt"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store"
)

// Check looks for damage, and reports what it finds as problems. An error means
// that it could not check.
func (s *Store) Check(ctx context.Context) (audit.Report, error) {
	var problems []audit.Problem
	err := s.readers.with(ctx, func(c *conn) (err error) {
		if problems, err = integrity(ctx, c); err != nil {
			return err
		}
		foreign, err := foreignKeys(ctx, c)
		problems = append(problems, foreign...)
		return err
	})
	if err != nil {
		return audit.Report{}, fmt.Errorf("sqlite: check: %w", fault(err))
	}
	var report audit.Report
	err = s.View(ctx, func(tx *Tx) (err error) {
		report, err = audit.Check(ctx, tx)
		return err
	})
	if err != nil {
		return audit.Report{}, fmt.Errorf("sqlite: check: %w", err)
	}
	report.Problems = append(problems, report.Problems...)
	return report, nil
}

// integrity asks SQLite about the structure of the file.
func integrity(ctx context.Context, c *conn) ([]audit.Problem, error) {
	rows, err := c.c.QueryContext(ctx, `PRAGMA integrity_check`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []audit.Problem
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if text != "ok" {
			out = append(out, audit.Problem{Kind: store.BrokenFile, Subject: text})
		}
	}
	return out, rows.Err()
}

// foreignKeys asks SQLite for rows that refer to nothing.
func foreignKeys(ctx context.Context, c *conn) ([]audit.Problem, error) {
	rows, err := c.c.QueryContext(ctx, `PRAGMA foreign_key_check`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []audit.Problem
	for rows.Next() {
		var table, parent string
		var row, key any
		if err := rows.Scan(&table, &row, &parent, &key); err != nil {
			return nil, err
		}
		out = append(out, audit.Problem{Kind: store.BrokenForeign, Subject: table + " refers to " + parent})
	}
	return out, rows.Err()
}
