package sqlite

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/attest/registry"
	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/store"
)

// told is an entry that tells of a piece of evidence.
func told(e registry.Evidence) audit.Entry {
	digest := e.Digest()
	detail, err := json.Marshal(map[string]any{"kept": audit.Kept{Subject: e.ID, SHA256: digest[:], Until: e.Until}})
	if err != nil {
		panic(err)
	}
	return audit.Entry{Account: e.Account, Time: e.At, Actor: audit.Actor{Kind: account.System}, Action: "attest.register", Detail: detail}
}

// filled makes a store with two keys, their evidence and their entries.
func filled(t *testing.T, path string) *Store {
	t.Helper()
	s := openTest(t, path)
	err := s.Update(t.Context(), func(tx *Tx) error {
		for _, id := range []account.ID{"a_aaaaaaaaaaaaaaaaaaaaaaaaaa", "a_bbbbbbbbbbbbbbbbbbbbbbbbbb"} {
			k := registry.Key{ID: "key of " + string(id), App: "demo", Account: id, SPKI: []byte{1}, State: registry.StateActive, Serials: []string{"a1", "b2"}, RegisteredAt: noon}
			if err := tx.PutAttestedKey(t.Context(), k); err != nil {
				return err
			}
			evidence := registry.Evidence{
				ID: "evidence of " + string(id), Account: id, Key: k.ID, At: noon, Until: noon.Add(time.Hour),
				Verdict: []byte(`{"tier":"none"}`), Bundle: []byte(`{"version":1}`),
			}
			if err := tx.AddEvidence(t.Context(), evidence); err != nil {
				return err
			}
			if err := tx.AppendAudit(t.Context(), told(evidence)); err != nil {
				return err
			}
			digest := k.Digest()
			e := audit.Entry{Account: id, Time: noon, Actor: audit.Actor{Kind: account.System}, Action: "attest.register", Subject: k.ID, Object: digest[:]}
			for range 2 {
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
		{"key from nowhere", `INSERT INTO attest_key SELECT 'new', account, platform, spki, algorithm, app_id, tier, state, counter, counter_seen, model, os, device, policy_digest, evidence, registered_at, last_used, batch, provisioning FROM attest_key LIMIT 1`, audit.RowWithoutEntry},
		{"serial changed", `UPDATE attest_serial SET serial = 'a2' WHERE serial = 'a1'`, audit.RowDigest},
		{"serial added", `INSERT INTO attest_serial SELECT 'a2', key_id FROM attest_serial LIMIT 1`, audit.RowDigest},
		{"serial deleted", `DELETE FROM attest_serial WHERE serial = 'a1'`, audit.RowDigest},
		{"serials run together", `DELETE FROM attest_serial WHERE serial = 'b2'; UPDATE attest_serial SET serial = 'a1b2'`, audit.RowDigest},
		{"verdict of evidence changed", `UPDATE attest_evidence SET verdict = x'7b7d'`, audit.RowDigest},
		{"bundle of evidence changed", `UPDATE attest_evidence SET bundle = x'00'`, audit.RowDigest},
		{"bundle of evidence emptied", `UPDATE attest_evidence SET bundle = NULL`, audit.RowDigest},
		{"evidence kept for a shorter time", `UPDATE attest_evidence SET until = until - 1`, audit.RowDigest},
		{"evidence deleted", `DELETE FROM attest_evidence WHERE account LIKE 'a_a%'`, audit.EntryWithoutRow},
		{"evidence swapped", `UPDATE attest_evidence SET id = 'x' WHERE account LIKE 'a_a%'; UPDATE attest_evidence SET id = 'evidence of a_aaaaaaaaaaaaaaaaaaaaaaaaaa' WHERE account LIKE 'a_b%'`, audit.RowWithoutEntry},
		{"table dropped", `DROP TABLE attest_serial`, store.BrokenSchema},
		{"table of the record dropped", `DROP TABLE audit_entry`, store.BrokenSchema},
		{"index dropped", `DROP INDEX attest_key_account`, store.BrokenSchema},
		{"index on something else", `DROP INDEX attest_key_account; CREATE INDEX attest_key_account ON attest_key (model)`, store.BrokenSchema},
		{"column added", `ALTER TABLE attest_key ADD COLUMN x TEXT`, store.BrokenSchema},
		{"trigger added", `CREATE TRIGGER undo AFTER UPDATE ON attest_challenge BEGIN UPDATE attest_challenge SET used_at = NULL; END`, store.BrokenSchema},
		{"statistics, which SQLite keeps", `ANALYZE`, ""},
		{"what is not covered: a challenge open again, an event", `UPDATE attest_challenge SET used_at = NULL; DELETE FROM outbox`, ""},
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
			report, err := s.Check(t.Context(), noon)
			if err != nil {
				t.Fatal(err)
			}
			found := slices.ContainsFunc(report.Problems, func(p audit.Problem) bool { return p.Kind == tt.kind })
			if found == (tt.kind == "") || report.OK() != (tt.kind == "") {
				t.Errorf("Check found %+v, want %s", report.Problems, tt.kind)
			}
			if report.App != "demo" || report.Entries == 0 && !strings.Contains(tt.change, "DROP TABLE audit_entry") {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// TestCheckKeeping: evidence may be gone when its time is over, and no sooner.
func TestCheckKeeping(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s := filled(t, path)
	if _, err := raw(t, path).Exec(`DELETE FROM attest_evidence`); err != nil {
		t.Fatal(err)
	}
	end := noon.Add(time.Hour)
	for now, want := range map[time.Time]int{end: 2, end.Add(time.Microsecond): 0} {
		if report, err := s.Check(t.Context(), now); err != nil || len(report.Problems) != want {
			t.Errorf("at %v: %+v, %v; want %d problems", now, report, err, want)
		}
	}
}

// TestCheckFindsDamage: bytes that were overwritten or lost on the disk are
// problems, or are refused at once with an error that says so.
func TestCheckFindsDamage(t *testing.T) {
	garbage := slices.Repeat([]byte{0xff}, 4096)
	var root int // the page, counted from 1, where the record begins
	probe := filepath.Join(t.TempDir(), "a.db")
	filled(t, probe)
	if err := raw(t, probe).QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = 'audit_entry'`).Scan(&root); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(data []byte) []byte
		open   error // nil: it opens, and Check tells
	}{
		{"a page overwritten", func(b []byte) []byte { copy(b[(root-1)*4096:], garbage); return b }, nil},
		{"last page cut off", func(b []byte) []byte { return b[:len(b)-4096] }, store.ErrDamaged},
		{"half of it cut off", func(b []byte) []byte { return b[:len(b)/2] }, store.ErrDamaged},
		{"all but a page cut off", func(b []byte) []byte { return b[:4096] }, store.ErrDamaged},
		{"all but half a page cut off", func(b []byte) []byte { return b[:2048] }, store.ErrDamaged},
		{"everything cut off", func([]byte) []byte { return nil }, store.ErrNotStore},
		{"garbage", func(b []byte) []byte { return garbage }, store.ErrNotStore},
		{"a text", func(b []byte) []byte { return []byte("garbage") }, store.ErrNotStore},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			filled(t, path).Close()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tt.change(data), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), &Options{Path: path, App: "demo", ReadOnly: true})
			if !errors.Is(err, tt.open) || err != nil && !strings.Contains(err.Error(), path) {
				t.Fatalf("Open: %v, want %v and the path", err, tt.open)
			}
			if err != nil {
				return
			}
			defer s.Close()
			report, err := s.Check(t.Context(), noon)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(report.Problems, func(p audit.Problem) bool { return p.Kind == store.BrokenFile }) {
				t.Errorf("Check found %+v", report.Problems)
			}
		})
	}
}
