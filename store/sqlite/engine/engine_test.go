package engine_test

import (
	"bytes"
	"database/sql"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/store/sqlite/engine"
)

func open(t *testing.T) *engine.Conn {
	t.Helper()
	c, err := engine.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func prepare(t *testing.T, c *engine.Conn, query string) *engine.Stmt {
	t.Helper()
	s, err := c.Prepare(query)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

type name string

// TestRoundTrip: what is bound comes out as it went in.
func TestRoundTrip(t *testing.T) {
	c := open(t)
	s := prepare(t, c, `SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10`)
	long := strings.Repeat("long\x00", 100_000)
	for _, text := range []string{"", "a", "with\x00NUL", long, "b"} {
		var plain string
		var named name
		var blob, none []byte
		var n int64
		var u uint32
		var yes bool
		var f float64
		var null sql.NullInt64
		var p *uint32
		found, err := s.Row([]any{text, text, []byte(text), nil, int64(math.MinInt64), uint32(math.MaxUint32), true, 0.5, nil, 7}, func(s *engine.Stmt) error {
			return s.Scan(&plain, &named, &blob, &none, &n, &u, &yes, &f, &null, &p)
		})
		if err != nil || !found {
			t.Fatal(found, err)
		}
		if plain != text || named != name(text) || string(blob) != text || none != nil || n != math.MinInt64 || u != math.MaxUint32 || !yes || f != 0.5 || null.Valid || p == nil || *p != 7 {
			t.Errorf("%.20q came back as %.20q, %.20q, %.20q, %v, %d, %d, %v, %v, %v, %v", text, plain, named, blob, none, n, u, yes, f, null, p)
		}
	}
	if got, err := read[any](t, c, `SELECT typeof(?)`, []byte{}); err != nil || got != "blob" {
		t.Errorf("no bytes are %v, %v", got, err)
	}
	if got, err := read[any](t, c, `SELECT typeof(?)`, []byte(nil)); err != nil || got != "null" {
		t.Errorf("nil is %v, %v", got, err)
	}
}

func read[T any](t *testing.T, c *engine.Conn, query string, args ...any) (v T, err error) {
	t.Helper()
	_, err = prepare(t, c, query).Row(args, func(s *engine.Stmt) error { return s.Scan(&v) })
	return v, err
}

// TestMismatch: a value that does not go where it is wanted is an error, and not
// a zero.
func TestMismatch(t *testing.T) {
	c := open(t)
	refused := func(what string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	_, err := read[string](t, c, `SELECT NULL`)
	refused("NULL for a text", err)
	_, err = read[name](t, c, `SELECT NULL`)
	refused("NULL for a name", err)
	_, err = read[name](t, c, `SELECT x'00'`)
	refused("a blob for a name", err)
	_, err = read[int](t, c, `SELECT NULL`)
	refused("NULL for a number", err)
	_, err = read[int64](t, c, `SELECT '1'`)
	refused("a text for a number", err)
	_, err = read[uint32](t, c, `SELECT -1`)
	refused("-1 for 32 bits without a sign", err)
	_, err = read[uint64](t, c, `SELECT -1`)
	refused("-1 for 64 bits without a sign", err)
	_, err = read[uint32](t, c, `SELECT 4294967296`)
	refused("2^32 for 32 bits", err)
	_, err = read[int8](t, c, `SELECT 128`)
	refused("128 for 8 bits", err)
	_, err = read[bool](t, c, `SELECT 2`)
	refused("2 for a truth value", err)
	_, err = read[[]byte](t, c, `SELECT 1`)
	refused("a number for bytes", err)
	_, err = read[sql.NullInt64](t, c, `SELECT 'x'`)
	refused("a text for a number that may be NULL", err)
	_, err = read[int](t, c, `SELECT 1, 2`)
	refused("two columns for one destination", err)
	_, err = read[any](t, c, `SELECT ?`)
	refused("no value for a parameter", err)
	_, err = read[int](t, c, `SELECT ?`, time.Time{})
	refused("a time", err)
	for _, query := range []string{``, `-- nothing`, `SELECT 1; SELECT 2`, `SELEC 1`} {
		if _, err := c.Prepare(query); err == nil {
			t.Errorf("%q is prepared", query)
		}
	}
}

// TestChanges: a statement can be executed again after it has failed, and says
// what it has changed.
func TestChanges(t *testing.T) {
	c := open(t)
	if err := c.Exec(`CREATE TABLE a (n INTEGER PRIMARY KEY) STRICT; BEGIN`); err != nil {
		t.Fatal(err)
	}
	insert := prepare(t, c, `INSERT INTO a VALUES (?)`)
	for _, n := range []int64{3, 5} {
		if err := insert.Run(n); err != nil || c.LastInsertID() != n {
			t.Fatal(err, c.LastInsertID())
		}
	}
	var failed *engine.Error
	if err := insert.Run(3); !errors.As(err, &failed) || failed.Primary() != 19 || !strings.Contains(err.Error(), "a.n") {
		t.Errorf("the same again: %v", err)
	}
	if err := insert.Run(4); err != nil {
		t.Errorf("after a failure: %v", err)
	}
	if err := prepare(t, c, `UPDATE a SET n = n + 10`).Run(); err != nil || c.Changes() != 3 {
		t.Errorf("%d rows changed: %v", c.Changes(), err)
	}
	var all []byte
	err := prepare(t, c, `SELECT n FROM a ORDER BY n`).Each(nil, func(s *engine.Stmt) error {
		var n uint8
		err := s.Scan(&n)
		all = append(all, n)
		return err
	})
	if err != nil || !bytes.Equal(all, []byte{13, 14, 15}) {
		t.Errorf("rows %v: %v", all, err)
	}
	if !c.InTransaction() {
		t.Error("the transaction is over")
	}
}

// TestInterrupt: another goroutine can end what runs, and what comes next runs.
func TestInterrupt(t *testing.T) {
	c := open(t)
	endless := prepare(t, c, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n`)
	done := make(chan error, 1)
	go func() { done <- endless.Run() }()
	for ended := false; !ended; {
		c.Interrupt() // one that comes too early does nothing
		select {
		case err := <-done:
			var e *engine.Error
			if !errors.As(err, &e) || e.Primary() != 9 {
				t.Errorf("interrupted: %v", err)
			}
			ended = true
		case <-time.After(10 * time.Millisecond):
		}
	}
	if n, err := read[int](t, c, `SELECT 1`); err != nil || n != 1 {
		t.Errorf("afterwards: %d, %v", n, err)
	}
}

// TestOpen: what cannot be opened is an error that says why.
func TestOpen(t *testing.T) {
	var e *engine.Error
	if _, err := engine.Open("file:" + t.TempDir() + "/none?mode=rw"); !errors.As(err, &e) || e.Primary() != 14 {
		t.Errorf("no file: %v", err)
	}
}
