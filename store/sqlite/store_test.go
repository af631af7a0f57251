package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store"
	"github.com/staunchid/staunch/store/sqlite/engine"
)

func openTest(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), &Options{Path: path, App: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// raw opens the file apart from the store, as somebody with a shell would.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func TestOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	tests := []struct {
		name   string
		change func(*Options)
		ok     bool
	}{
		{"good", func(*Options) {}, true},
		{"no path", func(o *Options) { o.Path = "" }, false},
		{"no app", func(o *Options) { o.App = "" }, false},
		{"no directory", func(o *Options) { o.Path = filepath.Join(path, "nowhere", "a.db") }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &Options{Path: path, App: "demo"}
			tt.change(o)
			s, err := Open(t.Context(), o)
			if (err == nil) != tt.ok {
				t.Fatalf("Open: %v", err)
			}
			if err == nil {
				s.Close()
			}
		})
	}
}

// TestSettings: what durability and references depend on holds on every connection.
func TestSettings(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "odd name?%41#.db"))
	for name, p := range map[string]*pool{"writer": s.writer, "reader": s.readers} {
		want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "trusted_schema": "0", "query_only": "0"}
		if p == s.readers {
			want["query_only"] = "1"
		}
		for pragma, want := range want {
			err := p.with(t.Context(), func(c *conn) error {
				var got string
				err := c.each(t.Context(), "PRAGMA "+pragma, nil, func(s *engine.Stmt) error { return s.Scan(&got) })
				if got != want {
					t.Errorf("%s: %s is %s, want %s", name, pragma, got, want)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
	info, err := os.Stat(s.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
}

func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other")
	if _, err := raw(t, other).Exec(`CREATE TABLE song (name TEXT)`); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, "half")
	if _, err := raw(t, half).Exec(`CREATE TABLE app_meta (one INTEGER, app TEXT, schema INTEGER)`); err != nil {
		t.Fatal(err)
	}
	zero := filepath.Join(dir, "zero")
	if _, err := raw(t, zero).Exec(`CREATE TABLE app_meta (one INTEGER, app TEXT, schema INTEGER); INSERT INTO app_meta VALUES (1, 'demo', 0)`); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, other, half, zero} {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), &Options{Path: path, App: "demo"}); !errors.Is(err, store.ErrNotStore) {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
		if after, err := os.ReadFile(path); err != nil || path == text && string(after) != string(before) {
			t.Errorf("%s was written to: %v", filepath.Base(path), err)
		}
	}
	if _, err := Open(t.Context(), &Options{Path: filepath.Join(dir, "none"), App: "demo", ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read-only, no file: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening for reading made a file: %v", err)
	}
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s := openTest(t, path)
	r, err := Open(t.Context(), &Options{Path: path, App: "demo", ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	// While the other one writes, it reads and checks, and does not write.
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.AddChallenge(t.Context(), challenge(1)) }); err != nil {
		t.Fatal(err)
	}
	if report, err := r.Check(t.Context(), noon); err != nil || !report.OK() {
		t.Errorf("Check: %+v, %v", report, err)
	}
	if err := r.View(t.Context(), func(tx *Tx) error { _, err := tx.Challenge(t.Context(), challenge(1).Hash); return err }); err != nil {
		t.Error(err)
	}
	if err := r.Update(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, store.ErrAway) {
		t.Errorf("Update: %v", err)
	}
}

// TestLocked: another process that holds the lock makes the store away, and not
// for ever.
func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s := openTest(t, path)
	if err := s.writer.with(t.Context(), func(c *conn) error { return c.exec("PRAGMA busy_timeout = 20") }); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	if _, err := db.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	add := func() error {
		return s.Update(t.Context(), func(tx *Tx) error { return tx.AddChallenge(t.Context(), challenge(1)) })
	}
	if err := add(); !errors.Is(err, store.ErrAway) {
		t.Errorf("locked: %v", err)
	}
	if _, err := db.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if err := add(); err != nil {
		t.Errorf("no longer locked: %v", err)
	}
}

