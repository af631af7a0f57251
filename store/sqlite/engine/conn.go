// Package engine calls SQLite itself, as modernc.org/sqlite/lib has it, for
// package sqlite, and for who plays an administrator that reaches past it
// (web/demo/insider).
//
//	c, err := engine.Open("file:/data/demo.db?mode=rw")
//	s, err := c.Prepare(`SELECT name FROM device WHERE id = ?`)
//	found, err := s.Row([]any{id}, func(s *engine.Stmt) error { return s.Scan(&name) })
//
// It stands where database/sql and its driver would. Those make some eighty
// small objects of a row with a dozen columns and take three times as long; here
// the arguments are copied into memory that belongs to the statement, and the
// columns into where they are wanted.
//
// A Conn and its statements are one goroutine's at a time. Only Interrupt may be
// called by another. Nothing here waits, retries or decides: the settings of a
// connection are PRAGMAs, which its user executes.
package engine

import (
	"fmt"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	_ "modernc.org/sqlite" // it mends SQLite on linux/arm64 when it is loaded
	sqlite3 "modernc.org/sqlite/lib"
)

// Conn is a connection to one database.
type Conn struct {
	tls *libc.TLS
	db  uintptr
	out uintptr // two pointers, for what SQLite gives back by reference
}

// Open opens a database by its URI (https://www.sqlite.org/uri.html) or by the
// name ":memory:".
func Open(uri string) (*Conn, error) {
	c := &Conn{tls: libc.NewTLS()}
	if c.out = libc.Xmalloc(c.tls, 2*wordSize); c.out == 0 {
		c.tls.Close()
		return nil, noMemory()
	}
	name, err := libc.CString(uri)
	if err != nil {
		return nil, c.abandon(noMemory())
	}
	defer libc.Xfree(c.tls, name)
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE | sqlite3.SQLITE_OPEN_URI | // a URI's mode narrows it
		sqlite3.SQLITE_OPEN_NOMUTEX | sqlite3.SQLITE_OPEN_EXRESCODE
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, c.out, flags, 0)
	c.db = c.word(0)
	if rc != sqlite3.SQLITE_OK {
		return nil, c.abandon(c.fail(rc))
	}
	return c, nil
}

// abandon gives back what a connection has that cannot be opened, and its error.
func (c *Conn) abandon(err error) error {
	if closing := c.Close(); closing != nil {
		return fmt.Errorf("%w; and then: %w", err, closing)
	}
	return err
}

// Close closes the connection. Its statements must be closed.
func (c *Conn) Close() error {
	if c.tls == nil {
		return nil
	}
	if rc := sqlite3.Xsqlite3_close(c.tls, c.db); rc != sqlite3.SQLITE_OK { // of none does nothing
		return c.fail(rc)
	}
	libc.Xfree(c.tls, c.out)
	c.tls.Close()
	c.tls, c.db, c.out = nil, 0, 0
	return nil
}

// Exec executes a script, whatever number of statements it has, and drops the
// rows that they give.
func (c *Conn) Exec(script string) error {
	text, err := libc.CString(script)
	if err != nil {
		return noMemory()
	}
	defer libc.Xfree(c.tls, text)
	if rc := sqlite3.Xsqlite3_exec(c.tls, c.db, text, 0, 0, 0); rc != sqlite3.SQLITE_OK {
		return c.fail(rc)
	}
	return nil
}

// Changes is how many rows the last statement that changes rows has changed.
func (c *Conn) Changes() int { return int(sqlite3.Xsqlite3_changes(c.tls, c.db)) }

// LastInsertID is the row id of the last row that was inserted.
func (c *Conn) LastInsertID() int64 { return sqlite3.Xsqlite3_last_insert_rowid(c.tls, c.db) }

// InTransaction reports whether a transaction is open: after some errors SQLite
// has undone it by itself.
func (c *Conn) InTransaction() bool { return sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// Interrupt ends the statements that run. Any goroutine may call it, as long as
// the connection is not closed meanwhile.
func (c *Conn) Interrupt() {
	tls := libc.NewTLS() // that of the connection is in use
	defer tls.Close()
	sqlite3.Xsqlite3_interrupt(tls, c.db)
}

// wordSize is that of a pointer.
const wordSize = types.Size_t(unsafe.Sizeof(uintptr(0)))

// word is the n-th of the pointers that SQLite has given back.
func (c *Conn) word(n int) uintptr {
	at := c.out + uintptr(n)*unsafe.Sizeof(uintptr(0))
	return **(**uintptr)(unsafe.Pointer(&at))
}

// memory is n bytes of SQLite's own memory, which the garbage collector does not
// know and does not move.
func memory(at uintptr, n int) []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), n)
}
