package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// Tx is a transaction. It has the methods of all pillars, and is good for the
// length of the function that it was given to, in one goroutine.
type Tx struct {
	conn   *conn
	app    account.AppID
	failed error // the first failure; the transaction cannot be committed then

	devices map[account.CredentialRef][]account.DeviceID // of the passkeys that were read, as they are stored

	reads bool // it only reads

	nonces      *nonceSet    // nil: the transaction only reads
	earlier     *nonceChange // of those that are committed with this one and came before it
	nonceChange nonceChange
}

// fail notes a failure. SQLite undoes the whole transaction after some errors,
// and what came next would then be committed by itself.
func (tx *Tx) fail(noun string, err error) error {
	if tx.failed == nil {
		tx.failed = fmt.Errorf("sqlite: %s: %w", noun, fault(err))
	}
	return tx.failed
}

// exec changes rows and says how many.
func (tx *Tx) exec(ctx context.Context, noun, query string, args ...any) (int, error) {
	s, err := tx.prepare(ctx, noun, query)
	if err != nil {
		return 0, err
	}
	if err := s.Run(args...); err != nil {
		return 0, tx.fail(noun, err)
	}
	return tx.conn.db.Changes(), nil
}

// change is exec for one row that is there.
func (tx *Tx) change(ctx context.Context, noun, id, query string, args ...any) error {
	n, err := tx.exec(ctx, noun, query, args...)
	if err == nil && n != 1 {
		return tx.fail(noun, fmt.Errorf("there is no %s to change", id))
	}
	return err
}

// row reads one row into dest; found is false if there is none.
func (tx *Tx) row(ctx context.Context, noun, query string, args []any, dest ...any) (found bool, err error) {
	s, err := tx.prepare(ctx, noun, query)
	if err != nil {
		return false, err
	}
	found, err = s.Row(args, func(s *engine.Stmt) error { return s.Scan(dest...) })
	if err != nil {
		return false, tx.fail(noun, err)
	}
	return found, nil
}

// rows calls scan for each row of a query that may go through a whole table,
// and can be interrupted.
func (tx *Tx) rows(ctx context.Context, noun, query string, scan func(*engine.Stmt) error) error {
	s, err := tx.prepare(ctx, noun, query)
	if err != nil {
		return err
	}
	if err := tx.conn.interruptible(ctx, func() error { return s.Each(nil, scan) }); err != nil {
		return tx.fail(noun, err)
	}
	return nil
}

// few calls scan for each row of a query that ends soon; unlike rows it cannot
// be interrupted, which would undo a transaction that writes.
func (tx *Tx) few(ctx context.Context, noun, query string, args []any, scan func(*engine.Stmt) error) error {
	s, err := tx.prepare(ctx, noun, query)
	if err != nil {
		return err
	}
	if err := s.Each(args, scan); err != nil {
		return tx.fail(noun, err)
	}
	return nil
}

func (tx *Tx) prepare(ctx context.Context, noun, query string) (*engine.Stmt, error) {
	if tx.failed != nil {
		return nil, tx.failed
	}
	if err := ctx.Err(); err != nil {
		return nil, tx.fail(noun, err)
	}
	s, err := tx.conn.prepare(query)
	if err == nil && tx.reads && !s.Reads() {
		err = errors.New("written in a transaction that only reads")
	}
	if err != nil {
		return nil, tx.fail(noun, err)
	}
	return s, nil
}

// unreadable is what is said of a row that this program cannot have written.
func unreadable(err error) error { return fmt.Errorf("%w: row: %w", store.ErrDamaged, err) }

// own refuses what belongs to another app.
func (tx *Tx) own(noun string, app account.AppID) error {
	if app != tx.app {
		return tx.fail(noun, fmt.Errorf("of app %q in the store of %q", app, tx.app))
	}
	return nil
}

// micros and fromMicros are the one form of a time in a row. The zero Time is NULL.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func fromMicros(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}

// blob keeps absent and empty bytes alike: NULL.
func blob(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}
