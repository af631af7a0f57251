package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/staunchid/staunch/store/sqlite/engine"
)

// scan puts the columns of a row where dest says, as those of database/sql do.
type scan = func(dest ...any) error

// one gives the row that a query finds, as read makes it of its columns; found
// is false if there is none.
func one[T any](ctx context.Context, tx *Tx, noun string, read func(scan) (T, error), query string, args ...any) (T, bool, error) {
	var v, none T
	s, err := tx.prepare(ctx, noun, query)
	if err != nil {
		return none, false, err
	}
	found, err := s.Row(args, func(s *engine.Stmt) (err error) {
		v, err = read(s.Scan)
		return err
	})
	if err != nil {
		return none, false, tx.fail(noun, misread(err))
	}
	return v, found, nil
}

// some gives the rows that a query finds, which are few.
func some[T any](ctx context.Context, tx *Tx, noun string, read func(scan) (T, error), query string, args ...any) (all []T, err error) {
	err = tx.few(ctx, noun, query, args, func(rows *engine.Stmt) error {
		v, err := read(rows.Scan)
		if err != nil {
			return misread(err)
		}
		all = append(all, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// every calls yield for each row of a query that may go through a whole table.
func every[T any](ctx context.Context, tx *Tx, noun string, read func(scan) (T, error), query string, yield func(T) error) error {
	return tx.rows(ctx, noun, query, func(rows *engine.Stmt) error {
		v, err := read(rows.Scan)
		if err != nil {
			return misread(err)
		}
		return yield(v)
	})
}

// text reads a column that is nothing but a name.
func text[T ~string](s scan) (name T, err error) {
	err = s(&name)
	return name, err
}

// number reads a column that is nothing but a number.
func number[T ~int | ~uint64](s scan) (n T, err error) {
	err = s(&n)
	return n, err
}

// misread tells a failure of SQLite from a row that this program cannot have
// written.
func misread(err error) error {
	var e *engine.Error
	if errors.As(err, &e) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return unreadable(err)
}

// execUnique is exec for a row that another one may stand in the way of: when a
// column has the value of another row, it fails with taken.
func (tx *Tx) execUnique(ctx context.Context, noun, column string, taken error, query string, args ...any) error {
	_, err := tx.exec(ctx, noun, query, args...)
	var e *engine.Error
	if !errors.As(err, &e) || !strings.Contains(e.Error(), column) { // it names the columns of the constraint
		return err
	}
	if e.Code != sqlite3.SQLITE_CONSTRAINT_UNIQUE && e.Code != sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
		return err
	}
	tx.failed = fmt.Errorf("%w: %w", taken, err)
	return tx.failed
}
