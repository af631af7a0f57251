package sqlite

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store"
)

// filled makes a store with two keys and their entries.
func filled(t *testing.T, path string) *Store {
	t.Helper()
	s := openTest(t, path)
	err := s.Update(t.Context(), func(tx *Tx) error {
		for _, id := range []account.ID{"a_aaaaaaaaaaaaaaaaaaaaaaaaaa", "a_bbbbbbbbbbbbbbbbbbbbbbbbbb"} {
			k := registry.Key{ID: "key of " + string(id), App: "demo", Account: id, SPKI: []byte{1}, State: registry.StateActive, RegisteredAt: noon}
			if err := tx.PutAttestedKey(t.Context(), k); err != nil {
				return err
			}
			if err := tx.PutAttestedSerials(t.Context(), k.ID, []string{"a1"}); err != nil {
				return err
			}
			digest := k.Digest()
			e := audit.Entry{Account: id, Time: noon, Actor: audit.Actor{Kind: account.System}, Action: "attest.register", Subject: k.ID, Object: digest[:]}
			for range 3 {
				if err := tx.AppendAudit(t.Context(), e); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCheckFindsChanges: after any one row is changed, deleted, swapped or
// rolled back by somebody at the file, Check is not clean.
func TestCheckFindsChanges(t *testing.T) {
	tests := []struct{ name, change, kind string }{
		{"none", ``, ""},
		{"counter and last use, which every request moves", `UPDATE attest_key SET counter = 9, counter_seen = 3, last_used = 1`, ""},
		{"key changed", `UPDATE attest_key SET spki = x'02' WHERE account LIKE 'a_a%'`, audit.RowDigest},
		{"key made active again", `UPDATE attest_key SET state = 'pending' WHERE account LIKE 'a_a%'`, audit.RowDigest},
		{"key swapped to another account", `UPDATE attest_key SET account = 'a_bbbbbbbbbbbbbbbbbbbbbbbbbb'`, audit.RowWithoutEntry},
		{"key deleted", `DELETE FROM attest_serial; DELETE FROM attest_key WHERE account LIKE 'a_a%'`, audit.EntryWithoutRow},
		{"key from nowhere", `INSERT INTO attest_key SELECT 'new', account, platform, spki, algorithm, app_id, tier, state, counter, counter_seen, model, os, device, policy_digest, evidence, registered_at, last_used FROM attest_key LIMIT 1`, audit.RowWithoutEntry},
		{"entry changed", `UPDATE audit_entry SET reason = 'x' WHERE n = 2`, audit.ChainBreak},
		{"entry's time changed", `UPDATE audit_entry SET time = time + 1 WHERE n = 3`, audit.ChainBreak},
		{"entry deleted", `DELETE FROM audit_entry WHERE n = 2`, audit.ChainGap},
		{"entries swapped", `UPDATE audit_entry SET n = n + 10 WHERE n < 3; UPDATE audit_entry SET n = 13 - n WHERE n > 10`, audit.ChainBreak},
		{"entry moved to the app's chain", `UPDATE audit_entry SET account = '' WHERE n = 1 AND account LIKE 'a_a%'`, audit.ChainBreak},
		{"reference cut", `PRAGMA foreign_keys = 0; DELETE FROM attest_key WHERE account LIKE 'a_a%'`, store.BrokenForeign},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			s := filled(t, path)
			if _, err := raw(t, path).Exec(tt.change); err != nil {
				t.Fatal(err)
			}
			report, err := s.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			found := slices.ContainsFunc(report.Problems, func(p audit.Problem) bool { return p.Kind == tt.kind })
			if found == (tt.kind == "") || report.OK() != (tt.kind == "") {
				t.Errorf("Check found %+v, want %s", report.Problems, tt.kind)
			}
			if report.App != "demo" || report.Entries == 0 {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// TestCheckFindsDamage: a page that was overwritten on the disk.
func TestCheckFindsDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	filled(t, path).Close()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	garbage := slices.Repeat([]byte{0xff}, 4096)
	for page := int64(2); page < info.Size()/4096; page++ {
		if _, err := f.WriteAt(garbage, page*4096); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(t.Context(), &Options{Path: path, App: "demo"})
	if err != nil {
		return // refused at once: that is noticed too
	}
	defer s.Close()
	if report, err := s.Check(t.Context()); err == nil && report.OK() {
		t.Error("Check is clean over a file full of garbage")
	}
}
