package engine

import (
	"fmt"
	"math"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// Stmt is a prepared statement.
type Stmt struct {
	c      *Conn
	handle uintptr
	reads  bool
	wants  int     // parameters
	has    int     // columns
	buf    uintptr // what texts and blobs are bound to, until the statement is reset
	size   int     // of buf
}

// Prepare makes a statement of the first one in query; there must be no other.
func (c *Conn) Prepare(query string) (*Stmt, error) {
	text, err := libc.CString(query)
	if err != nil {
		return nil, noMemory()
	}
	defer libc.Xfree(c.tls, text)
	if rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, text, -1, sqlite3.SQLITE_PREPARE_PERSISTENT, c.out, c.out+uintptr(wordSize)); rc != sqlite3.SQLITE_OK {
		return nil, c.fail(rc)
	}
	s := &Stmt{c: c, handle: c.word(0)}
	if s.handle == 0 || memory(c.word(1), 1)[0] != 0 {
		s.Close()
		return nil, fmt.Errorf("engine: not one statement: %s", query)
	}
	s.reads = sqlite3.Xsqlite3_stmt_readonly(c.tls, s.handle) != 0
	s.wants = int(sqlite3.Xsqlite3_bind_parameter_count(c.tls, s.handle))
	s.has = int(sqlite3.Xsqlite3_column_count(c.tls, s.handle))
	return s, nil
}

// Reads reports whether the statement changes nothing in the database.
func (s *Stmt) Reads() bool { return s.reads }

// Close gives the statement back. What SQLite says then is the failure of its last
// execution, which is known.
func (s *Stmt) Close() {
	sqlite3.Xsqlite3_finalize(s.c.tls, s.handle)
	libc.Xfree(s.c.tls, s.buf)
	s.handle, s.buf, s.size = 0, 0, 0
}

// Run executes the statement to its end, and drops the rows that it gives.
func (s *Stmt) Run(args ...any) error {
	if err := s.bind(args); err != nil {
		return err
	}
	defer s.reset()
	for {
		if more, err := s.step(); err != nil || !more {
			return err
		}
	}
}

// Row executes a query and reads its first row; found is false if there is none.
func (s *Stmt) Row(args []any, read func(*Stmt) error) (found bool, err error) {
	if err := s.bind(args); err != nil {
		return false, err
	}
	defer s.reset()
	if found, err = s.step(); err != nil || !found {
		return false, err
	}
	return true, read(s)
}

// Each executes a query and calls read for each row, as long as it gives no
// error.
func (s *Stmt) Each(args []any, read func(*Stmt) error) error {
	if err := s.bind(args); err != nil {
		return err
	}
	defer s.reset()
	for {
		if more, err := s.step(); err != nil || !more {
			return err
		}
		if err := read(s); err != nil {
			return err
		}
	}
}

func (s *Stmt) step() (row bool, err error) {
	switch rc := sqlite3.Xsqlite3_step(s.c.tls, s.handle); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.c.fail(rc)
	}
}

// reset ends an execution. Its error is that of the step before, which is known.
func (s *Stmt) reset() { sqlite3.Xsqlite3_reset(s.c.tls, s.handle) }

// bind gives the parameters their values, in order: all of them.
func (s *Stmt) bind(args []any) error {
	if len(args) != s.wants {
		return fmt.Errorf("engine: %d values for %d parameters", len(args), s.wants)
	}
	if err := s.room(args); err != nil {
		return err
	}
	at := s.buf
	for i, arg := range args {
		var rc int32
		n := int32(i + 1)
		tls, handle := s.c.tls, s.handle
		switch v := arg.(type) {
		case nil:
			rc = sqlite3.Xsqlite3_bind_null(tls, handle, n)
		case string:
			copy(memory(at, len(v)), v)
			rc = sqlite3.Xsqlite3_bind_text(tls, handle, n, at, int32(len(v)), 0)
			at += uintptr(len(v))
		case []byte:
			if v == nil {
				rc = sqlite3.Xsqlite3_bind_null(tls, handle, n)
				break
			}
			copy(memory(at, len(v)), v)
			rc = sqlite3.Xsqlite3_bind_blob(tls, handle, n, at, int32(len(v)), 0)
			at += uintptr(len(v))
		case int64:
			rc = sqlite3.Xsqlite3_bind_int64(tls, handle, n, v)
		case int:
			rc = sqlite3.Xsqlite3_bind_int64(tls, handle, n, int64(v))
		case uint32:
			rc = sqlite3.Xsqlite3_bind_int64(tls, handle, n, int64(v))
		case bool:
			rc = sqlite3.Xsqlite3_bind_int64(tls, handle, n, number(v))
		case float64:
			rc = sqlite3.Xsqlite3_bind_double(tls, handle, n, v)
		default:
			return fmt.Errorf("engine: parameter %d has a value of a type that is not bound", n)
		}
		if rc != sqlite3.SQLITE_OK {
			return s.c.fail(rc)
		}
	}
	return nil
}

// room makes buf large enough for all texts and blobs. It has one byte at least,
// so that the empty ones point somewhere: to nowhere is NULL.
func (s *Stmt) room(args []any) error {
	need := 1
	for _, arg := range args {
		n := 0
		switch v := arg.(type) {
		case string:
			n = len(v)
		case []byte:
			n = len(v)
		}
		if n > math.MaxInt32-need {
			return &Error{sqlite3.SQLITE_TOOBIG, "engine: values of more than 2 GiB"}
		}
		need += n
	}
	if need <= s.size {
		return nil
	}
	need += need / 2
	buf := libc.Xmalloc(s.c.tls, types.Size_t(need))
	if buf == 0 {
		return noMemory()
	}
	sqlite3.Xsqlite3_clear_bindings(s.c.tls, s.handle) // they point to what is freed
	libc.Xfree(s.c.tls, s.buf)
	s.buf, s.size = buf, need
	return nil
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
