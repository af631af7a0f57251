package engine

import (
	"database/sql"
	"fmt"
	"reflect"
	"strconv"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Scan puts the columns of the row where dest says, one pointer a column, and
// makes copies. It takes pointers to texts, bytes, numbers and truth values, to
// types of these kinds, and what implements sql.Scanner. NULL goes into bytes,
// into a pointer and into a Scanner, and nowhere else; a value of another kind
// is an error, as is a number that does not fit.
func (s *Stmt) Scan(dest ...any) error {
	if len(dest) != s.has {
		return fmt.Errorf("engine: %d destinations for %d columns", len(dest), s.has)
	}
	for i, d := range dest {
		if err := s.column(i, d); err != nil {
			return err
		}
	}
	return nil
}

// Number is a column that is an integer.
func (s *Stmt) Number(i int) int64 { return s.integer(i) }

// Bytes is a column that is a text or a blob, in SQLite's own memory: good until the
// next row. It is for who reads many rows and keeps few values.
func (s *Stmt) Bytes(i int) []byte { return s.bytes(i) }

// column reads one column. What nearly all are comes first.
func (s *Stmt) column(i int, dest any) error {
	kind := sqlite3.Xsqlite3_column_type(s.c.tls, s.handle, int32(i))
	switch d := dest.(type) {
	case *sql.NullInt64:
		switch kind {
		case sqlite3.SQLITE_NULL:
			*d = sql.NullInt64{}
			return nil
		case sqlite3.SQLITE_INTEGER:
			*d = sql.NullInt64{Int64: s.integer(i), Valid: true}
			return nil
		}
		return s.mismatch(i, kind)
	case *[]byte:
		switch kind {
		case sqlite3.SQLITE_NULL:
			*d = nil
			return nil
		case sqlite3.SQLITE_TEXT, sqlite3.SQLITE_BLOB:
			*d = append([]byte(nil), s.bytes(i)...)
			return nil
		}
		return s.mismatch(i, kind)
	case *string:
		switch kind {
		case sqlite3.SQLITE_INTEGER:
			*d = strconv.FormatInt(s.integer(i), 10)
			return nil
		case sqlite3.SQLITE_TEXT:
			*d = string(s.bytes(i))
			return nil
		}
		return s.mismatch(i, kind)
	case sql.Scanner:
		return d.Scan(s.value(i, kind))
	case *any:
		*d = s.value(i, kind)
		return nil
	}
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("engine: column %d has a destination that is no pointer", i)
	}
	return s.into(i, kind, v.Elem())
}

// into reads one column into what is of some kind.
func (s *Stmt) into(i int, kind int32, v reflect.Value) error {
	switch k := v.Kind(); {
	case k == reflect.Pointer && kind == sqlite3.SQLITE_NULL:
		v.SetZero()
		return nil
	case k == reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		v.Set(p)
		return s.into(i, kind, p.Elem())
	case k == reflect.String && kind == sqlite3.SQLITE_TEXT:
		v.SetString(string(s.bytes(i)))
		return nil
	case v.CanInt() && kind == sqlite3.SQLITE_INTEGER:
		n := s.integer(i)
		if v.OverflowInt(n) {
			return s.mismatch(i, kind)
		}
		v.SetInt(n)
		return nil
	case v.CanUint() && kind == sqlite3.SQLITE_INTEGER:
		n := s.integer(i)
		if n < 0 || v.OverflowUint(uint64(n)) {
			return s.mismatch(i, kind)
		}
		v.SetUint(uint64(n))
		return nil
	case k == reflect.Bool && kind == sqlite3.SQLITE_INTEGER:
		n := s.integer(i)
		if n != 0 && n != 1 {
			return s.mismatch(i, kind)
		}
		v.SetBool(n == 1)
		return nil
	case k == reflect.Float64 && (kind == sqlite3.SQLITE_FLOAT || kind == sqlite3.SQLITE_INTEGER):
		v.SetFloat(s.float(i))
		return nil
	}
	return s.mismatch(i, kind)
}

func (s *Stmt) mismatch(i int, kind int32) error {
	name := libc.GoString(sqlite3.Xsqlite3_column_name(s.c.tls, s.handle, int32(i)))
	return fmt.Errorf("engine: the value of column %d, %q, is %s, which does not go where it is wanted", i, name, kindName(kind))
}

func kindName(kind int32) string {
	switch kind {
	case sqlite3.SQLITE_INTEGER:
		return "an integer"
	case sqlite3.SQLITE_FLOAT:
		return "a float"
	case sqlite3.SQLITE_TEXT:
		return "a text"
	case sqlite3.SQLITE_BLOB:
		return "a blob"
	}
	return "NULL"
}

// value is a column as database/sql hands it to a Scanner.
func (s *Stmt) value(i int, kind int32) any {
	switch kind {
	case sqlite3.SQLITE_INTEGER:
		return s.integer(i)
	case sqlite3.SQLITE_FLOAT:
		return s.float(i)
	case sqlite3.SQLITE_TEXT:
		return string(s.bytes(i))
	case sqlite3.SQLITE_BLOB:
		return append([]byte(nil), s.bytes(i)...)
	}
	return nil
}

func (s *Stmt) integer(i int) int64 {
	return sqlite3.Xsqlite3_column_int64(s.c.tls, s.handle, int32(i))
}

func (s *Stmt) float(i int) float64 {
	return sqlite3.Xsqlite3_column_double(s.c.tls, s.handle, int32(i))
}

// bytes is a text or a blob in SQLite's memory, good until the next step.
func (s *Stmt) bytes(i int) []byte {
	at := sqlite3.Xsqlite3_column_blob(s.c.tls, s.handle, int32(i)) // of a text it is the same
	n := sqlite3.Xsqlite3_column_bytes(s.c.tls, s.handle, int32(i))
	if at == 0 || n <= 0 {
		return nil
	}
	return memory(at, int(n))
}
