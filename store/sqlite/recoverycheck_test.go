package sqlite

import (
	"crypto/sha256"
	"path/filepath"
	"slices"
	"testing"

	"github.com/staunchid/staunch/audit"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/store"
)

// backedUp gives alice a registration, and a recovery that is on its way.
func backedUp(t *testing.T, s *Store) *Store {
	t.Helper()
	ctx := t.Context()
	err := s.Update(ctx, func(tx *Tx) error {
		record := []byte("\x00\x00\x00\x01 sealed")
		blob := []byte("encrypted")
		p := recovery.PointerRow{Account: alice, Reg: [16]byte{1}, Blob: sha256.Sum256(blob), Header: []byte{1}, Stage: recovery.Finalized, Profile: "kr1-2of3", At: noon}
		v := recovery.SetupRow{Account: alice, Reg: [16]byte{1}, Device: "d_1", Approval: "v_1", At: noon}
		n := recovery.SessionRow{Hash: [32]byte{1}, Account: alice, Key: "k1", CreatedAt: noon, Until: noon}
		p.MAC, v.MAC, n.MAC = p.Seal(rowKey), v.Seal(rowKey), n.Seal(rowKey)
		note := func(h recovery.HistoryRow) error {
			h.MAC = h.Seal(rowKey)
			_, err := tx.AddHistory(ctx, h)
			return err
		}
		return firstError(
			func() error {
				r := recovery.RecordRow{Vault: "v1", Acct: [16]byte{1}, Account: alice, Profile: "kr1-2of3", Gen: 1, Ver: 5, Sealed: record, UpdatedAt: noon}
				r.MAC = r.Seal(rowKey)
				return tx.CreateRecovery(ctx, r)
			},
			func() error {
				return note(recovery.HistoryRow{Vault: "v1", Acct: [16]byte{1}, Gen: 1, Ver: 4, Digest: [32]byte{4}, Session: [32]byte{1}, At: noon})
			},
			func() error {
				return note(recovery.HistoryRow{Vault: "v1", Acct: [16]byte{1}, Gen: 1, Ver: 5, Digest: sha256.Sum256(record), At: noon})
			},
			func() error {
				i := recovery.IntentRow{Vault: "v1", Acct: [16]byte{1}, Account: alice, Op: 7, Epoch: 1, Request: []byte("sealed"), At: noon, NextAt: noon}
				i.MAC = i.Seal(rowKey)
				return tx.PutIntent(ctx, i)
			},
			func() error {
				return tx.PutBlob(ctx, recovery.BlobRow{Account: alice, Reg: [16]byte{1}, Hash: sha256.Sum256(blob), Blob: blob, At: noon})
			},
			func() error { return tx.PutPointer(ctx, p) },
			func() error { return tx.PutSetup(ctx, v) },
			func() error { return tx.AddRecoverySession(ctx, n) },
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCheckRecovery: what somebody changes past the program in the rows of
// recovery is found.
func TestCheckRecovery(t *testing.T) {
	tests := []struct {
		name, change string
		kinds        []string
	}{
		{"nothing", ``, nil},
		{"blob deleted", `DELETE FROM recovery_blob`, []string{store.RecoveryBlob}},
		{"blob changed", `UPDATE recovery_blob SET blob = x'00'`, []string{store.RecoveryBlob}},
		{"a pointer of profile seed has none", `DELETE FROM recovery_blob; UPDATE recovery_pointer SET header = NULL`, []string{audit.RowMAC}},
		{"record put back", `UPDATE recovery_record SET ver = 4`, []string{store.RecoveryRegressed, audit.RowMAC}},
		{"record put back under its version", `UPDATE recovery_record SET record = x'0000000100'`, []string{store.RecoveryRegressed, audit.RowMAC}},
		{"gen put back", `UPDATE recovery_history SET gen = 2 WHERE ver = 4`, []string{store.RecoveryRegressed, audit.RowMAC}},
		{"fork", `INSERT INTO recovery_history (vault, acct, gen, ver, digest, used, at, mac) SELECT vault, acct, gen, ver, zeroblob(32), 0, at, mac FROM recovery_history WHERE ver = 5`, []string{store.RecoveryFork, audit.RowMAC}},
		{"attempts that the owner is not to see", `UPDATE recovery_record SET used = 9`, []string{audit.RowMAC}},
		{"a record that is said to be locked", `UPDATE recovery_record SET state = 1`, []string{audit.RowMAC}},
		{"an attempt that was none", `UPDATE recovery_history SET used = 1 WHERE ver = 5`, []string{audit.RowMAC}},
		{"an attempt of another session", `UPDATE recovery_history SET session = NULL WHERE ver = 4`, []string{audit.RowMAC}},
		{"a request that nobody made", `UPDATE recovery_intent SET request = x'00'`, []string{audit.RowMAC}},
		{"a request of another account", `UPDATE recovery_intent SET account = 'a_2'`, []string{audit.RowMAC}},
		{"a request that is tried again", `UPDATE recovery_intent SET tries = 9, next_at = 1`, nil},
		{"pointer moved on", `UPDATE recovery_pointer SET stage = 'activated'`, []string{audit.RowMAC}},
		{"setup of another device", `UPDATE recovery_setup SET device = 'd_2'`, []string{audit.RowMAC}},
		{"session of another key", `UPDATE recovery_session SET key = 'k2'`, []string{audit.RowMAC}},
		{"session that vaults have released in", `UPDATE recovery_session SET releases = '["v1","v2"]'`, []string{audit.RowMAC}},
		{"session that is finished", `UPDATE recovery_session SET finished = 1`, []string{audit.RowMAC}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			s := backedUp(t, peopled(t, openTest(t, path)))
			if _, err := raw(t, path).Exec(tt.change); err != nil {
				t.Fatal(err)
			}
			report, err := s.CheckBy(t.Context(), func(tx *Tx) (audit.Report, error) {
				return audit.Check(t.Context(), tx.Keyed(rowKey), &audit.CheckOptions{Now: noon})
			})
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, p := range report.Problems {
				kinds = append(kinds, p.Kind)
			}
			if kinds = slices.Compact(kinds); !slices.Equal(kinds, tt.kinds) {
				t.Errorf("found %+v, want %q", report.Problems, tt.kinds)
			}
		})
	}
}
