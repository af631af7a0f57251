package insider_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/staunchid/staunch/account"
	"github.com/staunchid/staunch/recovery"
	"github.com/staunchid/staunch/store/sqlite"
	"github.com/staunchid/staunch/web/demo/insider"
)

const marie account.ID = "a_aaaaaaaaaaaaaaaaaaaaaaaaaa"

// TestRestore: the row is what it was when it was copied, mark and all, and no other
// row is touched; while the store is open elsewhere.
func TestRestore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "demo.db")
	s, err := sqlite.Open(t.Context(), &sqlite.Options{Path: path, App: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	row := func(vault string, ver uint64, used uint8) recovery.RecordRow {
		return recovery.RecordRow{
			Vault: vault, Acct: [16]byte{1}, Account: marie, Profile: "kr1-2of3", Gen: 1, Ver: ver, Used: used,
			Sealed: []byte{0, 0, 0, 1, byte(ver)}, UpdatedAt: time.Unix(int64(ver), 0).UTC(), MAC: []byte{9, byte(ver)}, //nolint:gosec // small numbers
		}
	}
	put := func(r recovery.RecordRow) {
		t.Helper()
		if err := s.Update(t.Context(), func(tx *sqlite.Tx) error { return tx.CreateRecovery(t.Context(), r) }); err != nil {
			t.Fatal(err)
		}
	}
	rows := func() (all []recovery.RecordRow) {
		t.Helper()
		err := s.View(t.Context(), func(tx *sqlite.Tx) error {
			all = nil
			for _, vault := range []string{"v1", "v2"} {
				r, _, err := tx.Recovery(t.Context(), vault, [16]byte{1})
				if err != nil {
					return err
				}
				all = append(all, r)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	i, err := insider.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, found, err := i.Copy(marie, "v1"); found || err != nil {
		t.Fatalf("copied what is not there: %v", err)
	}
	put(row("v1", 3, 1))
	put(row("v2", 3, 1))
	if r, found, err := i.Copy(marie, "v1"); !found || err != nil || r.Version != 3 || r.Used != 1 {
		t.Fatalf("%+v, %v, %v", r, found, err)
	}
	put(row("v1", 5, 2))
	put(row("v2", 5, 2))
	if _, found, err := i.Restore(marie, "v2"); found || err != nil {
		t.Errorf("restored what nobody has copied: %v", err)
	}
	if _, found, err := i.Restore("a_bbbbbbbbbbbbbbbbbbbbbbbbbb", "v1"); found || err != nil {
		t.Errorf("restored another account's: %v", err)
	}
	if r, found, err := i.Restore(marie, "v1"); !found || err != nil || r.Version != 3 || r.Used != 1 {
		t.Fatalf("%+v, %v, %v", r, found, err)
	}
	if diff := cmp.Diff([]recovery.RecordRow{row("v1", 3, 1), row("v2", 5, 2)}, rows()); diff != "" {
		t.Error(diff)
	}
}
