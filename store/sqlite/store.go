// Package sqlite is the default store: one file for one app.
//
//	s, err := sqlite.Open(ctx, &sqlite.Options{Path: "data/demo.db", App: "demo"})
//	err = s.Update(ctx, func(tx *sqlite.Tx) error { return tx.AddChallenge(ctx, c) })
//
// The contract is that of package store. A transaction is on the disk when
// Update returns (WAL, synchronous=FULL). There is one writer at a time, in
// this process and in all, and up to four readers beside it. Those who wait to
// write are let in one after the other and committed together.
//
// Open makes the file if it is not there, with mode 0600, and moves an older
// schema forward after it has copied the file to PATH.schema-NNNN. A file of
// another app, of another program or of a newer schema is refused. Do not put
// it on a network file system: SQLite's locks do not hold there.
//
// Check looks for damage: in the file's structure, its schema, its references,
// the chains of the audit record, and what they tell of. It may run while a
// server writes.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

// readers is how many View may run at a time.
const readers = 4

// Options are a Store's.
type Options struct {
	// Path of the file. Required.
	Path string
	// App is the app whose store it is. Required.
	App account.AppID
	// ReadOnly opens for View and Check, and neither creates nor migrates.
	ReadOnly bool
	// Existing opens for everything, and neither creates nor migrates: for who
	// writes beside a server, whose program the schema belongs to.
	Existing bool
	// DangerousNoSync leaves out fsync, for measurements: what was committed is
	// lost when the machine loses power.
	DangerousNoSync bool
	// Logger tells of migrations. nil discards.
	Logger *slog.Logger
}

// Store is an open store. It is safe for concurrent use.
type Store struct {
	app  account.AppID
	path string
	log  *slog.Logger

	writer  *pool    // nil: read only
	nonces  nonceSet // who holds the writer's connection may touch it
	readers *pool

	groupTime time.Duration
	closing   sync.Once
	closeErr  error
}

// Open opens the store of opts.App, and creates or migrates it where needed.
func Open(ctx context.Context, opts *Options) (*Store, error) {
	if opts.Path == "" {
		return nil, errors.New("sqlite: options: no Path")
	}
	if err := opts.App.Validate(); err != nil {
		return nil, fmt.Errorf("sqlite: options: %w", err)
	}
	s := &Store{app: opts.App, path: opts.Path, log: opts.Logger, nonces: nonceSet{seen: map[nonceMark]struct{}{}}, groupTime: groupTime}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.open(ctx, opts); err != nil {
		err = errors.Join(err, s.Close())
		return nil, fmt.Errorf("sqlite: open %s: %w", opts.Path, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, opts *Options) (err error) {
	if opts.ReadOnly || opts.Existing {
		if _, err := os.Stat(s.path); err != nil {
			return err
		}
	} else if err := createFile(s.path); err != nil {
		return err
	}
	if !opts.ReadOnly {
		m := write
		if opts.DangerousNoSync {
			m = unsynced
		}
		s.writer = newPool(s.path, m, 1)
	}
	if !opts.ReadOnly && !opts.Existing {
		if err := s.writer.with(ctx, func(c *conn) error { return s.migrate(ctx, c, migrations()) }); err != nil {
			return err
		}
	}
	s.readers = newPool(s.path, read, readers)
	return s.readers.with(ctx, func(c *conn) error { return s.checkSchema(ctx, c, migrations()) })
}

// Close waits for running transactions and closes the file. What comes later
// gets store.ErrAway.
func (s *Store) Close() error {
	s.closing.Do(func() {
		for _, p := range []*pool{s.readers, s.writer} {
			if p != nil {
				s.closeErr = errors.Join(s.closeErr, p.close())
			}
		}
	})
	return s.closeErr
}

// View runs fn in a transaction that reads.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	return s.readers.with(ctx, func(c *conn) error { return reading(ctx, &Tx{conn: c, app: s.app, reads: true}, fn) })
}

// Peek runs fn as View does, but on the writer's connection, between two
// transactions that write or within one that is about to be committed: what fn
// sees may never be. It costs a fraction of View, for that connection has at hand
// what the others must read anew whenever something was written. It is for who
// prepares something, and reads and checks it once more in the Update that does
// it. fn must not take long: nobody writes meanwhile.
func (s *Store) Peek(ctx context.Context, fn func(*Tx) error) error {
	if s.writer == nil {
		return s.View(ctx, fn)
	}
	c, err := s.writer.take(ctx)
	if err != nil {
		return err
	}
	defer s.pass(c)
	tx := &Tx{conn: c, app: s.app, reads: true}
	if c.group != nil {
		return tx.run(ctx, fn)
	}
	return reading(ctx, tx, fn)
}

// reading runs fn in a transaction that only reads.
func reading(ctx context.Context, tx *Tx, fn func(*Tx) error) error {
	c := tx.conn
	if err := c.exec("BEGIN"); err != nil {
		return fault(err)
	}
	done := false
	defer func() {
		if !done { // an error, or a panic in fn
			c.rollback()
		}
	}()
	if err := tx.run(ctx, fn); err != nil {
		return err
	}
	if err := c.exec("COMMIT"); err != nil {
		return fault(err)
	}
	done = true
	return nil
}

// fault gives what SQLite cannot help the sentinel that callers look for.
func fault(err error) error {
	var e *engine.Error
	if errors.As(err, &e) {
		switch e.Primary() {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY,
			sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM:
			return fmt.Errorf("%w: %w", store.ErrAway, err)
		case sqlite3.SQLITE_CORRUPT:
			return fmt.Errorf("%w: %w", store.ErrDamaged, err)
		case sqlite3.SQLITE_NOTADB:
			return fmt.Errorf("%w: %w", store.ErrNotStore, err)
		}
	}
	return err
}
