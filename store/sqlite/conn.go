package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/staunchid/staunch/store"
)

// busyTimeout is how long a writer waits for one in another process, in ms.
const busyTimeout = "5000"

// mode is what a pool's connections may do.
type mode int

const (
	write mode = iota
	read
	unsynced // write, and fsync nothing
)

// pool holds a fixed number of connections to one file.
type pool struct {
	path string
	db   *sql.DB
	free chan *conn
	all  int
	done chan struct{} // closed by close
}

// conn is a connection with its prepared statements. Who holds it is alone on it.
type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
	dead  bool // to be opened anew before its next use
}

func newPool(path string, m mode, size int) (*pool, error) {
	name, err := dsn(path, m)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	p := &pool{path: path, db: db, free: make(chan *conn, size), all: size, done: make(chan struct{})}
	for range size {
		p.free <- &conn{dead: true}
	}
	return p, nil
}

// dsn is the driver's name for a file, with the settings of every connection.
func dsn(path string, m mode) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	q := url.Values{"_pragma": {"busy_timeout(" + busyTimeout + ")", "foreign_keys(1)", "trusted_schema(0)"}}
	switch m {
	case write, unsynced:
		q.Add("_pragma", "journal_mode(wal)")
		if m == write {
			q.Add("_pragma", "synchronous(full)")
		} else {
			q.Add("_pragma", "synchronous(off)")
		}
		q.Add("_pragma", "cache_size(-16384)") // 16 MiB: rows of keys are all over the file
		q.Add("_pragma", "wal_autocheckpoint(8000)")
		q.Set("mode", "rw")
	case read:
		q.Add("_pragma", "query_only(1)")
		q.Set("mode", "rw") // a reader of a WAL file writes to its shared memory
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String(), nil
}

// with runs fn on a connection that is free.
func (p *pool) with(ctx context.Context, fn func(*conn) error) error {
	select {
	case <-p.done:
		return fmt.Errorf("%w: closed", store.ErrAway)
	default:
	}
	var c *conn
	select {
	case <-p.done:
		return fmt.Errorf("%w: closed", store.ErrAway)
	case <-ctx.Done():
		return ctx.Err()
	case c = <-p.free:
	}
	defer func() { p.free <- c }()
	if err := c.open(ctx, p.db); err != nil {
		return fault(err)
	}
	return fn(c)
}

// close waits until every connection is free.
func (p *pool) close() error {
	close(p.done)
	var errs error
	for range p.all {
		errs = errors.Join(errs, (<-p.free).close())
	}
	return errors.Join(errs, p.db.Close())
}

// open makes sure that the connection is alive.
func (c *conn) open(ctx context.Context, db *sql.DB) (err error) {
	if !c.dead {
		return nil
	}
	if c.c, err = db.Conn(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	c.stmts, c.dead = map[string]*sql.Stmt{}, false
	return nil
}

func (c *conn) close() error {
	if c.dead {
		return nil
	}
	return errors.Join(c.closeStatements(), c.c.Close())
}

// closeStatements comes before the connection's end; the driver crashes when a
// statement outlives its connection.
func (c *conn) closeStatements() error {
	c.dead = true
	var errs error
	for _, s := range c.stmts {
		errs = errors.Join(errs, s.Close())
	}
	c.stmts = nil
	return errs
}

// prepare gives the prepared statement for a query; it is prepared once a connection.
func (c *conn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.c.PrepareContext(context.WithoutCancel(ctx), query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = s
	return s, nil
}

// exec runs a statement to its end. It cannot be interrupted: an interrupted
// statement would undo its transaction behind the back of the code around it.
func (c *conn) exec(ctx context.Context, query string, args ...any) error {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.WithoutCancel(ctx), args...)
	return err
}

// rollback undoes the transaction. After some errors SQLite has done so itself,
// and says that there is none; then, as after any other error, the connection
// is closed and the next user opens another, so that nothing can be left over.
func (c *conn) rollback() {
	if err := c.exec(context.Background(), "ROLLBACK"); err == nil {
		return
	}
	// Both errors say what is known: the connection is lost.
	_ = c.closeStatements()
	_ = c.c.Raw(func(any) error { return driver.ErrBadConn }) // database/sql closes it and does not keep it
}

// createFile makes an empty file that only its owner may read, if there is none.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close(), syncDir(filepath.Dir(path)))
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
