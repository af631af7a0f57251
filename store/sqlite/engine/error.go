package engine

import (
	"fmt"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Error is what SQLite says. Code is an extended result code; its lowest byte is
// the primary one (https://www.sqlite.org/rescode.html).
type Error struct {
	Code int
	text string
}

func (e *Error) Error() string { return e.text }

// Primary is the primary result code.
func (e *Error) Primary() int { return e.Code & 0xff }

// fail makes an error of a result code and of what the connection says of it.
func (c *Conn) fail(rc int32) error {
	what := libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))
	if c.db != 0 {
		if more := libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db)); more != what {
			what += ": " + more
		}
	}
	return &Error{int(rc), fmt.Sprintf("engine: %s (%d)", what, rc)}
}

func noMemory() error { return &Error{sqlite3.SQLITE_NOMEM, "engine: out of memory"} }
