package sqlite

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/staunchid/staunch/store/sqlite/engine"
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

// conn is a connection with its prepared statements. Who holds it is alone on it.
type conn struct {
	db    *engine.Conn
	stmts map[string]*engine.Stmt
	dead  bool   // to be opened anew before its next use
	group *group // the writer's, if a transaction is open that is passed on; else nil
}

// uri names a file to SQLite.
func uri(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: "mode=rw"}).String(), nil // a reader of a WAL file writes to its shared memory
}

// settings are what every connection begins with.
func settings(m mode) string {
	all := []string{"busy_timeout = " + busyTimeout, "foreign_keys = 1", "trusted_schema = 0", "temp_store = memory"}
	switch m {
	case write, unsynced:
		all = append(all, "journal_mode = wal")
		if m == write {
			all = append(all, "synchronous = full")
		} else {
			all = append(all, "synchronous = off")
		}
		all = append(all, "cache_size = -16384") // 16 MiB: rows of keys are all over the file
		all = append(all, "wal_autocheckpoint = 8000")
	case read:
		all = append(all, "query_only = 1")
	}
	return "PRAGMA " + strings.Join(all, "; PRAGMA ")
}

// open makes sure that the connection is alive.
func (c *conn) open(path string, m mode) error {
	if !c.dead {
		return nil
	}
	name, err := uri(path)
	if err != nil {
		return err
	}
	db, err := engine.Open(name)
	if err != nil {
		return err
	}
	if err := db.Exec(settings(m)); err != nil {
		return errors.Join(err, db.Close())
	}
	c.db, c.stmts, c.dead = db, map[string]*engine.Stmt{}, false
	return nil
}

// close closes a connection with its statements. It is opened anew if it is used
// again.
func (c *conn) close() error {
	if c.dead {
		return nil
	}
	c.dead = true
	for _, s := range c.stmts {
		s.Close()
	}
	c.stmts = nil
	return c.db.Close()
}

// prepare gives the prepared statement for a query; it is prepared once a connection.
func (c *conn) prepare(query string) (*engine.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.db.Prepare(query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = s
	return s, nil
}

// exec runs a statement to its end. It cannot be interrupted: an interrupted
// statement would undo its transaction behind the back of the code around it.
func (c *conn) exec(query string, args ...any) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	return s.Run(args...)
}

// each calls read for each row of a query that is seldom asked, and whose
// statement is not kept. It ends early, with the error of ctx, when that ends.
func (c *conn) each(ctx context.Context, query string, args []any, read func(*engine.Stmt) error) error {
	s, err := c.db.Prepare(query)
	if err != nil {
		return err
	}
	defer s.Close()
	return c.interruptible(ctx, func() error { return s.Each(args, read) })
}

// interruptible runs fn, which only reads, and interrupts its statement when ctx
// ends.
func (c *conn) interruptible(ctx context.Context, fn func() error) error {
	if ctx.Done() == nil {
		return fn()
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.db.Interrupt()
		close(interrupted)
	})
	err := fn()
	if !stop() {
		<-interrupted // or it would hit what is executed next
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// rollback undoes the transaction. After some errors SQLite has done so itself,
// and says that there is none; then, as after any other error, the connection
// is closed and the next user opens another, so that nothing can be left over.
func (c *conn) rollback() {
	if err := c.exec("ROLLBACK"); err == nil {
		return
	}
	_ = c.close() // the connection is lost, whatever it says
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