// TestWaiting: who waits for the writer can give up.
func TestWaiting(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "a.db"))
	err := s.Update(t.Context(), func(*Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := s.Update(ctx, func(*Tx) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for the writer: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFullDisk: a full disk is the store's fault, and nothing that was answered
// is lost.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s := openTest(t, path)
	ctx := t.Context()
	limit := func(pages string) {
		t.Helper()
		if err := s.writer.with(ctx, func(c *conn) error { return c.db.Exec("PRAGMA max_page_count = " + pages) }); err != nil {
			t.Fatal(err)
		}
	}
	limit("170")
	add := func(i int) error {
		return s.Update(ctx, func(tx *Tx) error {
			c := challenge(byte(i))
			c.Hash[1] = byte(i >> 8)
			if err := tx.AddChallenge(ctx, c); err != nil {
				return err
			}
			e := registry.Evidence{ID: string(rune(1000 + i)), At: noon, Until: noon, Verdict: make([]byte, 3000)}
			tx.AddEvidence(ctx, e) // errors are left out on purpose: the commit must not happen
			tx.AppendAudit(ctx, told(e))
			return nil
		})
	}
	kept := 0
	var err error
	for err == nil && kept < 1000 {
		if err = add(kept); err == nil {
			kept++
		}
	}
	if !errors.Is(err, store.ErrAway) || kept < 2 {
		t.Fatalf("after %d: %v, want store.ErrAway", kept, err)
	}
	if !strings.Contains(err.Error(), "full") {
		t.Errorf("%q does not say what is wrong", err)
	}
	count := func() (challenges, evidence int) {
		t.Helper()
		err := s.View(ctx, func(tx *Tx) error {
			_, err := tx.row(ctx, "test", `SELECT (SELECT count(*) FROM attest_challenge), (SELECT count(*) FROM attest_evidence)`, nil, &challenges, &evidence)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return challenges, evidence
	}
	if c, e := count(); c != kept || e != kept {
		t.Errorf("%d challenges and %d pieces of evidence, want %d of each", c, e, kept)
	}
	limit("1000") // room again
	if err := add(kept); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if report, err := s.Check(ctx, noon); err != nil || !report.OK() {
		t.Errorf("Check: %+v, %v", report, err)
	}
	s.Close()
	s = openTest(t, path)
	if c, e := count(); c != kept+1 || e != kept+1 {
		t.Errorf("opened again: %d challenges and %d pieces of evidence, want %d of each", c, e, kept+1)
	}
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func challenge(b byte) registry.Challenge {
	return registry.Challenge{Hash: [32]byte{b}, App: "demo", Purpose: registry.PurposeRequest, Issued: noon, Expires: noon}
}

// TestOpenTogether: of several that open a new file at once, all find it made.
func TestOpenTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			s, err := Open(t.Context(), &Options{Path: path, App: "demo"})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.Update(t.Context(), func(tx *Tx) error { return tx.AddChallenge(t.Context(), challenge(byte(i))) }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s := openTest(t, path)
	if report, err := s.Check(t.Context(), noon); err != nil || !report.OK() {
		t.Errorf("Check: %+v, %v", report, err)
	}
}

// TestTwoWriters: two processes that read and then write wait for each other.
// A transaction that took its lock only when it writes would fail here.
func TestTwoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	ctx := t.Context()
	const rounds = 30
	k := registry.Key{ID: "k", App: "demo", SPKI: []byte{1}, State: registry.StateActive, RegisteredAt: noon}
	first := openTest(t, path)
	if err := first.Update(ctx, func(tx *Tx) error { return tx.PutAttestedKey(ctx, k) }); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, s := range []*Store{first, openTest(t, path)} {
		wg.Go(func() {
			for range rounds {
				err := s.Update(ctx, func(tx *Tx) error {
					k, err := tx.AttestedKey(ctx, "k")
					if err != nil {
						return err
					}
					time.Sleep(time.Millisecond)
					k.Counter++
					return tx.PutAttestedKey(ctx, k)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	err := first.View(ctx, func(tx *Tx) (err error) { k, err = tx.AttestedKey(ctx, "k"); return err })
	if err != nil || k.Counter != 2*rounds {
		t.Errorf("counter is %d, want %d: %v", k.Counter, 2*rounds, err)
	}
}
