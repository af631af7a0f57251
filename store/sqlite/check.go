package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// Check looks for damage as CheckBy does, and compares the record with what
// it tells of. It knows no audit key and no rules of states: a seal or a step
// is a problem. Things that are kept for a time may be gone when that is over
// at now.
func (s *Store) Check(ctx context.Context, now time.Time) (audit.Report, error) {
	return s.CheckBy(ctx, func(tx *Tx) (audit.Report, error) { return audit.Check(ctx, tx, &audit.CheckOptions{Now: now}) })
}

// CheckBy looks for damage, and reports what it finds as problems, beside those
// that look reports of the record; that something cannot be read because it is
// damaged is one too. An error means that it could not check.
func (s *Store) CheckBy(ctx context.Context, look func(*Tx) (audit.Report, error)) (audit.Report, error) {
	var problems []audit.Problem
	for _, look := range []func(context.Context, *conn) ([]audit.Problem, error){structure, schemaChanges, foreignKeys} {
		err := s.readers.with(ctx, func(c *conn) error {
			found, err := look(ctx, c)
			problems = append(problems, found...)
			return fault(err)
		})
		if problems, err = s.damage(ctx, problems, err); err != nil {
			return audit.Report{}, err
		}
	}
	report := audit.Report{App: s.app}
	err := s.View(ctx, func(tx *Tx) (err error) {
		if report, err = look(tx); err != nil {
			return err
		}
		for _, look := range []func(context.Context) ([]audit.Problem, error){tx.recoveryProblems, tx.transferProblems, tx.operatorProblems} {
			found, err := look(ctx)
			if problems = append(problems, found...); err != nil {
				return err
			}
		}
		return nil
	})
	if problems, err = s.damage(ctx, problems, err); err != nil {
		return audit.Report{}, err
	}
	report.Problems = slices.DeleteFunc(report.Problems, func(p audit.Problem) bool { return slices.Contains(problems, p) })
	report.Problems = append(problems, report.Problems...)
	return report, nil
}

// damage adds err to the problems if it comes of damage, and gives it back if
// it does not. Once something is known to be wrong with the file, whatever
// cannot be read does, a table that is not there for one.
func (s *Store) damage(ctx context.Context, problems []audit.Problem, err error) ([]audit.Problem, error) {
	if err == nil {
		return problems, nil
	}
	known := len(problems) > 0 && ctx.Err() == nil && !errors.Is(err, store.ErrAway)
	if !known && !errors.Is(err, store.ErrDamaged) && !errors.Is(err, store.ErrNotStore) {
		return problems, fmt.Errorf("sqlite: check %s: %w", s.path, err)
	}
	return append(problems, audit.Problem{Kind: store.BrokenFile, Subject: fmt.Sprintf("%s: %v", s.path, err)}), nil
}

// structure asks SQLite about the structure of the file.
func structure(ctx context.Context, c *conn) (out []audit.Problem, err error) {
	err = c.each(ctx, `PRAGMA integrity_check`, nil, func(s *engine.Stmt) error {
		var text string
		if err := s.Scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			out = append(out, audit.Problem{Kind: store.BrokenFile, Subject: text})
		}
		return nil
	})
	return out, err
}

// foreignKeys asks SQLite for rows that refer to nothing.
func foreignKeys(ctx context.Context, c *conn) (out []audit.Problem, err error) {
	err = c.each(ctx, `PRAGMA foreign_key_check`, nil, func(s *engine.Stmt) error {
		var table, parent string
		var row, key any
		if err := s.Scan(&table, &row, &parent, &key); err != nil {
			return err
		}
		out = append(out, audit.Problem{Kind: store.BrokenForeign, Subject: table + " refers to " + parent})
		return nil
	})
	return out, err
}
