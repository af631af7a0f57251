package sqlite

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/store"
)

var updateFiles = flag.Bool("update", false, "write schema.sql and the saved database of the newest schema anew")

// dump gives the schema as text.
func dump(t *testing.T, s *Store) string {
	t.Helper()
	var b strings.Builder
	rows, err := raw(t, s.path).Query(`SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY tbl_name, type DESC, name`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		b.WriteString(text + ";\n\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSchema: schema.sql is what all migrations come to.
func TestSchema(t *testing.T) {
	got := "-- What all migrations come to; written by the tests with -update.\n\n" +
		dump(t, openTest(t, filepath.Join(t.TempDir(), "a.db")))
	if *updateFiles {
		if err := os.WriteFile("schema.sql", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("schema.sql (-update writes it): %s", diff)
	}
}

// TestUpgradeSaved: the saved database of every schema opens, with what was in
// it, and has the newest schema then.
func TestUpgradeSaved(t *testing.T) {
	if *updateFiles {
		saveNewest(t)
	}
	names, err := filepath.Glob("testdata/schema-*.db")
	if err != nil {
		t.Fatal(err)
	}
	all, err := steps(migrations())
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != len(all) {
		t.Fatalf("%d saved databases for %d schemas; -update saves the newest", len(names), len(all))
	}
	want := dump(t, openTest(t, filepath.Join(t.TempDir(), "new.db")))
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			s := openTest(t, copyOf(t, name))
			if diff := cmp.Diff(want, dump(t, s)); diff != "" {
				t.Errorf("schema after the upgrade: %s", diff)
			}
			report, err := s.Check(t.Context(), noon)
			entries := 6
			if filepath.Base(name) >= schemaName(3) { // since there are accounts
				entries = 8
			}
			if err != nil || !report.OK() || report.Accounts != 2 || report.Entries != entries {
				t.Errorf("Check: %+v, %v", report, err)
			}
			err = s.View(t.Context(), func(tx *Tx) error {
				k, err := tx.AttestedKey(t.Context(), "key of a_aaaaaaaaaaaaaaaaaaaaaaaaaa")
				if !k.RegisteredAt.Equal(noon) {
					t.Errorf("key registered at %v", k.RegisteredAt)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func saveNewest(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	peopled(t, filled(t, path)).Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := steps(migrations())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", schemaName(len(all))), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func schemaName(n int) string { return fmt.Sprintf("schema-%04d.db", n) }

func copyOf(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// more is the real migrations and the given ones after them.
func more(t *testing.T, texts ...string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	all, err := steps(migrations())
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range append(all, texts...) {
		files[fmt.Sprintf("%04d_x.sql", i+1)] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

// migrateWith runs the migrations of files on an open store.
func migrateWith(t *testing.T, s *Store, files fs.FS) error {
	t.Helper()
	return s.writer.with(t.Context(), func(c *conn) error { return s.migrate(t.Context(), c, files) })
}

func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s := filled(t, path)
	all, err := steps(migrations())
	if err != nil {
		t.Fatal(err)
	}
	saved := path + "." + strings.TrimSuffix(schemaName(len(all)), ".db")
	if err := migrateWith(t, s, migrations()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(saved); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("copied without a migration: %v", err)
	}

	// A migration that fails in the middle changes nothing, and can be tried again.
	before := dump(t, s)
	for range 2 {
		if err := migrateWith(t, s, more(t, `CREATE TABLE extra (x INTEGER); INSERT INTO nowhere VALUES (1);`)); err == nil {
			t.Fatal("a broken migration succeeded")
		}
		if after := dump(t, s); after != before {
			t.Errorf("half a migration: %s", cmp.Diff(before, after))
		}
	}

	// One that works leaves a copy of what was before.
	good := more(t, `CREATE TABLE extra (x INTEGER);`, `INSERT INTO extra VALUES (7);`)
	if err := migrateWith(t, s, good); err != nil {
		t.Fatal(err)
	}
	if err := migrateWith(t, s, good); err != nil {
		t.Errorf("a second time: %v", err)
	}
	var n int
	if err := raw(t, path).QueryRow(`SELECT x FROM extra`).Scan(&n); err != nil || n != 7 {
		t.Errorf("extra: %d, %v", n, err)
	}
	old := openTest(t, saved)
	if after := dump(t, old); after != before {
		t.Errorf("the copy is not as it was: %s", cmp.Diff(before, after))
	}
	if report, err := old.Check(t.Context(), noon); err != nil || !report.OK() || report.Entries != 6 {
		t.Errorf("Check of the copy: %+v, %v", report, err)
	}
	if info, err := os.Stat(saved); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy is %v, %v", info.Mode(), err)
	}
	s.Close()

	// This program does not know that schema.
	for _, readOnly := range []bool{false, true} {
		_, err := Open(t.Context(), &Options{Path: path, App: "demo", ReadOnly: readOnly})
		if !errors.Is(err, store.ErrNewer) {
			t.Errorf("newer schema, read only %v: %v", readOnly, err)
		}
	}
	// And a newer program does not read an older schema.
	err = old.readers.with(t.Context(), func(c *conn) error { return old.checkSchema(t.Context(), c, good) })
	if !errors.Is(err, store.ErrOlder) {
		t.Errorf("older schema: %v", err)
	}
}

// TestUpgradeStatistics: rows of statistics of schema 7 keep their hashes, which are
// deleted with them.
func TestUpgradeStatistics(t *testing.T) {
	path := copyOf(t, filepath.Join("testdata", schemaName(7)))
	db := raw(t, path)
	for _, query := range []string{
		`DELETE FROM attest_stat`,
		`INSERT INTO attest_stat VALUES (7, 100, 'android', 'register', 'm', 'attested', 'o', 'v', 'JP', 's', 'accept', '', '', '', -1, '', '', 5, 2)`,
		`INSERT INTO attest_stat VALUES (8, 101, 'android', 'register', 'm', 'attested', 'o', 'v', 'JP', 's', 'reject', '', '', '', -1, '', '', 3, 1)`,
		`INSERT INTO attest_stat_account VALUES (7, x'01'), (7, x'02'), (8, x'02')`,
	} {
		if _, err := db.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	s := openTest(t, path)
	q := &registry.StatQuery{From: 100, To: 102, By: []registry.Dim{registry.DimModel}}
	read := func() (sum registry.StatSum, accounts int64) {
		t.Helper()
		err := s.View(t.Context(), func(tx *Tx) error {
			err := tx.SumStats(t.Context(), []*registry.StatQuery{q}, func(_ int, one registry.StatSum) error { sum = one; return nil })
			if err != nil {
				return err
			}
			return tx.CountStatAccounts(t.Context(), q, 1000, func(_ []string, _, n int64) error { accounts = n; return nil })
		})
		if err != nil {
			t.Fatal(err)
		}
		return sum, accounts
	}
	if sum, n := read(); sum.Attempts != 8 || sum.Accepted != 5 || sum.Rejected != 3 || n != 2 {
		t.Errorf("%+v of %d accounts", sum, n)
	}
	err := s.Update(t.Context(), func(tx *Tx) error {
		_, err := tx.DeleteStats(t.Context(), 101, 10)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if sum, n := read(); sum.Attempts != 3 || n != 1 {
		t.Errorf("after the first hour was deleted: %+v of %d accounts", sum, n)
	}
	var left int
	if err := raw(t, path).QueryRow(`SELECT count(*) FROM attest_stat_account`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d hashes are left, %v", left, err)
	}
}

// TestMigrationNames: a gap or a wrong name is a fault of the program, found at once.
func TestMigrationNames(t *testing.T) {
	for _, names := range [][]string{{"0002_x.sql"}, {"0001_x.sql", "0003_x.sql"}, {"1_x.sql"}, {"0001x.sql"}, {"x.sql"}} {
		files := fstest.MapFS{}
		for _, name := range names {
			files[name] = &fstest.MapFile{}
		}
		if _, err := steps(files); err == nil {
			t.Errorf("%v are migrations", names)
		}
	}
}
